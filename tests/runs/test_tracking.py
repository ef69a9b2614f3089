"""A run from start to end, as a user writes it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from snapml_jupyter.domain.errors import InvalidInputError
from snapml_jupyter.domain.run import RunStatus
from snapml_jupyter.runs.queries import get_environment, get_run, list_metric_points, list_runs
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store.workspace import Workspace


def test_a_run_keeps_what_it_was_given(workspace: Workspace) -> None:
    with start_run(workspace, "late-flights", experiment="delays", seed=7, tags={"team": "air"}, note="first") as run:
        run.log_params({"C": 1.0, "solver": "lbfgs", "cols": ["a", "b"], "n": np.int64(3), "none": None})
        run.log_metric("auc", 0.71)
        run.log_metrics({"auc": 0.72, "loss": np.float32(0.5)})
        run.set_tag("final", True)
    kept = get_run(workspace, run.run_id)
    assert kept.name == "late-flights"
    assert kept.experiment == "delays"
    assert kept.status is RunStatus.finished
    assert kept.actor == "ada"
    assert kept.seed == 7
    assert kept.note == "first"
    assert kept.params == {"C": 1.0, "solver": "lbfgs", "cols": "['a', 'b']", "n": 3, "none": None}
    assert kept.metrics == {"auc": 0.72, "loss": 0.5}
    assert kept.tags == {"team": "air", "final": "true"}
    assert kept.finished_at is not None
    assert kept.duration_seconds is not None
    assert kept.environment_digest is not None
    assert get_environment(workspace, kept.environment_digest).packages["numpy"] == np.__version__


def test_a_run_is_found_by_id_by_its_beginning_and_by_name(workspace: Workspace) -> None:
    with start_run(workspace, "a") as first:
        pass
    with start_run(workspace, "a") as second:
        pass
    assert get_run(workspace, first.run_id).run_id == first.run_id
    assert get_run(workspace, second.run_id[:16]).run_id == second.run_id
    assert get_run(workspace, "a").run_id == second.run_id
    assert [run.run_id for run in list_runs(workspace)] == [second.run_id, first.run_id]
    with pytest.raises(InvalidInputError, match="Several runs begin"):
        get_run(workspace, first.run_id[:6])


def test_steps_count_by_name_from_zero(workspace: Workspace) -> None:
    with start_run(workspace) as run:
        for value in (3.0, 2.0, 1.0):
            run.log_metric("loss", value)
        run.log_metric("auc", 0.5)
        run.log_metric("auc", 0.6, step=10)
        run.log_metric("auc", 0.7)
        run.log_metric("auc", 0.1, step=2)
    points = list_metric_points(workspace, run.run_id)
    assert [(p.name, p.step, p.value) for p in points] == [
        ("auc", 0, 0.5),
        ("auc", 2, 0.1),
        ("auc", 10, 0.6),
        ("auc", 11, 0.7),
        ("loss", 0, 3.0),
        ("loss", 1, 2.0),
        ("loss", 2, 1.0),
    ]
    assert get_run(workspace, run.run_id).metrics == {"auc": 0.7, "loss": 1.0}


def test_nan_and_infinities_are_kept(workspace: Workspace) -> None:
    with start_run(workspace) as run:
        run.log_metrics({"nan": float("nan"), "up": np.inf, "down": -np.inf})
    kept = get_run(workspace, run.run_id).metrics
    assert math.isnan(kept["nan"])
    assert (kept["up"], kept["down"]) == (math.inf, -math.inf)
