"""How the outcomes of gates are kept: one row a judgement of a model version, none of them ever replaced."""

from __future__ import annotations

from datetime import datetime

from .. import wire
from ..domain.checks import Check, CheckStatus, GateOutcome, GateSummary
from .database import Database
from .workspace import Transaction


def add_outcome(tx: Transaction, name: str, number: int, outcome: GateOutcome) -> GateOutcome:
    """Keep an outcome as the version's next; returns it with its number."""
    row = tx.execute(
        "SELECT MAX(outcome_number) FROM gate_outcomes WHERE name = :name AND number = :number",
        {"name": name, "number": number},
    ).fetchone()
    outcome_number = int(row[0] or 0) + 1
    tx.insert(
        "gate_outcomes",
        name=name,
        number=number,
        outcome_number=outcome_number,
        passed=int(outcome.passed),
        n_checks=len(outcome.checks),
        n_failed=sum(check.status is CheckStatus.failed for check in outcome.checks),
        checks=wire.encode_json(outcome.checks).decode(),
        gates=outcome.gates,
        duration_seconds=outcome.duration_seconds,
        checked_at=outcome.checked_at.isoformat(),
        checked_by=outcome.checked_by,
    )
    return list_outcomes(tx.workspace.database, name, number, limit=1)[0]


def list_outcomes(database: Database, name: str, number: int, limit: int = 20) -> list[GateOutcome]:
    """The outcomes of one version, newest first."""
    rows = database.rows(
        """SELECT * FROM gate_outcomes WHERE name = :name AND number = :number
           ORDER BY outcome_number DESC LIMIT :limit""",
        {"name": name, "number": number, "limit": limit},
    )
    return [
        GateOutcome(
            model_ref=f"{row['name']}:{row['number']}",
            number=row["outcome_number"],
            passed=bool(row["passed"]),
            checks=wire.decode_json(row["checks"], list[Check]),
            gates=row["gates"],
            checked_at=datetime.fromisoformat(row["checked_at"]),
            checked_by=row["checked_by"],
            duration_seconds=row["duration_seconds"],
        )
        for row in rows
    ]


def newest_summaries(database: Database, name: str | None) -> dict[tuple[str, int], GateSummary]:
    """The newest outcome of every version that was judged, of one model or of all, by name and number."""
    rows = database.rows(
        """SELECT name, number, passed, n_checks, n_failed, checked_at FROM gate_outcomes g
           WHERE (:name IS NULL OR name = :name) AND outcome_number = (
               SELECT MAX(outcome_number) FROM gate_outcomes o WHERE o.name = g.name AND o.number = g.number)""",
        {"name": name},
    )
    return {
        (row["name"], row["number"]): GateSummary(
            passed=bool(row["passed"]),
            n_checks=row["n_checks"],
            n_failed=row["n_failed"],
            checked_at=datetime.fromisoformat(row["checked_at"]),
        )
        for row in rows
    }
