"""Numbers in fewer bytes, exactly, and in a form that is undone at memory speed.

- Whole numbers lose what they have in common, the least value and a common divisor, and take as few bytes or bits as the
  rest needs (frame of reference): an id that grows by a few within a chunk takes 2 bytes instead of 8, a day in
  microseconds too, the code of one of ten categories half a byte, a constant nothing.
- Floats that are whole numbers or have a few decimals, as prices, measurements and integer columns with gaps do, are kept as
  the whole numbers that they are a hundredth, a thousandth, ... of; NaN is one more number. The idea is that of ALP
  (Afroozeh, Kuffo, Boncz: "ALP: Adaptive Lossless floating-Point Compression", SIGMOD 2023). Floats that do not come back
  bit by bit stay as they are.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from .chunks import Buffer, buffer_bytes

#: Flags of a form: the width of a number counts bits (0, 1, 2 or 4), not bytes; the numbers were floats.
PACKED, DECIMAL = 0x10, 0x20

#: Least value and divisor of whole numbers; of floats also what they were multiplied with and the bits of NaN (0: none).
_FRAME, _DECIMAL_FRAME = struct.Struct("<qq"), struct.Struct("<qqqQ")
#: Numbers of decimals that are tried. Whole numbers beyond the limit are no longer exact in a float.
_DECIMALS, _EXACT = (0, 1, 2, 3, 4, 6), 2**52
#: So many floats of a chunk tell whether looking at all of them is worth it.
_PROBES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Numbers in fewer bytes: `narrow` bytes (or bits, see `flags`) each instead of `width`, and the frame to undo it with."""

    flags: int
    narrow: int
    frame: bytes
    content: Any


def shortened(buffer: Buffer, numbers: str) -> Form | None:
    """The buffer of numbers of that numpy type ("i8", "f4") in fewer bytes, or None when there is no such form."""
    width = int(numbers[1:])
    if numbers[0] == "f":
        return _decimal(buffer_bytes(buffer).view(numbers)) if width in (4, 8) else None
    # Unsigned numbers are looked at as signed ones: what is added again wraps around to the same bits.
    whole = _whole(buffer_bytes(buffer).view(f"i{width}"))
    if whole is None:
        return None
    return Form(
        flags=whole.flags, narrow=whole.narrow, frame=_FRAME.pack(whole.least, whole.divisor), content=whole.content
    )


def frame_bytes(flags: int) -> int:
    """How long the frame in front of the numbers is."""
    return _DECIMAL_FRAME.size if flags & DECIMAL else _FRAME.size


def content_bytes(flags: int, narrow: int, n_values: int) -> int:
    """How many bytes so many numbers take."""
    return (n_values * narrow + 7) // 8 if flags & PACKED else n_values * narrow


def restore(flags: int, narrow: int, width: int, frame: Buffer, content: Buffer, target: Any) -> None:
    """Write the numbers of `width` bytes into `target`, an array of bytes. Raises ValueError or struct.error for nonsense."""
    n_values = len(target) // width
    if len(target) % width or len(content) != content_bytes(flags, narrow, n_values):
        raise ValueError("its numbers do not have the size that they should have")
    numbers = _unpacked(content, narrow, n_values) if flags & PACKED else np.frombuffer(content, f"u{narrow}")
    if flags & DECIMAL:
        _restore_floats(numbers, frame, target.view(f"f{width}"))
        return
    least, divisor = _FRAME.unpack(frame)
    whole = target.view(f"i{width}")
    whole[...] = 0 if numbers is None else numbers
    if divisor != 1:
        whole *= whole.dtype.type(divisor)
    if least:
        whole += whole.dtype.type(least)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """Whole numbers as `least` + `divisor` times what `content` holds."""

    flags: int
    narrow: int
    least: int
    divisor: int
    content: Any


def _whole(values: Any) -> _Whole | None:
    width = values.dtype.itemsize
    least = int(values.min())
    spread = int(values.max()) - least
    if spread >= 2 ** (8 * width - 1):
        return None
    rest = values - values.dtype.type(least) if least else values
    divisor = _divisor(rest) if spread > 1 else 1
    if divisor > 1:
        rest = rest // rest.dtype.type(divisor)
        spread //= divisor
    if spread < 16:
        bits = next(bits for bits in (0, 1, 2, 4) if spread < 2**bits)
        return _Whole(flags=PACKED, narrow=bits, least=least, divisor=divisor, content=_packed(rest, bits))
    narrow = next((size for size in (1, 2, 4) if spread < 256**size), width)
    if narrow >= width:
        return None
    content = rest.astype(f"u{narrow}").view(np.uint8)
    return _Whole(flags=0, narrow=narrow, least=least, divisor=divisor, content=content)


