"""`snapml init`, `status`, `verify`, `gc`, `audit`: the workspace itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ..figures import parse_duration, size
from ..governance.retention import collect_garbage
from ..governance.status import get_status, list_audit_entries
from ..governance.verify import verify as verify_workspace
from ..store.workspace import FOLDER_NAME, Workspace
from .output import FAILED, AnyWorkspace, answers, facts, table


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON value.")
def init(folder: Path, as_json: bool) -> None:
    """Make FOLDER (default: here) a project with its own workspace in `.snapml/`."""
    import json

    from ..domain.errors import SnapMLError
    from .output import fail

    try:
        workspace = Workspace(folder / FOLDER_NAME)
    except SnapMLError as error:
        fail(error, as_json)
    ignore = workspace.folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("# Data and database stay out of version control.\n*\n")
    if as_json:
        click.echo(json.dumps({"location": workspace.location}))
    else:
        click.echo(f"Workspace ready in {workspace.location}. Notebooks below {folder.resolve()} now use it.")


@click.command()
@answers
def status(workspace: AnyWorkspace) -> tuple[Any, str]:
    """Where am I: the workspace and how much is in it."""
    found = get_status(workspace)
    return found, facts(
        workspace=found.location,
        actor=found.actor,
        version=found.version,
        runs=found.n_runs,
        datasets=found.n_datasets,
        models=found.n_models,
        endpoints=found.n_endpoints,
        open_alerts=found.n_open_alerts,
        database=size(found.size_bytes),
    )


@click.command()
@answers
def verify(workspace: AnyWorkspace) -> tuple[Any, str]:
    """Check the audit chain and every stored byte; leave with status 1 when something is damaged."""
    report = verify_workspace(workspace)
    tables = (
        f", {report.n_small_tables} small table{'s' * (report.n_small_tables > 1)}" if report.n_small_tables else ""
    )
    checked = f"{report.n_audit_entries} audit entries{tables} and {report.n_blobs} blobs checked"
    if not report.passed:
        click.get_current_context().call_on_close(lambda: sys.exit(FAILED))
    problems = "\n".join(f"  {problem.message}" for problem in report.problems)
    return report, f"{checked}: everything is as it was written." if report.passed else f"{checked}:\n{problems}"


@click.command()
@click.option("--subject", help="Only entries about this reference.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 5000))
@answers
def audit(workspace: AnyWorkspace, subject: str | None, limit: int) -> tuple[Any, str]:
    """Who did what, newest first."""
    entries = list_audit_entries(workspace, subject=subject, limit=limit)
    rows = [(e.number, e.at, e.actor, e.operation, e.subject) for e in entries]
    return entries, table(["no", "age", "actor", "operation", "subject"], rows, "Nothing has been audited yet.")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--keep", type=int, metavar="N", help="Of every dataset remove all but the newest N versions.")
@click.option("--older-than", metavar="AGE", help="Remove versions older than this: 30d, 12h, 2w.")
@answers
def gc(workspace: AnyWorkspace, dry_run: bool, keep: int | None, older_than: str | None) -> tuple[Any, str]:
    """Remove what no version, run, model or endpoint refers to; with --keep or --older-than old versions first."""
    seconds = None if older_than is None else parse_duration(older_than)
    report = collect_garbage(workspace, dry_run, keep, seconds)
    would = "would be " if dry_run else ""
    lines = [f"{size(report.freed_bytes)} {would}freed: {report.n_blobs} blobs {would}removed"]
    if report.n_packs_rewritten:
        lines[0] += f", {report.n_packs_rewritten} packs {would}written anew"
    if report.versions:
        shown = ", ".join(report.versions[:10]) + (", ..." if len(report.versions) > 10 else "")
        lines.append(f"{len(report.versions)} versions {would}removed: {shown}")
    if report.n_kept_young:
        lines.append(f"{report.n_kept_young} blobs stay for now: somebody may be about to refer to them.")
    lines += report.problems
    return report, "\n".join(lines)
