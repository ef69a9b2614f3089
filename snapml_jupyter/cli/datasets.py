"""`snapml data add|list|show|profile|diff|validate|lineage|alias|export`."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..datasets.aliases import set_alias
from ..datasets.dataset import open_dataset
from ..datasets.diff import diff_versions
from ..datasets.snapshot import snapshot
from ..datasets.versions import get_profile, get_version, list_datasets, list_versions
from ..figures import size
from ..governance.lineage import export_openlineage, get_lineage
from ..validation.checking import check_new_version, propose_suite, save_suite, validate_version
from .output import FAILED, AnyWorkspace, answers, facts, table


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
    found = check_new_version(workspace, version)
    if found is not None:
        version = replace(version, validity="passed" if found.passed else "failed")
    state = f"added {size(version.added_bytes)}" if version.is_new else "the same content was already kept"
    state += "" if found is None else f"; {version.validity} its suite"
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
    """One version: NAME, NAME@v3, NAME@latest, NAME@2026-11-01 or NAME@ALIAS."""
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


@data.command("profile")
@click.argument("ref")
@answers
def profile_command(workspace: AnyWorkspace, ref: str) -> tuple[Any, str]:
    """Statistics of every column of a version."""
    found = get_profile(workspace, ref)
    rows = [
        (
            c.name,
            c.type,
            c.n_nulls,
            round(c.n_distinct),
            c.minimum_text or c.minimum,
            c.mean,
            c.maximum_text or c.maximum,
        )
        for c in found.columns
    ]
    return found, table(["column", "type", "nulls", "distinct", "minimum", "mean", "maximum"], rows, "No columns.")


@data.command("diff")
@click.argument("before")
@click.argument("after")
@click.option("--on", "keys", metavar="COLUMN", multiple=True, help="A column that says which rows are the same.")
@click.option("--limit", default=10, show_default=True, help="So many of the rows that differ.")
@answers
def diff_command(
    workspace: AnyWorkspace, before: str, after: str, keys: tuple[str, ...], limit: int
) -> tuple[Any, str]:
    """What differs between two versions."""
    found = diff_versions(workspace, before, after, list(keys) or None, limit)
    changes = [(c.column, c.change, c.before, c.after) for c in found.schema_changes]
    parts = [
        facts(
            before=f"{found.before_ref}, {found.n_rows_before} rows",
            after=f"{found.after_ref}, {found.n_rows_after} rows",
            added=found.n_added,
            removed=found.n_removed,
            changed=found.n_changed if keys else None,
            read=f"{size(found.bytes_read)}; {found.n_chunks_shared} chunks are in both",
        )
    ]
    if changes:
        parts.append(table(["column", "change", "before", "after"], changes, ""))
    if found.sample:
        rows = [(row.change, *_values(row.before, row.after, len(found.sample_columns))) for row in found.sample]
        parts.append(table(["row", *found.sample_columns], rows, ""))
    return found, "\n\n".join(parts)


@data.command("validate")
@click.argument("ref")
@click.option("--propose", is_flag=True, help="Print a suite inferred from the version instead.")
@click.option(
    "--suite",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Keep this YAML file as the suite first.",
)
@answers
def validate_command(workspace: AnyWorkspace, ref: str, propose: bool, suite: Path | None) -> tuple[Any, str]:
    """Check a version by the suite of its dataset; leave with status 1 when it fails."""
    if propose:
        proposed = propose_suite(workspace, ref)
        return proposed, proposed.content.rstrip()
    if suite is not None:
        save_suite(workspace, get_version(workspace, ref).name, suite.read_text())
    found = validate_version(workspace, ref)
    if not found.passed:
        click.get_current_context().call_on_close(lambda: sys.exit(FAILED))
    rows = [("ok" if r.passed else "FAILED", r.column, r.expectation, r.message) for r in found.results]
    summary = f"{found.dataset_ref}: {'passed' if found.passed else f'failed; {found.n_failing_rows} of {found.n_rows} rows fail'}"
    return found, f"{summary}\n\n{table(['', 'column', 'expectation', 'found'], rows, 'The suite expects nothing.')}"


@data.command("lineage")
@click.argument("ref")
@click.option("--direction", type=click.Choice(["both", "up", "down"]), default="both", show_default=True)
@click.option("--openlineage", is_flag=True, help="Print OpenLineage 2-0-2 events, one JSON value a line.")
@answers
def lineage_command(workspace: AnyWorkspace, ref: str, direction: str, openlineage: bool) -> tuple[Any, str]:
    """What a version, model, run or endpoint came from, and what came from it."""
    if openlineage:
        events = export_openlineage(workspace, ref, direction)
        return events, "\n".join(json.dumps(event) for event in events)
    graph = get_lineage(workspace, ref, direction)
    labels = {node.node_id: node.label for node in graph.nodes}
    rows = [
        (
            edge.source.partition(":")[0],
            labels[edge.source],
            edge.role,
            edge.target.partition(":")[0],
            labels[edge.target],
        )
        for edge in graph.edges
    ]
    return graph, table(["from", "", "role", "to", ""], rows, f"Nothing is known to be before or after {ref}.")


@data.command("alias")
@click.argument("ref")
@click.argument("alias")
@answers
def alias_command(workspace: AnyWorkspace, ref: str, alias: str) -> tuple[Any, str]:
    """Point ALIAS at a version: NAME@ALIAS then names it."""
    version = set_alias(workspace, ref, alias)
    return version, f"{version.name}@{alias} is {version.ref}."


@data.command("export")
@click.argument("ref")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--overwrite", is_flag=True, help="Replace the file when it is there.")
@answers
def export_command(workspace: AnyWorkspace, ref: str, path: Path, overwrite: bool) -> tuple[Any, str]:
    """Write a version to a .parquet, .csv or .arrow file."""
    dataset = open_dataset(workspace, ref)
    written = dataset.export(path, overwrite=overwrite)
    return {"ref": dataset.version.ref, "path": str(written)}, f"{dataset.version.ref}: {written}"


def _values(before: list[Any] | None, after: list[Any] | None, n_columns: int) -> list[Any]:
    if before is None or after is None:
        return list(after or before or [None] * n_columns)
    return [two if one == two else f"{one} -> {two}" for one, two in zip(before, after, strict=True)]
