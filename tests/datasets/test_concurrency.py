"""Several processes at once, and one that dies in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from snapml_jupyter.datasets import versions
from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.store.workspace import Workspace

WRITER = """
import sys
import pandas as pd
import pytest
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.store.workspace import Workspace
workspace = Workspace(sys.argv[1], actor=sys.argv[2])
for number in range(12):
    shared = snapshot(workspace, "shared", pd.DataFrame({"n": [number], "same": ["x"]}))
    own = snapshot(workspace, "own", pd.DataFrame({"n": [number], "by": [sys.argv[2]]}))
    print(own.ref, own.is_new)
"""

ENDLESS = """
import sys
import numpy as np
import pandas as pd
import pytest
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.store.workspace import Workspace
workspace = Workspace(sys.argv[1], actor="mortal")
random = np.random.default_rng(int(sys.argv[2]))
while True:
    version = snapshot(workspace, "flights", pd.DataFrame({"x": random.normal(size=20_000), "y": "constant"}))
    print(version.ref, version.digest, flush=True)
"""


def test_processes_that_snapshot_at_once_lose_no_version(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(folder), f"actor-{n}"], stdout=-1, stderr=-1, text=True)
        for n in range(3)
    ]
    said: list[str] = []
    for writer in writers:
        output, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
        said.extend(output.splitlines())
    workspace = Workspace(folder, actor="ada")
    assert [version.number for version in versions.list_versions(workspace, "shared")] == list(range(12, 0, -1))
    own = versions.list_versions(workspace, "own")
    assert [version.number for version in own] == list(range(36, 0, -1))
    assert sorted(said) == sorted(f"{version.ref} True" for version in own)
    for version in own:
        assert open_dataset(workspace, version.ref).to_pandas()["by"].tolist() == [version.created_by]


def test_a_process_killed_while_it_writes_harms_no_version(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    workspace = Workspace(folder, actor="ada")
    for attempt in range(4):
        process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(folder), str(attempt)], stdout=-1, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.013 * attempt)  # a different moment each time; what is checked holds at any
        process.send_signal(signal.SIGKILL)
        reported = process.stdout.read().splitlines()
        process.wait(timeout=60)
        process.stdout.close()
        for line in reported:
            if len(line.split()) == 2 and len(line.split()[1]) == 64:
                ref, digest = line.split()
                assert versions.get_version(workspace, ref).digest == digest
    kept = versions.list_versions(workspace, "flights")
    assert [version.number for version in kept] == list(range(len(kept), 0, -1))
    for version in kept:
        frame = open_dataset(workspace, version.ref).to_pandas()
        assert len(frame) == 20_000
        assert (frame["y"] == "constant").all()
    assert isinstance(frame, pd.DataFrame)


FORKED = """
import multiprocessing, sys
import numpy as np, pandas as pd
from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.store.workspace import Workspace
workspace = Workspace(sys.argv[1], actor="ada")
frame = pd.DataFrame({"x": np.arange(200_000.0), "y": np.arange(200_000)})
snapshot(workspace, "frame", frame)
def child(number):
    changed = open_dataset(workspace, "frame@v1").to_pandas()
    return snapshot(workspace, "frame", changed + number).ref
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(sorted(pool.map(child, [1, 2, 3])))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform starts every process afresh")
def test_forked_children_snapshot_and_read_too(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED, str(tmp_path / "workspace")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.strip() == "['frame@v2', 'frame@v3', 'frame@v4']", done.stderr
