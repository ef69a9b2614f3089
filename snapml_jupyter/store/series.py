"""A series: one metric of a run, its latest value beside its points, which lie in chunks of some thousand."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from .database import Database
from .points import Columns, pack, unpack

#: A chunk of fewer points is written again with those that follow; longer ones stay.
_SMALL_POINTS = 1024
#: Most points of a chunk.
_MAX_POINTS = 8192
#: The highest step there is; without one given, the points after it stay on it.
_MAX_STEP = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of a run."""

    series_id: int
    run_id: str
    name: str
    n_points: int


def append(connection: sqlite3.Connection, run_id: str, name: str, points: Columns) -> None:
    """Add points to a metric of a run, inside the caller's transaction.

    A point without a step gets the one after the highest. The latest value is the one with the highest step; of equal
    steps, the one added last.
    """
    found = connection.execute(
        "SELECT series_id, n_points, step, value, logged_us FROM run_metric_series WHERE run_id = ? AND name = ?",
        (run_id, name),
    ).fetchone()
    series_id, n_before, highest, last, newest = found or (None, 0, None, None, 0)
    steps = _steps(points, highest)
    top = max(steps)
    if highest is None or top >= highest:
        highest, last = top, points.values[_last_place(steps, top)]
    times = [at // 1000 for at in points.times_ns]
    row = (n_before + len(steps), highest, last, max(newest, *times))
    if series_id is None:
        series_id = connection.execute(
            """INSERT INTO run_metric_series (run_id, name, n_points, step, value, logged_us)
               VALUES (?, ?, ?, ?, ?, ?) RETURNING series_id""",
            (run_id, name, *row),
        ).fetchone()[0]
    else:
        connection.execute(
            "UPDATE run_metric_series SET n_points = ?, step = ?, value = ?, logged_us = ? WHERE series_id = ?",
            (*row, series_id),
        )
    _add_chunks(connection, series_id, n_before, steps, points.values, times)


def list_series(database: Database, run_ids: Sequence[str], name: str | None = None) -> list[Series]:
    """The metrics of some runs, by name."""
    marks = ", ".join(f":run{index}" for index in range(len(run_ids)))
    rows = database.rows(
        f"""SELECT series_id, run_id, name, n_points FROM run_metric_series
            WHERE run_id IN ({marks}) AND (:name IS NULL OR name = :name) ORDER BY name, series_id""",
        {"name": name, **{f"run{index}": run_id for index, run_id in enumerate(run_ids)}},
    )
    return [Series(*row) for row in rows]


def read_series(database: Database, series_id: int) -> tuple[Sequence[int], Sequence[float], Sequence[int]]:
    """Steps, values and microseconds since 1970 of a series, by step; of equal steps as they were logged."""
    steps: list[int] = []
    values: list[float] = []
    times: list[int] = []
    for row in database.rows(
        "SELECT points FROM run_metric_chunks WHERE series_id = :series_id ORDER BY chunk", {"series_id": series_id}
    ):
        more_steps, more_values, more_times = unpack(row[0])
        steps += more_steps
        values += more_values
        times += more_times
    if all(map(int.__le__, steps, steps[1:])):
        return steps, values, times
    order = sorted(range(len(steps)), key=steps.__getitem__)
    return [steps[i] for i in order], [values[i] for i in order], [times[i] for i in order]


def _steps(points: Columns, highest: int | None) -> Sequence[int]:
    count = len(points.values)
    following = 0 if highest is None or highest < 0 else highest + 1
    if points.steps is None:
        if following + count <= _MAX_STEP:
            return range(following, following + count)
        return [min(step, _MAX_STEP) for step in range(following, following + count)]
    if None not in points.steps:
        return points.steps  # type: ignore[return-value]  # just looked
    steps = []
    for step in points.steps:
        if step is None:
            step = following
        steps.append(step)
        following = min(max(following, step + 1, 0), _MAX_STEP)
    return steps


def _last_place(steps: Sequence[int], step: int) -> int:
    if steps[-1] == step:
        return len(steps) - 1
    return next(place for place in range(len(steps) - 1, -1, -1) if steps[place] == step)


def _add_chunks(
    connection: sqlite3.Connection,
    series_id: int,
    n_before: int,
    steps: Sequence[int],
    values: Sequence[float],
    times: Sequence[int],
) -> None:
    chunk = 0
    if n_before:
        chunk, kept = connection.execute(
            """SELECT chunk, CASE WHEN n_points < ? THEN points END FROM run_metric_chunks
               WHERE series_id = ? ORDER BY chunk DESC LIMIT 1""",
            (_SMALL_POINTS, series_id),
        ).fetchone()
        if kept is None:
            chunk += 1
        else:
            before = unpack(kept)
            steps, values, times = [*before[0], *steps], [*before[1], *values], [*before[2], *times]
    rows = [
        (
            series_id,
            chunk + index,
            len(steps[start : start + _MAX_POINTS]),
            pack(
                steps[start : start + _MAX_POINTS],
                values[start : start + _MAX_POINTS],
                times[start : start + _MAX_POINTS],
            ),
        )
        for index, start in enumerate(range(0, len(steps), _MAX_POINTS))
    ]
    connection.executemany(
        """INSERT INTO run_metric_chunks (series_id, chunk, n_points, points) VALUES (?, ?, ?, ?)
           ON CONFLICT (series_id, chunk) DO UPDATE SET n_points = excluded.n_points, points = excluded.points""",
        rows,
    )
