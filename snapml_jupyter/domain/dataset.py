"""What a dataset version is: one immutable, numbered snapshot of a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a version. `type` is the Arrow type, `dtype` what pandas called it."""

    name: str
    type: str
    dtype: str
    nullable: bool
    is_index: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetVersion:
    """One version: `ref` is `name@vN`, `digest` names its content whatever its name or number.

    `added_bytes` is what this version added to the store; content shared with others is not counted.
    `is_new` is false when a snapshot found the same content already kept as this version.
    `manifest_digest` is the blob that says where the content lies.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkPlace:
    """Where a chunk of a column lies: a range of bytes in the blob `pack_digest`."""

    digest: str
    pack_digest: str
    offset: int
    length: int


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
