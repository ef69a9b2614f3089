"""How metrics are kept: a series for each metric of a run, with its latest value, and the points of the series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from ..domain.run import MetricPoint, MetricValue
from .database import Database
from .journal_file import FOLDER_NAME, HEADER_BYTES, Journal, Point
from .runs import number
from .workspace import Transaction

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
#: The highest step there is; without one given, the points after it stay on it.
_MAX_STEP = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of a run."""

    series_id: int
    run_id: str
    name: str
    n_points: int


def nanoseconds(at: datetime) -> int:
    """Nanoseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND * 1000


def add_metrics(tx: Transaction, run_id: str, values: Sequence[MetricValue], now: datetime) -> None:
    """Append points. A value without a step gets the one after its name's highest; values must be numbers.

    The latest value of a name is the one with the highest step; of equal steps, the one written last.
    """
    series: dict[str, list[Point]] = {}
    for value in values:
        point = (value.value, value.step, nanoseconds(value.logged_at or now))
        series.setdefault(value.name, []).append(point)
    _add_points(tx, run_id, series)


def fold_journals(tx: Transaction, run_id: str, journals: Iterable[Journal]) -> int:
    """Take over what journals of the run hold beyond what was taken already; how many points that was.

    How far a journal was read is written in the same transaction, so no point is taken twice or left out, whoever folds.
    """
    n_points = 0
    for journal in journals:
        start = folded_bytes(tx.workspace.database, journal.name)
        end = journal.end_of(start)
        if end == start:
            continue
        series = journal.points(start, end)
        n_points += sum(map(len, series.values()))
        _add_points(tx, run_id, series)
        tx.execute(
            """INSERT INTO run_metric_journals (journal, folded_bytes) VALUES (:journal, :end)
               ON CONFLICT (journal) DO UPDATE SET folded_bytes = excluded.folded_bytes""",
            {"journal": journal.name, "end": end},
        )
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


def _add_points(tx: Transaction, run_id: str, series: Mapping[str, Sequence[Point]]) -> None:
    execute = tx.connection.execute
    for name, points in series.items():
        found = execute(
            "SELECT series_id, n_points, step, value FROM run_metric_series WHERE run_id = ? AND name = ?",
            (run_id, name),
        ).fetchone()
        if found is None:
            series_id = execute(
                "INSERT INTO run_metric_series (run_id, name, n_points, step, value) VALUES (?, ?, 0, 0, NULL) RETURNING series_id",
                (run_id, name),
            ).fetchone()[0]
            n_before, highest, last = 0, None, None
        else:
            series_id, n_before, highest, last = found
        rows = []
        for count, (value, step, at_ns) in enumerate(points, n_before):
            if step is None:
                step = 0 if highest is None or highest < 0 else min(highest + 1, _MAX_STEP)
            if highest is None or step >= highest:
                highest, last = step, value
            rows.append((series_id, step, count, value, at_ns // 1000))
        tx.connection.executemany("INSERT INTO run_metric_points VALUES (?, ?, ?, ?, ?)", rows)
        execute(
            "UPDATE run_metric_series SET n_points = ?, step = ?, value = ? WHERE series_id = ?",
            (n_before + len(rows), highest, last, series_id),
        )
    if series:
        _tell(tx, run_id)


def list_points(database: Database, run_id: str, *, name: str | None, limit: int, offset: int) -> list[MetricPoint]:
    """Points by name, step and the order they were written in."""
    rows = database.rows(
        """SELECT s.name, p.value, p.step, p.logged_us FROM run_metric_series s
           JOIN run_metric_points p ON p.series_id = s.series_id
           WHERE s.run_id = :run_id AND (:name IS NULL OR s.name = :name)
           ORDER BY s.name, p.step, p.number LIMIT :limit OFFSET :offset""",
        {"run_id": run_id, "name": name, "limit": limit, "offset": offset},
    )
    return [
        MetricPoint(name=name, value=number(value), step=step, logged_at=_time(logged_us))
        for name, value, step, logged_us in rows
    ]


def list_series(database: Database, run_ids: Sequence[str]) -> list[Series]:
    """The metrics of some runs, by name."""
    marks = ", ".join(f":run{index}" for index in range(len(run_ids)))
    rows = database.rows(
        f"SELECT series_id, run_id, name, n_points FROM run_metric_series WHERE run_id IN ({marks}) ORDER BY name, series_id",
        {f"run{index}": run_id for index, run_id in enumerate(run_ids)},
    )
    return [Series(*row) for row in rows]


def read_series(database: Database, series_id: int) -> tuple[list[int], list[float], list[int]]:
    """Steps, values and microseconds since 1970 of a series, by step."""
    rows = database.rows(
        "SELECT step, value, logged_us FROM run_metric_points WHERE series_id = :series_id ORDER BY step, number",
        {"series_id": series_id},
    )
    return [row[0] for row in rows], [number(row[1]) for row in rows], [row[2] for row in rows]


def last_logged_at(tx: Transaction, run_id: str) -> datetime | None:
    """When the run's newest point was measured."""
    row = tx.execute(
        """SELECT MAX(p.logged_us) FROM run_metric_series s JOIN run_metric_points p ON p.series_id = s.series_id
           WHERE s.run_id = :run_id""",
        {"run_id": run_id},
    ).fetchone()
    return _time(row[0]) if row[0] is not None else None


def _time(logged_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=logged_us)


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
