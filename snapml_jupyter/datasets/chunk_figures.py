"""Figures of a chunk's values (how many are null, least, greatest, mean, spread), made while the chunk is at hand.

They are kept beside the chunk's place, so that two versions are described side by side, and chunks that cannot hold
what a filter wants are passed over, without reading any of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from ..domain.dataset import ChunkFigures
from .chunks import Buffer, buffer_bytes, number_type

#: Whole numbers below it are exact as floats.
_FITS = 2**53
#: Products of fewer values are BLAS's work without threads of its own, which would get in the way of ours.
_ALONE = 8192


def figures_of(
    held: pa.DataType, n_values: int, buffers: list[Buffer], known: ChunkFigures | None = None
) -> ChunkFigures:
    """Figures of the canonical buffers of one chunk. NaN counts as null; texts, bytes and lists by their lengths.

    `known`: those of the numbers in the second buffer, as signed ones, where they came out beside something else.
    """
    if n_values == 0:
        return ChunkFigures(n_values=0, n_nulls=0)
    if pa.types.is_null(held):
        return ChunkFigures(n_values=n_values, n_nulls=n_values)
    valid = None
    if len(buffers[0]):
        valid = np.unpackbits(buffer_bytes(buffers[0]), bitorder="little", count=n_values).view(np.bool_)
    n_nulls = 0 if valid is None else n_values - int(np.count_nonzero(valid))
    if pa.types.is_boolean(held):
        n_true = int(np.unpackbits(buffer_bytes(buffers[1])).sum()) if len(buffers[1]) else 0
        return _booleans(n_values, n_nulls, n_true)
    dtype = _dtype(held)
    if known is not None and dtype and not n_nulls and (dtype[0] != "u" or (known.least or 0) >= 0):
        return known
    if not dtype or n_nulls == n_values or len(buffers[1]) != n_values * int(dtype[1:]):
        return ChunkFigures(n_values=n_values, n_nulls=n_nulls)
    values = buffer_bytes(buffers[1]).view(dtype)
    return numbers_figures(values if valid is None else values[valid], n_values)


def codes_figures(codes: Any) -> ChunkFigures:
    """Figures of numbers that point into a lookup, where -1 points at nothing."""
    return ChunkFigures(n_values=len(codes), n_nulls=int(np.count_nonzero(codes < 0)))


def numbers_figures(values: Any, n_values: int) -> ChunkFigures:
    """Figures of numbers that are there (NaN may be among them) of `n_values` in all."""
    if values.dtype.kind == "f":
        return _floats(values, n_values)
    least, greatest = int(values.min()), int(values.max())
    if greatest - least < 2**31:
        wide = values if values.dtype.itemsize >= 4 else values.astype(np.int32)  # so that the difference fits
        figures = whole_figures(wide - wide.dtype.type(least), greatest - least, (least, greatest), least)
        return replace(figures, n_values=n_values, n_nulls=n_values - len(values))
    total = float(values.sum(dtype=np.float64))
    squares = _squares(values - total / len(values))
    return _figures(n_values, n_values - len(values), (least, greatest), total, squares)


def whole_figures(rest: Any, spread: int, ends: tuple[int, int], origin: int = 0, divisor: int = 1) -> ChunkFigures:
    """Figures of whole numbers that are `origin` and `divisor` times `rest`, from 0 to `spread`: less than 2**31.

    `ends`: the least and the greatest of them.
    """
    n = len(rest)
    if ends[0] == ends[1]:
        return _figures(n, 0, ends, ends[0] * n, 0.0)
    rest = rest.astype(np.int32, copy=False).astype(np.float64)  # quicker than straight from 64 bits
    above, squares = _above(rest, spread)
    return _figures(n, 0, ends, above * divisor + origin * n, squares * divisor**2)


def float_figures(
    rest: Any, spread: int, *, ends: tuple[float, float], lowest: float, scale: int, n_missing: int, stand_in: float
) -> ChunkFigures:
    """Figures of floats that are `lowest` and `rest`, whole numbers up to `spread`, divided by `scale`.

    `stand_in` is there for each one that is missing.
    """
    n = len(rest) - n_missing
    if n == 0:
        return ChunkFigures(n_values=len(rest), n_nulls=n_missing)
    above, squares = _above(rest, spread, n_missing, stand_in)
    return _figures(len(rest), n_missing, ends, (above + n * lowest) / scale, squares / scale**2)


def _above(rest: Any, most: int, n_missing: int = 0, stand_in: float = 0.0) -> tuple[float, float]:
    """Sum, and sum of squared distances from the mean, of whole numbers from 0 to `most`, without the stand-ins for missing ones."""
    n = len(rest) - n_missing
    above = float(rest.sum()) - n_missing * stand_in
    if most**2 * len(rest) < _FITS:
        return above, _squares(rest) - n_missing * stand_in**2 - above * above / n
    mean = above / n
    return above, _squares(rest - mean) - n_missing * (stand_in - mean) ** 2


def _figures(n_values: int, n_nulls: int, ends: tuple[float, float], total: float, squares: float) -> ChunkFigures:
    return ChunkFigures(
        n_values=n_values,
        n_nulls=n_nulls,
        least=float(ends[0]),
        greatest=float(ends[1]),
        total=float(total) if math.isfinite(total) else None,
        squares=max(float(squares), 0.0) if math.isfinite(squares) else None,
    )


def _floats(values: Any, n_values: int) -> ChunkFigures:
    with np.errstate(invalid="ignore", over="ignore"):  # infinities have no mean and no spread
        total = float(values.sum(dtype=np.float64))
        absent = np.isnan(values) if math.isnan(total) else None
        n = len(values) if absent is None else len(values) - int(np.count_nonzero(absent))
        if n == 0:
            return ChunkFigures(n_values=n_values, n_nulls=n_values)
        if absent is not None:
            there = values.copy()
            there[absent] = 0.0
            total = float(there.sum(dtype=np.float64))
        away = np.subtract(values, total / n, dtype=np.float64)
        if absent is not None:
            away[absent] = 0.0
        squares = _squares(away)
    ends = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    return _figures(n_values, n_values - n, ends, total, squares)


def merged_figures(figures: Iterable[ChunkFigures]) -> ChunkFigures:
    """The figures of all chunks as one: spreads are joined by Chan's formula (Chan, Golub, LeVeque 1979)."""
    held = list(figures)
    n_values, n_nulls = sum(one.n_values for one in held), sum(one.n_nulls for one in held)
    with_values = [one for one in held if one.n_values > one.n_nulls]
    least = [one.least for one in with_values if one.least is not None]
    greatest = [one.greatest for one in with_values if one.greatest is not None]
    total: float | None = 0.0
    squares: float | None = 0.0
    count = 0
    for one in with_values:
        there = one.n_values - one.n_nulls
        if total is None or squares is None or one.total is None or one.squares is None:
            total = squares = None
            break
        apart = one.total / there - (total / count if count else 0.0)
        squares += one.squares + (apart * apart * count * there / (count + there) if count else 0.0)
        total += one.total
        count += there
    known = bool(with_values) and len(least) == len(with_values)
    return ChunkFigures(
        n_values=n_values,
        n_nulls=n_nulls,
        least=min(least) if known else None,
        greatest=max(greatest) if known else None,
        total=total if known else None,
        squares=squares if known else None,
    )


def _squares(values: Any) -> float:
    """The sum of the squares of 64-bit floats."""
    parts = (values[start : start + _ALONE] for start in range(0, len(values), _ALONE))
    return float(sum(np.vdot(part, part) for part in parts))


def _booleans(n_values: int, n_nulls: int, n_true: int) -> ChunkFigures:
    there = n_values - n_nulls
    if not there:
        return ChunkFigures(n_values=n_values, n_nulls=n_nulls)
    return ChunkFigures(
        n_values=n_values,
        n_nulls=n_nulls,
        least=float(n_true == there),
        greatest=float(n_true > 0),
        total=float(n_true),
        squares=n_true * (there - n_true) / there,
    )


def _dtype(held: pa.DataType) -> str:
    if pa.types.is_decimal(held) or pa.types.is_fixed_size_list(held) or pa.types.is_struct(held):
        return ""
    numbers = number_type(held)
    return f"u{numbers[1:]}" if pa.types.is_unsigned_integer(held) else numbers
