"""Fill a workspace as a morning's work would: a failed and a finished run, data, a registered model.

Run as a script by tests/ui/conftest.py, in a process of its own, on the workspace of SNAPML_WORKSPACE.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import snapml_jupyter as snap
from snapml_jupyter.runs.models import keep_model


def visits(n_rows: int, seed: int) -> pd.DataFrame:
    """Made up, with what real tables have: strings, a gap here and there, dates."""
    draw = np.random.default_rng(seed)
    spent = draw.gamma(2.0, 40.0, n_rows)
    frame = pd.DataFrame(
        {
            "channel": draw.choice(["mail", "search", "shop"], n_rows),
            "spent": np.where(draw.random(n_rows) < 0.03, np.nan, spent),
            "n_visits": draw.integers(1, 30, n_rows),
            "day": pd.Timestamp("2026-03-01") + pd.to_timedelta(draw.integers(0, 90, n_rows), unit="D"),
        }
    )
    frame["stays"] = np.where(draw.random(n_rows) < 1 / (1 + np.exp(-(spent - 80) / 30)), "yes", "no")
    return frame


def main() -> None:
    """Leave two runs, a dataset with two versions, and one registered model."""
    try:
        with snap.start_run("visitors-first-try"):
            raise ValueError("could not convert string to float: 'mail'")
    except ValueError:
        pass
    snap.snapshot("visits", visits(800, seed=1), message="March to May")
    frame = visits(1200, seed=2).fillna({"spent": 0.0})
    version = snap.snapshot("visits", frame, message="with the shop")
    features = frame[["channel", "spent", "n_visits"]]
    model = make_pipeline(
        ColumnTransformer(
            [
                ("words", OneHotEncoder(handle_unknown="ignore"), ["channel"]),
                ("numbers", StandardScaler(), ["spent", "n_visits"]),
            ]
        ),
        LogisticRegression(),
    ).fit(features, frame["stays"])
    with snap.start_run("visitors", seed=7, tags={"team": "shop"}) as run:
        run.log_params({"C": 1.0, "solver": "lbfgs"})
        for step in range(20):
            run.log_metric("loss", 0.7 / (1 + step / 4), step=step)
        run.log_metric("accuracy", float(model.score(features, frame["stays"])))
        keep_model(snap.workspace(), run.run_id, model, example=features, training_ref=version.ref)
    snap.register("visitors", "visitors")
    print(version.ref)


if __name__ == "__main__":
    main()
