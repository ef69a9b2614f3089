"""Slots: where workers count, in memory that they share, what was used of the limits of a key or endpoint."""

from __future__ import annotations

from .database import Database
from .workspace import Transaction

#: So many keys and endpoints can have limits that hold over all workers; later ones are counted by each worker alone.
MAX_SLOTS = 2048


def free_slot(tx: Transaction) -> int | None:
    """The lowest slot that no endpoint and no valid key has; None when all are taken."""
    rows = tx.execute(
        """SELECT limit_slot FROM endpoints WHERE removed_at IS NULL AND limit_slot IS NOT NULL
           UNION SELECT limit_slot FROM api_keys WHERE revoked_at IS NULL AND limit_slot IS NOT NULL"""
    ).fetchall()
    taken = {row[0] for row in rows}
    return next((slot for slot in range(MAX_SLOTS) if slot not in taken), None)


def read_slots(database: Database, endpoint: str) -> dict[str, int]:
    """The slots of an endpoint, by its name, and of its valid keys, by their ids."""
    rows = database.rows(
        """SELECT name, limit_slot FROM endpoints
           WHERE name = :endpoint AND removed_at IS NULL AND limit_slot IS NOT NULL
           UNION SELECT key_id, limit_slot FROM api_keys
           WHERE endpoint = :endpoint AND revoked_at IS NULL AND limit_slot IS NOT NULL""",
        {"endpoint": endpoint},
    )
    return {row[0]: row[1] for row in rows}
