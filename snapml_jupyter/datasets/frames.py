"""A pandas frame as encoded columns, and what is needed beside them to put the same frame together again."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..domain.errors import CannotKeepError
from .codecs import encode_arrow, encode_level, encode_values, freq_of
from .columns import EncodedTable


def encode_frame(frame: pd.DataFrame) -> EncodedTable:
    """Encode a frame with its index and labels. Raises CannotKeepError naming what cannot be kept."""
    labels = frame.columns
    if isinstance(labels, pd.MultiIndex):
        raise CannotKeepError(
            "A frame with several levels of column labels is not kept. "
            "Join them first: df.columns = ['_'.join(map(str, label)) for label in df.columns]."
        )
    if not labels.is_unique:
        twice = labels[labels.duplicated()][0]
        raise CannotKeepError(
            f"The column label {twice!r} occurs twice. Rename one of the columns, or drop it: "
            "df = df.loc[:, ~df.columns.duplicated()]."
        )
    columns = [encode_values(array, str(label)) for label, array in zip(labels, _arrays(frame), strict=True)]
    index, levels = _encode_index(frame.index)
    described = {"kind": "pandas", "labels": _encode_labels(labels), "index": index}
    return EncodedTable(n_rows=len(frame), columns=[*columns, *levels], frame=described)


def encode_table(table: pa.Table) -> EncodedTable:
    """Encode an Arrow table, which is read back as the same Arrow types."""
    names = table.column_names
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise CannotKeepError(f"The column name '{twice}' occurs twice. Rename one of the columns.")
    columns = [encode_arrow(table.column(place), name) for place, name in enumerate(names)]
    described: dict[str, Any] = {"kind": "arrow"}
    metadata = dict(table.schema.metadata or {})
    if said := _said_beside(table.schema, metadata):
        described["schema"] = said
    if b"pandas" in metadata:  # written by pandas: to_pandas() then restores the index and dtypes that it says
        described["pandas"] = metadata[b"pandas"].decode()
    return EncodedTable(n_rows=table.num_rows, columns=columns, frame=described)


def with_said(table: pa.Table, described: dict[str, Any]) -> pa.Table:
    """The table with what its schema said beside the types (see `encode_table`)."""
    if "schema" not in described:
        return table
    said = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(described["schema"])))
    fields = [
        said.field(field.name) if field.name in said.names and said.field(field.name).type == field.type else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields, metadata=said.metadata))


def _said_beside(schema: pa.Schema, metadata: dict[bytes, bytes]) -> str | None:
    """Metadata (polars keeps its enums there) and which columns may not be null, as an Arrow schema; None for nothing."""
    others = {key: value for key, value in metadata.items() if key != b"pandas"}
    if not others and not any(field.metadata or not field.nullable for field in schema):
        return None
    return base64.b64encode(schema.with_metadata(others or None).serialize().to_pybytes()).decode()


def decode_labels(said: dict[str, Any]) -> pd.Index[Any]:
    """The column labels that `_encode_labels` described."""
    labels: pd.Index[Any]
    if said["kind"] == "range":
        labels = pd.RangeIndex(said["start"], said["stop"], said["step"], name=said["name"])
    elif said["kind"] == "times":
        values = np.array(said["values"], dtype="int64").view(f"M8[{said['unit']}]")
        times = pd.DatetimeIndex(values, name=said["name"])
        labels = times if said["tz"] is None else times.tz_localize("UTC").tz_convert(said["tz"])
        labels = with_freq(labels, said["freq"])
    else:
        labels = pd.Index(said["values"], dtype=said["dtype"], name=said["name"])
    return labels


def decode_index(said: dict[str, Any], levels: list[Any], rows: slice) -> pd.Index[Any]:
    """The index of the rows that are read; `levels` are the values of its columns."""
    index: pd.Index[Any]
    if said["kind"] == "range":
        index = pd.RangeIndex(said["start"], said["stop"], said["step"], name=said["names"][0])[rows]
    elif said["kind"] == "multi":
        index = _join_levels(levels, said["names"])
    else:
        index = pd.Index(levels[0], dtype=levels[0].dtype, name=said["names"][0], copy=False)
        index = with_freq(index, said["freq"])
    return index


def with_freq(index: Any, freq: str | None) -> Any:
    """A time index with the frequency it remembered; a part of one may be too short to have any."""
    if freq is not None and len(index):
        index.freq = pd.tseries.frequencies.to_offset(freq)
    return index


def _join_levels(levels: list[Any], names: list[Any]) -> pd.MultiIndex:
    """A MultiIndex of levels, each (distinct values, codes) or the values themselves."""
    values, codes = [], []
    for level in levels:
        if not isinstance(level, tuple):
            alone = pd.MultiIndex.from_arrays([level])
            level = (alone.levels[0], alone.codes[0])
        values.append(level[0])
        codes.append(level[1])
    joined: pd.MultiIndex = pd.MultiIndex(levels=values, codes=codes, names=names)
    return joined


def _arrays(frame: pd.DataFrame) -> list[Any]:
    """The values of each column, as numpy or pandas extension arrays."""
    array_of = getattr(frame, "_get_column_array", None)
    if array_of is not None:  # a Series for each takes thirty times as long, half of a small frame's encoding
        return [array_of(place) for place in range(frame.shape[1])]
    return [column.array for _, column in frame.items()]


def _encode_index(index: pd.Index[Any]) -> tuple[dict[str, Any], list[Any]]:
    names = [_label(name, "index name") for name in index.names]
    if isinstance(index, pd.RangeIndex):
        return {
            "kind": "range",
            "start": index.start,
            "stop": index.stop,
            "step": index.step,
            "names": names,
        }, []
    if isinstance(index, pd.MultiIndex):
        whole = index.remove_unused_levels()  # a slice of a large frame points into all of its values
        columns = []
        for place, name in enumerate(names):
            level, column = whole.levels[place], _level_name(name, place)
            if isinstance(level.dtype, pd.CategoricalDtype):
                columns.append(encode_values(whole.get_level_values(place).array, column, is_index=True))
            else:
                columns.append(encode_level(whole.codes[place], level, column))
        return {"kind": "multi", "names": names}, columns
    said = {"kind": "plain", "names": names, "freq": freq_of(index)}
    return said, [encode_values(index.array, _level_name(names[0], None), is_index=True)]


def _level_name(name: Any, place: int | None) -> str:
    if name is not None:
        return str(name)
    return "index" if place is None else f"level_{place}"


def _encode_labels(labels: pd.Index[Any]) -> dict[str, Any]:
    name = _label(labels.name, "name of the column labels")
    if isinstance(labels, pd.RangeIndex):
        return {"kind": "range", "start": labels.start, "stop": labels.stop, "step": labels.step, "name": name}
    if isinstance(labels, pd.DatetimeIndex):
        zone = None if labels.tz is None else str(pa.timestamp(labels.unit, tz=labels.tz).tz)
        return {
            "kind": "times",
            "unit": labels.unit,
            "tz": zone,
            "values": labels.asi8.tolist(),
            "freq": freq_of(labels),
            "name": name,
        }
    dtype = str(labels.dtype)
    if isinstance(labels.dtype, pd.CategoricalDtype) or (
        not isinstance(labels.dtype, np.dtype) and not isinstance(labels.dtype, pd.StringDtype)
    ):
        raise CannotKeepError(
            f"Column labels of dtype {dtype} are not kept. Make them text: df.columns = df.columns.astype('str')."
        )
    values = [_label(value, "column label") for value in labels.tolist()]
    return {"kind": "plain", "dtype": dtype, "values": values, "name": name}


def _label(value: Any, what: str) -> Any:
    """A label as JSON keeps it exactly. Raises CannotKeepError."""
    if value is None or type(value) in (str, bool, int):
        return value
    if isinstance(value, np.integer | np.bool_):
        return value.item()
    if type(value) is float and math.isfinite(value):
        return value
    raise CannotKeepError(
        f"The {what} {value!r} is a {type(value).__name__}, which is not kept. Use text or whole numbers."
    )
