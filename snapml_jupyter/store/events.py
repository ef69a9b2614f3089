"""Events as rows: appended in the transaction of the change they tell of, read by whoever watches, from a cursor."""

from __future__ import annotations

import json
from datetime import datetime

from ..domain.event import Event
from .database import Database


def list_events(database: Database, *, after: int = 0, limit: int = 500) -> list[Event]:
    """Events with an id above `after`, oldest first."""
    rows = database.rows(
        "SELECT * FROM events WHERE event_id > :after ORDER BY event_id LIMIT :limit", {"after": after, "limit": limit}
    )
    return [
        Event(
            event_id=row["event_id"],
            kind=row["kind"],
            subject=row["subject"],
            actor=row["actor"],
            at=datetime.fromisoformat(row["at"]),
            details=json.loads(row["details"]),
        )
        for row in rows
    ]


def last_event_id(database: Database) -> int:
    """The newest event's id, 0 when there is none."""
    row = database.row("SELECT COALESCE(MAX(event_id), 0) AS last FROM events")
    return int(row["last"]) if row else 0


def last_event_at(database: Database, kind: str, subject: str) -> datetime | None:
    """When the newest event of that kind about that subject was; None when there is none."""
    row = database.row(
        "SELECT at FROM events WHERE kind = :kind AND subject = :subject ORDER BY event_id DESC LIMIT 1",
        {"kind": kind, "subject": subject},
    )
    return datetime.fromisoformat(row["at"]) if row else None
