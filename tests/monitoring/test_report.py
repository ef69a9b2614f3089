"""A drift report as people meet it: from Python, as JSON, as a page, over the wire."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import snapml_jupyter as snap
from snapml_jupyter import operations, wire
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.domain.errors import InvalidInputError, NotFoundError
from snapml_jupyter.domain.monitoring import Alert, AlertState, DriftReport, MonitorInfo, MonitorWindow
from snapml_jupyter.governance.status import list_audit_entries
from snapml_jupyter.store.workspace import Workspace


def seasons() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    winter = pd.DataFrame({"temp": rng.normal(0, 5, 3000), "<b>wind</b>": rng.gamma(2, 3, 3000)})
    summer = pd.DataFrame({"temp": rng.normal(20, 5, 2000), "<b>wind</b>": rng.gamma(2, 3, 2000)})
    return winter, summer


@pytest.fixture(autouse=True)
def _here(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNAPML_WORKSPACE", workspace.location)


def test_frames_and_dataset_versions_give_the_same_report(workspace: Workspace) -> None:
    winter, summer = seasons()
    snapshot(workspace, "winter", winter)
    snapshot(workspace, "summer", summer)
    of_frames, of_versions = snap.drift(winter, summer), snap.drift("winter", "summer@v1")
    mixed = snap.drift("winter@v1", summer)
    assert of_versions.columns == of_frames.columns == mixed.columns
    assert (of_versions.reference, of_versions.current) == ("winter@v1", "summer@v1")
    assert (mixed.reference, mixed.current, of_frames.current) == ("winter@v1", "current", "current")
    assert of_versions.drifted_columns == ["temp"]
    assert of_versions.drifted_fraction == 0.5
    assert (of_versions.n_reference_rows, of_versions.n_current_rows) == (3000, 2000)
    assert [c.name for c in snap.drift("winter", "summer", columns=["temp"]).columns] == ["temp"]
    with pytest.raises(NotFoundError, match=r"There is no column 'tmp'\. Did you mean 'temp'"):
        snap.drift("winter", "summer", columns=["tmp"])
    with pytest.raises(NotFoundError, match="autumn"):
        snap.drift("winter", "autumn")
    with pytest.raises(InvalidInputError, match="no preset"):
        snap.drift("winter", "summer", preset="x")


class _Checked(HTMLParser):
    """Fails on tags that are not closed, and collects the text and what the page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not {name for name, _ in attrs} & {"src", "href"}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_stands_alone_and_escapes_names(tmp_path: Path) -> None:
    report = snap.drift(*seasons())
    page = report.to_html(tmp_path / "drift.html")
    assert (tmp_path / "drift.html").read_text(encoding="utf-8") == page
    checked = _Checked()
    checked.feed(page)
    assert checked.open == []
    assert "<b>wind</b>" in checked.text
    assert "1 of 2 columns drifted: temp." in page
    assert report._repr_html_() in page
    assert "#" not in report._repr_html_()  # no colours of its own: it follows the theme
    with pytest.raises(InvalidInputError, match="cannot be written"):
        report.to_html(tmp_path / "nowhere" / "drift.html")


def test_json_is_the_record_that_travels(tmp_path: Path) -> None:
    report = snap.drift(*seasons())
    text = report.to_json(tmp_path / "drift.json")
    assert json.loads((tmp_path / "drift.json").read_text())["columns"][0]["name"] == "temp"
    record = wire.decode_json(text, DriftReport)
    assert type(report).of(record) == report
    assert list(report.to_pandas()["name"]) == ["temp", "<b>wind</b>"]
    assert repr(report).splitlines()[0] == "DriftReport(reference -> current): 1 of 2 columns drifted: temp."


def test_headlines_without_drift_or_without_data() -> None:
    winter, _ = seasons()
    assert snap.drift(winter, winter).headline == "None of 2 columns drifted."
    assert snap.drift(winter[:3], winter[:3]).headline == "No column could be judged."


def test_monitoring_answers_the_same_over_the_wire(workspace: Workspace, deploy: Any, frames: Any) -> None:
    traffic = deploy()
    rows = traffic.send(frames(300, seed=2, warmer=10.0))
    labels = [{"request_id": rows.column("request_id")[0].as_py(), "row": 0, "label": 1}]

    def call(name: str, expected: Any, **arguments: Any) -> Any:
        declared = operations.get_operation(f"monitoring.{name}")
        answer = operations.run_operation(workspace, declared, json.loads(json.dumps(arguments)))
        travelled = wire.decode_json(wire.encode_json(answer), expected)
        assert travelled == answer
        return travelled

    assert call("create_monitor", MonitorInfo, endpoint="late", window_rows=1000).window_rows == 1000
    assert call("record_feedback", int, endpoint="late", labels=labels) == 1
    assert call("close_window", MonitorWindow | None, endpoint="late").n_labels == 1
    assert len(call("get_monitor", MonitorInfo, endpoint="late").windows) == 1
    assert len(call("list_monitors", list[MonitorInfo])) == 1
    (alert,) = call("list_alerts", list[Alert], state="open")
    assert call("acknowledge_alert", Alert, alert_id=alert.alert_id).state is AlertState.acknowledged
    assert call("drift", DriftReport, reference_ref="late-train", current_ref="late-train").drifted_fraction == 0
    actions = [e.operation for e in list_audit_entries(workspace) if e.operation.startswith("monitoring.")]
    assert actions == ["monitoring.acknowledge_alert", "monitoring.create_monitor"]
