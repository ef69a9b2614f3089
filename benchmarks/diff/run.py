"""What differs between two versions of a table, beside an outer merge in pandas: seconds, medians of interleaved rounds.

    python benchmarks/diff/run.py                    # 400,000 rows
    python benchmarks/diff/run.py --rows 4000000     # the size of docs/performance.md
    python benchmarks/diff/run.py --json             # for machines

The second version has 1% of the rows changed in one column, in one place or spread over all rows, or 1% of the rows
deleted in front. pandas has both frames in memory already; we read them from the store.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from snapml_jupyter.datasets.diff import diff_versions
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.store.workspace import Workspace

_spec = importlib.util.spec_from_file_location("frames", Path(__file__).resolve().parents[1] / "snapshot" / "run.py")
assert _spec is not None and _spec.loader is not None
_frames = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_frames)


def outer_merge(before: pd.DataFrame, after: pd.DataFrame) -> tuple[int, int, int]:
    """Rows added, removed and changed by the key `id`, as one does it by hand."""
    merged = before.merge(after, on="id", how="outer", suffixes=("", "_after"), indicator=True)
    both = merged[merged["_merge"] == "both"]
    changed = np.zeros(len(both), dtype=bool)
    for column in before.columns.drop("id"):
        one, two = both[column], both[f"{column}_after"]
        if isinstance(one.dtype, pd.CategoricalDtype):
            one, two = one.astype("str"), two.astype("str")
        changed |= ((one != two).fillna(False) & ~(one.isna() & two.isna())).to_numpy(dtype=bool)
    return (
        int((merged["_merge"] == "right_only").sum()),
        int((merged["_merge"] == "left_only").sum()),
        int(changed.sum()),
    )


def timed(action: Callable[[], Any]) -> tuple[Any, float]:
    """The result, and the seconds it took."""
    start = time.perf_counter()
    result = action()
    return result, time.perf_counter() - start


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    n = arguments.rows
    before = _frames.make_frame(n)
    hundredth = n // 100
    in_one_place, spread = before.copy(), before.copy()
    in_one_place.loc[n // 2 : n // 2 + hundredth - 1, "price"] += 1
    spread.loc[np.random.default_rng(1).choice(n, hundredth, replace=False), "price"] += 1
    cases = {
        "1% changed in one place": in_one_place,
        "1% changed all over": spread,
        "1% deleted in front": before.iloc[hundredth:].reset_index(drop=True),
    }
    folder = Path(tempfile.mkdtemp(prefix="snapml-bench-"))
    seconds: dict[str, dict[str, list[float]]] = {case: {"keys": [], "content": [], "pandas": []} for case in cases}
    read: dict[str, int] = {}
    try:
        workspace = Workspace(folder / "workspace")
        snapshot(workspace, "before", before)
        refs = {
            case: snapshot(workspace, f"after{place}", after).ref for place, (case, after) in enumerate(cases.items())
        }
        for _ in range(arguments.rounds):
            for case, after in cases.items():
                found, took = timed(lambda case=case: diff_versions(workspace, "before", refs[case], ["id"]))
                seconds[case]["keys"].append(took)
                read[case] = found.bytes_read
                _, took = timed(lambda case=case: diff_versions(workspace, "before", refs[case]))
                seconds[case]["content"].append(took)
                merged, took = timed(lambda after=after: outer_merge(before, after))
                seconds[case]["pandas"].append(took)
                assert merged == (found.n_added, found.n_removed, found.n_changed), (merged, found)
    finally:
        shutil.rmtree(folder)
    results = {case: {what: statistics.median(took) for what, took in of.items()} for case, of in seconds.items()}
    if arguments.json:
        print(json.dumps({"rows": n, "results": results, "bytes_read": read}))
        return
    print(f"{n:,} rows x {before.shape[1]} columns, {before.memory_usage(deep=True).sum() / 1e6:,.0f} MB in memory")
    for case, of in results.items():
        print(
            f"{case:26} by key {of['keys']:7.3f} s   by content {of['content']:7.3f} s   pandas merge {of['pandas']:7.3f} s"
            f"   ratio {of['pandas'] / of['keys']:6.1f}   read {read[case] / 1e6:6.1f} MB"
        )


if __name__ == "__main__":
    main()
