"""Values as people read them in a table: JSON-safe, never for computing."""

from __future__ import annotations

import datetime
import math
from typing import Any

import pyarrow as pa


def json_rows(table: pa.Table) -> list[list[object]]:
    """The rows of an Arrow table as lists of JSON values."""
    columns = [[json_value(value) for value in _values(column)] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in range(table.num_rows)]


def json_value(value: Any) -> object:
    """Times as ISO 8601, bytes and other objects as Python writes them, NaN and infinities as None.

    >>> json_value(float("nan")), json_value(b"ab"), json_value([1, 2.5])
    (None, "b'ab'", [1, 2.5])
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return repr(value)
    return str(value)


def _values(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        # Arrow would need pandas for nanoseconds; microseconds are enough to read.
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    if (pa.types.is_duration(column.type) or pa.types.is_time64(column.type)) and column.type.unit == "ns":
        column = column.cast(pa.duration("us") if pa.types.is_duration(column.type) else pa.time64("us"), safe=False)
    values: list[Any] = column.to_pylist()
    return values
