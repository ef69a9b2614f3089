"""Logged batches and labels of an endpoint from a time on, for those who judge versions against each other."""

from __future__ import annotations

from dataclasses import dataclass

from .database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedBatch:
    """One batch of predictions of a deployment."""

    batch: str
    deployment: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedLabel:
    """One label; `label` is JSON text, `received_at` ISO time."""

    request_id: str
    row_number: int
    label: str
    received_at: str


def list_batches(database: Database, endpoint: str, deployments: list[int], since: str) -> list[LoggedBatch]:
    """Batches of those deployments that ended at `since` (ISO time) or later."""
    marks = ", ".join(f":d{place}" for place in range(len(deployments)))
    rows = database.rows(
        f"""SELECT batch, deployment, digest FROM prediction_batches
            WHERE endpoint = :endpoint AND ended_at >= :since AND deployment IN ({marks}) ORDER BY batch""",
        {"endpoint": endpoint, "since": since} | {f"d{place}": number for place, number in enumerate(deployments)},
    )
    return [LoggedBatch(batch=row[0], deployment=row[1], digest=row[2]) for row in rows]


def list_labels(database: Database, endpoint: str, since: str) -> list[ReceivedLabel]:
    """Labels that came at `since` (ISO time) or later."""
    rows = database.rows(
        """SELECT request_id, row_number, label, received_at FROM feedback
           WHERE endpoint = :endpoint AND received_at >= :since""",
        {"endpoint": endpoint, "since": since},
    )
    return [ReceivedLabel(request_id=row[0], row_number=row[1], label=row[2], received_at=row[3]) for row in rows]
