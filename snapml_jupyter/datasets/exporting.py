"""A version as a file for others: Parquet, CSV or Arrow."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ..domain.errors import ConflictError, InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from .dataset import Dataset


def export_file(dataset: Dataset, path: Path, overwrite: bool) -> Path:
    """Write the version to the file; see `Dataset.export`."""
    suffix = path.suffix.lower()
    if suffix not in (".parquet", ".csv", ".arrow"):
        raise InvalidInputError(f"'{path.name}' ends in '{path.suffix}'. Export to a .parquet, .csv or .arrow file.")
    if not path.parent.is_dir():
        raise NotFoundError(f"There is no folder '{path.parent}'.")
    if path.exists() and not overwrite:
        raise ConflictError(f"'{path}' exists. Remove it, choose another name, or say overwrite=True (--overwrite).")
    temporary = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        try:
            _write(dataset, temporary, suffix)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise InvalidInputError(f"{dataset.version.ref} cannot be written as {suffix[1:]}: {error}.") from error
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _write(dataset: Dataset, path: Path, suffix: str) -> None:
    scan = dataset.scan()
    metadata = dataset.to_arrow(rows=slice(0, 0)).schema.metadata
    schema = scan.schema.with_metadata(metadata)  # what pandas needs to find its index again
    with _writer(path, suffix, schema) as writer:
        for batch in scan.reader():
            writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))


def _writer(path: Path, suffix: str, schema: pa.Schema) -> Any:
    if suffix == ".parquet":
        from pyarrow import parquet

        return parquet.ParquetWriter(path, schema)
    if suffix == ".csv":
        from pyarrow import csv

        return csv.CSVWriter(path, schema.remove_metadata())
    return pa.ipc.new_file(path, schema)
