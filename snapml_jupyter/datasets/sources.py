"""What a snapshot can be made of, each as an encoded table."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from ..domain.errors import CannotKeepError, InvalidInputError, NotFoundError
from .columns import EncodedTable
from .frames import encode_frame, encode_table

_SUFFIXES = ".csv, .tsv, .parquet, .arrow or .feather"


def encode_source(data: Any) -> EncodedTable:
    """Encode a pandas frame or series, Arrow table, polars frame, dict of arrays, numpy array, or a file by its path.

    Raises InvalidInputError for anything else, CannotKeepError for content that would not come back exactly.
    """
    if isinstance(data, pd.DataFrame):
        return encode_frame(data)
    if isinstance(data, pd.Series):
        return encode_frame(data.to_frame())
    if isinstance(data, pa.Table):
        return encode_table(data)
    if isinstance(data, pa.RecordBatch):
        return encode_table(pa.Table.from_batches([data]))
    if isinstance(data, str | os.PathLike):
        table = read_file(Path(data))
        # A file that pandas wrote is the frame that was written, with its index: the same version as that frame.
        return encode_frame(table.to_pandas()) if b"pandas" in (table.schema.metadata or {}) else encode_table(table)
    if isinstance(data, dict):
        try:
            return encode_frame(pd.DataFrame(data))
        except ValueError as error:
            raise InvalidInputError(f"The dict does not make a table: {error}.") from error
    if hasattr(data, "__array__") and hasattr(data, "ndim"):
        if data.ndim > 2:
            raise CannotKeepError(f"An array of {data.ndim} dimensions is not a table. Reshape it to rows and columns.")
        return encode_frame(pd.DataFrame(data))
    if type(data).__module__.partition(".")[0] == "polars":
        return encode_table(_collected(data).to_arrow())
    if hasattr(data, "__arrow_c_stream__"):
        return encode_table(pa.table(data))
    raise InvalidInputError(
        f"A {type(data).__name__} is not a table. Give a DataFrame, Series, Arrow table, polars frame, dict of arrays, "
        "numpy array, or the path of a file."
    )


def read_file(path: Path) -> pa.Table:
    """Read a file by its suffix. Raises NotFoundError or InvalidInputError."""
    path = path.expanduser()
    if not path.is_file():
        raise NotFoundError(f"There is no file '{path}'.")
    suffix = path.suffix.lower()
    try:
        if suffix in (".csv", ".tsv"):
            from pyarrow import csv

            parsing = csv.ParseOptions(delimiter="\t" if suffix == ".tsv" else ",", newlines_in_values=True)
            # As pandas reads: an empty field, NA, null and NaN are missing, in text columns too.
            return csv.read_csv(
                path, parse_options=parsing, convert_options=csv.ConvertOptions(strings_can_be_null=True)
            )
        if suffix in (".parquet", ".pq"):
            from pyarrow import parquet

            return parquet.read_table(path)
        if suffix in (".arrow", ".feather", ".ipc"):
            from pyarrow import feather

            return feather.read_table(path)
    except pa.ArrowException as error:
        raise InvalidInputError(f"The file '{path}' cannot be read as {suffix[1:]}: {error}.") from error
    raise InvalidInputError(f"'{path.name}' has the suffix '{suffix}'; a dataset file ends in {_SUFFIXES}.")


def _collected(data: Any) -> Any:
    """A polars series or lazy frame as a frame."""
    if hasattr(data, "collect"):
        return data.collect()
    return data.to_frame() if hasattr(data, "to_frame") else data
