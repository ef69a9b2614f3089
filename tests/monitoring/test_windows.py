"""Windows of live predictions: judged once, against the training data, whatever dies in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from snapml_jupyter.domain.errors import NotFoundError
from snapml_jupyter.domain.monitoring import DriftStatus
from snapml_jupyter.monitoring.monitors import close_window, create_monitor, get_monitor, list_monitors
from snapml_jupyter.monitoring.windows import run_monitors
from snapml_jupyter.profiles import summarise_profile
from snapml_jupyter.store import events
from snapml_jupyter.store.workspace import Workspace


def test_an_endpoint_gets_a_monitor_that_follows_its_training_data(workspace: Workspace, deploy: Any) -> None:
    deploy()
    assert run_monitors(workspace) == 0
    (monitor,) = list_monitors(workspace)
    assert (monitor.endpoint, monitor.model_ref, monitor.reference_ref) == ("late", "late:1", "late-train@v1")
    assert (monitor.window_rows, monitor.pending_rows, monitor.error) == (5000, 0, None)


def test_rows_of_the_same_season_are_stable_and_those_of_another_drift(
    workspace: Workspace, deploy: Any, frames: Any
) -> None:
    traffic = deploy()
    create_monitor(workspace, "late", window_rows=2000)
    traffic.send(frames(2000, seed=2))
    traffic.send(frames(2000, seed=3, warmer=10.0))
    assert run_monitors(workspace) == 2
    same, summer = get_monitor(workspace, "late").windows
    assert same.report.drifted_columns == []
    assert {c.name: c.status for c in same.report.columns} == dict.fromkeys(
        ("temp", "wind", "carrier"), DriftStatus.stable
    )
    assert same.report.prediction is not None
    assert (same.report.prediction.name, same.report.prediction.drifted) == ("P(1)", False)
    assert summer.report.drifted_columns == ["temp"]
    assert summer.report.prediction is not None
    assert summer.report.prediction.drifted
    assert (summer.number, summer.n_rows, summer.model_ref) == (2, 2000, "late:1")
    assert (summer.report.reference, summer.report.current) == ("late-train@v1", "late window 2")
    temperature = next(c for c in summer.report.columns if c.name == "temp")
    assert temperature.score == pytest.approx(10 / 8, rel=0.05)


def test_a_window_holds_whole_batches_and_the_rest_waits(workspace: Workspace, deploy: Any, frames: Any) -> None:
    traffic = deploy()
    create_monitor(workspace, "late", window_rows=600)
    traffic.send(frames(2000, seed=2), batch_rows=250)
    assert run_monitors(workspace) == 2
    monitor = get_monitor(workspace, "late")
    assert [window.n_rows for window in monitor.windows] == [750, 750]
    assert (monitor.pending_rows, monitor.n_predictions) == (500, 2000)
    assert run_monitors(workspace) == 0


def test_the_last_rows_are_judged_on_request(workspace: Workspace, deploy: Any, frames: Any) -> None:
    traffic = deploy()
    traffic.send(frames(300, seed=2))
    window = close_window(workspace, "late")
    assert window is not None
    assert window.n_rows == 300
    assert close_window(workspace, "late") is None
    with pytest.raises(NotFoundError, match=r"'latte'.*Did you mean 'late'"):
        close_window(workspace, "latte")


def test_a_window_keeps_a_whylogs_profile_of_inputs_and_predictions(
    workspace: Workspace, deploy: Any, frames: Any
) -> None:
    traffic = deploy()
    sent = frames(500, seed=2)
    traffic.send(sent)
    close_window(workspace, "late")
    row = workspace.database.row("SELECT profile_digest FROM monitor_windows")
    assert row is not None
    profile = summarise_profile(workspace.blobs.read(row["profile_digest"]), dataset_ref="w", n_rows=500)
    columns = {column.name: column for column in profile.columns}
    assert list(columns) == ["temp", "wind", "carrier", "prediction"]
    assert columns["temp"].mean == pytest.approx(sent["temp"].mean())
    assert columns["wind"].n_nulls == sent["wind"].isna().sum()


def test_a_new_model_version_has_windows_of_its_own_and_its_own_reference(
    workspace: Workspace, deploy: Any, frames: Any, clock: Any
) -> None:
    first = deploy()
    create_monitor(workspace, "late", window_rows=1000)
    first.send(frames(400, seed=2))
    second = deploy(training=frames(4000, seed=5, warmer=10.0))
    second.n_batches = first.n_batches
    second.send(frames(1000, seed=6, warmer=10.0))
    assert run_monitors(workspace) == 1
    (window,) = get_monitor(workspace, "late").windows
    assert (window.model_ref, window.report.reference) == ("late:2", "late-train@v2")
    assert window.report.drifted_columns == []
    clock.advance(120)
    assert run_monitors(workspace) == 1  # the replaced deployment's rows would fill no window any more
    monitor = get_monitor(workspace, "late")
    assert [(w.model_ref, w.n_rows) for w in monitor.windows] == [("late:2", 1000), ("late:1", 400)]
    assert (monitor.model_ref, monitor.reference_ref) == ("late:2", "late-train@v2")


def test_a_named_reference_is_used_until_it_is_taken_back(workspace: Workspace, deploy: Any, frames: Any) -> None:
    from snapml_jupyter.datasets.snapshot import snapshot

    traffic = deploy()
    summer = snapshot(workspace, "summer", frames(3000, seed=8, warmer=10.0)).ref
    create_monitor(workspace, "late", reference_ref="summer", window_rows=500)
    traffic.send(frames(500, seed=9, warmer=10.0))
    run_monitors(workspace)
    (window,) = get_monitor(workspace, "late").windows
    assert (window.report.reference, window.report.drifted_columns) == (summer, [])
    assert create_monitor(workspace, "late").reference_ref == "late-train@v1"


def test_a_model_without_training_data_says_so_and_stops_no_other(
    workspace: Workspace, deploy: Any, frames: Any, clock: Any
) -> None:
    blind, good = deploy("blind", recorded=False), deploy("good")
    for traffic in (blind, good):
        create_monitor(workspace, traffic.name, window_rows=500)
        traffic.send(frames(500, seed=2))
    assert run_monitors(workspace) == 1
    error = get_monitor(workspace, "blind").error
    assert error is not None
    assert "no recorded training data" in error
    assert get_monitor(workspace, "good").error is None
    last = events.last_event_id(workspace.database)
    for _ in range(3):
        run_monitors(workspace)
    clock.advance(61)
    run_monitors(workspace)
    assert events.last_event_id(workspace.database) == last  # the same failure is told once
    create_monitor(workspace, "blind", reference_ref="good-train", window_rows=500)
    assert run_monitors(workspace) == 1
    assert get_monitor(workspace, "blind").error is None


def test_a_lost_batch_is_left_out_and_named(workspace: Workspace, deploy: Any, frames: Any) -> None:
    traffic = deploy()
    create_monitor(workspace, "late", window_rows=1000)
    traffic.send(frames(1000, seed=2), batch_rows=250)
    row = workspace.database.row("SELECT digest FROM prediction_batches ORDER BY batch LIMIT 1")
    assert row is not None
    workspace.blobs.path(row["digest"]).write_bytes(b"damaged")
    assert run_monitors(workspace) == 1
    monitor = get_monitor(workspace, "late")
    assert monitor.windows[0].n_rows == 750
    assert monitor.error is not None
    assert "250 logged rows are left out" in monitor.error
    traffic.send(frames(1000, seed=3))
    assert run_monitors(workspace) == 1
    assert get_monitor(workspace, "late").error is None


def test_looking_costs_nothing_when_nothing_is_new(workspace: Workspace, deploy: Any, frames: Any) -> None:
    traffic = deploy()
    traffic.send(frames(1000, seed=2))
    run_monitors(workspace)
    last = events.last_event_id(workspace.database)
    began = time.process_time()
    for _ in range(100):
        run_monitors(workspace)
    assert (time.process_time() - began) / 100 < 0.02  # 0.3 ms on an idle machine
    assert events.last_event_id(workspace.database) == last


def test_text_where_numbers_were_and_a_missing_column_are_said_not_raised(
    workspace: Workspace, deploy: Any, frames: Any
) -> None:
    import pyarrow as pa

    traffic = deploy()
    rows = traffic.send(frames(200, seed=2)).drop_columns(["in.carrier"])
    traffic._log(rows.drop_columns(["request_id", "row_number", "answered_at"]))
    texts = rows.set_column(
        rows.column_names.index("in.wind"), "in.wind", pa.array(["strong"] * rows.num_rows)
    ).drop_columns(["request_id", "row_number", "answered_at"])
    traffic._log(texts)
    window = close_window(workspace, "late")
    assert window is not None
    columns = {column.name: column for column in window.report.columns}
    assert columns["wind"].status is DriftStatus.not_comparable
    assert columns["wind"].reason == "double in the reference, string in the current rows"
    assert columns["carrier"].measure == "missing_fraction"
    assert columns["temp"].status is DriftStatus.stable


def test_a_batch_that_makes_no_sense_stops_no_other_monitor(workspace: Workspace, deploy: Any, frames: Any) -> None:
    broken, good = deploy("broken"), deploy("good")
    for traffic in (broken, good):
        create_monitor(workspace, traffic.name, window_rows=100)
        rows = traffic.send(frames(100, seed=2))
        extra = ["request_id", "row_number", "answered_at"]
        traffic._log(rows.drop_columns([*extra, "prediction"] if traffic is broken else extra))
    with pytest.raises(KeyError):
        run_monitors(workspace)
    assert len(get_monitor(workspace, "good").windows) == 2
    error = get_monitor(workspace, "broken").error
    assert error is not None
    assert "prediction" in error


_LOOP = """
import sys
from snapml_jupyter.monitoring.windows import run_monitors
from snapml_jupyter.store.workspace import Workspace
workspace = Workspace(sys.argv[1], actor="host")
print("ready", flush=True)
while True:
    print(run_monitors(workspace), flush=True)
