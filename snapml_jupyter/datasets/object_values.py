"""Columns of Python objects. Values that all have one type with an exact Arrow column become that column; the others
become texts (`mixed_values`), or are refused with the column, the row and the type.

What stands for "missing" in such a column (None, NaN, NA, NaT) is kept too: as one word when it is always the same,
else as a second part with a code for each row.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ..domain.errors import CannotKeepError
from .arrow_types import type_to_json
from .columns import ArrowPart, NumpyPart, PartSource
from .mixed_values import CannotSayError, from_text, same_value, to_text

#: What stands for a missing value, by its code in the second part (0 is a value).
MARKERS: tuple[tuple[str, Any], ...] = (("None", None), ("nan", float("nan")), ("NA", pd.NA), ("NaT", pd.NaT))
_MARKER_TYPES: dict[type, int] = {type(None): 1, type(pd.NA): 3, type(pd.NaT): 4}
_NONE, _NAN = 1, 2
#: So many texts say whether they repeat.
_SAMPLE = 1_000

#: Types that Arrow keeps exactly by construction, so that nothing needs to be compared.
_EXACT: dict[type, pa.DataType] = {
    str: pa.string(),
    bytes: pa.binary(),
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
}
#: What they are kept as. Until they are, short offsets take half the memory.
_KEPT_AS: dict[pa.DataType, pa.DataType] = {pa.string(): pa.large_string(), pa.binary(): pa.large_binary()}
#: Types that Arrow may normalise, so that the column is read back and compared; None lets Arrow choose the type.
_CHECKED: dict[type, pa.DataType | None] = {
    decimal.Decimal: None,
    datetime.date: pa.date32(),
    datetime.time: pa.time64("us"),
    datetime.datetime: pa.timestamp("us"),
    datetime.timedelta: pa.duration("us"),
    list: None,
    dict: None,
    np.ndarray: None,
}

Encoded = tuple[dict[str, Any], list[PartSource], str]


def encode_objects(values: Any, name: str) -> Encoded:
    """Codec, parts and Arrow type of an object array. Raises CannotKeepError naming column, row and type."""
    found = set(map(type, values))
    kinds = found - set(_MARKER_TYPES)
    missing = {_MARKER_TYPES[kind] for kind in found & set(_MARKER_TYPES)}
    absent = None  # None as it is needs no mask
    if float in kinds and len(kinds) > 1:  # NaN among strings stands for "missing"; among floats it is a value
        empty = pd.isna(values) if kinds <= set(_EXACT) else np.array([_is_nan(value) for value in values])
        if float not in set(map(type, values[~empty])):
            kinds.discard(float)
            missing.add(_NAN)
            absent = empty
    codes = None
    if len(missing) > 1 or missing - {_NAN, _NONE}:
        codes = _codes(values, _NAN in missing)
        absent = codes > 0
    codec: dict[str, Any] = {"kind": "object"}
    held = _as_column(values, absent, kinds, codec)
    if held is None:
        codec = {"kind": "object", "of": "mixed"}
        held = _as_texts(values, absent, name)
    kept_as = _KEPT_AS.get(held.type, held.type)
    parts: list[PartSource] = [ArrowPart(held, kept_as)]
    if len(missing) == 1:
        codec["missing"] = MARKERS[next(iter(missing)) - 1][0]
    elif codes is not None:
        parts.append(NumpyPart(codes, pa.int8()))
    return codec, parts, str(kept_as)


def _is_nan(value: Any) -> bool:
    return type(value) is float and value != value


def decode_objects(codec: dict[str, Any], held: pa.Array, codes: Any = None) -> Any:
    """The object array that `encode_objects` was given."""
    values = _read(codec, held)
    if codes is not None:
        for code, (_, marker) in enumerate(MARKERS, start=1):
            values[codes == code] = marker
    elif codec.get("missing", "None") != "None":
        values[np.asarray(held.is_null())] = dict(MARKERS)[codec["missing"]]
    return values


def _codes(values: Any, nan_is_missing: bool) -> Any:
    """0 for a value, else which marker stands for the missing one."""
    codes = {**_MARKER_TYPES, float: _NAN} if nan_is_missing else _MARKER_TYPES
    return np.fromiter((codes.get(type(value), 0) for value in values), dtype=np.int8, count=len(values))


def _as_column(values: Any, absent: Any, kinds: set[type], codec: dict[str, Any]) -> pa.Array | None:
    """The values as one Arrow column, or None when there is none that keeps them exactly."""
    if len(kinds) > 1:
        return None
    kind = next(iter(kinds), None)
    codec["of"] = "nothing" if kind is None else kind.__name__
    if kind is None:
        return pa.nulls(len(values))
    if kind not in _EXACT and kind not in _CHECKED:
        return None
    if kind is np.ndarray:
        dtypes = {value.dtype for value in values if type(value) is np.ndarray}
        if len(dtypes) > 1:
            return None
        codec["dtype"] = next(iter(dtypes)).str
    try:
        held = pa.array(values, type=_EXACT.get(kind) or _CHECKED.get(kind), mask=absent, from_pandas=False)
        type_to_json(held.type)
    except (pa.ArrowException, CannotKeepError, OverflowError, UnicodeEncodeError, TypeError, ValueError):
        return None
    if isinstance(held, pa.ChunkedArray):  # Arrow splits what is larger than 2 GB
        wide = _KEPT_AS.get(held.type, held.type)
        held = pa.concat_arrays([chunk.cast(wide) for chunk in held.chunks])
    if kind in _EXACT or _comes_back(codec, held, values, kind):
        return held
    return None


def _comes_back(codec: dict[str, Any], held: pa.Array, values: Any, kind: type) -> bool:
    try:
        back = _read(codec, held)
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        return False
    return all(same_value(a, b) for a, b in zip(values, back, strict=True) if type(a) is kind)


def _as_texts(values: Any, absent: Any, name: str) -> pa.Array:
    texts: list[str | None] = []
    for row, value in enumerate(values):
        if value is None or (absent is not None and absent[row]):
            texts.append(None)
            continue
        try:
            texts.append(to_text(value))
        except CannotSayError as error:
            raise _refusal(name, row, value, error.kind) from None
        except RecursionError:
            raise _refusal(name, row, value, type(value)) from None
    return pa.array(texts, type=pa.large_string())


def _read(codec: dict[str, Any], held: pa.Array) -> Any:
    of = codec["of"]
    if of in ("str", "bytes"):
        values = _texts(held)
        return values if values.flags.writeable else values.copy()
    items: Iterable[Any] = held.to_pylist()
    if of == "mixed":
        items = (None if item is None else from_text(item) for item in items)
    elif of == "ndarray":
        dtype = np.dtype(codec["dtype"])
        items = (None if item is None else np.array(item, dtype=dtype) for item in items)
    values = np.empty(len(held), dtype=object)
    for row, item in enumerate(items):  # one by one: numpy would unpack lists and arrays
        values[row] = item
    return values


def _texts(held: pa.Array) -> Any:
    """Texts or bytes as objects; those that repeat much as one object, which is made once."""
    step = max(1, len(held) // _SAMPLE)
    sample = held.take(pa.array(range(0, len(held), step)))
    if pc.count_distinct(sample).as_py() > 0.95 * len(sample):
        return held.to_numpy(zero_copy_only=False)
    coded = held.dictionary_encode()
    distinct = np.empty(len(coded.dictionary) + 1, dtype=object)
    distinct[:-1] = coded.dictionary.to_numpy(zero_copy_only=False)
    # What is missing has the number -1 and so the last one, None.
    return distinct[np.asarray(coded.indices.fill_null(-1))]


def _refusal(name: str, row: int, value: Any, kind: type) -> CannotKeepError:
    whole = type(value)
    what = f"a {_named(whole)}" if kind is whole else f"a {_named(whole)} with a {_named(kind)} inside"
    if whole is str:
        return CannotKeepError(
            f"Column '{name}', row {row}: a str with half of a surrogate pair cannot be kept as UTF-8. Repair the text: "
            f"df[{name!r}] = df[{name!r}].str.encode('utf-8', 'replace').str.decode('utf-8')."
        )
    return CannotKeepError(
        f"Column '{name}', row {row}: {what} would not come back exactly, so it is not kept. "
        "Convert the column to numbers, text, times, or lists and dicts of them, "
        f"or leave it out: df.drop(columns={name!r})."
    )


def _named(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
