"""The rows behind dataset versions, and the index of chunks."""

from __future__ import annotations

import pytest

from snapml_jupyter.domain.dataset import ChunkPlace, Column
from snapml_jupyter.domain.errors import NotFoundError
from snapml_jupyter.store import datasets
from snapml_jupyter.store.workspace import Workspace


def places(pack: str, *digests: str) -> list[ChunkPlace]:
    return [
        ChunkPlace(digest=digest, pack_digest=pack, offset=9 + 10 * number, length=10)
        for number, digest in enumerate(digests)
    ]


def add(workspace: Workspace, name: str, digest: str) -> None:
    columns = [Column(name="a", type="int64", dtype="int64", nullable=False)]
    with workspace.transaction() as tx:
        datasets.add_version(
            tx,
            {
                "name": name,
                "digest": digest,
                "manifest_digest": digest,
                "n_rows": 1,
                "n_columns": 1,
                "size_bytes": 10,
                "added_bytes": 10,
                "message": None,
                "run_id": None,
            },
            columns,
        )


def test_numbers_count_up_from_one_within_a_name(workspace: Workspace) -> None:
    for name, digest in [("a", "d1"), ("b", "d1"), ("a", "d2")]:
        add(workspace, name, digest)
    assert [(v.ref, v.parent_ref) for v in datasets.list_versions(workspace.database, "a")] == [
        ("a@v2", "a@v1"),
        ("a@v1", None),
    ]
    assert datasets.list_names(workspace.database) == ["a", "b"]
    assert datasets.is_manifest_known(workspace.database, "d2")
    assert not datasets.is_manifest_known(workspace.database, "d3")


def test_a_chunk_in_two_packs_keeps_its_first_place_and_counts_once(workspace: Workspace) -> None:
    with workspace.transaction() as tx:
        assert datasets.add_pack(tx, "p1", 100, places("p1", "c1", "c2")) == 20
        assert datasets.add_pack(tx, "p2", 100, places("p2", "c2", "c3")) == 10
        assert datasets.add_pack(tx, "p2", 100, places("p2", "c2", "c3")) == 0
    found = datasets.locate_chunks(workspace.database, ["c1", "c2", "c3", "c4"])
    assert {digest: place.pack_digest for digest, place in found.items()} == {"c1": "p1", "c2": "p1", "c3": "p2"}


def test_thousands_of_chunks_are_found(workspace: Workspace) -> None:
    digests = [f"{number:064x}" for number in range(3_000)]
    with workspace.transaction() as tx:
        datasets.add_pack(tx, "p1", 100, places("p1", *digests))
    assert set(datasets.locate_chunks(workspace.database, digests)) == set(digests)
    assert datasets.locate_chunks(workspace.database, []) == {}


def test_the_profile_of_a_version_is_noted(workspace: Workspace) -> None:
    add(workspace, "a", "d1")
    with workspace.transaction() as tx:
        datasets.set_profile(tx, "a", 1, "profile")
    assert datasets.get_version(workspace.database, "a@v1").profile_digest == "profile"


def test_a_missing_version_says_which_there_are(workspace: Workspace) -> None:
    add(workspace, "a", "d1")
    with pytest.raises(NotFoundError, match="has versions v1, the first of 2026-11-01"):
        datasets.get_version(workspace.database, "a@v2")
