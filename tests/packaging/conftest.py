"""Endpoints to take away: a real pipeline behind one, without a host, because files need none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from snapml_jupyter.domain.endpoint import Deployment, DeploymentStatus, EndpointInfo
from snapml_jupyter.domain.traffic import Arm
from snapml_jupyter.registry.exporting import ensure_exported
from snapml_jupyter.registry.versions import register
from snapml_jupyter.runs.models import keep_model
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store import endpoints as store
from snapml_jupyter.store.workspace import Workspace


@dataclass(frozen=True)
class Taken:
    """The endpoints 'trips' (a classifier) and 'Price_2' (a regression of one column), live."""

    workspace: Workspace
    frame: pd.DataFrame
    models: dict[str, Any]

    def live(self, endpoint: str) -> Deployment:
        return store.get_endpoint(self.workspace.database, endpoint).deployments[-1]

    def with_canary(self) -> EndpointInfo:
        """'trips' with its version once more, as a canary that gets a quarter of the traffic."""
        info = store.get_endpoint(self.workspace.database, "trips")
        live = info.deployments[-1]
        canary = replace(live, number=live.number + 1, model_ref="trips:2", share_fraction=0.25, arm=Arm.challenger)
        return replace(info, deployments=[replace(live, share_fraction=0.75), canary])


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    workspace = Workspace(tmp_path_factory.mktemp("taken") / "workspace", actor="ada")
    random = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "amount": random.normal(50, 20, 400),
            "wind speed": random.normal(5, 2, 400).astype(np.float32),
            "n": random.integers(0, 9, 400),
            "city": random.choice(["Oslo", 'Rø"m'], 400),
            "vip": random.random(400) < 0.3,
        }
    )
    truth = np.where(frame["n"] + random.normal(0, 2, 400) > 4, "late", "on time")
    frame.loc[random.random(400) < 0.1, "amount"] = np.nan
    parts = make_column_transformer(
        (OneHotEncoder(), ["city"]), (SimpleImputer(), ["amount", "wind speed", "n"]), remainder="passthrough"
    )
    models = {
        "trips": make_pipeline(parts, LogisticRegression(max_iter=1000)).fit(frame, truth),
        "Price_2": HistGradientBoostingRegressor(max_iter=5).fit(frame[["amount"]], frame["n"] * 2.5),
    }
    for name, model in models.items():
        example = frame if name == "trips" else frame[["amount"]]
        for _ in range(2 if name == "trips" else 1):
            with start_run(workspace, name, capture_environment=False) as run:
                keep_model(workspace, run.run_id, model, example=example)
            version = ensure_exported(workspace, register(workspace, run.run_id, name).ref)
        with workspace.transaction() as tx:
            store.ensure_endpoint(tx, name)
            number = store.add_deployment(tx, name, name, 1)
            store.move_deployment(tx, name, number, DeploymentStatus.live)
        assert version.onnx_digest
    return Taken(workspace, frame, models)
