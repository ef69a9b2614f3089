"""Runs as rows of a long list, with the values that are asked for: what a page of thousands needs and no more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from ..domain.program import Verdict
from ..domain.run import RunStatus
from ..domain.run_comparison import RunColumns, RunRow
from .database import Database
from .run_search import GROUPS
from .runs import number, param

#: Ids in one query.
_CHUNK = 500


def load_rows(database: Database, run_ids: Sequence[str], wanted: Mapping[str, Sequence[str]] | None) -> list[RunRow]:
    """Rows in the order of the ids. `wanted` names the params, metrics and tags to read, by group; None means all.

    A name `*` means all of its group.
    """
    values: dict[str, dict[str, dict[str, Any]]] = {run_id: {group: {} for group in GROUPS} for run_id in run_ids}
    found: dict[str, tuple[Any, ...]] = {}
    for start in range(0, len(run_ids), _CHUNK):
        chunk = run_ids[start : start + _CHUNK]
        marks = ", ".join("?" * len(chunk))
        for group, table in GROUPS.items():
            names = None if wanted is None or "*" in wanted.get(group, ()) else wanted.get(group, ())
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


def with_details(database: Database, rows: Sequence[RunRow]) -> list[RunRow]:
    """The rows with what a person tells runs apart by: the error, the cell's number, what was read, the verdict."""
    detailed: list[RunRow] = []
    for start in range(0, len(rows), _CHUNK):
        chunk = [row.run_id for row in rows[start : start + _CHUNK]]
        marks = ", ".join("?" * len(chunk))
        told = {
            run_id: (json.loads(source).get("execution_count"), _error(error))
            for run_id, source, error in database.tuples(
                f"SELECT run_id, source, error FROM runs WHERE run_id IN ({marks})", chunk
            )
        }
        read: dict[str, dict[str, None]] = {}
        for run_id, name, number_ in database.tuples(
            f"""SELECT run_id, dataset_name, dataset_number FROM run_inputs WHERE run_id IN ({marks})
                ORDER BY run_id, variable""",
            chunk,
        ):
            read.setdefault(run_id, {})[f"{name}@v{number_}"] = None
        verdicts = _verdicts(database, chunk)
        for row in rows[start : start + _CHUNK]:
            execution_count, error = told.get(row.run_id, (None, None))
            detailed.append(
                replace(
                    row,
                    error=error,
                    execution_count=execution_count,
                    dataset_refs=list(read.get(row.run_id, ())),
                    verdict=verdicts.get(row.run_id),
                )
            )
    return detailed


def _verdicts(database: Database, run_ids: Sequence[str]) -> dict[str, Verdict]:
    marks = ", ".join("?" * len(run_ids))
    found: dict[str, Verdict] = {}
    for original, replay, verdict, report in database.tuples(
        f"""SELECT original_run_id, run_id, verdict, report FROM replays
            WHERE original_run_id IN ({marks}) OR run_id IN ({marks}) ORDER BY replay_number""",
        [*run_ids, *run_ids],
    ):
        given = json.loads(report)
        # A replay that was given other data or params says nothing about whether the original can be repeated.
        if not given.get("data") and not given.get("params"):
            found[original] = Verdict(verdict)
        if replay is not None:
            found[replay] = Verdict(verdict)
    return found


def _error(text: str | None) -> str | None:
    if text is None:
        return None
    error = json.loads(text)
    return f"{error['type']}: {error['message']}"


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
