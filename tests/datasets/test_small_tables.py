"""Tables of few rows are kept in the database, with their version: no file, and nothing left over."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from snapml_jupyter.datasets import versions
from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.datasets.diff import diff_versions
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.domain.errors import DamagedContentError, InvalidInputError
from snapml_jupyter.governance.retention import collect_garbage
from snapml_jupyter.governance.verify import verify
from snapml_jupyter.store.blobs import digest_of
from snapml_jupyter.store.workspace import Workspace


def few(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"id": [1, 2, 3], "city": pd.Series(["Rome", None, "Oslo"], dtype="str"), **columns})


def manifests(workspace: Workspace) -> list[str]:
    return [row[0] for row in workspace.database.rows("SELECT digest FROM dataset_manifests")]


def test_few_rows_take_no_file(workspace: Workspace) -> None:
    version = snapshot(workspace, "cities", few())
    assert list(workspace.blobs.digests()) == []
    assert manifests(workspace) == [version.manifest_digest]
    assert version.added_bytes == version.size_bytes > 0
    pd.testing.assert_frame_equal(open_dataset(workspace, "cities").to_pandas(), few())
    pd.testing.assert_frame_equal(
        open_dataset(workspace, "cities").to_pandas(["city"], slice(1, 3)),
        few()[["city"]].iloc[1:3],
    )
    assert not snapshot(workspace, "cities", few()).is_new
    report = verify(workspace)
    assert (report.passed, report.n_blobs, report.n_small_tables) == (True, 0, 1)


def test_the_same_few_rows_are_kept_once_under_two_names(workspace: Workspace) -> None:
    one, two = snapshot(workspace, "cities", few()), snapshot(workspace, "towns", few())
    assert one.digest == two.digest
    assert manifests(workspace) == [one.manifest_digest]
    assert two.added_bytes == 0


def test_many_or_long_rows_go_into_packs_and_share_nothing_with_the_few_before(workspace: Workspace) -> None:
    snapshot(workspace, "cities", few())
    more = pd.concat([few()] * 4_000, ignore_index=True)
    snapshot(workspace, "cities", more)
    pd.testing.assert_frame_equal(open_dataset(workspace, "cities@v2").to_pandas(), more)
    long = few(text=["x" * 200_000, "y", "z"])
    snapshot(workspace, "cities", long)
    pd.testing.assert_frame_equal(open_dataset(workspace, "cities@v3").to_pandas(), long)
    assert len(manifests(workspace)) == 1
    assert verify(workspace).passed


def test_few_rows_are_compared_with_their_figures(workspace: Workspace) -> None:
    snapshot(workspace, "cities", few())
    snapshot(workspace, "cities", few().assign(id=[1, 2, 5]))
    found = diff_versions(workspace, "cities@v1", "cities@v2", keys=["id"])
    assert (found.n_added, found.n_removed, found.n_changed) == (1, 1, 0)
    (ids,) = [column for column in found.columns if column.name == "id"]
    assert ids.before is not None and ids.after is not None
    assert (ids.before.maximum, ids.after.maximum) == (3, 5)


def test_few_rows_go_with_the_last_version_that_has_them(workspace: Workspace) -> None:
    for number in range(4):
        snapshot(workspace, "cities", few().assign(id=[number, 2, 3]))
    snapshot(workspace, "towns", few().assign(id=[0, 2, 3]))
    planned = collect_garbage(workspace, dry_run=True, keep=1)
    done = collect_garbage(workspace, dry_run=False, keep=1)
    assert planned.versions == done.versions == ["cities@v3", "cities@v2", "cities@v1"]
    assert planned.freed_bytes == done.freed_bytes > 0
    kept = {versions.get_version(workspace, ref).manifest_digest for ref in ("cities@v4", "towns@v1")}
    assert set(manifests(workspace)) == kept
    assert verify(workspace).passed


def test_changed_few_rows_are_noticed_and_named(workspace: Workspace) -> None:
    version = snapshot(workspace, "cities", few())
    with workspace.transaction() as tx:
        tx.execute("UPDATE dataset_manifests SET content = REPLACE(content, 'city', 'town')")
    with pytest.raises(DamagedContentError, match=r"cities@v1 cannot be read.*no longer matches its digest"):
        open_dataset(workspace, "cities").to_pandas()
    (problem,) = verify(workspace).problems
    assert (problem.kind, problem.subject) == ("damaged", version.manifest_digest)
    assert "cities@v1" in problem.message


def test_a_manifest_that_is_not_what_it_is_called_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    version = snapshot(workspace, "cities", few())
    text = versions.get_manifest(workspace, version.manifest_digest)
    elsewhere = Workspace(tmp_path / "elsewhere", actor="grace")
    with pytest.raises(InvalidInputError, match="The manifest's digest is"):
        versions.record_version(elsewhere, "cities", "0" * 64, [], manifest_text=text)
    with pytest.raises(InvalidInputError, match="kept as a blob"):
        long = text + " " * versions.MOST_MANIFEST_BYTES
        versions.record_version(elsewhere, "cities", digest_of(long.encode()), [], manifest_text=long)
    with pytest.raises(DamagedContentError, match="cannot be read"):
        versions.record_version(elsewhere, "cities", digest_of(b"{}"), [], manifest_text="{}")
    assert manifests(elsewhere) == []
    versions.record_version(elsewhere, "cities", version.manifest_digest, [], manifest_text=text)
    pd.testing.assert_frame_equal(open_dataset(elsewhere, "cities").to_pandas(), few())
