"""Garbage goes, everything that something refers to stays, also while others write."""

from __future__ import annotations

import multiprocessing
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from snapml_jupyter.datasets.aliases import set_alias
from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.datasets.versions import list_versions
from snapml_jupyter.domain.errors import InvalidInputError, NotFoundError, SnapMLError
from snapml_jupyter.governance.retention import collect_garbage
from snapml_jupyter.governance.verify import verify
from snapml_jupyter.runs.recording import record_input
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store import write_lock
from snapml_jupyter.store.blobs import LEAVING, NEW, new_name
from snapml_jupyter.store.workspace import Workspace


def frame_of(seed: int, n_rows: int = 20_000) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame({"id": np.arange(n_rows), "x": random.normal(size=n_rows), "y": random.normal(size=n_rows)})


def refs(workspace: Workspace, name: str = "flights") -> list[str]:
    return [version.ref for version in list_versions(workspace, name)]


def files(workspace: Workspace) -> set[str]:
    return {path.name for path in (workspace.folder / "blobs").rglob("*") if path.is_file()}


def test_a_clean_workspace_stays_as_it_is(workspace: Workspace) -> None:
    snapshot(workspace, "flights", frame_of(1))
    before = files(workspace)
    report = collect_garbage(workspace, dry_run=False)
    assert (report.n_blobs, report.freed_bytes, report.versions, report.problems) == (0, 0, [], [])
    assert files(workspace) == before and verify(workspace).passed


def test_what_nothing_refers_to_goes(workspace: Workspace) -> None:
    kept = snapshot(workspace, "flights", frame_of(1))
    loose = workspace.blobs.put(b"x" * 1000, locked=True)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    unfinished = f"{NEW}{platform.node()}-{ended.pid}-abc"
    (workspace.folder / "blobs" / loose[:2] / unfinished).write_bytes(b"half")
    would = collect_garbage(workspace, dry_run=True)
    assert (would.n_blobs, would.freed_bytes) == (2, 1004) and workspace.blobs.exists(loose)
    done = collect_garbage(workspace, dry_run=False)
    assert (done.n_blobs, done.freed_bytes) == (2, 1004)
    assert not workspace.blobs.exists(loose) and not [name for name in files(workspace) if name.startswith(".")]
    pd.testing.assert_frame_equal(open_dataset(workspace, kept.ref).to_pandas(), frame_of(1))


def test_what_somebody_is_about_to_refer_to_is_left_alone(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_lock, "_PAUSE_SECONDS", 0.001)
    loose = workspace.blobs.put(b"of a writer without the lock")
    assert collect_garbage(workspace, dry_run=False).n_kept_young == 1 and workspace.blobs.exists(loose)
    os.utime(workspace.blobs.path(loose), (time.time() - 1,) * 2)
    with write_lock.writing(workspace.folder):  # somebody takes a snapshot
        locked = workspace.blobs.put(b"of a writer with the lock", locked=True)
        assert collect_garbage(workspace, dry_run=False).n_kept_young == 2
    assert collect_garbage(workspace, dry_run=False).n_blobs == 2
    assert not workspace.blobs.exists(loose) and not workspace.blobs.exists(locked)
    (workspace.folder / "blobs" / "ab").mkdir(exist_ok=True)
    ours = workspace.folder / "blobs" / "ab" / f"{new_name()}1"
    ours.write_bytes(b"being written")
    collect_garbage(workspace, dry_run=False)
    assert ours.exists()


def test_old_versions_go_and_the_rest_comes_back_whole(workspace: Workspace) -> None:
    for seed in range(5):
        snapshot(workspace, "flights", frame_of(seed))
    would = collect_garbage(workspace, dry_run=True, keep=2)
    assert would.versions == ["flights@v3", "flights@v2", "flights@v1"] and len(refs(workspace)) == 5
    size = sum(path.stat().st_size for path in (workspace.folder / "blobs").rglob("*") if path.is_file())
    done = collect_garbage(workspace, dry_run=False, keep=2)
    assert done.versions == would.versions and done.freed_bytes > 500_000
    after = sum(path.stat().st_size for path in (workspace.folder / "blobs").rglob("*") if path.is_file())
    assert size - after == pytest.approx(done.freed_bytes, rel=0.02)
    assert done.freed_bytes == pytest.approx(would.freed_bytes, rel=0.02)
    assert refs(workspace) == ["flights@v5", "flights@v4"] and verify(workspace).passed
    pd.testing.assert_frame_equal(open_dataset(workspace, "flights@v4").to_pandas(), frame_of(3))
    with pytest.raises(NotFoundError, match="flights@v1"):
        open_dataset(workspace, "flights@v1")
    assert snapshot(workspace, "flights", frame_of(0)).ref == "flights@v6", "a number is never given twice"


