"""One Arrow column as what the sketches take: numbers, or distinct values with their counts.

Missing means null or NaN. Infinities are counted and left out of every statistic, because one of them would turn
the mean into itself. Datetimes become seconds since 1970 UTC, durations seconds, decimals floats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..domain.errors import InvalidInputError

if TYPE_CHECKING:
    import numpy as np

#: Longer strings are cut before they are counted, so that a column of documents cannot fill a profile.
MAX_VALUE_LENGTH = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnContent:
    """A column ready to be sketched.

    `numbers` are the finite values as float64 (n,); `values` the distinct categories with their `counts`.
    Both are None for types that can only be counted (binary, lists, structs).
    """

    name: str
    type: str
    n_rows: int
    n_nulls: int
    n_nan: int = 0
    n_infinite: int = 0
    n_true: int = 0
    is_integral: bool = False
    numbers: np.ndarray[Any, Any] | None = None
    values: list[str] | None = None
    counts: list[int] | None = None


def as_arrow_table(data: Any) -> Any:
    """A pyarrow Table of a Table, RecordBatch or pandas DataFrame; the index is left out.

    A pandas column of mixed objects becomes text. Raises InvalidInputError for anything else and for
    two columns of one name.
    """
    import pyarrow as pa

    if isinstance(data, pa.Table):
        table = data
    elif isinstance(data, pa.RecordBatch):
        table = pa.Table.from_batches([data])
    elif type(data).__module__.partition(".")[0] == "pandas" and hasattr(data, "columns"):
        arrays = [_series_to_arrow(data.iloc[:, position]) for position in range(data.shape[1])]
        table = pa.Table.from_arrays(arrays, names=[str(name) for name in data.columns])
    else:
        raise InvalidInputError(
            f"A profile is made of a pandas DataFrame or a pyarrow Table, not of {type(data).__name__}."
        )
    names = table.column_names
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise InvalidInputError(f"Two columns are named '{twice}'. Rename one of them.")
    return table


def iterate_columns(table: Any) -> Iterator[ColumnContent]:
    """The columns of an Arrow table, one at a time, so that only one is held as numbers."""
    for field, column in zip(table.schema, table.columns, strict=True):
        yield column_content(field.name, column)


def column_content(name: str, column: Any) -> ColumnContent:
    """What the sketches need of one Arrow column (Array or ChunkedArray)."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as types

    shown_type = str(column.type)
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    n_rows, n_nulls = len(column), int(column.null_count)
    if types.is_boolean(kind):
        n_true = int(pc.sum(column).as_py() or 0)
        n_false = n_rows - n_nulls - n_true
        found = [(text, count) for text, count in (("True", n_true), ("False", n_false)) if count]
        return ColumnContent(
            name=name,
            type=shown_type,
            n_rows=n_rows,
            n_nulls=n_nulls,
            n_true=n_true,
            values=[text for text, _ in found],
            counts=[count for _, count in found],
        )
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        counted = pc.value_counts(column.drop_null())
        shortened = pc.utf8_slice_codeunits(counted.field("values"), 0, MAX_VALUE_LENGTH)
        return ColumnContent(
            name=name,
            type=shown_type,
            n_rows=n_rows,
            n_nulls=n_nulls,
            values=shortened.to_pylist(),
            counts=counted.field("counts").to_pylist(),
        )
    scale = 1.0
    if types.is_timestamp(kind):
        column, scale = column.cast(pa.timestamp("us", kind.tz), safe=False).cast("int64"), 1e-6
    elif types.is_duration(kind):
        column, scale = column.cast(pa.duration("us"), safe=False).cast("int64"), 1e-6
    elif types.is_date(kind):
        column, scale = column.cast("timestamp[s]").cast("int64"), 1.0
    elif not (types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)):
        return ColumnContent(name=name, type=shown_type, n_rows=n_rows, n_nulls=n_nulls)
    return _numeric(name, shown_type, column, n_nulls, scale, is_integral=types.is_integer(kind))


def _numeric(
    name: str, shown_type: str, column: Any, n_nulls: int, scale: float, *, is_integral: bool
) -> ColumnContent:
    import numpy as np

    numbers = np.asarray(column.drop_null().cast("float64", safe=False), dtype=np.float64)
    if scale != 1.0:
        numbers = numbers * scale
    n_nan = n_infinite = 0
    finite = np.isfinite(numbers)
    if not finite.all():
        n_nan = int(np.isnan(numbers).sum())
        n_infinite = int(len(numbers) - finite.sum() - n_nan)
        numbers = numbers[finite]
    return ColumnContent(
        name=name,
        type=shown_type,
        n_rows=len(column),
        n_nulls=n_nulls + n_nan,
        n_nan=n_nan,
        n_infinite=n_infinite,
        is_integral=is_integral,
        numbers=numbers,
    )


def _series_to_arrow(series: Any) -> Any:
    import pandas as pd
    import pyarrow as pa

    if isinstance(series.dtype, pd.SparseDtype):
        series = series.sparse.to_dense()
    try:
        return pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, UnicodeEncodeError):
        # Mixed objects, whole numbers beyond 64 bits, halves of surrogate pairs.
        missing = series.isna()
        texts = series.astype(object).map(lambda value: str(value).encode("utf-8", "replace").decode())
        texts = texts.to_numpy(dtype=object)
        texts[missing.to_numpy(dtype=bool)] = None
        return pa.array(texts, type=pa.string())
