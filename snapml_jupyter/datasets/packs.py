"""A pack: many chunks in one blob, so that a snapshot costs a few durable files instead of one per chunk.

A frame of 4 million rows and 16 columns has some 2,000 chunks; a file with its own fsync for each would cost
seconds, and 16 of them for a frame of ten rows would cost more than everything else. So the new chunks of a snapshot
are written together, column after column, in blobs of some 16 MB, and the workspace keeps an index from chunk digest
to place. Every pack ends with its own list of chunks: the index can be made again from the packs alone.

    "SNAPPACK" 2 | chunk | chunk | ... | list: (digest 32 bytes, offset u64, length u64, figures) each | n_chunks u64 | "SNAPPACK"
    chunk: n_buffers u8 | (codec u8, narrow u8, width u8, length u64, stored length u64) each | stored buffers

`compression` says what codec and widths mean, `chunk_figures` what the figures are. Packs of format 1 have none.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

from ..domain.dataset import FIGURES_BYTES, ChunkFigures, ChunkPlace
from ..domain.errors import DamagedContentError, InvalidInputError
from .chunks import Buffer, chunk_digest
from .compression import compress, decompress

#: A pack is closed when it is this large, in bytes: large enough for a fast fsync, small enough to hold in memory.
PACK_BYTES = 16 * 2**20

_MAGIC = b"SNAPPACK"
_START, _START_1 = _MAGIC + b"\x02", _MAGIC + b"\x01"
_ENTRY, _ENTRY_1 = struct.Struct(f"<32sQQ{FIGURES_BYTES}s"), struct.Struct("<32sQQ")
_BUFFER = struct.Struct("<BBBQQ")


def encode_chunk(buffers: list[Buffer], numbers: str = "") -> list[Buffer]:
    """The stored form of a chunk in pieces, each buffer compressed where that saves something. Releases the GIL inside.

    `numbers`: the numpy type of the second buffer (values or lengths), "" when it holds no numbers.
    """
    head = [bytes([len(buffers)])]
    stored: list[Any] = []
    for place, buffer in enumerate(buffers):
        codec, narrow, width, content = compress(buffer, numbers if place == 1 else "")
        head.append(_BUFFER.pack(codec, narrow, width, len(buffer), len(content)))
        stored.append(content)
    return [b"".join(head), *stored]


def decode_chunk(content: bytes | memoryview, digest: str) -> list[Buffer]:
    """The canonical buffers of a stored chunk. Raises DamagedContentError when they do not match the digest."""
    buffers: list[Buffer] = []
    try:
        n_buffers = content[0]
        place = 1 + n_buffers * _BUFFER.size
        for number in range(n_buffers):
            codec, narrow, width, length, stored_length = _BUFFER.unpack_from(content, 1 + number * _BUFFER.size)
            stored = memoryview(content)[place : place + stored_length]
            buffers.append(decompress(codec, narrow, width, stored, length))
            place += stored_length
    except (struct.error, IndexError, KeyError, ValueError, OSError, MemoryError, OverflowError) as error:
        raise DamagedContentError(f"Chunk {digest} is damaged: it cannot be decompressed ({error}).") from error
    if chunk_digest(buffers) != digest:
        raise DamagedContentError(f"Chunk {digest} is damaged: its content no longer matches its digest.")
    return buffers


class PackWriter:
    """Collects stored chunks into one pack."""

    def __init__(self) -> None:
        self._pieces: list[Buffer] = [_START]
        self._entries: list[bytes] = []
        self.size_bytes = len(_START)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, digest: str, pieces: list[Buffer], figures: ChunkFigures) -> None:
        """Append one chunk. The pieces are not copied."""
        length = sum(map(len, pieces))
        self._entries.append(_ENTRY.pack(bytes.fromhex(digest), self.size_bytes, length, figures.to_bytes()))
        self._pieces.extend(pieces)
        self.size_bytes += length

    def finish(self) -> list[Buffer]:
        """The pack in pieces. The writer is empty afterwards."""
        tail = struct.pack("<Q", len(self._entries)) + _MAGIC
        pieces = [*self._pieces, *self._entries, tail]
        self.__init__()  # type: ignore[misc]  # back to the state of a new writer, which __init__ alone describes
        return pieces


def read_index(pack: BinaryIO, pack_digest: str) -> Iterator[ChunkPlace]:
    """Where each chunk of a pack lies. Raises InvalidInputError when the blob is not a pack."""
    wrong = InvalidInputError(f"Blob {pack_digest} is not a pack of dataset chunks.")
    size = pack.seek(0, 2)
    pack.seek(0)
    begins = pack.read(len(_START))
    if size < len(_START) + 16 or begins not in (_START, _START_1):
        raise wrong
    entry = _ENTRY if begins == _START else _ENTRY_1
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
            figures=ChunkFigures.from_bytes(figures[0]) if figures else None,
        )
