"""Keeping a table that need not fit into memory: batches come in, chunks go out, a few chunks are held at a time.

The rows are cut as `taking` cuts the same table in memory, so the same content is the same version either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from ..domain.errors import CannotKeepError
from . import versions
from .columns import EncodedTable
from .cutting import WIDTH_ROWS, Cutting, spacing_of
from .frames import encode_table
from .manifest import Manifest, Part, StoredColumn
from .naming import name_chunks
from .pack_writing import PackStream

if TYPE_CHECKING:
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace
    from .grid import Spacing


def keep_stream(workspace: Workspace | RemoteWorkspace, reader: pa.RecordBatchReader) -> tuple[Manifest, list[str]]:
    """Write the chunks of a stream that the workspace lacks; returns the manifest, not kept yet, and the packs.

    Raises CannotKeepError for a type that is not kept, before anything is written.
    """
    encode_table(reader.schema.empty_table())
    dictionaries = _Dictionaries(reader.schema)
    whole: Manifest | None = None
    with PackStream(workspace) as packs:
        written: set[str] = set()

        def keep(table: EncodedTable, rows: list[int]) -> Manifest:
            manifest, jobs = name_chunks(table, rows)
            new = {digest: job for digest, job in jobs.items() if digest not in written}
            missing = versions.find_missing_chunks(workspace, list(new))
            packs.add({digest: new[digest] for digest in missing})
            written.update(missing)
            return manifest

        for table, rows in _windows(reader, dictionaries):
            manifest = keep(table, rows)
            whole = manifest if whole is None else _joined(whole, manifest)
        assert whole is not None  # a stream without rows has one window without rows
        if dictionaries.names:
            last = keep(encode_table(dictionaries.empty_table()), [])
            whole = replace(
                whole,
                columns=[
                    replace(column, lookup=final.lookup)
                    for column, final in zip(whole.columns, last.columns, strict=True)
                ],
            )
        return whole, packs.finish()


def _windows(reader: pa.RecordBatchReader, dictionaries: _Dictionaries) -> Iterator[tuple[EncodedTable, list[int]]]:
    """The stream as tables of some chunks each, with the row counts of these chunks."""
    held: list[pa.RecordBatch] = []
    n_before, n_rows, enough = 0, 0, WIDTH_ROWS
    spacing: Spacing | None = None
    cutting: Cutting | None = None
    for batch in reader:
        if batch.num_rows:
            held.append(dictionaries.unified(batch))
            n_rows += batch.num_rows
        if n_rows >= enough and spacing is None:  # wide rows are cut finer, so fewer of them need be read to go on
            spacing = spacing_of(encode_table(pa.Table.from_batches(held)))
            enough = spacing.first
        if n_rows >= enough and spacing is not None and cutting is None:
            cutting = Cutting.of(encode_table(pa.Table.from_batches(held)))
            enough = 2 * spacing.most
        if n_rows >= enough and cutting is not None:
            table = pa.Table.from_batches(held)
            encoded = _rows_only(encode_table(table))
            rows = cutting.row_counts(encoded, n_before)[:-1]
            yield encoded, rows
            # A copy, because a slice would keep the whole window in memory.
            held = [_copied(rest) for rest in table.slice(sum(rows)).to_batches()]
            n_rows -= sum(rows)
            n_before += sum(rows)
    encoded = _rows_only(encode_table(pa.Table.from_batches(held, schema=dictionaries.schema)))
    yield encoded, (cutting or Cutting.of(encoded)).row_counts(encoded, n_before)


def _rows_only(table: EncodedTable) -> EncodedTable:
    """Without the values that rows point into, which are kept once, after all rows."""
    return replace(table, columns=[replace(column, lookup=None) for column in table.columns])


def _copied(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.take(pa.array(range(batch.num_rows)))


def _joined(first: Manifest, then: Manifest) -> Manifest:
    """The manifest of the rows of both."""

    def column(one: StoredColumn, two: StoredColumn) -> StoredColumn:
        parts = [
            Part(type=part.type, chunks=[*part.chunks, *more.chunks])
            for part, more in zip(one.parts, two.parts, strict=True)
        ]
        return replace(one, parts=parts)

    columns = [column(one, two) for one, two in zip(first.columns, then.columns, strict=True)]
    return replace(first, rows=[*first.rows, *then.rows], columns=columns)


class _Dictionaries:
    """The values of dictionary columns, which grow while batches come, each with a dictionary of its own."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.names = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        self._values = {name: pa.array([], type=schema.field(name).type.value_type) for name in self.names}

    def unified(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with the dictionaries of all batches so far."""
        for name in self.names:
            column = batch.column(name)
            try:
                _, joined = pa.chunked_array([self._empty(name), column]).unify_dictionaries().chunks
            except pa.ArrowInvalid as error:
                raise CannotKeepError(
                    f"Column '{name}' has too many distinct values for its index type: {error}."
                ) from error
            self._values[name] = joined.dictionary
            batch = batch.set_column(batch.schema.get_field_index(name), self.schema.field(name), joined)
        return batch

    def empty_table(self) -> pa.Table:
        """No rows, and every dictionary whole."""
        columns = [
            self._empty(field.name) if field.name in self._values else pa.array([], type=field.type)
            for field in self.schema
        ]
        return pa.Table.from_arrays(columns, schema=self.schema)

    def _empty(self, name: str) -> pa.DictionaryArray:
        held = self.schema.field(name).type
        return pa.DictionaryArray.from_arrays(
            pa.array([], type=held.index_type), self._values[name], ordered=held.ordered
        )
