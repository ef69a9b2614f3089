"""The audit log: entries chained by digest, so that a change, removal or reordering afterwards shows.

The digest of an entry is SHA-256 over the canonical JSON of all its other fields, the previous digest among them.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ..domain.event import AuditEntry, Problem
from .database import Database, insert

#: The `previous_digest` of the first entry.
GENESIS = "0" * 64


def append(
    connection: sqlite3.Connection, *, at: datetime, actor: str, operation: str, subject: str, details: dict[str, Any]
) -> None:
    """Append one entry inside the caller's transaction, whose write lock makes the chain unambiguous."""
    last = connection.execute("SELECT number, digest FROM audit_log ORDER BY number DESC LIMIT 1").fetchone()
    number, previous = (last["number"] + 1, last["digest"]) if last else (1, GENESIS)
    row = {
        "number": number,
        "at": at.isoformat(),
        "actor": actor,
        "operation": operation,
        "subject": subject,
        "details": json.dumps(details, sort_keys=True, default=str),
        "previous_digest": previous,
    }
    insert(connection, "audit_log", {**row, "digest": _digest(row)})


def list_entries(database: Database, *, subject: str | None = None, limit: int = 100) -> list[AuditEntry]:
    """The newest entries first, of one subject or all."""
    rows = database.rows(
        "SELECT * FROM audit_log WHERE :subject IS NULL OR subject = :subject ORDER BY number DESC LIMIT :limit",
        {"subject": subject, "limit": limit},
    )
    return [_entry(row) for row in rows]


def verify_chain(database: Database) -> tuple[int, list[Problem]]:
    """Recompute every link. Returns how many entries there are and what is wrong, by entry number."""
    problems: list[Problem] = []
    previous, number = GENESIS, 0
    for row in _walk(database):
        expected = number + 1
        number = row["number"]
        if number != expected:
            problems.append(_problem(expected, f"entries {expected} to {number - 1} are missing"))
        if row["previous_digest"] != previous and number == expected:
            problems.append(_problem(number, "it does not continue the entry before it"))
        if _digest({key: row[key] for key in row.keys() if key != "digest"}) != row["digest"]:  # noqa: SIM118  sqlite3.Row iterates values
            problems.append(_problem(number, "its content was changed after it was written"))
        previous = row["digest"]
    return number, problems


def _walk(database: Database) -> Iterator[sqlite3.Row]:
    yield from database.connection.execute("SELECT * FROM audit_log ORDER BY number")


def _problem(number: int, what: str) -> Problem:
    return Problem(kind="audit", subject=f"entry {number}", message=f"Audit entry {number}: {what}.")


def _digest(row: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _entry(row: sqlite3.Row) -> AuditEntry:
    return AuditEntry(
        number=row["number"],
        at=datetime.fromisoformat(row["at"]),
        actor=row["actor"],
        operation=row["operation"],
        subject=row["subject"],
        details=json.loads(row["details"]),
        previous_digest=row["previous_digest"],
        digest=row["digest"],
    )
