"""What the benchmarks of serving serve: rows like flights before departure, models of them, and a workspace with one live."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from snapml_jupyter.domain.endpoint import DeploymentStatus
from snapml_jupyter.domain.traffic import EndpointSettings
from snapml_jupyter.registry.exporting import ensure_exported
from snapml_jupyter.registry.versions import register
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.serving.keys import hash_key, new_key
from snapml_jupyter.serving.reports import inbox_folder
from snapml_jupyter.store import api_keys, endpoints
from snapml_jupyter.store.workspace import Workspace

#: Far above what one worker answers, so that limits are checked and refuse nobody.
RATE_PER_SECOND, QUOTA_PER_DAY = 1e6, 10**9
#: What the models beside the peers take: 4 columns of text and 6 of numbers.
PEER_COLUMNS = (
    "carrier",
    "origin",
    "dest",
    "weekday",
    "hour",
    "month",
    "distance",
    "temperature",
    "wind_speed",
    "visibility",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """One model at the endpoint 'bench' of a workspace: its graph as a file, a key, and one row with the model's own answer.

    `probability` is what `predict_proba` says of the row for the second class.
    """

    folder: Path
    graph: Path
    key: str
    row: dict[str, Any]
    probability: float


def make_frame(n_rows: int, seed: int) -> pd.DataFrame:
    """Rows like flights before departure."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "carrier": random.choice(["UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "VX"], n_rows),
            "origin": random.choice(["JFK", "LGA", "EWR"], n_rows),
            "dest": random.choice([f"D{i:02d}" for i in range(100)], n_rows),
            "weekday": random.choice(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], n_rows),
            "manufacturer": random.choice(["BOEING", "AIRBUS", "EMBRAER", "BOMBARDIER"], n_rows),
            "hour": random.integers(5, 23, n_rows),
            "month": random.integers(1, 13, n_rows),
            "distance": random.uniform(80, 5000, n_rows),
            "temperature": random.normal(55, 18, n_rows),
            "wind_speed": random.gamma(2, 5, n_rows),
            "visibility": random.uniform(0, 10, n_rows),
            "pressure": random.normal(1017, 7, n_rows),
        }
    )
    for name in ("temperature", "wind_speed", "pressure"):
        frame.loc[random.random(n_rows) < 0.05, name] = np.nan
    return frame


def lateness(frame: pd.DataFrame) -> pd.Series:
    """Whether each flight is late, as 0 or 1."""
    noise = np.random.default_rng(2).normal(0, 6, len(frame))
    return (frame["wind_speed"].fillna(10) + frame["hour"] + noise > 27).astype(int)


def gradient_boosting(frame: pd.DataFrame) -> Any:
    """One-hot encoding and gradient boosting of 100 trees, fitted."""
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer((encoder, _texts(frame)), remainder="passthrough")
    return make_pipeline(columns, HistGradientBoostingClassifier(max_iter=100)).fit(frame, lateness(frame))


def logistic_regression(frame: pd.DataFrame) -> Any:
    """Imputing, scaling, one-hot encoding and logistic regression, fitted."""
    numbers = [name for name in frame.columns if name not in _texts(frame)]
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), _texts(frame)),
    )
    return make_pipeline(columns, LogisticRegression(max_iter=1000)).fit(frame, lateness(frame))


def random_forest(frame: pd.DataFrame) -> Any:
    """Imputing, one-hot encoding and 100 trees, fitted."""
    numbers = [name for name in frame.columns if name not in _texts(frame)]
    columns = make_column_transformer(
        (SimpleImputer(), numbers), (OneHotEncoder(handle_unknown="ignore"), _texts(frame))
    )
    forest = RandomForestClassifier(n_estimators=100, max_depth=10, random_state=0)
    return make_pipeline(columns, forest).fit(frame, lateness(frame))


def make_live(folder: Path, model: Any, frame: pd.DataFrame) -> Live:
    """A workspace in the folder with the fitted model live at 'bench': key and endpoint limited, predictions logged."""
    workspace = Workspace(folder, actor="bench")
    with start_run(workspace, "bench", capture_environment=False) as run:
        run.log_model(model, example=frame)
    version = ensure_exported(workspace, register(workspace, run.run_id, "bench").ref)
    key = new_key()
    with workspace.transaction() as tx:
        endpoints.ensure_endpoint(tx, "bench")
        endpoints.save_settings(
            tx, "bench", EndpointSettings(rate_per_second=RATE_PER_SECOND, max_rows=1000, max_body_bytes=2**20)
        )
        number = endpoints.add_deployment(tx, "bench", version.name, version.number)
        endpoints.move_deployment(tx, "bench", number, DeploymentStatus.live)
        api_keys.add_key(
            tx,
            key_id="key-bench",
            endpoint="bench",
            client="bench",
            key_hash=hash_key(key),
            rate_per_second=RATE_PER_SECOND,
            quota_per_day=QUOTA_PER_DAY,
        )
    inbox_folder(folder).mkdir()
    assert version.onnx_digest is not None
    example = frame.dropna().head(1)
    return Live(
        folder=folder,
        graph=workspace.blobs.path(version.onnx_digest),
        key=key,
        row=json.loads(example.to_json(orient="records", double_precision=15))[0],
        probability=float(model.predict_proba(example)[0, 1]),
    )


def _texts(frame: pd.DataFrame) -> list[str]:
    return frame.select_dtypes(exclude="number").columns.tolist()
