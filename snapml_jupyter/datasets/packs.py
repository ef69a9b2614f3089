"""A pack: many chunks in one blob, so that a snapshot costs a few durable files instead of one per chunk.

A frame of 4 million rows and 16 columns has some 2,000 chunks; a file with its own fsync for each would cost
seconds, and 16 of them for a frame of ten rows would cost more than everything else. So the new chunks of a snapshot
are written together, column after column, in blobs of some 32 MB, and the workspace keeps an index from chunk digest
to place. Every pack ends with its own list of chunks: the index can be made again from the packs alone.

    "SNAPPACK" 1 | chunk | chunk | ... | list: (digest 32 bytes, offset u64, length u64) each | n_chunks u64 | "SNAPPACK"
    chunk: n_buffers u8 | (codec u8, width u8, length u64, stored length u64) each | stored buffers

Buffers are compressed with zstd; where it helps, after putting the first bytes of all numbers first, then the second
bytes, and so on (`width` bytes a number), since the high bytes of numbers in a column are mostly alike.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from ..domain.dataset import ChunkPlace
from ..domain.errors import DamagedContentError, InvalidInputError
from .chunks import Buffer, buffer_bytes, chunk_digest

#: A pack is closed when it is this large, in bytes: large enough for a fast fsync, small enough to hold in memory.
PACK_BYTES = 32 * 2**20

_MAGIC = b"SNAPPACK"
_START = _MAGIC + b"\x01"
_ENTRY = struct.Struct("<32sQQ")
_BUFFER = struct.Struct("<BBQQ")
_RAW, _ZSTD = 0, 1
#: Smaller buffers are stored as they are: a codec's frame would cost more than it saves.
_SMALLEST_COMPRESSED = 128
#: Compression must save this share, or the buffer is stored as it is, which reads faster.
_WORTHWHILE = 0.9
#: Numbers that are tried to decide about their order.
_SAMPLE_NUMBERS = 1024


def encode_chunk(buffers: list[Buffer], width: int = 1) -> bytes:
    """The stored form of a chunk, each buffer compressed where that saves something. Releases the GIL inside.

    `width`: bytes of one number in the second buffer, which holds the values or lengths; 1 when it holds neither.
    """
    head = [bytes([len(buffers)])]
    stored: list[Any] = []
    for number, buffer in enumerate(buffers):
        codec, used_width, content = _compress(buffer, width if number == 1 else 1)
        head.append(_BUFFER.pack(codec, used_width, len(buffer), len(content)))
        stored.append(content)
    return b"".join([*head, *stored])


def decode_chunk(content: bytes | memoryview, digest: str) -> list[Buffer]:
    """The canonical buffers of a stored chunk. Raises DamagedContentError when they do not match the digest."""
    buffers: list[Buffer] = []
    try:
        n_buffers = content[0]
        place = 1 + n_buffers * _BUFFER.size
        for number in range(n_buffers):
            codec, width, length, stored_length = _BUFFER.unpack_from(content, 1 + number * _BUFFER.size)
            buffers.append(_decompress(codec, width, memoryview(content)[place : place + stored_length], length))
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


def _compress(buffer: Buffer, width: int) -> tuple[int, int, Any]:
    """Codec, width (1: bytes in their own order) and stored bytes."""
    if len(buffer) < _SMALLEST_COMPRESSED:
        return _RAW, 1, buffer
    zstd = pa.Codec("zstd", compression_level=1)
    if width > 1 and _prefers_shuffled(buffer, width):
        buffer_in_order, buffer = buffer, _shuffled(buffer, width)
    else:
        buffer_in_order, width = buffer, 1
    packed = zstd.compress(buffer)
    if len(packed) < _WORTHWHILE * len(buffer):
        return _ZSTD, width, packed
    return _RAW, 1, buffer_in_order


def _prefers_shuffled(buffer: Buffer, width: int) -> bool:
    """Whether a sample gets smaller with its bytes sorted by place; LZ4 tells in microseconds."""
    numbers = len(buffer) // width
    first = max(0, numbers // 2 - _SAMPLE_NUMBERS // 2) * width
    sample = memoryview(buffer)[first : first + _SAMPLE_NUMBERS * width]
    lz4 = pa.Codec("lz4_raw")
    return len(lz4.compress(_shuffled(sample, width))) < len(lz4.compress(sample))


def _shuffled(buffer: Buffer, width: int) -> Any:
    return np.ascontiguousarray(buffer_bytes(buffer).reshape(-1, width).T).reshape(-1)


def _decompress(codec: int, width: int, content: memoryview, length: int) -> Buffer:
    if codec == _RAW:
        if len(content) != length:
            raise ValueError("it is cut short")
        return content
    if codec != _ZSTD:
        raise ValueError(f"its codec {codec} is unknown")
    buffer = pa.Codec("zstd").decompress(content, length)
    if width == 1:
        return buffer
    return np.ascontiguousarray(buffer_bytes(buffer).reshape(width, -1).T).reshape(-1)
