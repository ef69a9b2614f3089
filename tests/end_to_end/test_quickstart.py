"""The quickstart notebook itself, as `make demo` runs it: real server, real kernel, real host, 336,776 real flights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, str(ROOT / "examples" / "demo.py"), "--json", "--workspace", str(folder / "workspace")]
    environment = {**os.environ, "SNAPML_PORT": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_run_holds_what_the_cell_did(summary: dict[str, Any]) -> None:
    assert summary["run"]["status"] == "finished"
    assert 0.65 < summary["run"]["metrics"]["roc_auc_score"] < 0.80
    assert summary["datasets"] == ["spring = spring@v1 (133603 rows)"]


def test_the_graph_answers_like_the_pipeline(summary: dict[str, Any]) -> None:
    assert summary["model"]["ref"] == "late-flights:1"
    assert summary["model"]["aliases"] == ["champion"]
    assert summary["model"]["parity"]["max_difference"] <= 1e-5
    assert summary["model"]["parity"]["label_agreement"] >= 0.9999


def test_the_summer_went_through_http_and_into_the_monitor(summary: dict[str, Any]) -> None:
    monitor = summary["monitor"]
    assert monitor["n_predictions"] == 111_145  # every flight that landed from June to September, and eleven by hand
    assert monitor["n_windows"] >= 4
    assert all(0.5 < accuracy < 1 for accuracy in monitor["accuracy"])


def test_the_season_shows_as_drift_and_the_constant_columns_do_not(summary: dict[str, Any]) -> None:
    drifted = summary["monitor"]["windows_drifted_by_column"]
    assert drifted["temp"] == summary["monitor"]["n_windows"]
    assert not {"carrier", "origin", "distance", "weekday"} & set(drifted)


def test_everything_is_as_it_was_written(summary: dict[str, Any]) -> None:
    assert summary["verified"] is True
