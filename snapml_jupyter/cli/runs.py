"""`snapml run list|show|compare`."""

from __future__ import annotations

from typing import Any

import click

from ..domain.run import RunStatus
from ..runs.comparing import compare_runs
from ..runs.queries import get_run, list_runs
from .output import AnyWorkspace, answers, facts, table
from .replays import export, replay


@click.group()
def run() -> None:
    """Recorded runs."""


@run.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 5000))
@click.option("--name", help="Only runs of this name.")
@click.option("--status", type=click.Choice([status.value for status in RunStatus]), help="Only runs in this state.")
@click.option("--where", metavar="EXPR", help='Only runs that meet it: "metrics.auc > 0.8 and params.depth = 6".')
@click.option("--sort", metavar="KEY", help='Order: metrics.auc, "metrics.auc desc", -auc; without it newest first.')
@click.option("--top-level", is_flag=True, help="Leave out runs that were started inside of another, such as trials.")
@answers
def list_command(
    workspace: AnyWorkspace,
    limit: int,
    name: str | None,
    status: str | None,
    where: str | None,
    sort: str | None,
    top_level: bool,
) -> tuple[Any, str]:
    """The newest runs first, or by a condition and order of yours."""
    wanted = RunStatus(status) if status else None
    found = list_runs(workspace, limit=limit, name=name, status=wanted, where=where, sort=sort, top_level=top_level)
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
        inside=found.parent_run_id,
        children=found.n_children or None,
        note=found.note,
    )
    return found, text + (f"\n\n{found.code}" if found.code else "")


@run.command("compare")
@click.argument("refs", nargs=-1, required=True)
@click.option("--all", "everything", is_flag=True, help="Also what is the same in all of them.")
@answers
def compare_command(workspace: AnyWorkspace, refs: tuple[str, ...], everything: bool) -> tuple[Any, str]:
    """Runs side by side: params, metrics, data, environment, and the difference of their code."""
    found = compare_runs(workspace, list(refs))
    headers = ["", *(f"{each.name} ({each.run_id})" for each in found.runs)]
    rows: list[list[Any]] = [["status", *(each.status for each in found.runs)]]
    for compared in [*found.metrics, *found.params, *found.environment]:
        if everything or compared.differs:
            rows.append([compared.name, *compared.values])
    for given in found.inputs:
        if everything or given.differs:
            rows.append([f"data {given.variable}", *given.dataset_refs])
    parts = [table(headers, rows, "")]
    parts += ["\n".join(diff.lines) for diff in found.code if diff.lines]
    return found, "\n\n".join(parts)


run.add_command(replay)
run.add_command(export)
