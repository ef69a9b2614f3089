"""How rollouts are kept: the plan, the step it is at, what the judge has counted and said."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from typing import Any

from .. import wire
from ..domain.traffic import GuardJudgement, Rollout, RolloutPlan, RolloutState
from .database import Database
from .workspace import Transaction

_ROLLOUTS = """
    SELECT r.*, d.model_name || ':' || d.model_number AS model_ref, c.model_name || ':' || c.model_number AS champion_ref
    FROM rollouts r
    JOIN deployments d ON d.endpoint = r.endpoint AND d.number = r.deployment
    JOIN deployments c ON c.endpoint = r.endpoint AND c.number = r.champion
"""


def add_rollout(tx: Transaction, endpoint: str, deployment: int, champion: int, plan: RolloutPlan) -> None:
    """Record a rollout as running, at its first step."""
    now = tx.workspace.now().isoformat()
    tx.insert(
        "rollouts",
        endpoint=endpoint,
        deployment=deployment,
        champion=champion,
        plan=wire.encode_json(plan).decode(),
        state=RolloutState.running.value,
        step=0,
        step_started_at=now,
        created_at=now,
        created_by=tx.workspace.actor,
    )
    guards = [guard.text for guard in plan.guards]
    tx.event("rollout.started", endpoint, deployment=deployment, steps=plan.steps, guards=guards)


def list_running(database: Database) -> list[Rollout]:
    """The rollouts that run, by endpoint."""
    return [_rollout(row) for row in database.rows(_ROLLOUTS + " WHERE r.state = 'running' ORDER BY r.endpoint")]


def find_last_rollout(database: Database, endpoint: str) -> Rollout | None:
    """The rollout of the endpoint that runs, or else the one that ended last."""
    row = database.row(
        _ROLLOUTS + " WHERE r.endpoint = :endpoint ORDER BY r.state = 'running' DESC, r.created_at DESC LIMIT 1",
        {"endpoint": endpoint},
    )
    return _rollout(row) if row else None


def take_step(tx: Transaction, rollout: Rollout, step: int) -> None:
    """Go on to another step."""
    tx.execute(
        """UPDATE rollouts SET step = :step, step_started_at = :now
           WHERE endpoint = :endpoint AND deployment = :deployment""",
        {
            "step": step,
            "now": tx.workspace.now().isoformat(),
            "endpoint": rollout.endpoint,
            "deployment": rollout.deployment,
        },
    )
    tx.event(
        "rollout.step_taken",
        rollout.endpoint,
        deployment=rollout.deployment,
        step=step,
        share=rollout.plan.steps[step],
    )


def save_judgements(
    tx: Transaction, rollout: Rollout, judgements: list[GuardJudgement], progress: dict[str, Any], reason: str | None
) -> None:
    """Keep what the judge says and what it has counted, so that another process can go on with it."""
    tx.execute(
        """UPDATE rollouts SET judgements = :judgements, progress = :progress, reason = :reason
           WHERE endpoint = :endpoint AND deployment = :deployment AND state = 'running'""",
        {
            "judgements": wire.encode_json(judgements).decode(),
            "progress": json.dumps(progress),
            "reason": reason,
            "endpoint": rollout.endpoint,
            "deployment": rollout.deployment,
        },
    )


def read_progress(database: Database, rollout: Rollout) -> dict[str, Any] | None:
    """What the judge has counted so far; None before its first look."""
    row = database.row(
        "SELECT progress FROM rollouts WHERE endpoint = :endpoint AND deployment = :deployment",
        {"endpoint": rollout.endpoint, "deployment": rollout.deployment},
    )
    return json.loads(row["progress"]) if row and row["progress"] else None


def end_rollout(tx: Transaction, endpoint: str, deployment: int, state: RolloutState, reason: str) -> bool:
    """End the rollout of that deployment, if it runs; whether it did."""
    done = tx.execute(
        """UPDATE rollouts SET state = :state, ended_at = :now, reason = :reason
           WHERE endpoint = :endpoint AND deployment = :deployment AND state = 'running'""",
        {
            "state": state.value,
            "now": tx.workspace.now().isoformat(),
            "reason": reason,
            "endpoint": endpoint,
            "deployment": deployment,
        },
    )
    if done.rowcount:
        tx.event(f"rollout.{state.value}", endpoint, deployment=deployment, reason=reason)
    return bool(done.rowcount)


def _rollout(row: sqlite3.Row) -> Rollout:
    return Rollout(
        endpoint=row["endpoint"],
        deployment=row["deployment"],
        model_ref=row["model_ref"],
        champion_ref=row["champion_ref"],
        plan=wire.decode_json(row["plan"], RolloutPlan, "plan of a rollout"),
        state=RolloutState(row["state"]),
        step=row["step"],
        step_started_at=datetime.fromisoformat(row["step_started_at"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        created_by=row["created_by"],
        judgements=wire.decode_json(row["judgements"], list[GuardJudgement], "judgements of a rollout"),
        reason=row["reason"],
        ended_at=datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None,
    )
