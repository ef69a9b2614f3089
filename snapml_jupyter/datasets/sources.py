"""What a snapshot can be made of: each as an encoded table, or as a stream that need not fit into memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from ..domain.dataset import DatasetSource, SourceKind
from ..domain.errors import CannotKeepError, InvalidInputError
from .columns import EncodedTable
from .files import open_file, source_of
from .frames import encode_frame, encode_table
from .queries import Query, read_query

#: A stream that ends before so many bytes is taken as a table, which can be cut as the version before was.
_SMALL_STREAM = 64 * 2**20
#: Rows of a `datasets.Dataset` that are read at once.
_BATCH_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Stream:
    """Batches of rows; `open` starts them from the first, once only when `is_read_once`."""

    open: Callable[[], pa.RecordBatchReader]
    is_read_once: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """The content, and where it came from."""

    content: EncodedTable | Stream
    source: DatasetSource = field(default_factory=lambda: DatasetSource(kind=SourceKind.FRAME, name="table"))


def read_source(data: Any) -> Source:
    """Encode a pandas frame or series, Arrow table or stream, polars frame, dict of arrays, numpy array, query, or a path.

    Raises InvalidInputError for anything else, CannotKeepError for content that would not come back exactly.
    """
    if isinstance(data, str | os.PathLike):
        path = Path(data).expanduser()
        return Source(_read_path(path), source_of(path))
    if isinstance(data, Query):
        return Source(encode_table(read_query(data)), DatasetSource(kind=SourceKind.QUERY, name=data.sql))
    return Source(_read_value(data), DatasetSource(kind=SourceKind.FRAME, name=_type_name(data)))


def _read_value(data: Any) -> EncodedTable | Stream:
    if isinstance(data, pd.DataFrame):
        return encode_frame(data)
    if isinstance(data, pd.Series):
        return encode_frame(data.to_frame())
    if isinstance(data, pa.Table):
        return encode_table(data)
    if isinstance(data, pa.RecordBatch):
        return encode_table(pa.Table.from_batches([data]))
    library = type(data).__module__.partition(".")[0]
    if library == "polars":
        return encode_table(_collected(data).to_arrow())
    if library == "datasets":
        return _read_hugging_face(data)
    if isinstance(data, dict):
        try:
            return encode_frame(pd.DataFrame(data))
        except ValueError as error:
            raise InvalidInputError(f"The dict does not make a table: {error}.") from error
    if hasattr(data, "__array__") and hasattr(data, "ndim"):
        if data.ndim > 2:
            raise CannotKeepError(f"An array of {data.ndim} dimensions is not a table. Reshape it to rows and columns.")
        if data.ndim == 0:
            raise InvalidInputError("A single number is not a table. Give an array of one or two dimensions.")
        return encode_frame(pd.DataFrame(data))
    if hasattr(data, "__arrow_c_stream__"):
        return _small_or_stream(pa.RecordBatchReader.from_stream(data))
    raise InvalidInputError(
        f"A {_type_name(data)} is not a table. Give a DataFrame, Series, Arrow table or stream, polars frame, dict of "
        "arrays, numpy array, the path of a file or folder, or a query: snap.query(SQL, connection)."
    )


def _read_path(path: Path) -> EncodedTable | Stream:
    table = open_file(path)
    if not isinstance(table, pa.Table):
        return Stream(table)
    if b"pandas" in (table.schema.metadata or {}):
        # A file that pandas wrote is the frame that was written, with its index: the same version as that frame.
        return encode_frame(table.to_pandas())
    return encode_table(table)


def _small_or_stream(reader: pa.RecordBatchReader) -> EncodedTable | Stream:
    held: list[pa.RecordBatch] = []
    n_bytes = 0
    for batch in reader:
        held.append(batch)
        n_bytes += _size_of(batch)
        if n_bytes > _SMALL_STREAM:
            break
    else:
        return encode_table(pa.Table.from_batches(held, schema=reader.schema))
    whole = pa.RecordBatchReader.from_batches(reader.schema, chain(held, reader))
    return Stream(lambda: whole, is_read_once=True)


def _size_of(batch: pa.RecordBatch) -> int:
    try:
        return int(batch.nbytes)
    except pa.ArrowException:  # pyarrow 18 cannot tell it of texts that are views
        return int(batch.get_total_buffer_size())


def _read_hugging_face(data: Any) -> EncodedTable | Stream:
    """A `datasets.Dataset` or `IterableDataset`."""
    if isinstance(data, dict):
        raise InvalidInputError(
            f"This is {len(data)} datasets: {', '.join(map(str, data))}. Snapshot one of them by name."
        )
    tables = data.with_format("arrow").iter(batch_size=_BATCH_ROWS)
    first = next(tables, None)
    if first is None:
        schema = data.features.arrow_schema if data.features is not None else pa.schema([])
        return encode_table(schema.remove_metadata().empty_table())
    schema = first.schema.remove_metadata()
    batches = (batch for table in chain([first], tables) for batch in table.cast(schema).to_batches())
    return _small_or_stream(pa.RecordBatchReader.from_batches(schema, batches))


def _collected(data: Any) -> Any:
    """A polars series or lazy frame as a frame."""
    if hasattr(data, "collect"):
        return data.collect()
    return data.to_frame() if hasattr(data, "to_frame") else data


def _type_name(data: Any) -> str:
    library = type(data).__module__.partition(".")[0]
    return type(data).__name__ if library == "builtins" else f"{library}.{type(data).__name__}"