def _divisor(rest: Any) -> int:
    """What all numbers can be divided by: guessed from some, checked on all."""
    guess = int(np.gcd.reduce(rest[:: max(1, len(rest) // 64)]))
    if guess > 1:
        divisor = rest.dtype.type(guess)
        if np.array_equal(rest // divisor * divisor, rest):
            return guess
    return 1


def _packed(rest: Any, bits: int) -> Any:
    """Numbers below 2**bits, 8 // bits of them in a byte, the first one lowest."""
    if bits == 0:
        return b""
    small = rest.astype(np.uint8)
    if bits == 1:
        return np.packbits(small, bitorder="little")
    each = 8 // bits
    if len(small) % each:
        small = np.concatenate([small, np.zeros(each - len(small) % each, dtype=np.uint8)])
    packed = small[::each].copy()
    for place in range(1, each):
        packed |= small[place::each] << (bits * place)
    return packed


def _unpacked(content: Buffer, bits: int, n_values: int) -> Any:
    """The numbers that `_packed` packed as uint8; None for as many zeros."""
    if bits == 0:
        return None
    packed = np.frombuffer(content, dtype=np.uint8)
    if bits == 1:
        return np.unpackbits(packed, bitorder="little", count=n_values)
    return _TABLES[bits].take(packed).view(np.uint8)[:n_values]


def _table(bits: int) -> Any:
    """For each byte the numbers that are packed in it, side by side."""
    each = 8 // bits
    numbers = np.arange(256, dtype=np.uint8)[:, None] >> (bits * np.arange(each, dtype=np.uint8))
    return np.ascontiguousarray(numbers & (2**bits - 1)).view(f"u{each}").reshape(256)


_TABLES = {bits: _table(bits) for bits in (2, 4)}


def _decimal(values: Any) -> Form | None:
    """Floats that are whole numbers divided by a power of ten."""
    scale = _scale(values)
    if scale is None:
        return None
    wide = values.astype(np.float64)
    absent = np.isnan(wide)
    is_missing = bool(absent.any())
    missing = values[absent].view(f"u{values.dtype.itemsize}") if is_missing else None
    if missing is not None and (missing != missing[0]).any():
        return None  # NaN has many bit patterns, and one frame keeps one
    if missing is not None:
        wide[absent] = 0.0
    with np.errstate(over="ignore"):
        rounded = np.rint(wide * scale) + 0.0  # -0.0 becomes 0.0, which then does not come back as the same bits
    if not np.abs(rounded).max() < _EXACT:
        return None
    back = (rounded / scale).astype(values.dtype)
    unsigned = f"u{values.dtype.itemsize}"
    is_same = back.view(unsigned) == values.view(unsigned)
    if not (is_same.all() if missing is None else (is_same | absent).all()):
        return None
    numbers = rounded.astype(np.int64)
    if missing is not None:
        numbers[absent] = numbers.max() + 1
    whole = _whole(numbers)
    if whole is None:
        return None
    if not whole.flags & PACKED and whole.narrow >= values.dtype.itemsize:
        return None
    nan = int(missing[0]) if missing is not None else 0
    frame = _DECIMAL_FRAME.pack(whole.least, whole.divisor, scale, nan)
    return Form(flags=whole.flags | DECIMAL, narrow=whole.narrow, frame=frame, content=whole.content)


def _scale(values: Any) -> int | None:
    """The power of ten that makes some of the floats whole; None when there is none, as with almost all measurements in full."""
    some = values[:: max(1, len(values) // _PROBES)].astype(np.float64)
    some = some[np.isfinite(some)]
    if not len(some):
        return 1 if np.isnan(values[0]) else None
    if np.abs(some).max() >= _EXACT:
        return None
    for decimals in _DECIMALS:
        scale: int = 10**decimals
        if np.array_equal((np.rint(some * scale) / scale).astype(values.dtype), some.astype(values.dtype)):
            return scale
    return None


def _restore_floats(numbers: Any, frame: Buffer, target: Any) -> None:
    least, divisor, scale, nan = _DECIMAL_FRAME.unpack(frame)
    wide = target if target.dtype == np.float64 else np.empty(len(target), dtype=np.float64)
    wide[...] = 0 if numbers is None else numbers  # whole numbers below 2**53 are exact in a float
    if divisor != 1:
        wide *= divisor
    if least:
        wide += least
    absent = None if not nan else wide == wide.max()
    if scale != 1:
        wide /= scale
    if wide is not target:
        target[...] = wide
    if absent is not None:
        target.view(f"u{target.itemsize}")[absent] = nan
