"""A run from start to end, as a user writes it."""

from __future__ import annotations

import contextvars
import io
import math
import random
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest

from snapml_jupyter.domain.errors import ConflictError, InvalidInputError, SnapMLWarning, UnavailableError
from snapml_jupyter.domain.run import MetricValue, RunStatus
from snapml_jupyter.runs import recording, tracking
from snapml_jupyter.runs.queries import get_environment, get_run, list_metric_points, list_runs
from snapml_jupyter.runs.tracking import active_run, start_run
from snapml_jupyter.store import database, events
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


def test_a_param_keeps_its_value(workspace: Workspace) -> None:
    with start_run(workspace, "x") as run:
        run.log_param("depth", 3)
        run.log_param("depth", 3.0)
        with pytest.raises(ConflictError, match=r"Param 'depth'.*already 3 and cannot become 4"):
            run.log_param("depth", 4)
        run.log_param("flag", True)
        with pytest.raises(ConflictError, match="flag"):
            run.log_param("flag", 1)
        run.log_param("gone", float("nan"))
        run.log_param("gone", float("nan"))
    assert get_run(workspace, "x").params["depth"] == 3


def test_params_of_any_type_become_short_text(workspace: Workspace) -> None:
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError("no repr")

    with start_run(workspace, "x") as run:
        run.log_params(
            {
                "function": len,
                "lambda": lambda x: x,
                "odd": Odd(),
                "many": list(range(1_000_000)),
                "array": np.arange(100_000),
                "huge": 10**400,
                "surrogate": "a\ud800",
                "bytes": b"\x00",
            }
        )
    params = get_run(workspace, "x").params
    assert all(isinstance(value, str) and len(value) <= 500 for value in params.values())
    assert " at 0x" not in str(params["lambda"])
    assert params["surrogate"] == "a?"


@pytest.mark.parametrize("value", ["0.5", None, [0.5], np.array([0.5, 0.6]), 1j, b"1", object(), 10**400])
def test_a_metric_that_is_no_number_is_refused(workspace: Workspace, value: object) -> None:
    with start_run(workspace) as run:
        with pytest.raises(InvalidInputError, match="Metric 'auc'"):
            run.log_metric("auc", value)
        assert run.run.metrics == {}


@pytest.mark.parametrize("step", [0.5, "1", True, 2**64])
def test_a_step_that_is_no_whole_number_is_refused(workspace: Workspace, step: object) -> None:
    with start_run(workspace) as run, pytest.raises(InvalidInputError, match="step of metric 'auc'"):
        run.log_metric("auc", 1.0, step=step)  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 251, 3, "\ud800"])
def test_a_name_that_cannot_be_shown_is_refused(workspace: Workspace, name: object) -> None:
    with start_run(workspace) as run:
        for log in (run.log_param, run.log_metric, run.set_tag):
            with pytest.raises(InvalidInputError, match="name"):
                log(name, 1)  # type: ignore[arg-type]  # that is the point


def test_a_run_that_raises_is_failed_with_its_error(workspace: Workspace) -> None:
    with pytest.raises(ZeroDivisionError), start_run(workspace, "broken"):
        _ = 1 / 0
    run = get_run(workspace, "broken")
    assert run.status is RunStatus.failed
    assert run.error is not None
    assert run.error.type == "ZeroDivisionError"
    assert "1 / 0" in run.error.traceback


def test_an_interrupt_cancels_the_run(workspace: Workspace) -> None:
    with pytest.raises(KeyboardInterrupt), start_run(workspace, "stopped"):
        raise KeyboardInterrupt
    assert get_run(workspace, "stopped").status is RunStatus.cancelled


def test_a_finished_run_takes_no_more_numbers(workspace: Workspace) -> None:
    with start_run(workspace, "done") as run:
        pass
    for log in (run.log_metric, run.log_param):
        with pytest.raises(ConflictError, match="has ended"):
            log("late", 1)
    with pytest.raises(ConflictError, match="metrics are fixed"):
        recording.record_metrics(workspace, run.run_id, [MetricValue(name="late", value=1.0)])
    recording.record_tags(workspace, run.run_id, {"reviewed": "yes"})
    assert get_run(workspace, "done").tags == {"reviewed": "yes"}


def test_the_active_run_is_found_in_nested_runs_threads_and_later_cells(workspace: Workspace) -> None:
    assert active_run() is None
    with start_run(workspace, "outer") as outer:
        with start_run(workspace, "inner") as inner:
            assert active_run() is inner
        assert active_run() is outer
        seen = []
        thread = threading.Thread(target=lambda: seen.append(active_run()))
        thread.start()
        thread.join()
        assert seen == [outer]
    assert active_run() is None
    # IPython may run each cell in a context of its own.
    started = contextvars.Context().run(start_run, workspace, "cell")
    assert active_run() is started
    started.finish()
    assert active_run() is None


