"""A pack: many chunks in one blob, so that a snapshot costs a few durable files instead of one per chunk.

A frame of 4 million rows and 16 columns has some 2,000 chunks; a file with its own fsync for each would cost
seconds, and 16 of them for a frame of ten rows would cost more than everything else. So the new chunks of a snapshot
are written together, column after column, in blobs of some 8 MB, and the workspace keeps an index from chunk digest
to place. Every pack ends with its own list of chunks: the index can be made again from the packs alone.

    "SNAPPACK" 5 | chunk | chunk | ... | list: (digest 32 bytes, offset u64, length u64, figures) each | n_chunks u64 | "SNAPPACK"

`chunk_format` says what a chunk is, `chunk_figures` what the figures are. Packs before format 5 have no -0.0 among decimals
(see `number_forms`), those of format 1 no figures, and those before format 4 chunks of an earlier form.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from ..domain.dataset import FIGURES_BYTES, ChunkFigures, ChunkPlace
from ..domain.errors import InvalidInputError
from .chunks import Buffer

#: A pack is closed when it is this large, in bytes: large enough for a fast fsync, small enough to hold in memory.
PACK_BYTES = 8 * 2**20
#: Room that a pack has at first, and when that is not enough.
_SMALL_PACK, _FULL_PACK = 64 * 2**10, PACK_BYTES * 9 // 8

_MAGIC = b"SNAPPACK"
_START, *_EARLIER_STARTS = (_MAGIC + bytes([number]) for number in (5, 4, 3, 2, 1))
_START_1 = _EARLIER_STARTS[-1]
_ENTRY, _ENTRY_1 = struct.Struct(f"<32sQQ{FIGURES_BYTES}s"), struct.Struct("<32sQQ")


class PackWriter:
    """Collects stored chunks into one pack.

    `spare`: buffers of packs that are done with, which are filled again: memory that is fetched and given back eight megabytes
    at a time soon lies scattered.
    """

    def __init__(self, spare: list[bytearray] | None = None) -> None:
        self._spare = [] if spare is None else spare
        self._begin()

    def _begin(self) -> None:
        self._buffer = self._spare.pop() if self._spare else bytearray(_SMALL_PACK)
        self._size = 0
        self._entries: list[tuple[bytes, int, int, bytes]] = []
        self._append(_START)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size_bytes(self) -> int:
        """How long the pack is so far."""
        return self._size

    def add(self, digest: str, pieces: list[Buffer], figures: ChunkFigures) -> None:
        """Append one chunk."""
        start = self._size
        for piece in pieces:
            self._append(piece)
        self._entries.append((bytes.fromhex(digest), start, self._size - start, figures.to_bytes()))

    def take_over(self, other: PackWriter) -> None:
        """Append the chunks of another writer, which is empty afterwards."""
        moved = self._size - len(_START)
        for digest, start, length, figures in other._entries:
            self._entries.append((digest, start + moved, length, figures))
        with memoryview(other._buffer) as content:
            self._append(content[len(_START) : other._size])
        other._begin()

    def finish(self) -> memoryview:
        """The pack. The writer is empty afterwards; who is done with the pack may give its `obj` to the spare buffers."""
        for entry in self._entries:
            self._append(_ENTRY.pack(*entry))
        self._append(struct.pack("<Q", len(self._entries)) + _MAGIC)
        pack = memoryview(self._buffer)[: self._size]
        self._begin()
        return pack

    def _append(self, piece: Buffer) -> None:
        stop = self._size + len(piece)
        if stop > len(self._buffer):
            larger = bytearray(max(stop, _FULL_PACK))  # zeros that take no memory before they are written over
            larger[: self._size] = self._buffer[: self._size]
            self._buffer = larger
        if stop > self._size:
            with memoryview(self._buffer) as buffer:
                buffer[self._size : stop] = memoryview(piece).cast("B")
        self._size = stop


def read_index(pack: BinaryIO, pack_digest: str) -> Iterator[ChunkPlace]:
    """Where each chunk of a pack lies. Raises InvalidInputError when the blob is not a pack."""
    wrong = InvalidInputError(f"Blob {pack_digest} is not a pack of dataset chunks.")
    size = pack.seek(0, 2)
    pack.seek(0)
    begins = pack.read(len(_START))
    if size < len(_START) + 16 or begins not in (_START, *_EARLIER_STARTS):
        raise wrong
    entry = _ENTRY_1 if begins == _START_1 else _ENTRY
    pack.seek(size - 16)
    n_chunks, magic = struct.unpack("<Q8s", pack.read(16))
    start = size - 16 - n_chunks * entry.size
    if magic != _MAGIC or start < len(_START):
        raise wrong
    pack.seek(start)
    content = pack.read(n_chunks * entry.size)
    for digest, offset, length, *figures in entry.iter_unpack(content):
        if offset + length > start:
            raise wrong
        yield ChunkPlace(
            digest=digest.hex(),
            pack_digest=pack_digest,
            offset=offset,
            length=length,
            packed_figures=figures[0] if figures else None,
        )
