"""Runs as rows of a long list, with the values that are asked for: what a page of thousands needs and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ..domain.run import RunStatus
from ..domain.run_comparison import RunColumns, RunRow
from .database import Database
from .run_search import GROUPS
from .runs import number, param

#: Ids in one query.
_CHUNK = 500


def load_rows(database: Database, run_ids: Sequence[str], wanted: Mapping[str, Sequence[str]] | None) -> list[RunRow]:
    """Rows in the order of the ids. `wanted` names the params, metrics and tags to read, by group; None means all."""
    values: dict[str, dict[str, dict[str, Any]]] = {run_id: {group: {} for group in GROUPS} for run_id in run_ids}
    found: dict[str, tuple[Any, ...]] = {}
    for start in range(0, len(run_ids), _CHUNK):
        chunk = run_ids[start : start + _CHUNK]
        marks = ", ".join("?" * len(chunk))
        for group, table in GROUPS.items():
            names = None if wanted is None else wanted.get(group, ())
            if names is not None and not names:
                continue
            only = f" AND name IN ({', '.join('?' * len(names))})" if names else ""
            sql = f"SELECT run_id, name, value FROM {table} WHERE run_id IN ({marks}){only}"
            for run_id, name, value in database.tuples(sql, [*chunk, *(names or ())]):
                values[run_id][group][name] = value
        for row in database.tuples(
            f"""SELECT run_id, name, experiment, status, actor, started_at, duration_seconds, parent_run_id,
                       (SELECT COUNT(*) FROM runs AS child WHERE child.parent_run_id = runs.run_id)
                FROM runs WHERE run_id IN ({marks})""",
            chunk,
        ):
            found[row[0]] = row
    return [_row(found[run_id], values[run_id]) for run_id in run_ids if run_id in found]


def list_columns(database: Database) -> RunColumns:
    """The names that any run has a value of, by group."""
    names = {
        group: [row[0] for row in database.tuples(f"SELECT DISTINCT name FROM {table} ORDER BY name", ())]
        for group, table in GROUPS.items()
    }
    return RunColumns(**names)


def _row(row: tuple[Any, ...], values: dict[str, dict[str, Any]]) -> RunRow:
    run_id, name, experiment, status, actor, started_at, seconds, parent_run_id, n_children = row
    return RunRow(
        run_id=run_id,
        name=name,
        experiment=experiment,
        status=RunStatus(status),
        actor=actor,
        started_at=datetime.fromisoformat(started_at),
        duration_seconds=seconds,
        parent_run_id=parent_run_id,
        n_children=n_children,
        params={key: param(text) for key, text in values["params"].items()},
        metrics={key: number(value) for key, value in values["metrics"].items()},
        tags=values["tags"],
    )
