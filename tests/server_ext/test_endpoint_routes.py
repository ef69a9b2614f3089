"""Endpoints through Jupyter: the host's own answers, with the endpoint's key beside Jupyter's login."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.registry.versions import register
from snapml_jupyter.runs.models import keep_model
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.serving.deploying import deploy
from snapml_jupyter.serving.host_process import start_host, stop_host
from snapml_jupyter.store.remote import RemoteWorkspace
from snapml_jupyter.store.workspace import Workspace

_ROWS = json.dumps({"rows": [{"a": 1.0, "b": 0.5}]}).encode()


@pytest.fixture(scope="module")
def api_key(jupyter_process: Any) -> Iterator[str]:
    """The key of endpoint "letters", deployed through the server as a notebook elsewhere would."""
    workspace: Workspace = jupyter_process.workspace
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"a": draw.normal(size=200), "b": draw.normal(size=200)})
    label = np.where(frame["a"] + frame["b"] > 0, "x", "y")
    version = snapshot(workspace, "letters", frame)
    with start_run(workspace, "letters") as run:
        model = LogisticRegression().fit(frame, label)
        keep_model(workspace, run.run_id, model, example=frame, training_ref=version.ref)
    register(workspace, "letters", "letters")
    try:
        outcome = deploy(RemoteWorkspace(jupyter_process.url, token=jupyter_process.token), "letters", "letters")
        assert outcome.api_key is not None
        yield outcome.api_key
    finally:
        stop_host(workspace)


def _ask(jupyter: Any, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, Any]:
    request = urllib.request.Request(jupyter.url + path, body, {"Content-Type": "application/json"})
    request.add_header("Authorization", f"token {jupyter.token}")
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read()), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read()), error.headers


def test_a_prediction_goes_through_jupyter(jupyter_process: Any, api_key: str) -> None:
    code, answer, _ = _ask(jupyter_process, "/snapml/endpoints/letters/predict", _ROWS, X_SnapML_Key=api_key)
    assert code == 200
    assert answer["predictions"][0]["label"] == "x"


def test_jupyters_own_token_is_no_key(jupyter_process: Any, api_key: str) -> None:
    code, answer, _ = _ask(jupyter_process, "/snapml/endpoints/letters/predict", _ROWS)
    assert code == 401
    assert "key" in json.dumps(answer)


def test_an_endpoint_refuses_in_its_own_words(jupyter_process: Any, api_key: str) -> None:
    body = json.dumps({"rows": [{"a": 1.0}]}).encode()
    code, answer, _ = _ask(jupyter_process, "/snapml/endpoints/letters/predict", body, X_SnapML_Key=api_key)
    assert code in (400, 422)
    assert "'b'" in json.dumps(answer)


def test_the_open_inference_protocol_is_reached_the_same_way(jupyter_process: Any, api_key: str) -> None:
    code, answer, _ = _ask(jupyter_process, "/snapml/v2/health/ready", X_SnapML_Key=api_key)
    assert (code, answer["ready"]) == (200, True)
    code, answer, _ = _ask(jupyter_process, "/snapml/v2/models/letters", X_SnapML_Key=api_key)
    assert code == 200
    assert {tensor["name"] for tensor in answer["inputs"]} == {"a", "b"}


def test_a_stopped_host_is_said_and_comes_back(jupyter_process: Any, api_key: str) -> None:
    stop_host(jupyter_process.workspace)
    code, answer, _ = _ask(jupyter_process, "/snapml/endpoints/letters/predict", _ROWS, X_SnapML_Key=api_key)
    assert (code, answer["error"]) == (503, "unavailable")
    assert "snapml host start" in answer["message"]
    start_host(jupyter_process.workspace)
    code, _, _ = _ask(jupyter_process, "/snapml/endpoints/letters/predict", _ROWS, X_SnapML_Key=api_key)
    assert code == 200