def test_artifacts_are_kept_as_files_bytes_and_text(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("<p>fine</p>")
    with start_run(workspace, "x") as run:
        run.log_artifact(file)
        run.log_artifact(str(file), "copies/report.html")
        run.log_artifact(b"\x00\x01", "raw.bin")
        run.log_artifact("late = 3", "notes.txt")
    artifacts = {artifact.path: artifact for artifact in get_run(workspace, "x").artifacts}
    assert list(artifacts) == ["copies/report.html", "notes.txt", "raw.bin", "report.html"]
    assert artifacts["report.html"].media_type == "text/html"
    assert workspace.blobs.read(artifacts["notes.txt"].digest) == b"late = 3"
    assert artifacts["raw.bin"].size_bytes == 2


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../b", "C:/x", "a\\b", "a//b", "", ".", "a\x00b", "a\nb", "a/ b", "x" * 501]
)
def test_an_artifact_cannot_leave_its_run(workspace: Workspace, path: str) -> None:
    with start_run(workspace) as run:
        with pytest.raises(InvalidInputError, match="artifact"):
            run.log_artifact(b"x", path)
        assert run.run.artifacts == []


def test_an_artifact_that_is_not_there_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    with start_run(workspace) as run:
        with pytest.raises(InvalidInputError, match="does not exist"):
            run.log_artifact(tmp_path / "nothing")
        with pytest.raises(InvalidInputError, match="is a folder"):
            run.log_artifact(tmp_path)
        with pytest.raises(InvalidInputError, match="need a name"):
            run.log_artifact(b"x")


def test_a_figure_is_kept_as_png(workspace: Workspace) -> None:
    class Figure:
        """What matplotlib's figures offer; matplotlib itself is not needed to record them."""

        def savefig(self, file: io.BytesIO, format: str) -> None:
            file.write(b"\x89PNG" + format.encode())

    with start_run(workspace, "x") as run:
        run.log_figure(Figure(), "plots/roc")
        with pytest.raises(InvalidInputError, match="savefig"):
            run.log_figure("no figure", "plots/x")
    (artifact,) = get_run(workspace, "x").artifacts
    assert (artifact.path, artifact.media_type) == ("plots/roc.png", "image/png")


def test_a_locked_workspace_warns_once_and_loses_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(tracking, "_PAUSE_SECONDS", 0.0)
    workspace.database.close()
    other = sqlite3.connect(workspace.folder / "snapml.db", isolation_level=None)
    with start_run(workspace, "patient") as run:
        run.log_metric("loss", 1.0)
        other.execute("BEGIN IMMEDIATE")
        with pytest.warns(SnapMLWarning, match="cannot be recorded for now") as caught:  # noqa: PT031  once for all three
            run.log_metric("loss", 2.0)
            run.log_metric("loss", 3.0)
            run.log_artifact(b"kept", "a.txt")
        assert len(caught) == 1
        with pytest.raises(InvalidInputError):
            run.log_metric("loss", "wrong use still raises")
        other.execute("ROLLBACK")
    other.close()
    kept = get_run(workspace, "patient")
    assert kept.status is RunStatus.finished
    assert [p.value for p in list_metric_points(workspace, kept.run_id)] == [1.0, 2.0, 3.0]
    assert [artifact.path for artifact in kept.artifacts] == ["a.txt"]


def test_a_run_that_cannot_be_ended_lets_the_result_stand(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    workspace.database.close()
    other = sqlite3.connect(workspace.folder / "snapml.db", isolation_level=None)
    run = start_run(workspace, "stuck")
    other.execute("BEGIN IMMEDIATE")
    with pytest.warns(SnapMLWarning, match="cannot be recorded"):
        ended = run.finish()
    other.close()
    assert ended.run_id == run.run_id
    assert not run.is_active


def test_a_workspace_that_cannot_be_written_is_told_before_the_training(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    workspace.database.close()
    other = sqlite3.connect(workspace.folder / "snapml.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UnavailableError, match="locked"):
        start_run(workspace)
    other.close()


def test_a_seed_makes_a_run_repeatable(workspace: Workspace) -> None:
    drawn = []
    for _ in range(2):
        with start_run(workspace, seed=7):
            drawn.append((random.random(), float(np.random.rand())))
    assert drawn[0] == drawn[1]
    for seed in (-1, 2**32, "7", True):
        with pytest.raises(InvalidInputError, match="seed"):
            start_run(workspace, seed=seed)  # type: ignore[arg-type]  # that is the point


def test_a_training_loop_leaves_one_event_about_its_metrics(workspace: Workspace) -> None:
    with start_run(workspace) as run:
        for value in range(50):
            run.log_metric("loss", value)
            run.flush_points()
        seen = events.last_event_id(workspace.database)
        run.log_metric("loss", 50)
        run.flush_points()
        (event,) = events.list_events(workspace.database, after=seen)
        assert event.kind == "run.updated"
    kinds = [event.kind for event in events.list_events(workspace.database)]
    assert kinds == ["run.started", "run.updated", "run.finished"]


def test_a_full_disk_warns_and_lets_the_training_go_on(workspace: Workspace) -> None:
    with start_run(workspace, "full", capture_environment=False) as run:
        pages = workspace.database.connection.execute("PRAGMA page_count").fetchone()[0]
        workspace.database.connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.warns(SnapMLWarning, match="disk is full"):
            run.log_params({f"p{n}": "x" * 1000 for n in range(100)})
        workspace.database.connection.execute("PRAGMA max_page_count = 1000000")
    kept = get_run(workspace, "full")
    assert (kept.status, len(kept.params)) == (RunStatus.finished, 100)
