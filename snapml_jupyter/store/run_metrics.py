"""How metrics are kept: every point, and beside them the latest value of each name, which lists and sorting read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..domain.run import MetricPoint, MetricValue
from .database import Database, insert_many
from .runs import number
from .workspace import Transaction


def add_metrics(tx: Transaction, run_id: str, values: Sequence[MetricValue], now: datetime) -> None:
    """Append points. A value without a step gets the one after its name's highest; values must be numbers.

    The latest value of a name is the one with the highest step; of equal steps, the one written last.
    """
    latest: dict[str, tuple[int | None, float | None]] = {}
    rows = []
    for value in values:
        if value.name not in latest:
            found = tx.execute(
                "SELECT step, value FROM run_latest_metrics WHERE run_id = :run_id AND name = :name",
                {"run_id": run_id, "name": value.name},
            ).fetchone()
            latest[value.name] = (found["step"], found["value"]) if found else (None, None)
        highest = latest[value.name][0]
        step = value.step if value.step is not None else 0 if highest is None else max(highest + 1, 0)
        rows.append(
            {
                "run_id": run_id,
                "name": value.name,
                "step": step,
                "value": value.value,
                "logged_at": (value.logged_at or now).isoformat(),
            }
        )
        if highest is None or step >= highest:
            latest[value.name] = (step, value.value)
    insert_many(tx.connection, "run_metrics", rows)
    for name, (newest, last) in latest.items():
        tx.execute(
            """INSERT INTO run_latest_metrics (run_id, name, step, value) VALUES (:run_id, :name, :step, :value)
               ON CONFLICT (run_id, name) DO UPDATE SET step = excluded.step, value = excluded.value""",
            {"run_id": run_id, "name": name, "step": newest, "value": last},
        )
    _tell(tx, run_id)


def list_points(database: Database, run_id: str, *, name: str | None, limit: int, offset: int) -> list[MetricPoint]:
    """Points by name, step and the order they were written in."""
    rows = database.rows(
        """SELECT name, value, step, logged_at FROM run_metrics
           WHERE run_id = :run_id AND (:name IS NULL OR name = :name)
           ORDER BY name, step, point_id LIMIT :limit OFFSET :offset""",
        {"run_id": run_id, "name": name, "limit": limit, "offset": offset},
    )
    return [
        MetricPoint(
            name=row["name"],
            value=number(row["value"]),
            step=row["step"],
            logged_at=datetime.fromisoformat(row["logged_at"]),
        )
        for row in rows
    ]


def last_logged_at(tx: Transaction, run_id: str) -> datetime | None:
    """When the run's newest point was measured."""
    row = tx.execute(
        "SELECT MAX(logged_at) AS last FROM run_metrics WHERE run_id = :run_id", {"run_id": run_id}
    ).fetchone()
    return datetime.fromisoformat(row["last"]) if row["last"] else None


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
