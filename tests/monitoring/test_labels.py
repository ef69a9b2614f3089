"""Labels that come late: joined once with the right window, judged, corrected, and never counted twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from snapml_jupyter.domain.errors import InvalidInputError, NotFoundError
from snapml_jupyter.domain.model import Task
from snapml_jupyter.domain.monitoring import AlertState
from snapml_jupyter.monitoring.labels import confirms
from snapml_jupyter.monitoring.monitors import (
    acknowledge_alert,
    close_window,
    create_monitor,
    get_monitor,
    list_alerts,
    record_feedback,
)
from snapml_jupyter.monitoring.windows import run_monitors
from snapml_jupyter.store import events, monitors
from snapml_jupyter.store.workspace import Workspace


def labels_of(rows: Any, *, wrong: float = 0.0, seed: int = 0) -> list[dict[str, Any]]:
    """True labels of logged rows, where the model was wrong in a share of them."""
    flipped = np.random.default_rng(seed).random(rows.num_rows) < wrong
    return [
        {"request_id": request_id, "row": row, "label": int(prediction) ^ int(flip)}
        for request_id, row, prediction, flip in zip(
            rows.column("request_id").to_pylist(),
            rows.column("row_number").to_pylist(),
            rows.column("prediction").to_pylist(),
            flipped,
            strict=True,
        )
    ]


def kinds(workspace: Workspace, after: int = 0) -> list[str]:
    return [event.kind for event in events.list_events(workspace.database, after=after, limit=5000)]


def test_labels_after_the_window_closed_give_its_accuracy(workspace: Workspace, deploy: Any, frames: Any) -> None:
    traffic = deploy()
    create_monitor(workspace, "late", window_rows=500)
    rows = traffic.send(frames(1000, seed=2))
    run_monitors(workspace)
    assert [w.accuracy for w in get_monitor(workspace, "late").windows] == [None, None]
    labels = labels_of(rows.slice(0, 500), wrong=0.3)
    n_wrong = sum(a["label"] != b["label"] for a, b in zip(labels, labels_of(rows), strict=False))
    assert record_feedback(workspace, "late", labels) == 500
    first, second = get_monitor(workspace, "late").windows
    assert (first.n_labels, first.accuracy) == (500, pytest.approx(1 - n_wrong / 500))
    assert (second.n_labels, second.accuracy) == (0, None)
    assert get_monitor(workspace, "late").n_labels == 500


def test_labels_before_the_window_closes_wait_for_it(workspace: Workspace, deploy: Any, frames: Any) -> None:
    traffic = deploy()
    rows = traffic.send(frames(300, seed=2))
    assert record_feedback(workspace, "late", labels_of(rows)) == 300
    assert get_monitor(workspace, "late").n_labels == 0
    window = close_window(workspace, "late")
    assert window is not None
    assert (window.n_labels, window.accuracy) == (300, 1.0)


def test_the_same_labels_again_change_nothing_and_a_corrected_one_counts_once(
    workspace: Workspace, deploy: Any, frames: Any
) -> None:
    traffic = deploy()
    rows = traffic.send(frames(200, seed=2))
    close_window(workspace, "late")
    labels = labels_of(rows)
    record_feedback(workspace, "late", labels)
    last = events.last_event_id(workspace.database)
    assert record_feedback(workspace, "late", labels) == 200
    assert events.last_event_id(workspace.database) == last
    labels[0]["label"] = 1 - labels[0]["label"]
    record_feedback(workspace, "late", labels)
    (window,) = get_monitor(workspace, "late").windows
    assert (window.n_labels, window.accuracy) == (200, pytest.approx(199 / 200))
    assert kinds(workspace, last) == ["monitor.updated", "monitor.updated"]


def test_only_windows_with_new_labels_are_updated(workspace: Workspace, deploy: Any, frames: Any) -> None:
    traffic = deploy()
    create_monitor(workspace, "late", window_rows=250)
    rows = traffic.send(frames(1000, seed=2))
    run_monitors(workspace)
    record_feedback(workspace, "late", labels_of(rows.slice(500, 10)))
    told = [event for event in events.list_events(workspace.database, limit=5000) if "windows" in event.details]
    assert [event.details["windows"] for event in told] == [[3]]


def test_unknown_requests_wait_and_are_not_counted(workspace: Workspace, deploy: Any, frames: Any) -> None:
    traffic = deploy()
    create_monitor(workspace, "late", window_rows=250)
    stray = [{"request_id": "never-sent", "row": 0, "label": 1}]
    assert record_feedback(workspace, "late", stray) == 0
    for _ in range(2):
        traffic.send(frames(250, seed=2))
        run_monitors(workspace)
    row = workspace.database.row("SELECT window, searched_through FROM feedback")
    assert row is not None
    assert (row["window"], row["searched_through"]) == (None, 2)


def test_labels_from_the_endpoint_are_joined_by_the_host(workspace: Workspace, deploy: Any, frames: Any) -> None:
    traffic = deploy()
    rows = traffic.send(frames(250, seed=2))
    create_monitor(workspace, "late", window_rows=250)
    assert monitors.insert_feedback(workspace, "late", labels_of(rows)) == 250
    assert run_monitors(workspace) == 1
    assert get_monitor(workspace, "late").windows[0].accuracy == 1.0


@pytest.mark.parametrize(
    ("label", "sentence"),
    [
        ({"row": 0, "label": 1}, "Label 1 has no request_id"),
        ({"request_id": "r", "row": -1, "label": 1}, "Label 1 has row -1"),
        ({"request_id": "r", "row": "0", "label": 1}, "Label 1 has row '0'"),
        ({"request_id": "r"}, "Label 1 is None"),
        ({"request_id": "r", "label": [1]}, r"Label 1 is \[1\]"),
    ],
)
def test_what_is_no_label_is_named_and_nothing_is_kept(
    workspace: Workspace, deploy: Any, label: dict[str, Any], sentence: str
) -> None:
    deploy()
    good = {"request_id": "r", "row": 0, "label": 1}
    with pytest.raises(InvalidInputError, match=sentence):
        record_feedback(workspace, "late", [good, label])
    assert workspace.database.rows("SELECT * FROM feedback") == []
    with pytest.raises(NotFoundError, match="There is no endpoint 'latte'"):
        record_feedback(workspace, "latte", [good])


@pytest.mark.parametrize(
    ("label", "prediction", "same"),
    [
        (1, 1, True),
        (1.0, 1, True),
        ("1", 1, True),
        (True, True, True),
        ("True", True, True),
        ("UA", "UA", True),
        (0, 1, False),
        ("AA", "UA", False),
        (1.5, 1, False),
    ],
)
def test_labels_are_compared_as_people_mean_them(label: Any, prediction: Any, same: bool) -> None:
    assert confirms(label, prediction) is same


def test_labels_of_a_regression_are_counted_without_an_accuracy(workspace: Workspace, deploy: Any, frames: Any) -> None:
    traffic = deploy("delay", task=Task.regression)
    rows = traffic.send(frames(300, seed=2))
    labels = [{"request_id": r, "row": n, "label": 3.5} for r, n in zip(*_places(rows), strict=True)]
    assert record_feedback(workspace, "delay", labels) == 300
    window = close_window(workspace, "delay")
    assert window is not None
    assert window.accuracy is None
    assert window.report.prediction is not None
    assert (window.report.prediction.name, window.report.prediction.measure) == ("prediction", "wasserstein")


def _places(rows: Any) -> tuple[list[str], list[int]]:
    return rows.column("request_id").to_pylist(), rows.column("row_number").to_pylist()


def test_drift_is_one_alert_until_it_is_gone(workspace: Workspace, deploy: Any, frames: Any) -> None:
    traffic = deploy()
    create_monitor(workspace, "late", window_rows=1000)
    traffic.send(frames(2000, seed=3, warmer=10.0))
    assert run_monitors(workspace) == 2
    (alert,) = list_alerts(workspace, AlertState.open)
    assert (alert.endpoint, alert.rule) == ("late", "drift")
    assert "the prediction P(1) drifted, compared with late-train@v1" in alert.message
    assert acknowledge_alert(workspace, alert.alert_id).state is AlertState.acknowledged
    traffic.send(frames(1000, seed=4))
    run_monitors(workspace)
    assert [a.state for a in list_alerts(workspace)] == [AlertState.resolved]
    assert list_alerts(workspace, AlertState.open) == []
    alerts = [kind for kind in kinds(workspace) if kind.startswith("alert.")]
    assert alerts == ["alert.raised", "alert.changed", "alert.changed"]
    with pytest.raises(NotFoundError, match="There is no alert 'alert-9'"):
        acknowledge_alert(workspace, "alert-9")


def test_a_fall_of_accuracy_is_an_alert_and_noise_is_not(workspace: Workspace, deploy: Any, frames: Any) -> None:
    traffic = deploy()
    create_monitor(workspace, "late", window_rows=500)
    rows = traffic.send(frames(1500, seed=2))
    run_monitors(workspace)
    record_feedback(workspace, "late", labels_of(rows.slice(0, 500), wrong=0.10, seed=1))
    record_feedback(workspace, "late", labels_of(rows.slice(500, 500), wrong=0.13, seed=2))
    assert list_alerts(workspace) == []
    record_feedback(workspace, "late", labels_of(rows.slice(1000, 500), wrong=0.30, seed=3))
    (alert,) = list_alerts(workspace)
    assert alert.rule == "accuracy"
    assert alert.message.startswith("late, window 3: accuracy ")
    assert "in window 1" in alert.message


def test_the_public_feedback_takes_a_frame(
    workspace: Workspace, deploy: Any, frames: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import snapml_jupyter as snap

    monkeypatch.setenv("SNAPML_WORKSPACE", workspace.location)
    traffic = deploy()
    rows = traffic.send(frames(300, seed=2))
    close_window(workspace, "late")
    ids, places = _places(rows)
    frame = pd.DataFrame({"request_id": ids, "row": places, "label": rows.column("prediction").to_pylist()})
    frame["label"] = frame["label"].astype("Int64")
    frame.loc[:49, "label"] = pd.NA  # not known yet
    assert snap.feedback("late", frame) == 250
    assert snap.feedback("late", frame.drop(columns="row").rename(columns={"request_id": "id"}), on="id") == 250
    assert snap.monitor("late").windows[0].accuracy == 1.0
    monkeypatch.setenv("SNAPML_LOG_SECONDS", "0.01")
    assert snap.feedback("late", frame.assign(request_id="never-sent")) == 0
    assert snap.alerts("open") == []
    with pytest.raises(InvalidInputError, match=r"no column 'request_id'\. Its columns: row, label"):
        snap.feedback("late", frame.drop(columns="request_id"))
    with pytest.raises(InvalidInputError, match="no alert state 'closed'"):
        snap.alerts("closed")
