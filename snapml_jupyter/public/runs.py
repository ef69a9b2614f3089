"""Runs in Python: `snap.start_run`, `snap.log_metric`, `snap.run`, `snap.runs`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .current import workspace

if TYPE_CHECKING:
    from pathlib import Path

    from ..domain.model import RunModel
    from ..domain.run import Run
    from ..runs.run_list import RunList
    from ..runs.tracking import ActiveRun


def start_run(
    name: str | None = None,
    *,
    experiment: str | None = None,
    seed: int | None = None,
    tags: Mapping[str, Any] | None = None,
    note: str | None = None,
) -> ActiveRun:
    """Start recording a run.

    >>> with start_run("late-flights", seed=7) as run:  # doctest: +SKIP
    ...     run.log_metric("auc", 0.71)
    """
    from ..runs import tracking

    return tracking.start_run(workspace(), name, experiment=experiment, seed=seed, tags=tags, note=note)


def run(ref: str) -> Run:
    """The run of an id, of an id's beginning (6 characters or more), or the newest run of a name."""
    from ..runs.queries import get_run

    return get_run(workspace(), ref)


def runs(where: str | None = None, sort: str | None = None, limit: int = 100) -> RunList:
    """Runs, newest first; `.to_pandas()` makes them a table.

    `where` filters (`"metrics.auc > 0.7 and name = 'late-flights'"`), `sort` orders (`"metrics.auc desc"`).
    """
    from ..runs.queries import list_runs
    from ..runs.run_list import RunList

    return RunList(list_runs(workspace(), limit=limit, where=where, sort=sort))


def log_param(name: str, value: Any) -> None:
    """Record one setting of the active run."""
    _active().log_param(name, value)


def log_params(params: Mapping[str, Any]) -> None:
    """Record settings of the active run."""
    _active().log_params(params)


def log_metric(name: str, value: Any, step: int | None = None) -> None:
    """Record one measured number of the active run; without a step it gets the next one of its name."""
    _active().log_metric(name, value, step)


def log_metrics(metrics: Mapping[str, Any], step: int | None = None) -> None:
    """Record several numbers of the active run at once."""
    _active().log_metrics(metrics, step)


def log_artifact(
    content: str | Path | bytes | bytearray | memoryview, name: str | None = None, *, media_type: str | None = None
) -> None:
    """Keep a file, or bytes or text under a name, with the active run."""
    _active().log_artifact(content, name, media_type=media_type)


def log_figure(figure: Any, name: str) -> None:
    """Keep a matplotlib figure with the active run."""
    _active().log_figure(figure, name)


def log_model(model: Any, example: Any, *, target: str | None = None) -> RunModel | None:
    """Keep a fitted model with the active run; `example` is the DataFrame it was fitted on."""
    return _active().log_model(model, example, target=target)


def set_tag(name: str, value: Any) -> None:
    """Set a label of the active run."""
    _active().set_tag(name, value)


def _active() -> ActiveRun:
    from ..domain.errors import ConflictError
    from ..runs.tracking import active_run

    active = active_run()
    if active is None:
        raise ConflictError(
            "No run is active to log to. Start one with `with snap.start_run('name'):`, or put `%%snap_train name` on the "
            "first line of the cell."
        )
    return active
