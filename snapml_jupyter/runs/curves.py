"""Metric curves of several runs at once, thinned to what a chart can show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..domain.errors import InvalidInputError
from ..domain.run_comparison import MetricCurve
from ..operations import operation
from ..store import runs as store
from ..store.points import microseconds
from ..store.series import list_series, read_series
from ..store.workspace import Workspace
from .journals import fold_pending

#: Most runs and points in one answer.
MAX_RUNS = 100
MAX_POINTS = 10_000


@operation(permission="runs:read")
def list_metric_curves(
    workspace: Workspace, refs: list[str], names: list[str] | None = None, max_points: int = 500
) -> list[MetricCurve]:
    """The curves of some runs: of the metrics named, else of all that have more than one point.

    A longer curve is thinned to at most `max_points`, among them the lowest and highest of every stretch.
    Raises InvalidInputError for more than 100 runs, or fewer than 4 points.
    """
    if len(refs) > MAX_RUNS:
        raise InvalidInputError(f"{len(refs)} runs are too many for one chart: ask for {MAX_RUNS} at most.")
    if not 4 <= max_points <= MAX_POINTS:
        raise InvalidInputError(f"max_points={max_points}: ask for 4 to {MAX_POINTS:,} points of a curve.")
    fold_pending(workspace)
    started = {
        run.run_id: run.started_at
        for run in store.load_runs(workspace.database, [store.resolve(workspace.database, ref) for ref in refs])
    }
    return curves_of(workspace, started, names, max_points)


def curves_of(
    workspace: Workspace, started: dict[str, datetime], names: Sequence[str] | None, max_points: int
) -> list[MetricCurve]:
    """The same for runs that were found already."""
    curves = []
    for series in list_series(workspace.database, list(started)):
        if (series.name not in names) if names is not None else (series.n_points < 2):
            continue
        steps, values, times = read_series(workspace.database, series.series_id)
        began = microseconds(started[series.run_id])
        places = thinned(values, max_points)
        curves.append(
            MetricCurve(
                run_id=series.run_id,
                name=series.name,
                n_points=series.n_points,
                steps=[steps[place] for place in places],
                values=[values[place] for place in places],
                seconds=[(times[place] - began) / 1e6 for place in places],
            )
        )
    return curves


def thinned(values: Sequence[float], max_points: int) -> Sequence[int]:
    """Places of the values to keep, in order: the ends, and of each of equal stretches the lowest and the highest.

    >>> list(thinned([0, 0, 9, 0, 0, 0, 0, -7, 0, 0], 6))
    [0, 1, 2, 6, 7, 9]
    """
    count = len(values)
    if count <= max_points:
        return range(count)
    import numpy as np

    n_stretches = (max_points - 2) // 2
    width = -(-count // n_stretches)
    padded = np.full(n_stretches * width, np.nan)
    padded[:count] = values
    rows = padded.reshape(n_stretches, width)
    begins = np.arange(n_stretches) * width
    lowest = begins + np.where(np.isnan(rows), np.inf, rows).argmin(axis=1)
    highest = begins + np.where(np.isnan(rows), -np.inf, rows).argmax(axis=1)
    places = np.unique(np.concatenate([[0, count - 1], lowest, highest]))
    kept: list[int] = places[places < count].tolist()
    return kept
