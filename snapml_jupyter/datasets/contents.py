"""Which blobs hold the rows of every version: for `snapml verify`, which names what a damaged blob belongs to."""

from __future__ import annotations

import io
from collections.abc import Iterator

from ..domain.dataset import ChunkPlace
from ..domain.errors import DamagedContentError, InvalidInputError, NotFoundError
from ..store import datasets as kept
from ..store.manifests import read_manifest
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


def damaged_chunks(content: bytes, pack_digest: str) -> set[str] | None:
    """The chunks of a pack whose content is not what their digests say; None when its list of chunks cannot be read."""
    from .chunk_format import decode_chunk
    from .packs import read_index
    from .reading import in_threads

    try:
        places = list(read_index(io.BytesIO(content), pack_digest))
    except InvalidInputError:
        return None
    view = memoryview(content)

    def is_sound(place: ChunkPlace) -> bool:
        try:
            decode_chunk(view[place.offset : place.offset + place.length], place.digest, hash_content=True)
        except DamagedContentError:
            return False
        return True

    sound = in_threads(is_sound, places, len(content))
    return {place.digest for place, is_it in zip(places, sound, strict=True) if not is_it}


def columns_with(workspace: Workspace, refs: list[str], chunks: set[str]) -> Iterator[str]:
    """The columns of those versions that need one of the chunks, in words."""
    from .dataset import open_dataset

    for ref in refs:
        manifest = open_dataset(workspace, ref).manifest
        for column in manifest.columns:
            parts = [*column.parts, *(column.lookup.parts if column.lookup else [])]
            if not chunks.isdisjoint(manifest.kept(digest for part in parts for digest in part.chunks)):
                yield f"column '{column.name}' of {ref}"


def chunks_of_manifest(workspace: Workspace, manifest_digest: str, ref: str) -> set[str]:
    """The chunks that a version needs. Raises DamagedContentError, NotFoundError when its manifest cannot be read."""
    from .manifest import decode_manifest

    return set(decode_manifest(read_manifest(workspace, manifest_digest), ref).chunk_digests())
