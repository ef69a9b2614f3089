"""Numbers in fewer bytes, exactly, and in a form that is undone at memory speed.

- Whole numbers lose what they have in common, the least value and a common divisor, and take as few bytes or bits as the
  rest needs (frame of reference): an id that grows by a few within a chunk takes 2 bytes instead of 8, a day in
  microseconds too, the code of one of ten categories half a byte, a constant nothing.
- Floats that are whole numbers or have a few decimals, as prices, measurements and integer columns with gaps do, are kept as
  the whole numbers that they are a hundredth, a thousandth, ... of; NaN is one more number, and so is -0.0. The idea is that
  of ALP (Afroozeh, Kuffo, Boncz: "ALP: Adaptive Lossless floating-Point Compression", SIGMOD 2023). Floats that do not
  come back bit by bit stay as they are.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from ..domain.dataset import ChunkFigures
from .chunk_figures import float_figures, whole_figures
from .chunks import Buffer, buffer_bytes

#: Flags of a form: the width of a number counts bits (0, 1, 2 or 4), not bytes; the numbers were floats; the greatest is -0.0.
PACKED, DECIMAL, SIGNED_ZERO = 0x10, 0x20, 0x40

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


#: A form, None when there is none; and figures of all the numbers, as signed ones, where they come out beside it.
Shortened = tuple[Form | None, ChunkFigures | None]


def shortened(buffer: Buffer, numbers: str, *, with_figures: bool = False) -> Shortened:
    """The buffer of numbers of that numpy type ("i8", "f4") in fewer bytes; figures when they are wanted."""
    width = int(numbers[1:])
    if numbers[0] == "f":
        return _decimal(buffer_bytes(buffer).view(numbers), with_figures) if width in (4, 8) else (None, None)
    # Unsigned numbers are looked at as signed ones: what is added again wraps around to the same bits.
    values: Any = buffer_bytes(buffer).view(f"i{width}")
    least, greatest = int(values.min()), int(values.max())
    spread = greatest - least
    if spread >= 2 ** (8 * width - 1):
        return None, None
    rest = _Rest.of(values, least, greatest)
    figures = None
    if with_figures and rest.spread < 2**31:
        figures = whole_figures(rest.numbers, rest.spread, (least, greatest), rest.origin, rest.divisor)
    form = rest.form(width)
    if form is None:
        return None, figures
    flags, narrow, content = form
    return Form(flags=flags, narrow=narrow, frame=_FRAME.pack(rest.origin, rest.divisor), content=content), figures


def frame_bytes(flags: int) -> int:
    """How long the frame in front of the numbers is."""
    return _DECIMAL_FRAME.size if flags & DECIMAL else _FRAME.size


def content_bytes(flags: int, narrow: int, n_values: int) -> int:
    """How many bytes so many numbers take."""
    return (n_values * narrow + 7) // 8 if flags & PACKED else n_values * narrow


class Shortening(NamedTuple):
    """How numbers of `width` bytes were made shorter: the flags, the bytes or bits that each takes, and the frame's bytes."""

    flags: int
    narrow: int
    width: int
    frame: bytes


def restore(how: Shortening, content: Buffer, lengths: list[int], target: Any) -> None:
    """Write the numbers of several buffers, so many each, into `target`, an array of bytes, one behind the other.

    `content`: the buffers, which were made shorter alike, one behind the other; they are undone at once because threads wait
    for each other at every call. Raises ValueError or struct.error for nonsense.
    """
    expected = sum(content_bytes(how.flags, how.narrow, length) for length in lengths)
    if len(content) != expected or sum(lengths) * how.width != len(target):
        raise ValueError("its numbers do not have the size that they should have")
    joined = buffer_bytes(content)
    numbers = _unpacked(joined, how.narrow, lengths) if how.flags & PACKED else joined.view(f"u{how.narrow}")
    if how.flags & DECIMAL:
        _restore_floats(numbers, lengths, how, target.view(f"f{how.width}"))
        return
    least, divisor = _FRAME.unpack(how.frame)
    whole = target.view(f"i{how.width}")
    if numbers is None:
        whole[...] = least
        return
    whole[...] = numbers
    if divisor != 1:
        whole *= whole.dtype.type(divisor)
    if least:
        whole += whole.dtype.type(least)


