"""A version as a `pyarrow.dataset.Dataset` that reads only the columns and rows it is asked for.

DuckDB, polars and Arrow take it as they take a folder of Parquet files:

    flights = snap.dataset("flights").scan()
    duckdb.sql("FROM flights SELECT carrier, avg(delay) GROUP BY 1")
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as pads

if TYPE_CHECKING:
    from .dataset import Dataset

#: Rows that are read at once, unless a chunk has more.
_ROWS = 131_072


class VersionScan(pads.InMemoryDataset):  # type: ignore[misc, unused-ignore]  # pyarrow has no types
    """The rows [start, stop) of a version. Every read goes through `scanner`, which is where Arrow says what it needs."""

    def __init__(self, dataset: Dataset, columns: list[str] | None, rows: slice) -> None:
        self._dataset, self._rows = dataset, rows
        self._columns = columns
        empty = dataset.to_arrow(columns, slice(0, 0)).replace_schema_metadata(None)
        super().__init__(empty)

    def __repr__(self) -> str:
        return f"VersionScan({self._dataset.version.ref!r}, rows {self._rows.start:,} to {self._rows.stop:,})"

    def scanner(self, columns: Any = None, filter: Any = None, **options: Any) -> Any:
        """A scanner of the given columns (names, or a dict of expressions) and rows that fit `filter`."""
        options.pop("memory_pool", None)
        needed = _needed(self.schema.names, columns, filter)
        reader = self.reader(needed)
        return pads.Scanner.from_batches(reader, columns=columns, filter=filter, **options)

    def count_rows(self, filter: Any = None, **options: Any) -> int:
        """How many rows there are, or fit; without a filter nothing is read."""
        if filter is None:
            return int(self._rows.stop - self._rows.start)
        return int(self.scanner(columns=[], filter=filter, **options).count_rows())

    def reader(self, columns: list[str] | None = None) -> pa.RecordBatchReader:
        """The rows as a stream that holds a few chunks at a time."""
        names = self.schema.names if columns is None else columns
        schema = pa.schema([self.schema.field(name) for name in names])
        return pa.RecordBatchReader.from_batches(schema, self._batches(names, schema))

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.reader().__arrow_c_stream__(requested_schema)

    def _batches(self, names: list[str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        for rows in row_groups(self._dataset.manifest.rows, self._rows, _ROWS):
            if names:
                table = self._dataset.to_arrow(names, rows).cast(schema)
            else:
                table = pa.table({"": pa.nulls(rows.stop - rows.start)}).select([])
            yield from table.to_batches()


def row_groups(counts: list[int], rows: slice, most: int) -> Iterator[slice]:
    """The rows in parts of whole chunks, so that each chunk is read once; of at most `most` rows where chunks allow."""
    start, place = rows.start, 0
    for count in counts:
        end = min(place + count, rows.stop)
        if end - start > most and place > start:
            yield slice(start, place)
            start = place
        place += count
        if place >= rows.stop:
            break
    if rows.stop > start:
        yield slice(start, rows.stop)


def _needed(names: list[str], columns: Any, condition: Any) -> list[str]:
    """The columns that a projection and a filter look at; expressions do not say, so all that are in their text."""
    if columns is None:
        return names
    said = [column for column in columns if isinstance(column, str)] if not isinstance(columns, dict) else []
    texts = [str(condition)] if condition is not None else []
    texts += [str(expression) for expression in columns.values()] if isinstance(columns, dict) else []
    return [name for name in names if name in said or any(name in text for text in texts)]
