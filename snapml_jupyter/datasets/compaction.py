"""Copying chunks from a pack of which little is needed any more into a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.dataset import ChunkFigures, ChunkPlace
from ..store import datasets as kept
from .chunk_format import decode_chunk
from .packs import PackWriter, read_index

if TYPE_CHECKING:
    from ..store.workspace import Workspace


def copy_chunks(workspace: Workspace, places: list[ChunkPlace]) -> tuple[str, int, list[ChunkPlace]]:
    """Write the chunks, checked, into a pack of their own; its digest, its size, and where each chunk lies in it.

    Raises DamagedContentError, NotFoundError when one cannot be read.
    """
    figures = kept.locate_chunks(workspace.database, [place.digest for place in places])
    writer = PackWriter()
    with workspace.blobs.open(places[0].pack_digest) as pack:
        for place in sorted(places, key=lambda place: place.offset):
            pack.seek(place.offset)
            content = pack.read(place.length)
            decode_chunk(content, place.digest, hash_content=True)
            known = figures[place.digest].figures if place.digest in figures else None
            writer.add(place.digest, [content], known or ChunkFigures(n_values=0, n_nulls=0))
    digest = workspace.blobs.put(writer.finish())
    with workspace.blobs.open(digest) as written:
        return digest, workspace.blobs.size(digest), list(read_index(written, digest))