@dataclass(frozen=True, slots=True)
class _Rest:
    """Whole numbers as `origin` and `divisor` times `numbers`, which are from 0 to `spread`."""

    numbers: Any
    spread: int
    origin: int
    divisor: int

    @classmethod
    def of(cls, values: Any, least: int, greatest: int) -> _Rest:
        exactly = values.dtype.type
        most = 2 ** (8 * values.dtype.itemsize - 1) - 1
        divisor, start = 1, 0
        if greatest - least > 1:  # guessed from some, among which may be no other
            divisor = max(1, int(np.gcd.reduce(values[:: max(1, len(values) // 64)] - exactly(least))))
        if divisor > 1:
            start = least if least % divisor else 0
            above = values - exactly(start) if start else values
            divided = above // exactly(divisor)
            if np.array_equal(divided * exactly(divisor), above):
                values, least, greatest = divided, (least - start) // divisor, (greatest - start) // divisor
                most = min(most, _EXACT // divisor)
            else:
                divisor, start = 1, 0
        base = _base(least, greatest, most)
        return cls(values - exactly(base) if base else values, greatest - base, start + base * divisor, divisor)

    def form(self, width: int) -> tuple[int, int, Any] | None:
        """Flags, bytes or bits a number, and the content; None when `width` bytes are needed."""
        if self.spread < 16:
            bits = next(bits for bits in (0, 1, 2, 4) if self.spread < 2**bits)
            return PACKED, bits, _packed(self.numbers, bits)
        narrow = next((size for size in (1, 2, 4) if self.spread < 256**size), width)
        if narrow >= width:
            return None
        return 0, narrow, self.numbers.astype(f"u{narrow}").view(np.uint8)


def _base(least: int, greatest: int, most: int) -> int:
    """What to count from: 0 or a number that depends on the room alone, if that takes no more room than the least number.

    Chunks of a column then begin alike as a rule, and are undone together. What is counted is not above `most`.
    """
    room = next((room for room in (2, 4, 16, 2**8, 2**16, 2**31) if greatest - least < room), 0)
    if greatest > least:
        for base in (0, -room // 2):
            if base <= least and greatest - base < min(room, most):
                return base
    return least


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


def _unpacked(packed: Any, bits: int, lengths: list[int]) -> Any:
    """The numbers that `_packed` packed, so many each time, as uint8; None for as many zeros."""
    if bits == 0:
        return None
    each = 8 // bits
    numbers = np.unpackbits(packed, bitorder="little") if bits == 1 else _spread(packed, bits)
    if not any(length % each for length in lengths[:-1]):
        return numbers[: sum(lengths)]
    starts = accumulate((-(-length // each) * each for length in lengths), initial=0)
    return np.concatenate([numbers[start : start + length] for start, length in zip(starts, lengths, strict=False)])


def _spread(packed: Any, bits: int) -> Any:
    """Each two or four bits as a byte: halves are moved apart until each has its own, all numbers of a byte at once."""
    apart = packed.astype(f"<u{8 // bits}")
    if bits == 2:
        apart |= apart << 12
        apart &= 0x000F000F
    apart |= apart << (6 if bits == 2 else 4)
    apart &= 0x03030303 if bits == 2 else 0x0F0F
    return apart.view(np.uint8)


def _decimal(values: Any, with_figures: bool) -> Shortened:
    """Floats that are whole numbers divided by a power of ten."""
    scale = _scale(values)
    if scale is None:
        return None, None
    wide = values if values.dtype == np.float64 else values.astype(np.float64)
    absent = np.isnan(wide)
    missing = values[absent if absent.any() else slice(0)].view(f"u{values.dtype.itemsize}")
    if len(missing) and (missing != missing[0]).any():
        return None, None  # NaN has many bit patterns, and one frame keeps one
    with np.errstate(over="ignore"):
        rounded = wide * scale if scale != 1 else wide.copy()
    stand_in = 0.0
    if len(missing):  # what is missing is as some other for now, so that it is neither least nor greatest
        stand_in = float(rounded[absent.argmin()]) if len(missing) < len(values) else 0.0
        rounded[absent] = stand_in
    np.rint(rounded, out=rounded)
    rounded += 0.0  # -0.0 becomes 0.0
    least, greatest = float(rounded.min()), float(rounded.max())
    if not (least > -_EXACT and greatest < _EXACT):
        return None, None
    apart = _apart(values, rounded, scale)
    if len(missing):
        apart[absent] = False
    is_signed = bool(apart.any())
    if is_signed and values[apart].any():
        return None, None  # more than -0.0 does not come back
    base = _base(int(least), int(greatest) + (len(missing) > 0) + is_signed, _EXACT)
    spread = int(greatest) - base
    if base:
        rounded -= base
    figures = None
    if with_figures:
        exactly = values.dtype.type
        figures = float_figures(
            rounded,
            spread,
            ends=(float(exactly(least / scale)), float(exactly(greatest / scale))),
            lowest=base,
            scale=scale,
            n_missing=len(missing),
            stand_in=round(stand_in) - base,
        )
    for where in ([absent] if len(missing) else []) + ([apart] if is_signed else []):
        spread += 1
        rounded[where] = spread
    whole = rounded.astype(np.int32 if spread < 2**31 else np.int64)  # much quicker to 32 bits
    rest = _Rest.of(whole, int(least) - base, spread)
    form = rest.form(values.dtype.itemsize)
    if form is None:
        return None, figures
    flags, narrow, content = form
    frame = _DECIMAL_FRAME.pack(base + rest.origin, rest.divisor, scale, int(missing[0]) if len(missing) else 0)
    flags |= DECIMAL | (SIGNED_ZERO if is_signed else 0)
    return Form(flags=flags, narrow=narrow, frame=frame, content=content), figures


def _apart(values: Any, rounded: Any, scale: int) -> Any:
    """Where the whole numbers do not give the floats again, bit by bit."""
    back = rounded if scale == 1 else rounded / scale
    if back.dtype != values.dtype:
        back = back.astype(values.dtype)
    unsigned = f"u{values.dtype.itemsize}"
    return back.view(unsigned) != values.view(unsigned)


def _scale(values: Any) -> int | None:
    """The power of ten that makes some of the floats whole; None when there is none, as with almost all measurements in full."""
    some = [value for value in values[:: max(1, len(values) // _PROBES)].tolist() if math.isfinite(value)]
    if not some:
        return 1 if np.isnan(values[0]) else None
    if max(map(abs, some)) >= _EXACT:
        return None
    exactly: Any = float if values.dtype == np.float64 else values.dtype.type
    for decimals in _DECIMALS:
        scale: int = 10**decimals
        if all(exactly(round(value * scale) / scale) == value for value in some):
            return scale
    return None


def _restore_floats(numbers: Any, lengths: list[int], how: Shortening, target: Any) -> None:
    least, divisor, scale, nan = _DECIMAL_FRAME.unpack(how.frame)
    wide = target if target.dtype == np.float64 else np.empty(len(target), dtype=np.float64)
    wide[...] = 0 if numbers is None else numbers  # whole numbers below 2**53 are exact in a float
    absent = signed = None
    if numbers is None:
        absent = True if nan else None
    elif nan or how.flags & SIGNED_ZERO:
        top: Any = np.maximum.reduceat(numbers, list(accumulate(lengths[:-1], initial=0)))
        top = top[0] if (top == top[0]).all() else top.repeat(lengths)
        if how.flags & SIGNED_ZERO:
            signed = numbers == top
            top = top - 1
        absent = numbers == top if nan else None
    if divisor != 1:
        wide *= divisor
    if least:
        wide += least
    if scale != 1:
        wide /= scale
    if wide is not target:
        target[...] = wide
    if absent is not None:
        np.copyto(target.view(f"u{target.itemsize}"), nan, where=absent)
    if signed is not None:
        np.copyto(target, -0.0, where=signed)