"""


def _host(workspace: Workspace) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _LOOP, workspace.location],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_killing_the_host_at_any_moment_loses_and_doubles_nothing(
    workspace: Workspace, deploy: Any, frames: Callable[..., Any]
) -> None:
    traffic = deploy()
    create_monitor(workspace, "late", window_rows=100)
    traffic.send(frames(6000, seed=2), batch_rows=50)
    for patience in (0.05, 0.3, 0.6, 1.0):
        hosts = [_host(workspace), _host(workspace)]  # two at once, as after a restart that overlaps
        time.sleep(patience)  # any moment will do: the point is that it does not matter which
        for host in hosts:
            host.send_signal(signal.SIGKILL)
            host.wait()
            assert host.stdout is not None
            host.stdout.close()
        _check_books(workspace)
    while run_monitors(workspace):
        pass
    _check_books(workspace)
    assert get_monitor(workspace, "late").pending_rows == 0
    told = [e for e in events.list_events(workspace.database, limit=5000) if e.kind == "monitor.window_closed"]
    assert [e.details["window"] for e in told] == list(range(1, 61))


def _check_books(workspace: Workspace) -> None:
    """Every logged row is in one window or waits, and every window has the rows of its batches."""
    windows = workspace.database.rows(
        """SELECT w.number, w.n_rows, SUM(b.n_rows) AS logged FROM monitor_windows w
           JOIN prediction_batches b ON b.endpoint = w.endpoint AND b.window = w.number GROUP BY w.number"""
    )
    assert [row["number"] for row in windows] == list(range(1, len(windows) + 1))
    assert all(row["n_rows"] == row["logged"] for row in windows)
    waiting = workspace.database.row(
        "SELECT COALESCE(SUM(n_rows), 0) AS n FROM prediction_batches WHERE window IS NULL"
    )
    assert waiting is not None
    assert sum(row["n_rows"] for row in windows) + waiting["n"] == 6000
