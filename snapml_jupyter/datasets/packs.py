"""A pack: many chunks in one blob, so that a snapshot costs a few durable files instead of one per chunk.

A frame of 4 million rows and 16 columns has some 2,000 chunks; a file with its own fsync for each would cost
seconds, and 16 of them for a frame of ten rows would cost more than everything else. So the new chunks of a snapshot
are written together, column after column, in blobs of some 32 MB, and the workspace keeps an index from chunk digest
to place. Every pack ends with its own list of chunks: the index can be made again from the packs alone.

    "SNAPPACK" 1 | chunk | chunk | ... | list: (digest 32 bytes, offset u64, length u64) each | n_chunks u64 | "SNAPPACK"
    chunk: n_buffers u8 | (codec u8, length u64, stored length u64) each | stored buffers
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa

from ..domain.dataset import ChunkPlace
from ..domain.errors import DamagedContentError, InvalidInputError
from .chunks import Buffer, chunk_digest

#: A pack is closed when it is this large, in bytes: large enough for a fast fsync, small enough to hold in memory.
PACK_BYTES = 32 * 2**20

_MAGIC = b"SNAPPACK"
_START = _MAGIC + b"\x01"
_ENTRY = struct.Struct("<32sQQ")
_BUFFER = struct.Struct("<BQQ")
_RAW, _ZSTD, _LZ4 = 0, 1, 2
#: Smaller buffers are stored as they are: a codec's frame would cost more than it saves.
_SMALLEST_COMPRESSED = 128
#: Compression must save this share, or the buffer is stored as it is, which reads faster.
_WORTHWHILE = 0.9


def encode_chunk(buffers: list[Buffer]) -> bytes:
    """The stored form of a chunk: each buffer compressed where that saves something. Releases the GIL inside."""
    head = [bytes([len(buffers)])]
    stored: list[Any] = []
    for buffer in buffers:
        codec, content = _compress(buffer)
        head.append(_BUFFER.pack(codec, len(buffer), len(content)))
        stored.append(content)
    return b"".join([*head, *stored])


def decode_chunk(content: bytes | memoryview, digest: str) -> list[Buffer]:
    """The canonical buffers of a stored chunk. Raises DamagedContentError when they do not match the digest."""
    buffers: list[Buffer] = []
    try:
        n_buffers = content[0]
        place = 1 + n_buffers * _BUFFER.size
        for number in range(n_buffers):
            codec, length, stored_length = _BUFFER.unpack_from(content, 1 + number * _BUFFER.size)
            buffers.append(_decompress(codec, memoryview(content)[place : place + stored_length], length))
            place += stored_length
    except (struct.error, IndexError, KeyError, ValueError, OSError, MemoryError, OverflowError) as error:
        raise DamagedContentError(f"Chunk {digest} is damaged: it cannot be decompressed ({error}).") from error
    if chunk_digest(buffers) != digest:
        raise DamagedContentError(f"Chunk {digest} is damaged: its content no longer matches its digest.")
    return buffers


class PackWriter:
    """Collects stored chunks into one pack."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = [_START]
        self._entries: list[bytes] = []
        self.size_bytes = len(_START)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, digest: str, stored: bytes) -> None:
        """Append one chunk."""
        self._entries.append(_ENTRY.pack(bytes.fromhex(digest), self.size_bytes, len(stored)))
        self._pieces.append(stored)
        self.size_bytes += len(stored)

    def finish(self) -> bytes:
        """The bytes of the pack. The writer is empty afterwards."""
        tail = struct.pack("<Q", len(self._entries)) + _MAGIC
        content = b"".join([*self._pieces, *self._entries, tail])
        self.__init__()  # type: ignore[misc]  # back to the state of a new writer, which __init__ alone describes
        return content


def read_index(pack: BinaryIO, pack_digest: str) -> Iterator[ChunkPlace]:
    """Where each chunk of a pack lies. Raises InvalidInputError when the blob is not a pack."""
    wrong = InvalidInputError(f"Blob {pack_digest} is not a pack of dataset chunks.")
    size = pack.seek(0, 2)
    if size < len(_START) + 16:
        raise wrong
    pack.seek(size - 16)
    n_chunks, magic = struct.unpack("<Q8s", pack.read(16))
    start = size - 16 - n_chunks * _ENTRY.size
    if magic != _MAGIC or start < len(_START):
        raise wrong
    pack.seek(start)
    content = pack.read(n_chunks * _ENTRY.size)
    for digest, offset, length in _ENTRY.iter_unpack(content):
        if offset + length > start:
            raise wrong
        yield ChunkPlace(digest=digest.hex(), pack_digest=pack_digest, offset=offset, length=length)


def _compress(buffer: Buffer) -> tuple[int, Any]:
    if len(buffer) < _SMALLEST_COMPRESSED:
        return _RAW, buffer
    packed = pa.Codec("zstd", compression_level=1).compress(buffer)
    return (_ZSTD, packed) if len(packed) < _WORTHWHILE * len(buffer) else (_RAW, buffer)


def _decompress(codec: int, content: memoryview, length: int) -> Buffer:
    if codec == _RAW:
        if len(content) != length:
            raise ValueError("it is cut short")
        return content
    return pa.Codec({_ZSTD: "zstd", _LZ4: "lz4_raw"}[codec]).decompress(content, length)
