"""A dataset version in hand: its schema, and its rows as pandas, Arrow or polars, whole or in part."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..domain.dataset import Column, DatasetProfile, DatasetVersion
from ..domain.errors import DamagedContentError, InvalidInputError, NotFoundError, missing_dependency
from . import versions
from .manifest import Manifest, StoredColumn, decode_manifest

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace
    from .readers import ColumnReader
    from .scan import VersionScan

#: Which rows: `slice(0, 100)`, `range(100)`, or None for all.
Rows = slice | range | None


def open_dataset(workspace: Workspace | RemoteWorkspace, ref: str) -> Dataset:
    """Open a version by reference. Raises NotFoundError. Reads no data yet."""
    return Dataset(workspace, versions.get_version(workspace, ref))


class Dataset:
    """One version. Every reading method fetches only the chunks of the columns and rows it is asked for."""

    def __init__(self, workspace: Workspace | RemoteWorkspace, version: DatasetVersion) -> None:
        self._workspace = workspace
        self.version = version
        self._manifest: Manifest | None = None

    def __repr__(self) -> str:
        return f"Dataset({self.version.ref!r}, {self.version.n_rows:,} rows, {self.version.n_columns} columns)"

    @property
    def schema(self) -> list[Column]:
        """The columns, then the index columns."""
        return self.version.columns

    @property
    def manifest(self) -> Manifest:
        """Where the content lies."""
        if self._manifest is None:
            try:
                text = versions.get_manifest(self._workspace, self.version.manifest_digest)
            except (DamagedContentError, NotFoundError) as error:
                raise type(error)(f"{self.version.ref} cannot be read. {error}") from error
            self._manifest = decode_manifest(text.encode(), self.version.ref)
        return self._manifest

    def to_pandas(self, columns: Sequence[Any] | None = None, rows: Rows = None) -> pd.DataFrame:
        """The frame exactly as it was: dtypes, index and labels. `columns` by label, `rows` by position.

        Raises NotFoundError for a column that is not there, DamagedContentError when stored bytes were changed.
        """
        import pandas as pd

        from .frames import decode_index, decode_labels

        frame = self.manifest.frame
        if frame["kind"] == "arrow":
            table: pd.DataFrame = self.to_arrow(columns, rows).to_pandas()
            return table
        labels = decode_labels(frame["labels"])
        stored = [column for column in self.manifest.columns if not column.is_index]
        if columns is not None:
            places = [self._place(labels.tolist(), column) for column in _listed(columns)]
            labels, stored = labels[places], [stored[place] for place in places]
        levels = [column for column in self.manifest.columns if column.is_index]
        wanted = self._rows(rows)
        reader = self._reader([*stored, *levels], wanted)
        read = self._read_columns([*stored, *levels], reader.to_pandas, wanted)
        index = decode_index(frame["index"], read[len(stored) :], wanted)
        # A Series of the array's own dtype: pandas would guess a better one for objects.
        values = {
            place: pd.Series(array, index=index, dtype=array.dtype, copy=False)
            for place, array in enumerate(read[: len(stored)])
        }
        # copy=False keeps each column's own memory; joining equal dtypes into one block would copy everything.
        whole: pd.DataFrame = pd.DataFrame(values, index=index, copy=False)
        whole.columns = labels
        return whole

    def to_arrow(self, columns: Sequence[Any] | None = None, rows: Rows = None) -> pa.Table:
        """An Arrow table; index columns (not a plain range) come last."""
        import pyarrow as pa

        from .frames import with_said

        stored = self.manifest.columns
        if columns is not None:
            names = [column.name for column in stored]
            stored = [stored[self._place(names, column)] for column in _listed(columns)]
        wanted = self._rows(rows)
        arrays = self._read_columns(stored, self._reader(stored, wanted).to_arrow, wanted)
        table = pa.Table.from_arrays(arrays, names=_unique([column.name for column in stored]))
        table = with_said(table, self.manifest.frame)
        said = self.manifest.frame.get("pandas")
        if said is None or columns is not None:
            return table
        return table.replace_schema_metadata({**(table.schema.metadata or {}), "pandas": said})

    def to_polars(self, columns: Sequence[Any] | None = None, rows: Rows = None) -> pl.DataFrame:
        """A polars frame. Raises MissingDependencyError when polars is not installed."""
        try:
            import polars as pl
        except ImportError:
            raise missing_dependency("polars", "Reading a dataset as a polars frame") from None
        frame = pl.from_arrow(self.to_arrow(columns, rows))
        assert isinstance(frame, pl.DataFrame)
        return frame

    def batches(self, columns: Sequence[Any] | None = None, n_rows: int = 65_536) -> Iterator[pd.DataFrame]:
        """The rows in order, `n_rows` at a time, as pandas frames; memory for a few chunks only."""
        if n_rows < 1:
            raise InvalidInputError(f"A batch has at least one row, not {n_rows}.")
        for start in range(0, self.version.n_rows, n_rows):
            yield self.to_pandas(columns, slice(start, start + n_rows))

    def scan(self, columns: Sequence[str] | None = None, rows: Rows = None) -> VersionScan:
        """A `pyarrow.dataset.Dataset` of the version: DuckDB and polars query it and read what the query needs.

        `columns` by name, `rows` by position. `.to_table(columns=[...], filter=...)`, `.head(n)`, `.count_rows()` and
        `.reader()` (a stream) work without either. Index columns come last.
        """
        from .scan import VersionScan

        named = None if columns is None else [str(column) for column in _listed(columns)]
        return VersionScan(self, named, self._rows(rows))

    def export(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the version to a `.parquet`, `.csv` or `.arrow` file, a few chunks at a time; returns the path.

        The file is there whole or not at all. Raises ConflictError when it exists already and `overwrite` is not said,
        InvalidInputError for another suffix or a column that CSV has no form for.
        """
        from .exporting import export_file

        return export_file(self, Path(path).expanduser(), overwrite)

    def profile(self) -> DatasetProfile:
        """Statistics of every column; computed once per version."""
        return versions.get_profile(self._workspace, self.version.ref)

    def _reader(self, columns: list[StoredColumn], rows: slice) -> ColumnReader:
        from .readers import ColumnReader
        from .reading import ChunkReader, pieces_of

        pieces = pieces_of(self.manifest.rows, rows.start, rows.stop)
        digests = {
            digest
            for column in columns
            for digest in [
                *(part.chunks[piece.number] for part in column.parts for piece in pieces),
                *(digest for part in (column.lookup.parts if column.lookup else []) for digest in part.chunks),
            ]
        }
        kept = sorted(set(self.manifest.kept(digests)))
        places = {place.digest: place for place in versions.locate_chunks(self._workspace, kept)}
        reader = ChunkReader(self._workspace.blobs, places, self.manifest)
        return ColumnReader(reader, self.manifest, pieces, self.version.ref)

    def _read_columns(self, columns: list[StoredColumn], read: Callable[[StoredColumn], Any], rows: slice) -> list[Any]:
        """Several columns at once."""
        from .arrow_types import type_from_json
        from .chunks import has_text
        from .reading import in_threads_beside

        def is_text(column: StoredColumn) -> bool:
            return any(has_text(type_from_json(part.type)) for part in column.parts)

        return in_threads_beside(read, columns, is_text, (rows.stop - rows.start) * 8 * len(columns))

    def _rows(self, rows: Rows) -> slice:
        if isinstance(rows, range):
            rows = slice(rows.start, rows.stop, rows.step)
        start, stop, step = (rows or slice(None)).indices(self.version.n_rows)
        if step != 1:
            raise InvalidInputError(f"Rows are read in order, one after the other; a step of {step} is not possible.")
        return slice(start, max(start, stop))

    def _place(self, labels: list[Any], wanted: Any) -> int:
        if wanted in labels:
            return labels.index(wanted)
        texts = [str(label) for label in labels]
        if str(wanted) in texts:
            return texts.index(str(wanted))
        raise NotFoundError.of("column", str(wanted), texts, f"Dataset {self.version.ref} has {len(labels)} columns.")


def _listed(columns: Sequence[Any]) -> Sequence[Any]:
    if isinstance(columns, str):
        raise InvalidInputError(f"`columns` is a list of labels: write columns=[{columns!r}].")
    return columns


def _unique(names: list[str]) -> list[str]:
    """Arrow finds columns by name; a label 1 beside '1', or an index named like a column, gets a suffix."""
    seen: set[str] = set()
    unique = []
    for name in names:
        while name in seen:
            name += "_"
        seen.add(name)
        unique.append(name)
    return unique
