"""Fetching the chunks of a version: only the columns and row ranges that are asked for, checked as they are read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from ..domain.dataset import ChunkPlace
from ..domain.errors import DamagedContentError, NotFoundError
from .chunks import Buffer
from .packs import decode_chunk

if TYPE_CHECKING:
    from ..store.blobs import BlobStore

T = TypeVar("T")
U = TypeVar("U")

#: Below this many bytes the threads cost more than they bring.
_WORTH_THREADS = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The rows [first, last) of one chunk that a reader wants; `number` is the chunk's place in the version."""

    number: int
    n_rows: int
    first: int
    last: int


def pieces_of(rows: list[int], start: int, stop: int) -> list[Piece]:
    """The chunks that hold the rows [start, stop), and which of their rows are meant."""
    found: list[Piece] = []
    place = 0
    for number, n_rows in enumerate(rows):
        if place + n_rows > start and place < stop:
            found.append(
                Piece(number=number, n_rows=n_rows, first=max(0, start - place), last=min(n_rows, stop - place))
            )
        place += n_rows
    return found


class ChunkReader:
    """Reads chunks by digest from the packs that hold them. Safe to use from several threads."""

    def __init__(self, blobs: BlobStore, places: dict[str, ChunkPlace]) -> None:
        self._blobs = blobs
        self._places = places

    def read(self, digest: str, what: str) -> list[Buffer]:
        """The canonical buffers of a chunk. Raises DamagedContentError naming `what` (version and column)."""
        place = self._places.get(digest)
        advice = "Restore the workspace's blobs from a backup; `snapml verify` lists all that is damaged."
        if place is None:
            raise DamagedContentError(f"{what} is damaged: the workspace no longer has its chunk {digest}. {advice}")
        try:
            with self._blobs.open(place.pack_digest) as pack:
                content = _range(pack, place)
            return decode_chunk(content, digest)
        except (DamagedContentError, NotFoundError) as error:
            raise DamagedContentError(f"{what} is damaged. {error} {advice}") from error

    def size_bytes(self, digests: Iterable[str]) -> int:
        """Stored bytes of those chunks."""
        return sum(self._places[digest].length for digest in digests if digest in self._places)


def in_threads(function: Callable[[T], U], items: list[T], size_bytes: int) -> Iterator[U]:
    """Map over all processors when the work is worth it. Hashing and decompressing release the GIL."""
    workers = min(len(items), os.cpu_count() or 1)
    if workers < 2 or size_bytes < _WORTH_THREADS:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(function, items)


def _range(pack: BinaryIO, place: ChunkPlace) -> Any:
    pack.seek(place.offset)
    return pack.read(place.length)
