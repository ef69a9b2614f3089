"""What a dataset version is: one immutable, numbered snapshot of a table."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

#: n_values, n_nulls, then least, greatest, total and squares; not-a-number where there is none.
_FIGURES = struct.Struct("<QQdddd")
FIGURES_BYTES = _FIGURES.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a version. `type` is the Arrow type, `dtype` what pandas called it."""

    name: str
    type: str
    dtype: str
    nullable: bool
    is_index: bool = False


class SourceKind(str, Enum):
    """Where the content of a version came from."""

    FRAME = "frame"
    FILE = "file"
    FOLDER = "folder"
    QUERY = "query"
    UPLOAD = "upload"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSource:
    """What a version was made of: `name` is the variable, the path, the SQL text or the uploaded file's name."""

    kind: SourceKind
    name: str
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetVersion:
    """One version: `ref` is `name@vN`, `digest` names its content whatever its name or number.

    `added_bytes` is what this version added to the store; content shared with others is not counted.
    `is_new` is false when a snapshot found the same content already kept as this version.
    `manifest_digest` is the blob that says where the content lies. `derived_from` are versions of other datasets.
    """

    ref: str
    name: str
    number: int
    digest: str
    n_rows: int
    n_columns: int
    size_bytes: int
    added_bytes: int
    created_at: datetime
    created_by: str
    columns: list[Column]
    message: str | None = None
    parent_ref: str | None = None
    run_id: str | None = None
    profile_digest: str | None = None
    is_new: bool = True
    manifest_digest: str = ""
    source: DatasetSource | None = None
    derived_from: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    #: "passed" or "failed" by the newest suite that it was checked with; None when it was not.
    validity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkFigures:
    """Figures of the values of a chunk: numbers and times as they are stored, texts and bytes by their lengths.

    NaN counts as null. `total` is the sum, `squares` the sum of the squared distances from the chunk's own mean;
    all four are None when nothing is there or the values are no numbers. `merged_figures` joins those of many chunks.
    """

    n_values: int
    n_nulls: int
    least: float | None = None
    greatest: float | None = None
    total: float | None = None
    squares: float | None = None

    def to_bytes(self) -> bytes:
        """`FIGURES_BYTES` bytes that hold it."""
        numbers = (self.least, self.greatest, self.total, self.squares)
        return _FIGURES.pack(
            self.n_values, self.n_nulls, *(math.nan if number is None else number for number in numbers)
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> ChunkFigures:
        """What `to_bytes` wrote."""
        n_values, n_nulls, *numbers = _FIGURES.unpack(content)
        least, greatest, total, squares = (None if math.isnan(number) else number for number in numbers)
        return cls(n_values=n_values, n_nulls=n_nulls, least=least, greatest=greatest, total=total, squares=squares)


@dataclass(slots=True)  # not frozen: that takes five times as long to make
class ChunkPlace:
    """Where a chunk of a column lies: a range of bytes in the blob `pack_digest`.

    A reader locates thousands of chunks and wants the figures of few, so they stay packed until they are asked for.
    """

    digest: str
    pack_digest: str
    offset: int
    length: int
    packed_figures: bytes | None = None

    @property
    def figures(self) -> ChunkFigures | None:
        """The figures of its values; None when none are kept."""
        return None if self.packed_figures is None else ChunkFigures.from_bytes(self.packed_figures)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSummary:
    """A dataset in a list: its newest version and how many there are."""

    name: str
    n_versions: int
    latest: DatasetVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    """Statistics of one column; counts in rows, `histogram` as (edges, counts) of the non-null numbers.

    Datetimes are seconds since 1970 UTC; `minimum_text` and `maximum_text` say the ends in ISO form.
    """

    name: str
    type: str
    n_rows: int
    n_nulls: int
    n_distinct: float
    mean: float | None = None
    standard_deviation: float | None = None
    minimum: float | None = None
    median: float | None = None
    maximum: float | None = None
    histogram_edges: list[float] | None = None
    histogram_counts: list[float] | None = None
    top_values: list[tuple[str, float]] | None = None
    minimum_text: str | None = None
    maximum_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetProfile:
    """The profile of a version, one entry per column. `sampled_rows` when it was taken of that many rows only."""

    dataset_ref: str
    n_rows: int
    columns: list[ColumnProfile]
    sampled_rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePage:
    """Some rows of a version as JSON-safe values, for display only."""

    dataset_ref: str
    columns: list[str]
    rows: list[list[Any]]
    offset: int
    n_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFigures:
    """Figures of one column of one version; None where the type has no such figure.

    Times are ISO 8601 text in `minimum_text` and `maximum_text`; texts are described by `mean_length`.
    """

    n_rows: int
    n_nulls: int
    mean: float | None = None
    standard_deviation: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    minimum_text: str | None = None
    maximum_text: str | None = None
    mean_length: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """What became of one column: `change` is "added", "removed", "retyped", "moved" or "index"."""

    column: str
    change: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDiff:
    """One column in both versions. `n_changed` counts rows that are in both (by key) with another value in it."""

    name: str
    type: str
    is_same: bool
    n_changed: int | None = None
    before: ColumnFigures | None = None
    after: ColumnFigures | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """One row that differs: `change` is "added", "removed" or "changed"; values by the columns of `DatasetDiff.sample_columns`."""

    change: str
    row_before: int | None = None
    row_after: int | None = None
    before: list[Any] | None = None
    after: list[Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetDiff:
    """What differs between two versions. `keys` are the columns that say which rows are the same; none: by content.

    `n_changed` is 0 without keys: a row with another value is then one removed and one added.
    `bytes_read` are the stored bytes of chunks that were looked at; `n_chunks_shared` were not.
    """

    before_ref: str
    after_ref: str
    is_same: bool
    keys: list[str]
    n_rows_before: int
    n_rows_after: int
    n_added: int
    n_removed: int
    n_changed: int
    schema_changes: list[SchemaChange]
    columns: list[ColumnDiff]
    sample_columns: list[str]
    sample: list[RowChange]
    n_chunks_shared: int
    n_chunks_read: int
    bytes_read: int
