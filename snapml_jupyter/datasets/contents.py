"""Which blobs hold the rows of every version: for `snapml verify`, which names what a damaged blob belongs to."""

from __future__ import annotations

from collections.abc import Iterator

from ..domain.errors import DamagedContentError, NotFoundError
from ..store import datasets as kept
from ..store.workspace import Workspace


def list_packs(workspace: Workspace) -> Iterator[tuple[str, set[str], int]]:
    """Each version's reference, the packs its chunks lie in, and how many of its chunks lie in none.

    Versions whose manifest cannot be read are left out: the manifest itself is what is damaged then.
    """
    from .dataset import Dataset

    for summary in kept.list_datasets(workspace.database):
        for version in kept.list_versions(workspace.database, summary.name):
            try:
                wanted = set(Dataset(workspace, version).manifest.chunk_digests())
            except (DamagedContentError, NotFoundError):
                continue
            places = kept.locate_chunks(workspace.database, wanted)
            yield version.ref, {place.pack_digest for place in places.values()}, len(wanted) - len(places)


def chunks_of_manifest(workspace: Workspace, manifest_digest: str, ref: str) -> set[str]:
    """The chunks that a version needs. Raises DamagedContentError, NotFoundError when its manifest cannot be read."""
    from .manifest import decode_manifest

    return set(decode_manifest(workspace.blobs.read(manifest_digest), ref).chunk_digests())
