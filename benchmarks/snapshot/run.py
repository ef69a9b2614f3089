"""Snapshots beside Parquet files: seconds and bytes, as medians of interleaved rounds.

    python benchmarks/snapshot/run.py                    # 200,000 rows, a few seconds
    python benchmarks/snapshot/run.py --rows 4000000     # the size of docs/datasets.md, about 0.7 GB
    python benchmarks/snapshot/run.py --frame flights    # of another character (`frames.py`): real, floats, texts, integers, objects
    python benchmarks/snapshot/run.py --json             # for machines

    python benchmarks/snapshot/run.py --dvc PATH         # beside DVC; PATH is its command, from an environment of its own

Every round starts from an empty workspace and times, in turn: `to_parquet` (and `dvc add` of the file), the first
snapshot, the same frame again, one column changed, 1% of the rows appended, 1% deleted from the front, a run of 1% changed
in one column, 1% changed here and there, reading the whole frame back with `read_parquet` and with `to_pandas`, two columns
of it, and a snapshot of ten rows. Then once: a folder of 5,000 small CSV files, and the memory that a first snapshot takes
beyond the frame. `limit` is what an unchanged snapshot cannot beat: converting the frame to Arrow and hashing every
buffer with BLAKE3.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from blake3 import blake3

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from frames import KINDS, make_frame

from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.store.workspace import Workspace


def rounds(frame: pd.DataFrame, column: str, folder: Path, dvc: str | None) -> Iterator[tuple[str, float, int | None]]:
    """One round: (what, seconds, bytes on disk). `column` is changed."""
    n = len(frame)
    workspace = Workspace(folder / "workspace")
    parquet = folder / "frame.parquet"
    hundredth = max(1, n // 100)
    column_changed = frame.assign(**{column: frame[column] + 1})
    appended = pd.concat([frame, frame.sample(hundredth, random_state=1)])
    part_changed = frame.copy()
    part_changed.loc[n // 2 : n // 2 + hundredth, column] += 2
    scattered = frame.copy()
    scattered.loc[np.random.default_rng(2).choice(n, hundredth, replace=False), column] += 3
    versions = {
        "snapshot, first": frame,
        "snapshot, unchanged": frame,
        "snapshot, one column changed": column_changed,
        "snapshot, 1% of rows appended": appended.reset_index(drop=True),
        "snapshot, 1% deleted in front": frame.iloc[hundredth:].reset_index(drop=True),
        "snapshot, 1% changed in a column": part_changed,
        "snapshot, 1% changed, scattered": scattered,
    }
    _, seconds = timed(lambda: frame.to_parquet(parquet))
    yield "to_parquet", seconds, parquet.stat().st_size
    if dvc is not None:
        repository = make_repository(folder / "dvc", dvc)
        for what in ("dvc add", "dvc add, unchanged"):
            shutil.copy(parquet, repository / "frame.parquet")
            yield what, timed(lambda: run_dvc(dvc, repository, "add", "-q", "frame.parquet"))[1], None
    _, seconds = timed(lambda: limit(frame))
    yield "limit: to Arrow and BLAKE3", seconds, None
    for what, changed in versions.items():
        version, seconds = timed(lambda changed=changed: snapshot(workspace, "bench", changed))
        yield what, seconds, version.added_bytes
    _, seconds = timed(lambda: pd.read_parquet(parquet))
    yield "read_parquet", seconds, None
    two = [frame.columns[0], frame.columns[11]]
    back, seconds = timed(lambda: open_dataset(workspace, "bench@v1").to_pandas())
    yield "to_pandas", seconds, None
    pd.testing.assert_frame_equal(back, frame)
    _, seconds = timed(lambda: open_dataset(workspace, "bench@v1").to_pandas(two))
    yield "to_pandas, 2 columns", seconds, None
    tiny = [frame.head(10).assign(**{column: number}) for number in range(8)]
    times = [timed(lambda few=few: snapshot(workspace, "tiny", few))[1] for few in tiny]
    yield "snapshot of 10 rows, warm", statistics.median(times[1:]), None


def many_files(folder: Path, dvc: str | None) -> Iterator[tuple[str, float, int | None]]:
    """5,000 small CSV files as one dataset, beside `dvc add` of their folder."""
    random = np.random.default_rng(1)
    repository = folder / "dvc-files" if dvc is None else make_repository(folder / "dvc-files", dvc)
    files = repository / "days"
    files.mkdir(parents=True)
    for number in range(5_000):
        day = pd.DataFrame(
            {"day": number, "value": random.normal(size=20).round(3), "kind": random.choice(list("ab"), 20)}
        )
        day.to_csv(files / f"{number:05}.csv", index=False)
    if dvc is not None:
        yield "dvc add of 5,000 CSV files", timed(lambda: run_dvc(dvc, repository, "add", "-q", "days"))[1], None
    workspace = Workspace(folder / "files")
    version, seconds = timed(lambda: snapshot(workspace, "days", files))
    yield "snapshot of 5,000 CSV files", seconds, version.added_bytes


def make_repository(folder: Path, dvc: str) -> Path:
    """An empty DVC repository without Git."""
    folder.mkdir()
    run_dvc(dvc, folder, "init", "-q", "--no-scm")
    run_dvc(dvc, folder, "config", "core.analytics", "false")
    return folder


def run_dvc(dvc: str, folder: Path, *arguments: str) -> None:
    subprocess.run([dvc, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)


_MEMORY = """
import ctypes, gc, sys
from pathlib import Path
import pyarrow
sys.path.insert(0, sys.argv[1])
from run import Workspace, make_frame, snapshot
frame, workspace = make_frame(sys.argv[4], int(sys.argv[2])), Workspace(Path(sys.argv[3]))
snapshot(workspace, "warm", frame.head(1000))
gc.collect()  # what making the frame took and left is given back, so that it is not used unseen
pyarrow.default_memory_pool().release_unused()
ctypes.CDLL(None).malloc_trim(0)
Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here on
def peak(name): return int(next(l for l in open("/proc/self/status") if l.startswith(name)).split()[1]) * 1024
before = peak("VmRSS")
snapshot(workspace, "bench", frame)
print((peak("VmHWM") - before) / frame.memory_usage(deep=True).sum())
"""


def memory_fraction(kind: str, n_rows: int, folder: Path) -> float:
    """Peak memory of a first snapshot beyond what was held before it, as a share of the frame (Linux)."""
    arguments = [str(Path(__file__).parent), str(n_rows), str(folder / "memory"), kind]
    done = subprocess.run([sys.executable, "-c", _MEMORY, *arguments], check=True, capture_output=True, text=True)
    return float(done.stdout)


def limit(frame: pd.DataFrame) -> None:
    """Convert to Arrow and hash every buffer."""
    for column in pa.Table.from_pandas(frame, preserve_index=False).columns:
        for chunk in column.chunks:
            for buffer in chunk.buffers():
                if buffer is not None:
                    blake3(buffer, max_threads=blake3.AUTO).digest()


def timed(action: Callable[[], Any]) -> tuple[Any, float]:
    """The result, and the seconds it took."""
    start = time.perf_counter()
    result = action()
    return result, time.perf_counter() - start


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--frame", choices=KINDS, default="mixed", help="what the columns are like")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="a folder on the disk to be measured; default: the temporary one")
    parser.add_argument("--dvc", help="the command of DVC to compare with")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    frame = make_frame(arguments.frame, arguments.rows)
    seconds: dict[str, list[float]] = {}
    sizes: dict[str, int | None] = {}
    for _ in range(arguments.rounds):
        folder = Path(tempfile.mkdtemp(prefix="snapml-bench-", dir=arguments.folder))
        try:
            for what, took, size in rounds(frame, KINDS[arguments.frame].changed, folder, arguments.dvc):
                seconds.setdefault(what, []).append(took)
                sizes[what] = size
        finally:
            shutil.rmtree(folder)
    folder = Path(tempfile.mkdtemp(prefix="snapml-bench-", dir=arguments.folder))
    try:
        for what, took, size in many_files(folder, arguments.dvc):
            seconds[what], sizes[what] = [took], size
        extra = memory_fraction(arguments.frame, arguments.rows, folder)
    finally:
        shutil.rmtree(folder)
    memory = int(frame.memory_usage(deep=True).sum())
    results = {what: {"seconds": statistics.median(took), "bytes": sizes[what]} for what, took in seconds.items()}
    if arguments.json:
        print(json.dumps({"rows": arguments.rows, "frame_bytes": memory, "memory_fraction": extra, "results": results}))
        return
    print(f"{arguments.frame}: {arguments.rows:,} rows x {frame.shape[1]} columns, {memory / 1e6:,.0f} MB in memory")
    for what, result in results.items():
        size = result["bytes"]
        shown = "" if size is None else f"{size / 1e6:12.3f} MB"
        print(f"{what:34} {result['seconds']:9.4f} s {shown}")
    print(f"memory of a first snapshot         {extra:9.1%} of the frame")
    print_ratios({what: result["seconds"] for what, result in results.items()})


#: Ours, and what it is compared with, added up.
RATIOS = (
    ("snapshot, unchanged", ("limit: to Arrow and BLAKE3",)),
    ("snapshot, one column changed", ("snapshot, unchanged",)),
    ("snapshot, first", ("to_parquet",)),
    ("snapshot, first", ("to_parquet", "dvc add")),
    ("snapshot, unchanged", ("to_parquet", "dvc add, unchanged")),
    ("to_pandas", ("read_parquet",)),
    ("snapshot of 5,000 CSV files", ("dvc add of 5,000 CSV files",)),
)


def print_ratios(seconds: dict[str, float]) -> None:
    """What the figures are about: ours in parts of what stands beside it."""
    for ours, others in RATIOS:
        if all(other in seconds for other in others):
            print(f"{ours} / {' + '.join(others):44} {seconds[ours] / sum(seconds[other] for other in others):6.2f}")


if __name__ == "__main__":
    main()
