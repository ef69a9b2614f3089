"""Finding runs by what they hold: conditions and an order, as data, turned into one query."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .database import Database

#: Columns of a run that can be compared and sorted by, and whether they hold numbers.
FIELDS: dict[str, bool] = {
    "run_id": False,
    "name": False,
    "experiment": False,
    "status": False,
    "actor": False,
    "started_at": False,
    "finished_at": False,
    "duration_seconds": True,
    "seed": True,
    "parent_run_id": False,
}
#: Groups of named values; `metrics.auc`.
GROUPS: dict[str, str] = {"metrics": "run_metric_series", "params": "run_params", "tags": "run_tags"}
OPERATORS: tuple[str, ...] = ("=", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunKey:
    """A column of the run (`group` None), or a named metric, param or tag."""

    group: str | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCondition:
    """`key operator value`; a run without the value does not meet it."""

    key: RunKey
    operator: str
    value: bool | int | float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """Sort by this key; runs without the value come last."""

    key: RunKey
    descending: bool


def search_run_ids(
    database: Database,
    conditions: Sequence[RunCondition],
    order: RunOrder | None,
    *,
    limit: int,
    offset: int,
    top_level: bool = False,
    words: Sequence[str] = (),
) -> list[str]:
    """Ids of the runs that meet every condition and hold every word, in the order, else the newest first.

    Without children if `top_level`. Where a word may stand: `_SEARCHED`.
    """
    params: dict[str, Any] = {"limit": limit, "offset": offset}
    where = _where(conditions, top_level, words, params)
    by = _order(order, params) if order else ""
    rows = database.rows(
        f"SELECT run_id FROM runs {where} ORDER BY {by} started_at DESC, run_id DESC LIMIT :limit OFFSET :offset",
        params,
    )
    return [row["run_id"] for row in rows]


def count_runs(
    database: Database, conditions: Sequence[RunCondition], *, top_level: bool = False, words: Sequence[str] = ()
) -> int:
    """How many runs meet every condition and hold every word."""
    params: dict[str, Any] = {}
    row = database.row(f"SELECT COUNT(*) FROM runs {_where(conditions, top_level, words, params)}", params)
    assert row is not None
    return int(row[0])


def _where(conditions: Sequence[RunCondition], top_level: bool, words: Sequence[str], params: dict[str, Any]) -> str:
    tests = [_test(condition, f"c{index}", params) for index, condition in enumerate(conditions)]
    for index, word in enumerate(words):
        escaped = word.lower().replace("~", "~~").replace("%", "~%").replace("_", "~_")
        params[f"w{index}"] = f"%{escaped}%"
        tests.append(_SEARCHED.format(like=f"LIKE :w{index} ESCAPE '~'"))
    if top_level:
        tests.append("parent_run_id IS NULL")
    return f"WHERE {' AND '.join(tests)}" if tests else ""


#: What of a run is searched for a word: what a row of a list shows of it.
_SEARCHED = """(
    lower(name) {like} OR lower(run_id) {like} OR lower(experiment) {like} OR lower(status) {like}
    OR lower(actor) {like} OR lower(note) {like} OR lower(error) {like}
    OR EXISTS (SELECT 1 FROM run_tags AS kept WHERE kept.run_id = runs.run_id AND lower(value) {like})
    OR EXISTS (SELECT 1 FROM run_params AS kept WHERE kept.run_id = runs.run_id AND lower(value) {like})
    OR EXISTS (SELECT 1 FROM run_inputs AS kept WHERE kept.run_id = runs.run_id
               AND lower(dataset_name || '@v' || dataset_number) {like})
)"""


def _test(condition: RunCondition, mark: str, params: dict[str, Any]) -> str:
    key, sign, value = condition.key, condition.operator, condition.value
    # Both come from a fixed table before they become part of the statement.
    assert sign in OPERATORS
    assert key.name in FIELDS if key.group is None else key.group in GROUPS
    params[mark] = value
    if key.group is None:
        return f"{key.name} {sign} :{mark}"
    params[f"{mark}_name"] = key.name
    compared = f"value {sign} :{mark}"
    if key.group == "params":
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            compared = f"{_IS_NUMBER} AND CAST(value AS REAL) {sign} :{mark}"
        else:
            params[mark] = json.dumps(value)
    elif key.group == "tags" and isinstance(value, (int, float)) and not isinstance(value, bool):
        compared = f"value GLOB '[-+.0-9]*' AND CAST(value AS REAL) {sign} :{mark}"
    elif key.group == "tags" and not isinstance(value, str):
        params[mark] = json.dumps(value)
    return (
        f"EXISTS (SELECT 1 FROM {GROUPS[key.group]} AS kept WHERE kept.run_id = runs.run_id "
        f"AND kept.name = :{mark}_name AND {compared})"
    )


#: Params are JSON texts; these are the ones that compare as numbers.
_IS_NUMBER = "value NOT LIKE '\"%' AND value NOT IN ('true', 'false', 'null', 'NaN', 'Infinity', '-Infinity')"


def _order(order: RunOrder, params: dict[str, Any]) -> str:
    key, direction = order.key, "DESC" if order.descending else "ASC"
    if key.group is None:
        assert key.name in FIELDS
        return f"({key.name} IS NULL), {key.name} {direction}, "
    params["sort_name"] = key.name
    value = (
        f"(SELECT value FROM {GROUPS[key.group]} AS kept WHERE kept.run_id = runs.run_id AND kept.name = :sort_name)"
    )
    if key.group == "tags":  # texts, of which some are numbers
        return f"({value} IS NULL), CAST({value} AS REAL) {direction}, {value} {direction}, "
    if key.group != "params":
        return f"({value} IS NULL), {value} {direction}, "
    number = f"(SELECT CAST(value AS REAL) FROM run_params AS kept WHERE kept.run_id = runs.run_id AND kept.name = :sort_name AND {_IS_NUMBER})"
    return f"({value} IS NULL), ({number} IS NULL), {number} {direction}, {value} {direction}, "
