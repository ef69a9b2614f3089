"""Slots: where workers count, in memory that they share, what was used of the limits of a key or endpoint."""

from __future__ import annotations

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
