"""How dataset versions, their profiles and their differences are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..domain.dataset import (
    ColumnDiff,
    ColumnFigures,
    ColumnProfile,
    DatasetDiff,
    DatasetProfile,
    DatasetSummary,
    DatasetVersion,
    RowChange,
    TablePage,
)
from ..domain.validation import SuiteVersion
from ..figures import size
from .display import Card, Quiet, Stacked, Status, Table, plain

if TYPE_CHECKING:
    from ..validation.report import ValidationReport

#: Rows of a diff that are shown; the record has more.
_SAMPLE_ROWS = 20
_BARS = "▁▂▃▄▅▆▇█"


def datasets(found: Sequence[DatasetSummary]) -> Table:
    """Datasets with their newest version."""
    return Table(
        ["dataset", "versions", "rows", "columns", "size", "made", "by"],
        [
            (
                d.latest.ref,
                d.n_versions,
                d.latest.n_rows,
                d.latest.n_columns,
                size(d.latest.size_bytes),
                d.latest.created_at,
                d.latest.created_by,
            )
            for d in found
        ],
        "No datasets yet. Keep one with %snap_data NAME df; %%snap_train keeps what a cell reads.",
    )


def dataset_versions(found: Sequence[DatasetVersion]) -> Table:
    """Versions of a dataset."""
    more: dict[str, list[Any]] = {
        "also called": [v.aliases or None for v in found],
        "checked": [Status(v.validity) if v.validity else None for v in found],
    }
    shown = {header: values for header, values in more.items() if any(values)}
    return Table(
        ["version", "rows", "columns", "size", "added", "made", "by", "message", *shown],
        [
            (
                v.ref,
                v.n_rows,
                v.n_columns,
                size(v.size_bytes),
                size(v.added_bytes),
                v.created_at,
                v.created_by,
                v.message,
                *(values[place] for values in shown.values()),
            )
            for place, v in enumerate(found)
        ],
        "No versions yet.",
    )


def dataset_version(found: DatasetVersion) -> Card:
    """One version with its columns."""
    columns = [f"{c.name} {c.dtype}" for c in found.columns if not c.is_index]
    shown = ", ".join(columns[:12]) + (f" and {len(columns) - 12} more" if len(columns) > 12 else "")
    return Card(
        found.ref,
        "" if found.is_new else "same content as before: no new version",
        Status(found.validity) if found.validity else None,
        [
            ("rows", found.n_rows),
            ("columns", shown),
            ("size", f"{size(found.size_bytes)}, of which {size(found.added_bytes)} new"),
            ("after", found.parent_ref),
            ("made of", found.derived_from or None),
            ("from", _source(found)),
            ("also called", found.aliases or None),
            ("message", found.message),
            ("digest", Quiet(found.digest[:16])),
        ],
    )


def dataset_profile(found: DatasetProfile) -> Table:
    """One row a column, with a small histogram or the most frequent values."""
    sampled = f", of which {found.sampled_rows:,} were looked at" if found.sampled_rows else ""
    return Table(
        ["column", "type", "nulls", "distinct", "minimum", "median", "maximum", "values"],
        [
            (
                c.name,
                Quiet(c.type),
                c.n_nulls,
                round(c.n_distinct),
                c.minimum_text or c.minimum,
                c.median,
                c.maximum_text or c.maximum,
                _values(c),
            )
            for c in found.columns
        ],
        "No columns.",
        f"{found.dataset_ref}, {found.n_rows:,} rows{sampled}",
    )


def dataset_diff(found: DatasetDiff) -> Card:
    """What differs: counts, columns with both figures, then the first rows."""
    how = f"by {', '.join(found.keys)}" if found.keys else "by content"
    numbers = {"added": found.n_added, "removed": found.n_removed, "changed": found.n_changed}
    schema = [
        f"{change.column}: {change.change}"
        + (f" ({change.before} → {change.after})" if change.before and change.after else "")
        for change in found.schema_changes
    ]
    facts = [
        ("rows", f"{found.n_rows_before:,} → {found.n_rows_after:,}, compared {how}"),
        ("columns", schema or None),
        ("read", f"{size(found.bytes_read)} in {found.n_chunks_read:,} chunks; {found.n_chunks_shared:,} are in both"),
    ]
    if found.is_same:
        return Card(f"{found.before_ref} → {found.after_ref}", "the same content", Status("unchanged"), facts)
    columns = Table(
        ["column", "type", "rows changed", "nulls", "mean", "deviation", "minimum", "maximum"],
        [
            (
                column.name,
                Quiet(column.type),
                column.n_changed,
                *(_both(column, field) for field in ("n_nulls", "mean", "standard_deviation", "minimum", "maximum")),
            )
            for column in found.columns
            if not column.is_same
        ],
        "No column that both have differs.",
        "Columns that differ",
    )
    return Card(
        f"{found.before_ref} → {found.after_ref}",
        "",
        None,
        facts,
        {name: float(count) for name, count in numbers.items()},
        table=Stacked([columns, _rows(found)]),
    )


def _rows(found: DatasetDiff) -> Table:
    rows = [
        (
            Status(row.change),
            row.row_before if row.row_after is None else row.row_after,
            *(_cell(row, place) for place in range(len(found.sample_columns))),
        )
        for row in found.sample[:_SAMPLE_ROWS]
    ]
    n_rows = found.n_added + found.n_removed + found.n_changed
    more = f" (the first {len(rows)} of {n_rows:,}; .sample has {len(found.sample)})" if n_rows > len(rows) else ""
    return Table(["", "row", *found.sample_columns], rows, "No row differs.", f"Rows that differ{more}")


def _cell(row: RowChange, place: int) -> Any:
    before = row.before[place] if row.before else None
    after = row.after[place] if row.after else None
    if row.change == "changed" and before != after:
        return f"{plain(before)} → {plain(after)}"
    return before if row.after is None else after


def _both(column: ColumnDiff, field: str) -> str | None:
    """A figure of both versions, once when it is the same."""
    sides = [_figure(side, field) for side in (column.before, column.after) if side is not None]
    if not sides or all(side is None for side in sides):
        return None
    return plain(sides[0]) if len(set(sides)) == 1 else " → ".join(plain(side) for side in sides)


def _figure(side: ColumnFigures, field: str) -> Any:
    text = getattr(side, f"{field}_text", None)
    if field == "mean" and side.mean is None and side.mean_length is not None:
        return f"{side.mean_length:.4g} characters"
    return text if text is not None else getattr(side, field)


def _values(column: ColumnProfile) -> str | None:
    """A histogram in one line of text, else the most frequent values."""
    counts = column.histogram_counts
    if counts and max(counts) > 0:
        joined = [
            sum(counts[start : start + len(counts) // 16 or 1])
            for start in range(0, len(counts), len(counts) // 16 or 1)
        ]
        return "".join(_BARS[round(count / max(joined) * (len(_BARS) - 1))] for count in joined)
    if column.top_values:
        return ", ".join(f"{value} {count / max(1, column.n_rows):.0%}" for value, count in column.top_values[:4])
    return None


def table_page(found: TablePage) -> Table:
    """Rows of a version."""
    return Table(
        found.columns, found.rows, "No rows.", f"{found.dataset_ref} from row {found.offset} of {found.n_rows:,}"
    )


def _source(found: DatasetVersion) -> str | None:
    source = found.source
    if source is None:
        return None
    name = source.name if len(source.name) <= 80 else source.name[:79] + "…"
    return f"{source.kind.value} {name}" + (f", {source.detail}" if source.detail else "")


def suite_version(found: SuiteVersion) -> Card:
    """A suite as the text that is edited."""
    state = f"suite {found.number} of {found.dataset}" if found.number else f"proposed suite of {found.dataset}"
    kept = (
        None if found.number else f"not kept yet: run the next cell, or %snap_validate {found.dataset} --propose --save"
    )
    return Card(state, kept or "", None, [("from", found.proposed_from), ("expects", found.content.rstrip())])


def validation_report(found: ValidationReport) -> Card:
    """What was expected and what was found, failures first."""
    record = found.record
    failed = len(found.failures)
    rows = sorted(record.results, key=lambda result: result.passed)
    return Card(
        record.dataset_ref or "the frame",
        f"{len(record.results) - failed} of {len(record.results)} expectations hold"
        + (
            f"; {record.n_failing_rows:,} of {record.n_rows:,} rows fail (.failing_rows)"
            if record.n_failing_rows
            else ""
        ),
        Status("passed" if record.passed else "failed"),
        table=Table(
            ["", "column", "expectation", "what was found", "for instance"],
            [
                (
                    Status("passed" if result.passed else "failed"),
                    result.column,
                    result.expectation,
                    result.message,
                    [f"row {row}: {plain(value)}" for row, value in result.examples[:3]] if result.examples else None,
                )
                for result in rows[:60]
            ],
            "The suite expects nothing.",
        ),
    )
