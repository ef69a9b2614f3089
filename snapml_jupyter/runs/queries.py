"""Asking for runs. Whoever looks first marks the runs whose process died as interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.errors import InvalidInputError, NotFoundError
from ..domain.run import Environment, MetricPoint, Run, RunStatus
from ..domain.run_comparison import RunColumns, RunPage
from ..operations import operation
from ..store import environments, run_metrics
from ..store import runs as store
from ..store.run_rows import list_columns, load_rows, with_details
from ..store.run_search import RunCondition, RunKey, count_runs, search_run_ids
from ..store.workspace import Workspace
from .conditions import parse_filter, parse_key, parse_sort, parse_where
from .journals import fold_pending
from .processes import is_gone

if TYPE_CHECKING:
    from ..store.remote import RemoteWorkspace

#: Most runs, or metric points, in one answer.
MAX_RUNS = 10_000
MAX_POINTS = 1_000_000


@operation(permission="runs:read")
def get_run(workspace: Workspace, ref: str) -> Run:
    """The run of an id, of an id's beginning (6 characters or more), or the newest run of a name."""
    look(workspace)
    run_id = store.resolve(workspace.database, ref)
    return store.load_runs(workspace.database, [run_id])[0]


@operation(permission="runs:read")
def list_runs(
    workspace: Workspace,
    limit: int = 100,
    offset: int = 0,
    name: str | None = None,
    status: RunStatus | None = None,
    where: str | None = None,
    sort: str | None = None,
    top_level: bool = False,
) -> list[Run]:
    """Runs, newest first; those of one name or status only, and with `top_level` none that started inside of another.

    `where` filters (`"metrics.auc > 0.7 and params.solver = 'saga'"`), `sort` orders (`"metrics.auc desc"`, `-auc`).
    Raises InvalidInputError for a condition or order that cannot be read.
    """
    _check_page(limit, offset)
    conditions = parse_where(where)
    if name is not None:
        conditions.append(_field("name", name))
    if status is not None:
        conditions.append(_field("status", status.value))
    order = parse_sort(sort)
    look(workspace)
    run_ids = search_run_ids(
        workspace.database, conditions, order, limit=min(limit, MAX_RUNS), offset=offset, top_level=top_level
    )
    return store.load_runs(workspace.database, run_ids)


@operation(permission="runs:read")
def search_runs(
    workspace: Workspace,
    where: str | None = None,
    sort: str | None = None,
    limit: int = 100,
    offset: int = 0,
    columns: list[str] | None = None,
    parent: str | None = None,
    top_level: bool = False,
    text: str | None = None,
    details: bool = False,
) -> RunPage:
    """A page of runs as light rows, and how many there are: for lists of thousands.

    `columns` names the values to bring (`["metrics.auc", "params.*"]`); None means all. `parent` asks for the runs that
    were started inside of that one, `top_level` for those that were not inside of any. `where` and `sort` as in
    `list_runs`. `text` is what a person types into a filter: words that a run must hold (in its name, id, experiment,
    status, actor, note, error, data, or the value of a param or tag), conditions, or both. `details` brings the error, the
    cell's number, the datasets and the verdict of the replays too. Raises InvalidInputError for what cannot be read.
    """
    _check_page(limit, offset)
    order = parse_sort(sort)
    words, conditions = parse_filter(text)
    conditions += parse_where(where)
    wanted: dict[str, list[str]] | None = None
    if columns is not None:
        wanted = {}
        for column in columns:
            key = parse_key(column)
            if key.group is not None:
                wanted.setdefault(key.group, []).append(key.name)
    look(workspace)
    if parent is not None:
        conditions.append(_field("parent_run_id", store.resolve(workspace.database, parent)))
    run_ids = search_run_ids(
        workspace.database,
        conditions,
        order,
        limit=min(limit, MAX_RUNS),
        offset=offset,
        top_level=top_level,
        words=words,
    )
    rows = load_rows(workspace.database, run_ids, wanted)
    return RunPage(
        rows=with_details(workspace.database, rows) if details else rows,
        n_total=count_runs(workspace.database, conditions, top_level=top_level, words=words),
        offset=offset,
    )


@operation(permission="runs:read")
def list_run_columns(workspace: Workspace) -> RunColumns:
    """The names of the params, metrics and tags that runs have: what a list can show and be sorted by."""
    fold_pending(workspace)
    return list_columns(workspace.database)


@operation(permission="runs:read")
def list_metric_points(
    workspace: Workspace, run_id: str, name: str | None = None, limit: int = 100_000, offset: int = 0
) -> list[MetricPoint]:
    """Every measured point of a run (an id, its beginning, or a name), or of one metric, by name and step."""
    if limit < 0 or offset < 0:
        raise InvalidInputError(f"limit ({limit}) and offset ({offset}) count points: they cannot be negative.")
    found = store.resolve(workspace.database, run_id)
    fold_pending(workspace, found)
    return run_metrics.list_points(workspace.database, found, name=name, limit=min(limit, MAX_POINTS), offset=offset)


@operation(permission="runs:read")
def get_environment(workspace: Workspace, digest: str) -> Environment:
    """The environment of that digest (`run.environment_digest`)."""
    found = environments.find_environment(workspace.database, digest)
    if found is None:
        raise NotFoundError(f"There is no environment {digest}. A run's `environment_digest` names one.")
    return found


def find_environment(workspace: Workspace | RemoteWorkspace, run: Run) -> Environment | None:
    """What the run ran on; None where that was not recorded or is not kept any more."""
    if run.environment_digest is None:
        return None
    try:
        return get_environment(workspace, run.environment_digest)
    except NotFoundError:
        return None


def _check_page(limit: int, offset: int) -> None:
    if limit < 0 or offset < 0:
        raise InvalidInputError(f"limit ({limit}) and offset ({offset}) count runs: they cannot be negative.")


def _field(name: str, value: str) -> RunCondition:
    return RunCondition(key=RunKey(group=None, name=name), operator="=", value=value)


def look(workspace: Workspace) -> None:
    """What everyone who reads runs does first: take over what was logged, and mark whose process is gone."""
    fold_pending(workspace)
    mark_interrupted(workspace)


def mark_interrupted(workspace: Workspace) -> None:
    """Give every running run whose process is gone its final status; two who look at once write it once.

    Such a run ended at an unknown time: `finished_at` is its last measured point, or None.
    """
    gone = [run.run_id for run in store.list_running(workspace.database) if run.process and is_gone(run.process)]
    if not gone:
        return
    with workspace.transaction() as tx:
        for run in store.load_runs(workspace.database, gone):
            last = run_metrics.last_logged_at(tx, run.run_id)
            store.end_run(
                tx,
                run.run_id,
                RunStatus.interrupted,
                finished_at=last,
                duration_seconds=max(0.0, (last - run.started_at).total_seconds()) if last else None,
                error=None,
                only_from=[RunStatus.running],
            )
