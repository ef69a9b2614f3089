"""How the values of a pandas or Arrow column become the parts of a stored column, one codec for each family of dtypes.

`readers` holds the other direction, under the same codec names.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..domain.errors import CannotKeepError
from .arrow_types import type_to_json
from .columns import ArrowPart, CodesPart, EncodedColumn, EncodedLookup, MaskedPart, NumpyPart, PartSource, TimePart
from .object_values import encode_objects


def encode_values(values: Any, name: str, *, is_index: bool = False) -> EncodedColumn:
    """Encode a numpy array or pandas extension array. Raises CannotKeepError naming the column."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _encode_categorical(values, name, is_index)
    codec, parts, described = _encode_plain(values, name)
    return EncodedColumn(name=name, type=described, dtype=_in_words(dtype), codec=codec, parts=parts, is_index=is_index)


def encode_arrow(values: pa.ChunkedArray, name: str) -> EncodedColumn:
    """Encode a column of an Arrow table, which is read back as the same Arrow type."""
    held = values.type
    if pa.types.is_dictionary(held):
        values = values.unify_dictionaries()
        chunks = values.chunks or [pa.array([], type=held)]
        codes = pa.chunked_array([chunk.indices for chunk in chunks])
        lookup = ArrowPart(chunks[0].dictionary)
        _check_type(lookup.type, name)
        return EncodedColumn(
            name=name,
            type=str(held),
            dtype=str(held),
            codec={"kind": "dictionary", "ordered": held.ordered},
            parts=[ArrowPart(codes)],
            lookup=EncodedLookup(n_values=len(lookup.values), codec={"kind": "arrow"}, parts=[lookup]),
        )
    if pa.types.is_string_view(held):
        values = values.cast(pa.large_string())
    elif pa.types.is_binary_view(held):
        values = values.cast(pa.large_binary())
    part = ArrowPart(values)
    _check_type(part.type, name)
    return EncodedColumn(name=name, type=str(part.type), dtype=str(part.type), codec={"kind": "arrow"}, parts=[part])


def _encode_plain(values: Any, name: str) -> tuple[dict[str, Any], list[PartSource], str]:
    """Codec, parts and Arrow type in words of anything but a categorical."""
    dtype = values.dtype
    if type(values) is pd.arrays.NumpyExtensionArray:  # not its subclasses: strings on numpy are one
        values = values.to_numpy()
        dtype = values.dtype
    if isinstance(dtype, np.dtype):
        return _encode_numpy(values, name)
    if isinstance(dtype, pd.DatetimeTZDtype):
        held = _timestamp(dtype, name)
        part = TimePart(values.view("i8") if isinstance(values, np.ndarray) else values.asi8, held)
        return {"kind": "datetime", "unit": dtype.unit, "tz": held.tz}, [part], str(held)
    if isinstance(dtype, pd.StringDtype):
        na = "NA" if dtype.na_value is pd.NA else "nan"
        try:
            held_values = pa.array(values, type=pa.large_string())
        except (pa.ArrowException, UnicodeEncodeError) as error:
            raise _not_text(values, name) from error
        storage = str(dtype.storage).removesuffix("_numpy")  # pandas 2.2 says so whether NaN is what is missing
        return {"kind": "string", "storage": storage, "na": na}, [ArrowPart(held_values)], "large_string"
    if isinstance(dtype, pd.ArrowDtype):
        encoded = encode_arrow(pa.chunked_array(values.__arrow_array__()), name)
        if encoded.lookup is not None or str(encoded.type) != str(dtype.pyarrow_dtype):
            raise CannotKeepError(
                f"Column '{name}' has the dtype {dtype}, which is not kept exactly. Convert it first, "
                f"for instance: df[{name!r}] = df[{name!r}].astype('category') or .astype('str')."
            )
        return {"kind": "arrow_dtype"}, encoded.parts, encoded.type
    if isinstance(values, pd.arrays.IntegerArray | pd.arrays.FloatingArray | pd.arrays.BooleanArray):
        masked: Any = values  # its arrays have no public names; its own way to Arrow copies both
        held = pa.from_numpy_dtype(dtype.numpy_dtype)
        return {"kind": "masked", "dtype": dtype.name}, [MaskedPart(masked._data, masked._mask, held)], str(held)
    if isinstance(dtype, pd.IntervalDtype):
        return _encode_intervals(values, name)
    if isinstance(dtype, pd.PeriodDtype):
        part = TimePart(values.asi8, pa.int64())
        return {"kind": "period", "dtype": str(dtype)}, [part], "int64"
    raise CannotKeepError(
        f"Column '{name}' has the dtype {dtype}, which is not kept. Convert it first, "
        f"for instance: df[{name!r}] = df[{name!r}].astype(...) to a number, string or category."
    )


