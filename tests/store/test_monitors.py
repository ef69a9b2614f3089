"""Books of the monitors: batches go to one window, alerts stay single, feedback is kept once."""

from __future__ import annotations

import threading
from datetime import datetime, timezone

import pytest

from snapml_jupyter.domain.errors import NotFoundError
from snapml_jupyter.domain.monitoring import AlertState
from snapml_jupyter.store import alerts, endpoints, events, feedback, monitors
from snapml_jupyter.store.workspace import Workspace

NOON = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def watched(workspace: Workspace) -> Workspace:
    """A workspace with the monitored endpoint 'late' and three waiting batches of 10 rows."""
    with workspace.transaction() as tx:
        endpoints.ensure_endpoint(tx, "late")
        monitors.ensure_monitor(tx, "late", window_rows=20)
    for number in range(3):
        endpoints.record_batch(
            workspace,
            endpoint="late",
            batch=f"b{number}",
            deployment=1,
            digest=f"{number:064x}",
            n_rows=10,
            started_at=NOON,
            ended_at=NOON,
        )
    return workspace


def test_a_monitor_is_made_once_and_changed_on_request(watched: Workspace) -> None:
    with watched.transaction() as tx:
        monitors.ensure_monitor(tx, "late", window_rows=99)
    assert monitors.get_monitor(watched.database, "late").window_rows == 20
    with watched.transaction() as tx:
        monitors.ensure_monitor(tx, "late", window_rows=99, reference_ref="d@v1", change=True)
    found = monitors.get_monitor(watched.database, "late")
    assert (found.window_rows, found.reference_ref) == (99, "d@v1")
    with pytest.raises(NotFoundError, match="Did you mean 'late'"):
        monitors.get_monitor(watched.database, "lates")


def test_waiting_rows_are_counted_by_deployment(watched: Workspace) -> None:
    (waiting,) = monitors.list_waiting(watched.database)
    assert (waiting.endpoint, waiting.deployment, waiting.n_rows, waiting.newest_at) == ("late", 1, 30, NOON)
    assert monitors.list_waiting(watched.database, "other") == []
    plan = watched.database.rows(
        """EXPLAIN QUERY PLAN SELECT endpoint, deployment, SUM(n_rows), MAX(ended_at) FROM prediction_batches
           WHERE window IS NULL GROUP BY endpoint, deployment"""
    )
    assert "COVERING INDEX prediction_batches_waiting" in plan[0]["detail"]


def test_batches_are_taken_by_one_window_only(watched: Workspace) -> None:
    batches = monitors.list_waiting_batches(watched.database, "late")
    with watched.transaction() as tx:
        assert monitors.next_window_number(tx, "late") == 1
        assert monitors.take_batches(tx, "late", batches[:2], 1)
    with pytest.raises(RuntimeError), watched.transaction() as tx:
        assert monitors.next_window_number(tx, "late") == 2
        assert not monitors.take_batches(tx, "late", batches[1:], 2)
        raise RuntimeError
    assert [b.batch for b in monitors.list_waiting_batches(watched.database, "late")] == ["b2"]
    assert monitors.get_monitor(watched.database, "late").last_window == 1


def test_an_error_is_told_once_and_forgotten(watched: Workspace) -> None:
    last = events.last_event_id(watched.database)
    for error in ("broken", "broken", None, None):
        with watched.transaction() as tx:
            monitors.set_error(tx, "late", error)
        assert monitors.get_monitor(watched.database, "late").error == error
    told = events.list_events(watched.database, after=last)
    assert [event.details["error"] for event in told] == ["broken", None]


def test_an_unresolved_alert_stays_single_even_between_threads(watched: Workspace) -> None:
    def shout() -> None:
        with watched.transaction() as tx:
            alerts.raise_alert(tx, "late", "drift", "It moved.")
        watched.database.close()

    threads = [threading.Thread(target=shout) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [alert.message for alert in alerts.list_alerts(watched.database)] == ["It moved."]
    with watched.transaction() as tx:
        assert alerts.resolve_alert(tx, "late", "drift")
        assert not alerts.resolve_alert(tx, "late", "drift")
        assert alerts.raise_alert(tx, "late", "drift", "Again.")
    newest, oldest = alerts.list_alerts(watched.database, endpoint="late")
    assert (newest.state, oldest.state) == (AlertState.open, AlertState.resolved)
    assert oldest.resolved_at is not None


def test_feedback_is_kept_once_by_request_and_row(watched: Workspace) -> None:
    label = {"request_id": "r", "row": 0, "label": True}
    assert feedback.insert_feedback(watched, "late", [label, {**label, "row": 1}]) == 2
    assert feedback.insert_feedback(watched, "late", [label]) == 0
    assert feedback.insert_feedback(watched, "late", [{**label, "label": False}]) == 1
    rows = watched.database.rows("SELECT row_number, label FROM feedback ORDER BY row_number")
    assert [(row["row_number"], row["label"]) for row in rows] == [(0, "false"), (1, "true")]
    assert feedback.list_unsearched(watched.database) == []  # no window is closed yet
    with watched.transaction() as tx:
        monitors.next_window_number(tx, "late")
    assert feedback.list_unsearched(watched.database) == ["late"]
