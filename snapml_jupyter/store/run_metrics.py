"""How metrics get into the database and out of it: from journals, from a list of values, as points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ..domain.run import MetricPoint, MetricValue
from .database import Database
from .journal_file import FOLDER_NAME, HEADER_BYTES, Journal
from .points import Columns, from_microseconds, nanoseconds
from .series import append, list_series, read_series
from .workspace import Transaction


def add_metrics(tx: Transaction, run_id: str, values: Sequence[MetricValue], now: datetime) -> None:
    """Append points. A value without a step gets the one after its name's highest; values must be numbers."""
    by_name: dict[str, list[MetricValue]] = {}
    for value in values:
        by_name.setdefault(value.name, []).append(value)
    for name, points in by_name.items():
        columns = Columns(
            values=[point.value for point in points],
            steps=[point.step for point in points],
            times_ns=[nanoseconds(point.logged_at or now) for point in points],
        )
        append(tx.connection, run_id, name, columns)
    _tell(tx, run_id)


def fold_journals(tx: Transaction, run_id: str, journals: Iterable[Journal]) -> int:
    """Take over what journals of the run hold beyond what was taken already; how many points that was.

    How far a journal was read is written in the same transaction, so no point is taken twice or left out, whoever folds.
    """
    n_points = 0
    for journal in journals:
        if not journal.path.exists():  # taken over, taken away and forgotten since it was opened
            continue
        start = folded_bytes(tx.workspace.database, journal.name)
        end = journal.end_of(start)
        if end == start:
            continue
        for name, columns in journal.points(start, end).items():
            append(tx.connection, run_id, name, columns)
            n_points += len(columns.values)
        tx.execute(
            """INSERT INTO run_metric_journals (journal, folded_bytes) VALUES (:journal, :end)
               ON CONFLICT (journal) DO UPDATE SET folded_bytes = excluded.folded_bytes""",
            {"journal": journal.name, "end": end},
        )
    if n_points:
        _tell(tx, run_id)
    return n_points


def folded_bytes(database: Database, journal: str) -> int:
    """The place in the journal up to which its points are in the tables."""
    row = database.row("SELECT folded_bytes FROM run_metric_journals WHERE journal = :journal", {"journal": journal})
    return int(row[0]) if row else HEADER_BYTES


def forget_journals(tx: Transaction) -> None:
    """Forget journals whose file is gone. Never before: a file without its row would be taken as new."""
    folder = tx.workspace.folder / FOLDER_NAME
    for row in tx.execute("SELECT journal FROM run_metric_journals").fetchall():
        if not (folder / row[0]).exists():
            tx.execute("DELETE FROM run_metric_journals WHERE journal = :journal", {"journal": row[0]})


def list_points(database: Database, run_id: str, *, name: str | None, limit: int, offset: int) -> list[MetricPoint]:
    """Points by name, step and the order they were written in."""
    found: list[MetricPoint] = []
    for series in list_series(database, [run_id], name):
        if offset >= series.n_points:
            offset -= series.n_points
            continue
        if len(found) >= limit:
            break
        steps, values, times = read_series(database, series.series_id)
        stop = offset + limit - len(found)
        found += [
            MetricPoint(name=series.name, value=value, step=step, logged_at=from_microseconds(logged_us))
            for step, value, logged_us in zip(steps[offset:stop], values[offset:stop], times[offset:stop], strict=True)
        ]
        offset = 0
    return found


def last_logged_at(tx: Transaction, run_id: str) -> datetime | None:
    """When the run's newest point was measured."""
    row = tx.execute(
        "SELECT MAX(logged_us) FROM run_metric_series WHERE run_id = :run_id", {"run_id": run_id}
    ).fetchone()
    return from_microseconds(row[0]) if row[0] is not None else None


def _tell(tx: Transaction, run_id: str) -> None:
    """One event a run about metrics: the new one takes the place of the last, with a new and higher id."""
    tx.execute(
        "DELETE FROM events WHERE event_id = (SELECT metrics_event_id FROM runs WHERE run_id = :run_id)",
        {"run_id": run_id},
    )
    tx.event("run.updated", run_id, what="metrics")
    tx.execute(
        "UPDATE runs SET metrics_event_id = (SELECT MAX(event_id) FROM events) WHERE run_id = :run_id",
        {"run_id": run_id},
    )
