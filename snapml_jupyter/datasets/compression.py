"""How one canonical buffer is stored: made small in ways that are quick to undo.

1. Whole numbers lose what they have in common (the least value, a common divisor) and take as few bytes as the rest
   needs: an id that grows by a few within a chunk takes 2 bytes instead of 8, a day in microseconds too. This is frame
   of reference encoding; numpy does it at memory speed, and it leaves the codec an eighth of the work.
2. Single bytes (text, small numbers, bits) go through zstd, wider numbers through LZ4: zstd's entropy coding halves text
   but gains little on wide numbers, where LZ4 reads four times as fast. Measured with `benchmarks/snapshot`.
3. What does not get a tenth smaller is stored as it is.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pyarrow as pa

from .chunks import Buffer, buffer_bytes

RAW, ZSTD, LZ4 = 0, 1, 2

#: Smaller buffers are stored as they are: a codec's frame would cost more than it saves.
_SMALLEST = 128
_WORTHWHILE = 0.9
#: Least value and divisor, in front of numbers that were narrowed.
_FRAME = struct.Struct("<qq")


def compress(buffer: Buffer, numbers: str) -> tuple[int, int, int, Any]:
    """(codec, bytes a number takes, bytes it took, stored content). `numbers`: the numpy type of the values, "" for bytes.

    The first width is smaller than the second when the numbers were narrowed; both are 1 for bytes.
    """
    if len(buffer) < _SMALLEST:
        return RAW, 1, 1, buffer
    frame, content, narrow = b"", buffer, 1
    width = int(numbers[1:]) if numbers else 1
    if numbers[:1] in ("i", "u") and width > 1:
        frame, content, narrow = _narrowed(buffer, width)
    elif width > 1:
        narrow = width
    codec = ZSTD if narrow == 1 else LZ4
    packed = _codec(codec).compress(content)
    if len(packed) < _WORTHWHILE * len(content):
        content = packed
    else:
        codec = RAW
    return (codec, narrow, width, b"".join((frame, content))) if frame else (codec, narrow, width, content)


def decompress(codec: int, narrow: int, width: int, stored: memoryview, length: int) -> Buffer:
    """The buffer of `length` bytes. Raises ValueError, OSError or struct.error for what `compress` did not write."""
    if narrow < width:
        least, divisor = _FRAME.unpack_from(stored)
        numbers = _unpacked(codec, stored[_FRAME.size :], length // width * narrow)
        whole = np.frombuffer(numbers, f"u{narrow}").astype(f"i{width}")
        if divisor != 1:
            whole *= whole.dtype.type(divisor)
        whole += whole.dtype.type(least)
        return whole.view(np.uint8)
    return _unpacked(codec, stored, length)


def _narrowed(buffer: Buffer, width: int) -> tuple[bytes, Any, int]:
    """(frame, narrowed numbers, their width), or an empty frame and the buffer when fewer bytes do not hold them."""
    # Unsigned numbers are looked at as signed ones: what is added again wraps around to the same bits.
    values = buffer_bytes(buffer).view(f"i{width}")
    least = int(values.min())
    spread = int(values.max()) - least
    if spread >= 2 ** (8 * width - 1):
        return b"", buffer, width
    rest = values - values.dtype.type(least)
    divisor = _divisor(rest) if spread >= 256 else 1
    if divisor > 1:
        rest //= rest.dtype.type(divisor)
        spread //= divisor
    narrow = next((size for size in (1, 2, 4) if spread < 256**size), width)
    if narrow >= width:
        return b"", buffer, width
    return _FRAME.pack(least, divisor), rest.astype(f"u{narrow}").view(np.uint8), narrow


def _divisor(rest: Any) -> int:
    """What all numbers can be divided by: guessed from some, checked on all."""
    guess = int(np.gcd.reduce(rest[:: max(1, len(rest) // 64)]))
    if guess > 1:
        divisor = rest.dtype.type(guess)
        if np.array_equal(rest // divisor * divisor, rest):
            return guess
    return 1


def _unpacked(codec: int, stored: memoryview, length: int) -> Buffer:
    if codec == RAW:
        if len(stored) != length:
            raise ValueError("it is cut short")
        return stored
    return _codec(codec).decompress(stored, length)


def _codec(codec: int) -> Any:
    if codec == ZSTD:
        return pa.Codec("zstd", compression_level=1)
    if codec == LZ4:
        return pa.Codec("lz4_raw")
    raise ValueError(f"its codec {codec} is unknown")
