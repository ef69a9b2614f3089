"""Figures of a chunk's values (how many are null, least, greatest, mean, spread), made while the chunk is at hand.

They are kept beside the chunk's place, so that two versions are described side by side, and chunks that cannot hold
what a filter wants are passed over, without reading any of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from ..domain.dataset import ChunkFigures
from .chunks import Buffer, buffer_bytes, number_type


def figures_of(held: pa.DataType, n_values: int, buffers: list[Buffer]) -> ChunkFigures:
    """Figures of the canonical buffers of one chunk. NaN counts as null; texts, bytes and lists by their lengths."""
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
    if not dtype or n_nulls == n_values or len(buffers[1]) != n_values * int(dtype[1:]):
        return ChunkFigures(n_values=n_values, n_nulls=n_nulls)
    values = buffer_bytes(buffers[1]).view(dtype)
    return numbers_figures(values if valid is None else values[valid], n_values)


def numbers_figures(values: Any, n_values: int) -> ChunkFigures:
    """Figures of numbers that are there (NaN may be among them) of `n_values` in all."""
    with np.errstate(invalid="ignore", over="ignore"):  # infinities have no mean and no spread
        total = float(values.sum(dtype=np.float64))
        if math.isnan(total):
            values = values[~np.isnan(values)]
            total = float(values.sum(dtype=np.float64))
        if len(values) == 0:
            return ChunkFigures(n_values=n_values, n_nulls=n_values)
        away = values - total / len(values)
        np.multiply(away, away, out=away)  # not np.dot, whose own threads get in the way of ours
        squares = float(away.sum())
    return ChunkFigures(
        n_values=n_values,
        n_nulls=n_values - len(values),
        least=float(values.min()),
        greatest=float(values.max()),
        total=total if math.isfinite(total) else None,
        squares=squares if math.isfinite(squares) else None,
    )


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