def test_chunks_that_are_shared_move_to_a_smaller_pack(workspace: Workspace) -> None:
    snapshot(workspace, "flights", frame_of(1))
    changed = frame_of(1).assign(y=0.0, x=lambda made: made["x"] + 1)  # only the ids are shared
    snapshot(workspace, "flights", changed)
    report = collect_garbage(workspace, dry_run=False, keep=1)
    assert report.n_packs_rewritten == 1 and report.versions == ["flights@v1"]
    pd.testing.assert_frame_equal(open_dataset(workspace, "flights@v2").to_pandas(), changed)
    assert verify(workspace).passed


def test_what_is_referred_to_stays(workspace: Workspace) -> None:
    versions = [snapshot(workspace, "flights", frame_of(seed)) for seed in range(6)]
    with start_run(workspace, "train") as run:
        record_input(workspace, run.run_id, "df", versions[0].ref)
    set_alias(workspace, versions[1].ref, "approved")
    snapshot(workspace, "clean", frame_of(9), derived_from=[versions[2].ref])
    report = collect_garbage(workspace, dry_run=False, keep=1)
    assert report.versions == ["flights@v5", "flights@v4"]
    assert refs(workspace) == ["flights@v6", "flights@v3", "flights@v2", "flights@v1"]
    assert verify(workspace).passed


def test_age_and_number_must_both_hold(workspace: Workspace, clock: Any) -> None:
    for seed in range(3):
        snapshot(workspace, "flights", frame_of(seed))
        clock.advance(86_400)
    assert collect_garbage(workspace, dry_run=True, older_than_seconds=1.5 * 86_400).versions == [
        "flights@v2",
        "flights@v1",
    ]
    assert collect_garbage(workspace, dry_run=True, keep=2, older_than_seconds=1.5 * 86_400).versions == ["flights@v1"]
    assert collect_garbage(workspace, dry_run=True, keep=1, older_than_seconds=10 * 86_400).versions == []
    with pytest.raises(InvalidInputError, match="--keep 0"):
        collect_garbage(workspace, keep=0)


def test_nothing_is_removed_while_a_manifest_cannot_be_read(workspace: Workspace) -> None:
    version = snapshot(workspace, "flights", frame_of(1))
    snapshot(workspace, "flights", frame_of(2))
    workspace.blobs.path(version.manifest_digest).write_bytes(b"damaged")
    before = files(workspace)
    report = collect_garbage(workspace, dry_run=False)
    assert report.problems and "flights@v1" in report.problems[0]
    assert files(workspace) == before


def test_a_collection_that_was_killed_is_settled_by_the_next(workspace: Workspace) -> None:
    version = snapshot(workspace, "flights", frame_of(1))
    needed = workspace.blobs.path(version.manifest_digest)
    needed.replace(needed.with_name(LEAVING + needed.name))
    loose = workspace.blobs.path(workspace.blobs.put(b"loose"))
    loose.replace(loose.with_name(LEAVING + loose.name))
    collect_garbage(workspace, dry_run=False)
    assert needed.exists() and not [name for name in files(workspace) if name.startswith(".")]
    assert verify(workspace).passed


def _write_versions(folder: str, number: int, said: Any) -> None:
    workspace = Workspace(folder, actor=f"writer-{number}")
    for turn in range(12):
        # Half of the contents are those of other writers, so chunks appear, vanish and appear again.
        seed = turn if turn % 2 else 1000 + number * 100 + turn
        try:
            version = snapshot(workspace, f"set{turn % 3}", frame_of(seed, 12_000))
        except SnapMLError as error:
            said.put(("error", f"{type(error).__name__}: {error}"))
        else:
            said.put((version.ref, seed))


def test_writers_and_collectors_do_not_harm_each_other(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    context = multiprocessing.get_context("spawn")
    said = context.Queue()
    writers = [context.Process(target=_write_versions, args=(workspace.location, n, said)) for n in range(4)]
    for writer in writers:
        writer.start()
    monkeypatch.setenv("SNAPML_GC_GRACE_SECONDS", "0")  # so that only the rules protect, not the time
    while any(writer.is_alive() for writer in writers):
        assert collect_garbage(workspace, dry_run=False).problems == []
    answers = [said.get(timeout=30) for _ in range(48)]
    for writer in writers:
        writer.join()
    assert not [answer for answer in answers if answer[0] == "error"]
    for ref, seed in dict(answers).items():
        pd.testing.assert_frame_equal(open_dataset(workspace, ref).to_pandas(), frame_of(int(seed), 12_000))
    assert verify(workspace).passed
    collect_garbage(workspace, dry_run=False, keep=1)
    assert verify(workspace).passed and len(refs(workspace, "set0")) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_said_and_leaves_nothing_behind(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        workspace = Workspace(disk / "workspace", actor="ada")
        first = snapshot(workspace, "flights", frame_of(1))
        before = files(workspace)
        with pytest.raises(SnapMLError, match=r"disk .*is full|disk is full"):
            snapshot(workspace, "flights", frame_of(2, 2_000_000))
        assert refs(workspace) == [first.ref]
        assert files(workspace) == before
        pd.testing.assert_frame_equal(open_dataset(workspace, first.ref).to_pandas(), frame_of(1))
        assert snapshot(workspace, "flights", frame_of(3)).number == 2 and verify(workspace).passed
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)  # the database is still open
