"""The whole way with a real pipeline: fitted, exported, deployed, asked over HTTP, logged, and watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from snapml_jupyter.monitoring.monitors import get_monitor, list_monitors
from snapml_jupyter.registry.versions import register
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.serving.client import Endpoint
from snapml_jupyter.serving.deploying import deploy
from snapml_jupyter.serving.host_process import get_host_status
from snapml_jupyter.store.workspace import Workspace


def make_frame(n_rows: int) -> pd.DataFrame:
    random = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "carrier": random.choice(["UA", "B6", "Æ"], n_rows),
            "dest": pd.Series(random.choice(["IAH", "MIA", "BQN"], n_rows)),
            "hour": random.integers(0, 24, n_rows),
            "distance": random.uniform(80, 5000, n_rows),
            "wind speed": random.gamma(2, 5, n_rows),
            "weekend": random.random(n_rows) < 0.3,
        }
    )
    frame.loc[random.random(n_rows) < 0.2, "wind speed"] = np.nan
    frame.loc[random.random(n_rows) < 0.2, "dest"] = None
    return frame


def test_an_endpoint_answers_like_the_pipeline_and_its_traffic_reaches_the_monitor(
    hosted: Workspace,
    connect: Callable[..., Any],
    eventually: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SNAPML_WINDOW_ROWS", "1000")
    frame = make_frame(2500)
    late = (frame["hour"] + frame["wind speed"].fillna(9) > 22).map({True: "late", False: "on time"})
    texts = ["carrier", "dest"]
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), texts), remainder="passthrough", sparse_threshold=0
        ),
        HistGradientBoostingClassifier(max_iter=30),
    ).fit(frame, late)
    with start_run(hosted, "flights", capture_environment=False) as run:
        run.log_model(model, example=frame)
    outcome = deploy(hosted, register(hosted, run.run_id, "flights").ref, "late-flights")
    endpoint = Endpoint(hosted, "late-flights", api_key=outcome.api_key)
    answers = endpoint.predict(frame)
    np.testing.assert_allclose(
        answers[["probability_late", "probability_on time"]], model.predict_proba(frame), atol=1e-5
    )
    assert (answers["prediction"] == model.predict(frame)).all()
    strange = frame.head(3).assign(carrier="never seen")
    np.testing.assert_allclose(
        endpoint.predict(strange)["probability_late"], model.predict_proba(strange)[:, 0], atol=1e-5
    )
    eventually(lambda: list_monitors(hosted))
    eventually(lambda: get_monitor(hosted, "late-flights").n_predictions == len(frame) + 3)
    labels = [
        {"request_id": request_id, "row": row, "label": label}
        for request_id, row, label in zip(answers["request_id"], answers["row"], late, strict=True)
    ]
    status, _ = connect(get_host_status(hosted).port, outcome.api_key).post(
        "/endpoints/late-flights/feedback", {"labels": labels}
    )
    assert status == 202
    eventually(lambda: get_monitor(hosted, "late-flights").n_labels == len(frame))


def test_a_regression_answers_numbers(hosted: Workspace) -> None:
    frame = make_frame(400)[["hour", "distance", "wind speed"]]
    delay = frame["hour"] * 2 + frame["distance"] / 100
    model = make_pipeline(SimpleImputer(), RandomForestRegressor(n_estimators=10, random_state=0)).fit(frame, delay)
    with start_run(hosted, "delay", capture_environment=False) as run:
        run.log_model(model, example=frame)
    outcome = deploy(hosted, register(hosted, run.run_id, "delay").ref)
    answers = Endpoint(hosted, "delay", api_key=outcome.api_key).predict(frame)
    assert answers.columns.tolist() == ["prediction", "request_id", "row"]
    np.testing.assert_allclose(answers["prediction"], model.predict(frame), rtol=1e-5)
