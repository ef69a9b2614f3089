"""Metrics go from the journal into the database exactly once, whoever takes them, and none is lost."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from snapml_jupyter.domain.errors import SnapMLWarning
from snapml_jupyter.domain.run import RunStatus
from snapml_jupyter.governance.verify import verify
from snapml_jupyter.runs import live
from snapml_jupyter.runs.journals import fold_pending
from snapml_jupyter.runs.queries import get_run, list_metric_points, list_runs
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store import database
from snapml_jupyter.store.journal_file import FOLDER_NAME, list_journals
from snapml_jupyter.store.workspace import Workspace


def test_points_are_taken_once_while_many_look_and_the_run_goes_on(workspace: Workspace) -> None:
    failures: list[BaseException] = []
    done = threading.Event()

    def look() -> None:
        try:
            own = Workspace(workspace.folder, actor="ben")
            while not done.is_set():
                fold_pending(own)
            own.database.close()
        except BaseException as error:  # carried to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    with start_run(workspace, "busy", capture_environment=False) as run:
        for count in range(40_000):
            run.log_metric("loss", float(count))
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    points = list_metric_points(workspace, "busy")
    assert [(point.step, point.value) for point in points] == [(n, float(n)) for n in range(40_000)]
    assert list_journals(workspace.folder) == []


def test_a_run_in_progress_is_written_by_itself_about_once_a_second(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, eventually: object
) -> None:
    monkeypatch.setattr(live, "EVERY_SECONDS", 0.05)
    with start_run(workspace, "live", capture_environment=False) as run:
        run.log_metric("loss", 1.0)
        eventually(  # type: ignore[operator]  # a fixture
            lambda: workspace.database.row("SELECT value FROM run_metric_series") is not None
        )


def test_a_locked_database_delays_metrics_and_loses_none(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    workspace.database.close()
    other = sqlite3.connect(workspace.folder / "snapml.db", isolation_level=None)
    run = start_run(workspace, "locked", capture_environment=False)
    other.execute("BEGIN IMMEDIATE")
    for count in range(3000):  # no warning, no waiting
        run.log_metric("loss", count)
    with pytest.warns(SnapMLWarning, match="cannot be recorded for now"):
        run.finish()
    other.execute("ROLLBACK")
    other.close()
    assert len(list_metric_points(workspace, "locked")) == 3000
    assert get_run(workspace, "locked").status is RunStatus.running  # until this process ends


def test_things_that_could_not_be_written_by_the_end_are_said(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    workspace.database.close()
    other = sqlite3.connect(workspace.folder / "snapml.db", isolation_level=None)
    run = start_run(workspace, "locked", capture_environment=False)
    other.execute("BEGIN IMMEDIATE")
    with pytest.warns(SnapMLWarning) as caught:  # noqa: PT031  both warnings are of the three together
        run.log_param("depth", 3)
        run.set_tag("a", "b")
        run.finish()
    other.close()
    assert [str(warning.message)[-17:] for warning in caught][-1] == "are not recorded."
    assert "the last 2 things" in str(caught[-1].message)


def test_a_folder_that_takes_no_journals_is_no_loss(workspace: Workspace) -> None:
    (workspace.folder / FOLDER_NAME).write_text("in the way")
    with start_run(workspace, "x") as run:
        with pytest.warns(SnapMLWarning, match="cannot be recorded for now"):
            run.log_metric("loss", 1.0)
        run.log_metric("loss", 2.0)
    assert [point.value for point in list_metric_points(workspace, "x")] == [1.0, 2.0]


def test_journals_are_verified_and_a_damaged_one_is_told(workspace: Workspace) -> None:
    run = start_run(workspace, "x", capture_environment=False)
    run.log_metric("loss", 1.0)
    assert verify(workspace).passed
    folder = workspace.folder / FOLDER_NAME
    (folder / "da6jf800000000000.1-00000000-000000.journal").write_bytes(b"nothing of ours")
    (path,) = [path for path in list_journals(workspace.folder) if run.run_id in path.name]
    stray = folder / path.name.replace(run.run_id, "da6jf800000000001")
    stray.write_bytes(path.read_bytes().replace(run.run_id.encode(), b"da6jf800000000001"))
    report = verify(workspace)
    assert [(problem.kind, problem.subject) for problem in report.problems] == [
        ("damaged", "journals/da6jf800000000000.1-00000000-000000.journal"),
        ("missing", "run da6jf800000000001"),
    ]
    list_runs(workspace)
    assert stray.exists()
    run.finish()


def test_a_forked_workers_points_are_there_when_the_run_ends(workspace: Workspace) -> None:
    import joblib

    with start_run(workspace, "parallel", capture_environment=False) as run:
        joblib.Parallel(n_jobs=2, backend="loky")(joblib.delayed(_work)(run, n) for n in range(4))
    points = list_metric_points(workspace, "parallel")
    assert sorted(point.value for point in points) == [0.0, 1.0, 2.0, 3.0]
    assert [point.step for point in points] == [0, 1, 2, 3]


def _work(run: object, n: int) -> None:
    run.log_metric("score", float(n))  # type: ignore[attr-defined]  # an ActiveRun that travelled


def test_a_path_is_not_needed_to_look(tmp_path: Path) -> None:
    assert fold_pending(Workspace(tmp_path / "empty"))
