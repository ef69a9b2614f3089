"""Two registered versions of a small classifier, and rows that neither was fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.registry.versions import register
from snapml_jupyter.runs.models import keep_model
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store.workspace import Workspace


def make_rows(n_rows: int, seed: int) -> tuple[pd.DataFrame, Any]:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "amount": random.normal(50, 20, n_rows),
            "n": random.integers(0, 9, n_rows),
            "city": random.choice(["Oslo", "Rome"], n_rows),
        }
    )
    truth = np.where(frame["n"] + random.normal(0, 2, n_rows) > 4, "late", "on time")
    frame.loc[random.random(n_rows) < 0.1, "amount"] = np.nan
    return frame, truth


@dataclass(frozen=True)
class Trips:
    """`trips:1` is the champion, `trips:2` as good, `trips:3` knows nothing of `n` and is far worse."""

    workspace: Workspace
    models: list[Any]
    held_out: pd.DataFrame


@pytest.fixture(scope="module")
def trips(tmp_path_factory: pytest.TempPathFactory) -> Trips:
    workspace = Workspace(tmp_path_factory.mktemp("trips") / "workspace", actor="ada")
    frame, truth = make_rows(1200, seed=1)
    models = []
    for n_rows, blind in ((600, False), (1200, False), (600, True)):
        fitted_on, target = frame.iloc[:n_rows].copy(), truth[:n_rows]
        if blind:
            fitted_on["n"] = 4
        parts = make_column_transformer(
            (OneHotEncoder(), ["city"]), (SimpleImputer(), ["amount", "n"]), remainder="drop"
        )
        model = make_pipeline(parts, LogisticRegression(max_iter=1000)).fit(fitted_on, target)
        models.append(model)
        ref = snapshot(workspace, "trips", fitted_on.assign(answer=target)).ref
        with start_run(workspace, "training", capture_environment=False) as run:
            run.log_metric("accuracy", float(model.score(fitted_on, target)))
            keep_model(workspace, run.run_id, model, example=fitted_on, target="answer", training_ref=ref)
        register(workspace, run.run_id, "trips")
    rows, answers = make_rows(800, seed=2)
    held_out = rows.assign(answer=answers)
    snapshot(workspace, "held-out", held_out)
    return Trips(workspace, models, held_out)
