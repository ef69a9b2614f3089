"""A process that takes snapshots is killed at random moments: what it reported is there, and what it left is cleaned up.

Twenty kills here; SNAPML_TEST_KILLS=200 for more.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.datasets.versions import list_datasets, list_versions
from snapml_jupyter.governance.retention import collect_garbage
from snapml_jupyter.governance.verify import verify
from snapml_jupyter.store.retention import list_referenced_blobs
from snapml_jupyter.store.workspace import Workspace

KILLS = int(os.environ.get("SNAPML_TEST_KILLS", "20"))

WRITER = """
import sys
import numpy as np, pandas as pd
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.store.workspace import Workspace

def frame_of(seed):
    made = np.random.default_rng(seed)
    n_rows = int(made.integers(1, 60_000))
    return pd.DataFrame({"id": np.arange(n_rows), "x": made.normal(size=n_rows), "s": made.choice(list("abc"), n_rows)})

if __name__ == "__main__":
    workspace = Workspace(sys.argv[1])
    frames = {seed: frame_of(seed) for seed in range(int(sys.argv[2]), int(sys.argv[2]) + 40)}
    print("ready", flush=True)
    for seed, frame in frames.items():
        version = snapshot(workspace, f"set{seed % 3}", frame)
        print(version.ref, seed, flush=True)
"""


def frame_of(seed: int) -> pd.DataFrame:
    made = np.random.default_rng(seed)
    n_rows = int(made.integers(1, 60_000))
    return pd.DataFrame({"id": np.arange(n_rows), "x": made.normal(size=n_rows), "s": made.choice(list("abc"), n_rows)})


def test_killed_snapshots_lose_nothing_and_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "writer.py").write_text(WRITER)
    folder = tmp_path / "workspace"
    moments = random.Random(7)
    reported: dict[str, int] = {}
    for kill in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, str(tmp_path / "writer.py"), str(folder), str(kill * 40)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        # Every other one after its first report, so that a slow machine has something to lose as well.
        first = process.stdout.readline().rstrip("\n") if kill % 2 else ""
        time.sleep(moments.uniform(0, 0.25))
        process.kill()
        for line in [first, *process.stdout.read().splitlines()]:
            ref, _, seed = line.partition(" ")
            if seed.isdigit():  # the last line may be cut short
                reported[ref] = int(seed)
        process.wait()
        process.stdout.close()
    workspace = Workspace(folder)
    assert len(reported) >= KILLS // 2
    for ref, seed in reported.items():
        pd.testing.assert_frame_equal(open_dataset(workspace, ref).to_pandas(), frame_of(seed))
    listed = [version for found in list_datasets(workspace) for version in list_versions(workspace, found.name)]
    assert {version.ref for version in listed} >= set(reported)
    for version in listed:
        assert len(open_dataset(workspace, version.ref).to_pandas()) == version.n_rows
    for found in list_datasets(workspace):
        numbers = sorted(version.number for version in listed if version.name == found.name)
        assert numbers == list(range(1, len(numbers) + 1))
    assert verify(workspace).passed
    report = collect_garbage(workspace, dry_run=False)
    assert report.n_kept_young == 0 and report.problems == []
    left = {path.parent.name + path.name for path in (folder / "blobs").rglob("*") if path.is_file()}
    assert left == list_referenced_blobs(workspace.database)
    assert verify(workspace).passed
