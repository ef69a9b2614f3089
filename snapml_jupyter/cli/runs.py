"""`snapml run list|show`."""

from __future__ import annotations

from typing import Any

import click

from ..domain.run import RunStatus
from ..runs.queries import get_run, list_runs
from .output import AnyWorkspace, answers, facts, table


@click.group()
def run() -> None:
    """Recorded runs."""


@run.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 5000))
@click.option("--name", help="Only runs of this name.")
@click.option("--status", type=click.Choice([status.value for status in RunStatus]), help="Only runs in this state.")
@answers
def list_command(workspace: AnyWorkspace, limit: int, name: str | None, status: str | None) -> tuple[Any, str]:
    """The newest runs first."""
    found = list_runs(workspace, limit=limit, name=name, status=RunStatus(status) if status else None)
    rows = [
        (r.run_id, r.name, r.status, r.started_at, r.duration_seconds, r.metrics, [i.dataset_ref for i in r.inputs])
        for r in found
    ]
    headers = ["run", "name", "status", "age", "seconds", "metrics", "data"]
    return found, table(headers, rows, "No runs yet. Put %%snap_train NAME on the first line of a cell.")


@run.command("show")
@click.argument("ref")
@answers
def show_command(workspace: AnyWorkspace, ref: str) -> tuple[Any, str]:
    """One run, by id or by name (its newest run)."""
    found = get_run(workspace, ref)
    text = facts(
        run=found.run_id,
        name=found.name,
        experiment=found.experiment,
        status=found.status,
        by=found.actor,
        age=found.started_at,
        seconds=found.duration_seconds,
        seed=found.seed,
        metrics=found.metrics or None,
        params=found.params or None,
        tags=found.tags or None,
        data=[f"{i.variable} = {i.dataset_ref}" for i in found.inputs] or None,
        models=found.model_refs or None,
        artifacts=[a.path for a in found.artifacts] or None,
        error=f"{found.error.type}: {found.error.message}" if found.error else None,
        note=found.note,
    )
    return found, text + (f"\n\n{found.code}" if found.code else "")
