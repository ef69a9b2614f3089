"""How one canonical buffer is stored: made small in ways that are quick to undo.

1. Numbers take as few bytes as they need (see `number_forms`): that is undone at memory speed, and it leaves the codec
   an eighth of the work.
2. Text that repeats itself (names, codes, sentences) and wider numbers go through LZ4, which reads three to four times as fast
   as zstd. Other single bytes (digits, keys, small numbers, bits) go through zstd, whose entropy coding halves what LZ4 would
   leave as it is. Measured with `benchmarks/snapshot`.
3. What does not get a quarter smaller is stored as it is, text a tenth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from xxhash import xxh32_digest

from ..domain.dataset import ChunkFigures
from .chunks import Buffer, buffer_bytes
from .number_forms import PACKED, Shortening, content_bytes, frame_bytes, restore, shortened

RAW, ZSTD, LZ4 = 0, 1, 2
#: The lower half of the byte that says how a buffer is stored is the codec, the upper half the flags of a number form.
_CODEC, _FLAGS = 0x0F, 0xF0

#: Smaller buffers are stored as they are: a codec's frame would cost more than it saves.
_SMALLEST = 128
_WORTHWHILE, _WORTHWHILE_TEXT = 0.75, 0.9
#: So much of a buffer tells what it is like: below one ratio text repeats itself, above the other numbers are not worth LZ4,
#: which looks longest where little repeats.
_PROBE_BYTES, _REPEATS, _VARIES = 8192, 0.78, 0.82


@dataclass(frozen=True, slots=True)
class Compressed:
    """How a buffer is stored: codec and flags, the bytes or bits that a number takes, the bytes that it took, and the content.

    The numbers were made shorter when there are flags or the first width is smaller than the second; else both are the same.
    `figures` as in `number_forms.Shortened`.
    """

    codec: int
    narrow: int
    width: int
    content: Any
    figures: ChunkFigures | None = None


def compress(buffer: Buffer, numbers: str, *, with_figures: bool = False) -> Compressed:
    """Make a buffer small. `numbers`: their numpy type, "" for bytes."""
    if len(buffer) < _SMALLEST:
        return Compressed(RAW, 1, 1, buffer)
    width = int(numbers[1:]) if numbers else 1
    form, figures = shortened(buffer, numbers, with_figures=with_figures) if numbers else (None, None)
    if form is None:
        codec, content = _squeezed(buffer, width, _WORTHWHILE if numbers else _WORTHWHILE_TEXT)
        return Compressed(codec, width, width, content, figures)
    codec, content = _squeezed(form.content, 1 if form.flags & PACKED else form.narrow, _WORTHWHILE)
    return Compressed(codec | form.flags, form.narrow, width, b"".join((form.frame, content)), figures)


class Stored(NamedTuple):
    """A buffer of `length` bytes as it is stored (see `Compressed`), and what undoes it.

    Everything raises ValueError, OSError or struct.error for what `compress` did not write.
    """

    codec: int
    narrow: int
    width: int
    length: int
    content: memoryview

    @property
    def n_values(self) -> int:
        """How many numbers it holds."""
        return self.length // self.width

    @property
    def is_plain(self) -> bool:
        """Whether it is stored as it is."""
        return self.codec == RAW and self.narrow >= self.width

    def shortening(self) -> Shortening | None:
        """How its numbers were made shorter; None when they were not."""
        flags = self.codec & _FLAGS
        if not flags and self.narrow >= self.width:
            return None
        return Shortening(flags, self.narrow, self.width, bytes(self.content[: frame_bytes(flags)]))

    def squeezed(self, how: Shortening | None) -> tuple[memoryview, int]:
        """What the codec made, and the length of what it is undone to: the buffer, or its shorter numbers."""
        if how is None:
            return self.content, self.length
        return self.content[len(how.frame) :], content_bytes(how.flags, how.narrow, self.n_values)


def decompress(stored: Stored) -> Buffer:
    """The buffer. Raises ValueError, OSError or struct.error for what `compress` did not write."""
    how = stored.shortening()
    content = _unpacked(stored.codec & _CODEC, *stored.squeezed(how))
    if how is None:
        return content
    target = np.empty(stored.length, dtype=np.uint8)
    restore(how, content, [stored.n_values], target)
    return target


def decompress_alike(stored: list[Stored], how: Shortening | None, target: Any) -> None:
    """Write several buffers, one behind the other, into `target`, an array of bytes as long as they are.

    All have the same codec, were made shorter in the same way, and are at most 4 MB (or one). A codec undoes them in one call,
    since threads wait for each other at every call. Raises as `decompress`.
    """
    codec = stored[0].codec & _CODEC
    parts = [one.squeezed(how) for one in stored]
    if how is not None:
        restore(how, _unpacked_alike(codec, parts), [one.n_values for one in stored], target)
    elif codec == RAW:
        np.concatenate([buffer_bytes(_unpacked(RAW, *part)) for part in parts], out=target)
    else:
        target[...] = buffer_bytes(_unpacked_alike(codec, parts))


def _squeezed(content: Any, width: int, worthwhile: float) -> tuple[int, Any]:
    """(codec, content), raw where compressing saves too little."""
    if len(content) < _SMALLEST:
        return RAW, content
    codec = ZSTD if width == 1 else LZ4
    if len(content) > 2 * _PROBE_BYTES:
        probed = len(_codec(LZ4).compress(buffer_bytes(content)[:_PROBE_BYTES])) / _PROBE_BYTES
        if width == 1 and probed < _REPEATS:
            codec = LZ4
        elif width > 1 and probed > _VARIES:
            return RAW, content
    packed = _codec(codec).compress(content, asbytes=True)
    return (codec, packed) if len(packed) < worthwhile * len(content) else (RAW, content)


def _unpacked(codec: int, stored: memoryview, length: int) -> Buffer:
    if codec == RAW:
        if len(stored) != length:
            raise ValueError("it is cut short")
        return stored
    return _codec(codec).decompress(stored, length)


def _unpacked_alike(codec: int, parts: list[tuple[memoryview, int]]) -> Buffer:
    """Pieces (stored bytes, length) one behind the other."""
    if len(parts) == 1:
        return _unpacked(codec, *parts[0])
    if codec not in (ZSTD, LZ4):
        return b"".join([_unpacked(codec, stored, length) for stored, length in parts])
    whole = sum(length for _, length in parts)
    if codec == ZSTD:  # frames one behind the other are one
        return _codec(ZSTD).decompress(b"".join([stored for stored, _ in parts]), whole)
    longest = max(length for _, length in parts)
    head = next(head for most, head in _FRAME_BLOCKS if longest <= most)
    pieces: list[Buffer] = [head]
    for stored, _ in parts:
        pieces += (len(stored).to_bytes(4, "little"), stored)
    pieces.append(_FRAME_END)
    return pa.Codec("lz4").decompress(b"".join(pieces), whole)


def _frame_head(size: int) -> bytes:
    """How an LZ4 frame of independent blocks begins; `size`: 4 to 7, for blocks of at most 64 KB, 256 KB, 1 MB, 4 MB."""
    described = bytes([0x60, size << 4])
    return b"\x04\x22\x4d\x18" + described + xxh32_digest(described)[2:3]


#: An LZ4 frame is a head, blocks as `lz4_raw` makes them (each behind its length) and four zeros.
_FRAME_BLOCKS = tuple((2 ** (2 * size + 8), _frame_head(size)) for size in (4, 5, 6, 7))
_FRAME_END = bytes(4)


def _codec(codec: int) -> Any:
    if codec == ZSTD:
        return pa.Codec("zstd", compression_level=1)
    if codec == LZ4:
        return pa.Codec("lz4_raw")
    raise ValueError(f"its codec {codec} is unknown")
