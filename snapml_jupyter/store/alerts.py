"""How alerts are kept: at most one unresolved per endpoint and rule."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from ..domain.errors import NotFoundError
from ..domain.monitoring import Alert, AlertState
from .database import Database
from .workspace import Transaction


def raise_alert(tx: Transaction, endpoint: str, rule: str, message: str) -> bool:
    """Raise an alert unless that rule already has an unresolved one. Returns whether it is new."""
    row = tx.execute("SELECT COUNT(*) + 1 AS number FROM alerts").fetchone()
    alert_id = f"alert-{row['number']}"
    done = tx.execute(
        """INSERT INTO alerts (alert_id, endpoint, rule, message, state, raised_at)
           VALUES (:alert_id, :endpoint, :rule, :message, 'open', :now)
           ON CONFLICT (endpoint, rule) WHERE state <> 'resolved' DO NOTHING""",
        {
            "alert_id": alert_id,
            "endpoint": endpoint,
            "rule": rule,
            "message": message,
            "now": tx.workspace.now().isoformat(),
        },
    )
    if done.rowcount:
        tx.event("alert.raised", alert_id, endpoint=endpoint, rule=rule, message=message)
    return bool(done.rowcount)


def resolve_alert(tx: Transaction, endpoint: str, rule: str) -> bool:
    """Resolve the rule's unresolved alert, if there is one."""
    row = tx.execute(
        """UPDATE alerts SET state = 'resolved', resolved_at = :now
           WHERE endpoint = :endpoint AND rule = :rule AND state <> 'resolved' RETURNING alert_id""",
        {"endpoint": endpoint, "rule": rule, "now": tx.workspace.now().isoformat()},
    ).fetchone()
    if row is not None:
        tx.event("alert.changed", row["alert_id"], endpoint=endpoint, rule=rule, state=AlertState.resolved.value)
    return row is not None


def acknowledge_alert(tx: Transaction, alert_id: str) -> None:
    """Say that someone has seen an open alert; one that is acknowledged or resolved stays as it is.

    Raises NotFoundError for an unknown id.
    """
    alert = get_alert(tx.workspace.database, alert_id)
    if alert.state is AlertState.open:
        tx.execute("UPDATE alerts SET state = 'acknowledged' WHERE alert_id = :alert_id", {"alert_id": alert_id})
        tx.event(
            "alert.changed", alert_id, endpoint=alert.endpoint, rule=alert.rule, state=AlertState.acknowledged.value
        )


def get_alert(database: Database, alert_id: str) -> Alert:
    """One alert. Raises NotFoundError."""
    row = database.row("SELECT * FROM alerts WHERE alert_id = :alert_id", {"alert_id": alert_id})
    if row is None:
        known = [r["alert_id"] for r in database.rows("SELECT alert_id FROM alerts WHERE state <> 'resolved'")]
        raise NotFoundError.of("alert", alert_id, known, "%snap_alerts lists them.")
    return _alert(row)


def list_alerts(
    database: Database, *, state: AlertState | None = None, endpoint: str | None = None, limit: int = 500
) -> list[Alert]:
    """Alerts of a state and an endpoint, or all, newest first."""
    rows = database.rows(
        """SELECT * FROM alerts
           WHERE (:state IS NULL OR state = :state) AND (:endpoint IS NULL OR endpoint = :endpoint)
           ORDER BY raised_at DESC, alert_id DESC LIMIT :limit""",
        {"state": state.value if state else None, "endpoint": endpoint, "limit": limit},
    )
    return [_alert(row) for row in rows]


def _alert(row: sqlite3.Row) -> Alert:
    return Alert(
        alert_id=row["alert_id"],
        endpoint=row["endpoint"],
        rule=row["rule"],
        message=row["message"],
        state=AlertState(row["state"]),
        raised_at=datetime.fromisoformat(row["raised_at"]),
        resolved_at=datetime.fromisoformat(row["resolved_at"]) if row["resolved_at"] else None,
    )
