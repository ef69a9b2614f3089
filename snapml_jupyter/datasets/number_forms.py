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
from typing import Any

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
    rest = _Rest.of(values - values.dtype.type(least) if least else values, spread)
    figures = None
    if with_figures and rest.spread < 2**31:
        figures = whole_figures(rest.numbers, least, greatest, rest.divisor)
    form = rest.form(width)
    if form is None:
        return None, figures
    flags, narrow, content = form
    return Form(flags=flags, narrow=narrow, frame=_FRAME.pack(least, rest.divisor), content=content), figures


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
        _restore_floats(numbers, flags, frame, target.view(f"f{width}"))
        return
    least, divisor = _FRAME.unpack(frame)
    whole = target.view(f"i{width}")
    whole[...] = 0 if numbers is None else numbers
    if divisor != 1:
        whole *= whole.dtype.type(divisor)
    if least:
        whole += whole.dtype.type(least)


@dataclass(frozen=True, slots=True)
class _Rest:
    """What whole numbers are above the least of them: `divisor` times `numbers`, from 0 to `spread`."""

    numbers: Any
    spread: int
    divisor: int

    @classmethod
    def of(cls, numbers: Any, spread: int) -> _Rest:
        divisor = int(np.gcd.reduce(numbers[:: max(1, len(numbers) // 64)])) if spread > 1 else 1  # guessed from some
        if divisor > 1:
            divided = numbers // numbers.dtype.type(divisor)
            if np.array_equal(divided * numbers.dtype.type(divisor), numbers):
                return cls(divided, spread // divisor, divisor)
        return cls(numbers, spread, 1)

    def form(self, width: int) -> tuple[int, int, Any] | None:
        """Flags, bytes or bits a number, and the content; None when `width` bytes are needed."""
        if self.spread < 16:
            bits = next(bits for bits in (0, 1, 2, 4) if self.spread < 2**bits)
            return PACKED, bits, _packed(self.numbers, bits)
        narrow = next((size for size in (1, 2, 4) if self.spread < 256**size), width)
        if narrow >= width:
            return None
        return 0, narrow, self.numbers.astype(f"u{narrow}").view(np.uint8)


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
    spread = int(greatest - least)
    if least:
        rounded -= least
    figures = None
    if with_figures:
        exactly = values.dtype.type
        figures = float_figures(
            rounded,
            spread,
            ends=(float(exactly(least / scale)), float(exactly(greatest / scale))),
            lowest=least,
            scale=scale,
            n_missing=len(missing),
            stand_in=round(stand_in) - least,
        )
    for where in ([absent] if len(missing) else []) + ([apart] if is_signed else []):
        spread += 1
        rounded[where] = spread
    rest = _Rest.of(rounded.astype(np.int32 if spread < 2**31 else np.int64), spread)  # much quicker to 32 bits
    form = rest.form(values.dtype.itemsize)
    if form is None:
        return None, figures
    flags, narrow, content = form
    frame = _DECIMAL_FRAME.pack(int(least), rest.divisor, scale, int(missing[0]) if len(missing) else 0)
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


def _restore_floats(numbers: Any, flags: int, frame: Buffer, target: Any) -> None:
    least, divisor, scale, nan = _DECIMAL_FRAME.unpack(frame)
    wide = target if target.dtype == np.float64 else np.empty(len(target), dtype=np.float64)
    wide[...] = 0 if numbers is None else numbers  # whole numbers below 2**53 are exact in a float
    absent = signed = None
    if numbers is None:
        absent = slice(None) if nan else None
    elif nan or flags & SIGNED_ZERO:
        top = int(numbers.max())
        if flags & SIGNED_ZERO:
            signed = numbers == top
            top -= 1
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
        target.view(f"u{target.itemsize}")[absent] = nan
    if signed is not None:
        target[signed] = -0.0
