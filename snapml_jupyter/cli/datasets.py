"""`snapml data add|list|show`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..datasets.snapshot import snapshot
from ..datasets.versions import get_version, list_datasets, list_versions
from ..figures import size
from .output import AnyWorkspace, answers, facts, table


@click.group()
def data() -> None:
    """Dataset versions."""


@data.command("add")
@click.argument("path", type=click.Path(exists=True, path_type=Path), required=False)
@click.option("--name", help="Dataset name; without it the file's name.")
@click.option("-m", "--message", help="What changed.")
@click.option("--query", metavar="SQL", help="Keep the rows of a query instead of a file.")
@click.option("--connection", metavar="URL", help="Where the query runs, as SQLAlchemy says it: sqlite:///flights.db")
@click.option("--derived-from", metavar="REF", multiple=True, help="A version that this one was made of.")
@answers
def add_command(
    workspace: AnyWorkspace,
    path: Path | None,
    name: str | None,
    message: str | None,
    query: str | None,
    connection: str | None,
    derived_from: tuple[str, ...],
) -> tuple[Any, str]:
    """Keep a CSV, Parquet or Arrow file, a folder of them, or the rows of a query as a new version."""
    origins = list(derived_from) or None
    if path is not None and query is None and connection is None:
        version = snapshot(workspace, name or path.stem, path, message=message, derived_from=origins)
    elif path is None and query is not None and connection is not None and name is not None:
        from ..datasets.queries import Query, connected

        with connected(connection) as opened:
            rows = Query(query, opened)
            version = snapshot(workspace, name, rows, message=message, derived_from=origins)
    else:
        raise click.UsageError("Give a PATH, or --query SQL with --connection URL and --name NAME.")
    state = f"added {size(version.added_bytes)}" if version.is_new else "the same content was already kept"
    return version, f"{version.ref}: {version.n_rows} rows, {version.n_columns} columns; {state}."


@data.command("list")
@click.argument("name", required=False)
@answers
def list_command(workspace: AnyWorkspace, name: str | None) -> tuple[Any, str]:
    """All datasets, or the versions of NAME."""
    if name is not None:
        versions = list_versions(workspace, name)
        rows = [
            (v.ref, v.n_rows, v.n_columns, size(v.added_bytes), v.created_at, v.created_by, v.message) for v in versions
        ]
        headers = ["version", "rows", "columns", "added", "age", "by", "message"]
        return versions, table(headers, rows, f"'{name}' has no versions.")
    found = list_datasets(workspace)
    summary = [(d.name, d.n_versions, d.latest.ref, d.latest.n_rows, d.latest.created_at) for d in found]
    empty = "No datasets yet. Training cells add them, or: snapml data add FILE --name NAME"
    return found, table(["dataset", "versions", "newest", "rows", "age"], summary, empty)


@data.command("show")
@click.argument("ref")
@answers
def show_command(workspace: AnyWorkspace, ref: str) -> tuple[Any, str]:
    """One version: NAME, NAME@v3, NAME@latest or NAME@2026-11-01."""
    version = get_version(workspace, ref)
    text = facts(
        version=version.ref,
        rows=version.n_rows,
        size=size(version.size_bytes),
        added=size(version.added_bytes),
        age=version.created_at,
        by=version.created_by,
        parent=version.parent_ref,
        run=version.run_id,
        message=version.message,
        digest=version.digest,
    )
    columns = [(c.name, c.dtype, c.nullable) for c in version.columns]
    return version, f"{text}\n\n{table(['column', 'type', 'nullable'], columns, 'No columns.')}"
