"""Values of two versions as numbers that are equal where the values are: what rows are compared by.

Missing equals missing, NaN equals NaN, and values of other types are equal when they mean the same (1 and 1.0).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.uint64]
    Flags = NDArray[np.bool_]

_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # splitmix64
_STEP = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Identities:
    """One number a row, and where the value is missing (the number is 0 there)."""

    numbers: Numbers
    missing: Flags

    def take(self, rows: Any) -> Identities:
        """Those rows."""
        return Identities(self.numbers[rows], self.missing[rows])

    def differ(self, other: Identities) -> Flags:
        """Where the values of two columns of equal length differ."""
        different: Flags = (self.numbers != other.numbers) | (self.missing != other.missing)
        return different


def identities(before: pa.ChunkedArray, after: pa.ChunkedArray) -> tuple[Identities, Identities]:
    """Numbers that are equal, within and between the two columns, where the values are."""
    before, after = _alike(_decoded(before), _decoded(after))
    held = before.type
    if pa.types.is_floating(held):
        return _of_floats(before), _of_floats(after)
    if pa.types.is_integer(held) or pa.types.is_boolean(held) or _is_time(held):
        return _of_integers(before), _of_integers(after)
    if pa.types.is_null(held):
        return _of_nothing(len(before)), _of_nothing(len(after))
    if pa.types.is_nested(held):
        before, after = _as_texts(before), _as_texts(after)
    joined = pa.chunked_array([*before.chunks, *after.chunks], type=before.type).dictionary_encode()
    codes = pa.chunked_array([chunk.indices for chunk in joined.chunks], type=pa.int32())
    return _of_integers(codes.slice(0, len(before))), _of_integers(codes.slice(len(before)))


def row_numbers(columns: list[Identities], n_rows: int) -> Numbers:
    """One number a row that is equal where all columns are (two different rows agree once in 2^64)."""
    rows: Numbers = np.full(n_rows, _STEP)
    for column in columns:
        add_column(rows, column)
    return rows


def add_column(rows: Numbers, column: Identities) -> None:
    """Let a further column count in the row numbers, in place."""
    rows *= _MIX_1
    rows += column.numbers
    rows ^= column.missing.astype(np.uint64) * _STEP
    rows ^= rows >> np.uint64(31)
    rows *= _MIX_2
    rows ^= rows >> np.uint64(29)


def _decoded(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(values.type):
        return values.cast(values.type.value_type)
    return values


def _alike(before: pa.ChunkedArray, after: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Both columns in one type that holds the values of both; texts when there is no other."""
    types = pa.types
    a, b = before.type, after.type
    if a == b:
        return before, after
    for numeric in (types.is_integer, lambda held: types.is_integer(held) or types.is_floating(held)):
        if (numeric(a) or types.is_boolean(a) or types.is_null(a)) and (
            numeric(b) or types.is_boolean(b) or types.is_null(b)
        ):
            whole = numeric is types.is_integer and not (types.is_uint64(a) or types.is_uint64(b))
            return _cast(before, pa.int64() if whole else pa.float64()), _cast(
                after, pa.int64() if whole else pa.float64()
            )
    if types.is_decimal(a) and types.is_decimal(b):
        held = pa.decimal256(76, max(a.scale, b.scale))
        return before.cast(held), after.cast(held)
    if types.is_timestamp(a) and types.is_timestamp(b) and (a.tz is None) == (b.tz is None):
        held = pa.timestamp("ns", tz=a.tz)
        try:
            return before.cast(held), after.cast(held)
        except pa.ArrowInvalid:  # years that nanoseconds do not reach
            held = pa.timestamp("us", tz=a.tz)
            return before.cast(held, safe=False), after.cast(held, safe=False)
    return _as_texts(before), _as_texts(after)


def _cast(values: pa.ChunkedArray, held: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.int8())
    return values.cast(held, safe=False)


def _as_texts(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_nested(values.type) or pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        texts = [None if value is None else repr(value) for value in values.to_pylist()]
        return pa.chunked_array([pa.array(texts, type=pa.large_string())])
    return values.cast(pa.large_string())


def _is_time(held: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_temporal(held) and not types.is_interval(held))


def _of_floats(values: pa.ChunkedArray) -> Identities:
    missing = _missing(values)
    numbers = _joined(values, np.float64)
    numbers = numbers + 0.0  # -0.0 equals 0.0
    numbers[np.isnan(numbers)] = np.nan  # one NaN of the many
    found = numbers.view(np.uint64)
    found[missing] = 0
    return Identities(found, missing)


def _of_integers(values: pa.ChunkedArray) -> Identities:
    missing = _missing(values)
    held = values.type
    if pa.types.is_boolean(held):
        values = values.cast(pa.int8())
    elif not pa.types.is_integer(held):
        values = values.cast(pa.int32() if held.bit_width == 32 else pa.int64())
    numbers = _joined(values, np.uint64 if pa.types.is_uint64(held) else np.int64).view(np.uint64)
    numbers[missing] = 0
    return Identities(numbers, missing)


def _of_nothing(n_rows: int) -> Identities:
    return Identities(np.zeros(n_rows, dtype=np.uint64), np.ones(n_rows, dtype=np.bool_))


def _joined(values: pa.ChunkedArray, dtype: Any) -> Any:
    """All values, zero where there is none, as a new array."""
    whole = np.empty(len(values), dtype=dtype)
    place = 0
    for chunk in values.chunks:
        filled = pc.fill_null(chunk, 0) if chunk.null_count else chunk
        whole[place : place + len(chunk)] = filled.to_numpy(zero_copy_only=False)
        place += len(chunk)
    return whole


def _missing(values: pa.ChunkedArray) -> Any:
    if not values.null_count:
        return np.zeros(len(values), dtype=np.bool_)
    return np.concatenate([np.asarray(chunk.is_null()) for chunk in values.chunks])