def _encode_numpy(values: Any, name: str) -> tuple[dict[str, Any], list[PartSource], str]:
    kind = values.dtype.kind
    if kind == "O":
        return encode_objects(values, name)
    if kind in "iuf" and values.dtype.itemsize <= 8:
        native, dtype_name, held, described = _number_type(values.dtype)
        codec = {"kind": "numpy", "dtype": dtype_name, "nullable": kind == "f"}
        return codec, [NumpyPart(values.astype(native, copy=False), held)], described
    if kind == "b":
        # Bits take an eighth of the memory; the array is small beside the frame.
        return {"kind": "numpy", "dtype": "bool", "nullable": False}, [ArrowPart(pa.array(np.asarray(values)))], "bool"
    if kind in "mM":
        unit = np.datetime_data(values.dtype)[0]
        held = pa.timestamp(unit) if kind == "M" else pa.duration(unit)
        codec = {"kind": "datetime" if kind == "M" else "timedelta", "unit": unit}
        return codec, [TimePart(np.asarray(values).view("i8"), held)], str(held)
    advice = "split it into its real and imaginary parts" if kind == "c" else "convert it with .astype(...)"
    raise CannotKeepError(f"Column '{name}' has the dtype {values.dtype}, which is not kept: {advice}.")


@functools.lru_cache
def _number_type(dtype: np.dtype[Any]) -> tuple[np.dtype[Any], str, pa.DataType, str]:
    """The dtype in this machine's byte order, its name, its Arrow type, and that in words."""
    native = dtype.newbyteorder("=")
    held = pa.from_numpy_dtype(native)
    return native, native.name, held, str(held)


@functools.lru_cache
def _in_words(dtype: Any) -> str:
    return str(dtype)


def _encode_categorical(values: Any, name: str, is_index: bool) -> EncodedColumn:
    codes = values.codes
    lookup, described = encode_lookup(values.categories, f"{name} (its categories)")
    return EncodedColumn(
        name=name,
        type=f"dictionary<{described}>",
        dtype="category",
        codec={"kind": "categorical", "ordered": bool(values.ordered), "codes": codes.dtype.name},
        parts=[CodesPart(codes, pa.from_numpy_dtype(codes.dtype))],
        is_index=is_index,
        lookup=lookup,
    )


def encode_level(codes: Any, level: Any, name: str) -> EncodedColumn:
    """One level of a MultiIndex: its distinct values, and for each row which of them (-1: missing)."""
    codes = np.asarray(codes)
    lookup, described = encode_lookup(level, name)
    return EncodedColumn(
        name=name,
        type=described,
        dtype=str(level.dtype),
        codec={"kind": "level", "codes": codes.dtype.name},
        parts=[CodesPart(codes, pa.from_numpy_dtype(codes.dtype))],
        is_index=True,
        lookup=lookup,
    )


def encode_lookup(values: Any, name: str) -> tuple[EncodedLookup, str]:
    """An index that rows point into, and its Arrow type in words."""
    if isinstance(values, pd.RangeIndex):
        codec = {"kind": "range", "start": values.start, "stop": values.stop, "step": values.step}
        return EncodedLookup(n_values=len(values), codec=codec, parts=[]), "int64"
    codec, parts, described = _encode_plain(values.array, name)
    freq = freq_of(values)
    if freq is not None:
        codec = {**codec, "index_freq": freq}
    return EncodedLookup(n_values=len(values), codec=codec, parts=parts), described


def freq_of(index: Any) -> str | None:
    """The frequency that a regular time index remembers."""
    if isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex) and index.freq is not None:
        return str(index.freq.freqstr)
    return None


def _encode_intervals(values: Any, name: str) -> tuple[dict[str, Any], list[PartSource], str]:
    left, left_parts, described = _encode_plain(values.left.array, name)
    _, right_parts, _ = _encode_plain(values.right.array, name)
    if len(left_parts) != 1:
        raise CannotKeepError(f"Column '{name}' has intervals of {values.dtype.subtype}, which are not kept.")
    return {"kind": "interval", "closed": values.closed, "ends": left}, [*left_parts, *right_parts], described


def _timestamp(dtype: Any, name: str) -> pa.DataType:
    """The Arrow type of a dtype with a time zone, when the zone can be found again by its name."""
    try:
        held = pa.timestamp(dtype.unit, tz=dtype.tz)
        same = pd.DatetimeTZDtype(dtype.unit, tz=held.tz) == dtype
    except (ValueError, TypeError, LookupError):
        same = False
    if not same:
        raise CannotKeepError(
            f"Column '{name}' has the time zone {dtype.tz!r}, which has no name to find it by. "
            f"Use a named zone: df[{name!r}] = df[{name!r}].dt.tz_convert('Europe/Berlin')."
        )
    return held


def _check_type(held: pa.DataType, name: str) -> None:
    try:
        type_to_json(held)
    except CannotKeepError as error:
        raise CannotKeepError(f"Column '{name}' cannot be kept: {error}.") from None


def _not_text(values: Any, name: str) -> CannotKeepError:
    encodable = [_is_encodable(value) for value in values]
    row = encodable.index(False) if False in encodable else 0
    return CannotKeepError(
        f"Column '{name}', row {row}: a str with half of a surrogate pair cannot be kept as UTF-8. Repair the text: "
        f"df[{name!r}] = df[{name!r}].str.encode('utf-8', 'replace').str.decode('utf-8')."
    )


def _is_encodable(value: Any) -> bool:
    try:
        return not isinstance(value, str) or value.encode() is not None
    except UnicodeEncodeError:
        return False
