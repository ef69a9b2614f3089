"""Runs in Python: `snap.start_run`, `snap.log_metric`, `snap.run`, `snap.runs`, `snap.compare`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ..runs.current import active_run as _active_run
from .current import workspace

if TYPE_CHECKING:
    from pathlib import Path

    from ..domain.model import RunModel
    from ..domain.run import MetricPoint, Run
    from ..domain.run_comparison import MetricCurve, RunComparison
    from ..runs.run_list import RunList
    from ..runs.tracking import ActiveRun


F = TypeVar("F", bound=Callable[..., Any])


def start_run(
    name: str | None = None,
    *,
    experiment: str | None = None,
    seed: int | None = None,
    tags: Mapping[str, Any] | None = None,
    note: str | None = None,
    parent: str | ActiveRun | None = None,
    resume: str | None = None,
    autolog: bool = True,
) -> ActiveRun:
    """Start recording a run, or go on with one that ended (`resume`).

    Inside the block of another run it is that run's child. Unless `autolog` is False, what scikit-learn, PyTorch,
    transformers, LightGBM, XGBoost and optuna do until it ends is recorded too.

    >>> with start_run("late-flights", seed=7) as run:  # doctest: +SKIP
    ...     run.log_metric("auc", 0.71)
    """
    from ..runs import tracking

    active = tracking.start_run(
        workspace(), name, experiment=experiment, seed=seed, tags=tags, note=note, parent=parent, resume=resume
    )
    active.is_autologged = autolog
    if autolog:
        from ..capture.script import autolog_run

        autolog_run(active)
    return active


@overload
def run(ref: str) -> Run: ...
@overload
def run(ref: F) -> F: ...
@overload
def run(
    ref: None = None,
    *,
    name: str | None = None,
    experiment: str | None = None,
    seed: int | None = None,
    tags: Mapping[str, Any] | None = None,
    note: str | None = None,
    autolog: bool = True,
) -> Callable[[F], F]: ...
def run(ref: Any = None, **options: Any) -> Any:
    """The run of an id, of an id's beginning (6 characters or more), or the newest run of a name.

    As a decorator, `@run` or `@run(name=..., experiment=..., seed=..., tags=..., note=...)`: every call of the function
    is a run with the function's name and code, and its arguments as params.
    """
    if ref is None or callable(ref):
        from .recorded import recorded

        return recorded(ref, options) if callable(ref) else lambda function: recorded(function, options)
    from ..runs.queries import get_run

    return get_run(workspace(), ref)


def runs(where: str | None = None, sort: str | None = None, limit: int = 100, *, top_level: bool = False) -> RunList:
    """Runs, newest first; `.to_pandas()` makes them a table.

    `where` filters (`"metrics.auc > 0.7 and name = 'late-flights'"`), `sort` orders (`"metrics.auc desc"`, `"-auc"`);
    `top_level` leaves out those that were started inside of another.
    """
    from ..runs.queries import list_runs
    from ..runs.run_list import RunList

    return RunList(list_runs(workspace(), limit=limit, where=where, sort=sort, top_level=top_level))


def compare(*refs: str) -> RunComparison:
    """Two or more runs side by side: params, metrics, data, environment, code and curves."""
    from ..runs.comparing import compare_runs

    return compare_runs(workspace(), list(refs))


def metric_points(ref: str, name: str | None = None) -> list[MetricPoint]:
    """Every point of a run's metrics, or of one, by name and step."""
    from ..runs.queries import list_metric_points

    return list_metric_points(workspace(), ref, name, limit=1_000_000)


def curves(*refs: str, names: list[str] | None = None, max_points: int = 500) -> list[MetricCurve]:
    """The metrics of runs over their steps, each thinned to at most `max_points`."""
    from ..runs.curves import list_metric_curves

    return list_metric_curves(workspace(), list(refs), names, max_points)


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


def log_model(
    model: Any, example: Any, *, target: str | None = None, labels: Sequence[Any] | None = None
) -> RunModel | None:
    """Keep a fitted model with the active run; `example` is the DataFrame it was fitted on.

    `labels` are the classes of a torch module or a native booster, in the order of its outputs.
    """
    return _active().log_model(model, example, target=target, labels=labels)


def set_tag(name: str, value: Any) -> None:
    """Set a label of the active run."""
    _active().set_tag(name, value)


def _active() -> ActiveRun:
    active = _active_run()
    if active is None:
        from ..domain.errors import ConflictError

        raise ConflictError(
            "No run is active to log to. Start one with `with snap.start_run('name'):`, or put `%%snap_train name` on the "
            "first line of the cell."
        )
    return active
