"""Columns of Python objects: kept when all values have one type that Arrow can say exactly, refused otherwise.

What stands for "missing" in such a column (None, NaN, NA, NaT) is kept too: as one word when it is always the same,
else as a second part with a code for each row.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..domain.errors import CannotKeepError
from .arrow_types import type_to_json
from .columns import ArrowPart, NumpyPart, PartSource

#: What stands for a missing value, by its code in the second part (0 is a value).
MARKERS: tuple[tuple[str, Any], ...] = (("None", None), ("nan", float("nan")), ("NA", pd.NA), ("NaT", pd.NaT))
_MARKER_TYPES: dict[type, int] = {type(None): 1, type(pd.NA): 3, type(pd.NaT): 4}

Encoded = tuple[dict[str, Any], list[PartSource], str]


def encode_objects(values: Any, name: str) -> Encoded:
    """Codec, parts and Arrow type of an object array. Raises CannotKeepError naming column, row and type."""
    found = set(map(type, values))
    kinds = found - set(_MARKER_TYPES)
    missing = {_MARKER_TYPES[kind] for kind in found & set(_MARKER_TYPES)}
    if float in kinds and len(kinds) > 1 and all(value != value for value in values if type(value) is float):
        kinds.discard(float)  # NaN among strings stands for "missing"; among floats it is a value
        missing.add(2)
    if len(kinds) > 1:
        raise _mixed(values, name, kinds)
    kind = next(iter(kinds), None)
    codec: dict[str, Any] = {"kind": "object", "of": "nothing" if kind is None else kind.__name__}
    if kind is None:
        held, text = pa.nulls(len(values)), True
    elif kind in _QUICK:
        held, text = _quick(values, kind, name), True
    elif kind in _CHECKED:
        held, text = _CHECKED[kind](values, codec), False
    else:
        raise _unknown(values, name, kind)
    if held is None or (not text and not _comes_back(codec, held, values, kind)):
        raise _inexact(values, name, kind)
    parts: list[PartSource] = [ArrowPart(held)]
    if len(missing) == 1:
        codec["missing"] = MARKERS[next(iter(missing)) - 1][0]
    elif missing:
        parts.append(NumpyPart(_codes(values, kind), pa.int8()))
    return codec, parts, str(held.type)


def decode_objects(codec: dict[str, Any], held: pa.Array | pa.ChunkedArray, codes: Any = None) -> Any:
    """The object array that `encode_objects` was given."""
    read = _READERS.get(codec["of"], _read_plain)
    values = np.empty(len(held), dtype=object)
    values[:] = read(held, codec)
    if codes is not None:
        for code, (_, marker) in enumerate(MARKERS, start=1):
            values[codes == code] = marker
    elif codec.get("missing", "None") != "None":
        values[np.asarray(held.is_null())] = dict(MARKERS)[codec["missing"]]
    return values


def _quick(values: Any, kind: type, name: str) -> pa.Array:
    """Types that Arrow keeps exactly by construction, so that nothing needs to be compared."""
    held = _QUICK[kind]
    try:
        return _single(pa.array(values, type=held, from_pandas=kind is not float))
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        row, value = _first_refused(values, held, kind)
        what = "is beyond 64 bits" if kind is int else "has characters that are half of a surrogate pair"
        advice = ".astype('str')" if kind is int else ".str.encode('utf-8', 'replace').str.decode('utf-8')"
        raise CannotKeepError(
            f"Column '{name}', row {row}: the {kind.__name__} {str(value)[:30]!a} {what} and cannot be kept. "
            f"Convert the column: df[{name!r}] = df[{name!r}]{advice}."
        ) from None


_QUICK: dict[type, pa.DataType] = {
    str: pa.large_string(),
    bytes: pa.large_binary(),
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
}


def _first_refused(values: Any, held: pa.DataType, kind: type) -> tuple[int, Any]:
    for row, value in enumerate(values):
        if type(value) is kind:
            try:
                pa.scalar(value, type=held)
            except (pa.ArrowException, OverflowError, UnicodeEncodeError):
                return row, value
    return 0, values[0]


def _inferred(values: Any, codec: dict[str, Any]) -> pa.Array | None:
    try:
        held = _single(pa.array(values, from_pandas=True))
        type_to_json(held.type)
    except (pa.ArrowException, CannotKeepError, OverflowError, TypeError, ValueError):
        return None
    return held


def _typed(held: pa.DataType) -> Callable[[Any, dict[str, Any]], pa.Array | None]:
    def convert(values: Any, codec: dict[str, Any]) -> pa.Array | None:
        try:
            return _single(pa.array(values, type=held, from_pandas=True))
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            return None

    return convert


def _decimals(values: Any, codec: dict[str, Any]) -> pa.Array | None:
    held = _inferred(values, codec)
    if held is not None and pa.types.is_decimal(held.type) and _comes_back(codec, held, values, decimal.Decimal):
        return held
    codec["as"] = "text"  # exponents differ (1.0 and 1.00), or NaN or infinity: the text says them all
    return _typed(pa.large_string())(_texts(values), codec)


def _texts(values: Any) -> Any:
    return np.array([str(value) if type(value) is decimal.Decimal else None for value in values], dtype=object)


def _arrays(values: Any, codec: dict[str, Any]) -> pa.Array | None:
    dtypes = {value.dtype for value in values if type(value) is np.ndarray}
    if len(dtypes) != 1:
        return None
    codec["dtype"] = next(iter(dtypes)).name
    return _inferred(values, codec)


_CHECKED: dict[type, Callable[[Any, dict[str, Any]], pa.Array | None]] = {
    decimal.Decimal: _decimals,
    datetime.date: _typed(pa.date32()),
    datetime.time: _typed(pa.time64("us")),
    datetime.datetime: _typed(pa.timestamp("us")),
    datetime.timedelta: _typed(pa.duration("us")),
    list: _inferred,
    dict: _inferred,
    np.ndarray: _arrays,
}


def _read_plain(held: Any, codec: dict[str, Any]) -> Any:
    if pa.types.is_large_string(held.type) or pa.types.is_large_binary(held.type):
        return held.to_numpy(zero_copy_only=False)
    return _sequence(held.to_pylist())


def _sequence(items: Iterable[Any]) -> Any:
    """A list as an object array, one entry each, whatever the entries are."""
    listed = list(items)
    values = np.empty(len(listed), dtype=object)
    for row, item in enumerate(listed):
        values[row] = item
    return values


def _read_decimals(held: Any, codec: dict[str, Any]) -> Any:
    if codec.get("as") == "text":
        return _sequence(None if text is None else decimal.Decimal(text) for text in held.to_pylist())
    return _sequence(held.to_pylist())


def _read_arrays(held: Any, codec: dict[str, Any]) -> Any:
    dtype = np.dtype(codec["dtype"])
    return _sequence(None if items is None else np.array(items, dtype=dtype) for items in held.to_pylist())


_READERS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {"Decimal": _read_decimals, "ndarray": _read_arrays}


def _comes_back(codec: dict[str, Any], held: pa.Array, values: Any, kind: type | None) -> bool:
    """Read the values back and compare: the only proof for types that Arrow may normalise."""
    back = decode_objects({**codec, "missing": "None"}, held)
    return all(_same(original, again) for original, again in zip(values, back, strict=True) if type(original) is kind)


def _same(left: Any, right: Any) -> bool:
    """Equal in type and value, inside lists and dicts too; NaN equals NaN; 1.0 and 1.00 differ."""
    if type(left) is not type(right):
        return False
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, decimal.Decimal):
        return left.as_tuple() == right.as_tuple()
    if isinstance(left, datetime.datetime | datetime.time) and (left.tzinfo is not None or left.fold):
        return False
    return bool(left == right or (left != left and right != right))


def _codes(values: Any, kind: type | None) -> Any:
    floats_are_missing = kind is not float
    return np.fromiter(
        (2 if floats_are_missing and type(value) is float else _MARKER_TYPES.get(type(value), 0) for value in values),
        dtype=np.int8,
        count=len(values),
    )


def _single(held: pa.Array | pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(held.chunks) if isinstance(held, pa.ChunkedArray) else held


def _first_row(values: Any, kind: type) -> int:
    return next((row for row, value in enumerate(values) if type(value) is kind), 0)


def _mixed(values: Any, name: str, kinds: set[type]) -> CannotKeepError:
    first, second = sorted((_first_row(values, kind), kind.__name__) for kind in kinds)[:2]
    return CannotKeepError(
        f"Column '{name}' mixes Python types: {first[1]} in row {first[0]}, {second[1]} in row {second[0]}. "
        f"Give it one type before the snapshot, for instance: df[{name!r}] = df[{name!r}].astype('str')."
    )


def _unknown(values: Any, name: str, kind: type) -> CannotKeepError:
    row = _first_row(values, kind)
    return CannotKeepError(
        f"Column '{name}', row {row}: a {kind.__module__}.{kind.__qualname__} cannot be read back exactly, so it is not "
        f"kept. Convert the column to numbers, text, dates or lists of them, or drop it: df.drop(columns={name!r})."
    )


def _inexact(values: Any, name: str, kind: type | None) -> CannotKeepError:
    word = "value" if kind is None else kind.__name__
    row = _first_row(values, kind) if kind is not None else 0
    return CannotKeepError(
        f"Column '{name}', from row {row}: these {word} values would not come back exactly as they are (mixed types inside, "
        f"or a form that has no column type). Convert the column first, for instance to text: "
        f"df[{name!r}] = df[{name!r}].map(repr)."
    )
