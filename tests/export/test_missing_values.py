"""A null in a request is what a missing value was in training: to imputers, encoders and trees alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from snapml_jupyter.domain.errors import InvalidInputError

TEXT = ["city", "letter", "cat", "plan"]

ENCODERS: dict[str, Callable[[], Any]] = {
    "missing is a category": OneHotEncoder,
    "unknown is ignored": lambda: OneHotEncoder(handle_unknown="ignore"),
    "dense": lambda: OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    "the first is dropped": lambda: OneHotEncoder(drop="first", handle_unknown="ignore"),
    "one of two is dropped": lambda: OneHotEncoder(drop="if_binary"),
    "rare ones together": lambda: OneHotEncoder(min_frequency=0.2, handle_unknown="infrequent_if_exist"),
    "at most three": lambda: OneHotEncoder(max_categories=3, handle_unknown="infrequent_if_exist", drop="first"),
    "numbered": OrdinalEncoder,
    "numbered, missing and unknown apart": lambda: OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
    ),
    "numbered, rare ones together": lambda: OrdinalEncoder(
        min_frequency=0.2, handle_unknown="use_encoded_value", unknown_value=-1
    ),
    "by their target": TargetEncoder,
}


@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_see_missing_text_as_in_training(name: str, people: Any, fit_and_export: Any) -> None:
    columns = ColumnTransformer([("e", ENCODERS[name](), [*TEXT, "maybe", "visits"])])
    model = HistGradientBoostingClassifier(max_iter=10) if "numbered" in name else LogisticRegression(max_iter=2000)
    exported = fit_and_export(make_pipeline(columns, model), people.frame, people.three)
    assert exported.parity.max_difference < 1e-12


IMPUTERS: dict[str, Callable[[], Any]] = {
    "the most frequent": lambda: SimpleImputer(strategy="most_frequent"),
    "a word": lambda: SimpleImputer(strategy="constant", fill_value="nowhere"),
    "and says so": lambda: SimpleImputer(strategy="most_frequent", add_indicator=True),
}


@pytest.mark.parametrize("name", IMPUTERS)
def test_imputers_fill_missing_text(name: str, people: Any, fit_and_export: Any) -> None:
    steps = make_pipeline(IMPUTERS[name](), OneHotEncoder(handle_unknown="ignore"))
    model = make_pipeline(ColumnTransformer([("t", steps, ["city", "cat"])]), LogisticRegression(max_iter=1000))
    exported = fit_and_export(model, people.frame, people.two)
    assert exported.parity.max_difference < 1e-12


def test_imputers_fill_what_they_call_missing(people: Any, fit_and_export: Any) -> None:
    imputer = SimpleImputer(missing_values="b", strategy="constant", fill_value="nowhere")
    for last in (OneHotEncoder(), OrdinalEncoder()):
        columns = ColumnTransformer([("t", make_pipeline(imputer, last), ["plan"])])
        exported = fit_and_export(make_pipeline(columns, LogisticRegression()), people.frame, people.two)
        assert exported.parity.max_difference < 1e-12


def test_none_in_an_object_column_is_only_what_the_imputer_calls_missing(people: Any, fit_and_export: Any) -> None:
    for missing_values in (np.nan, None):
        imputer = SimpleImputer(missing_values=missing_values, strategy="most_frequent")
        steps = make_pipeline(imputer, OneHotEncoder(handle_unknown="ignore"))
        model = make_pipeline(ColumnTransformer([("t", steps, ["letter"])]), LogisticRegression())
        assert fit_and_export(model, people.frame, people.two).parity.max_difference < 1e-12


def test_pandas_na_is_missing(fit_and_export: Any) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "i": pd.array(rng.integers(0, 9, 300), dtype="Int64"),
            "b": pd.array(rng.random(300) < 0.4, dtype="boolean"),
            "f": pd.array(rng.random(300), dtype="Float64"),
            "s": pd.array(rng.choice(["p", "q"], 300), dtype="string"),
        }
    )
    for column in frame:
        frame.loc[rng.random(300) < 0.1, column] = pd.NA
    words = make_pipeline(SimpleImputer(missing_values=pd.NA, strategy="most_frequent"), OneHotEncoder())
    columns = ColumnTransformer(
        [("c", OneHotEncoder(), ["i", "b"]), ("n", SimpleImputer(), ["i", "f", "b"]), ("s", words, ["s"])]
    )
    exported = fit_and_export(make_pipeline(columns, LogisticRegression()), frame, rng.random(300) < 0.5)
    assert exported.parity.max_difference < 1e-12
    assert len(exported.ask([dict.fromkeys(frame.columns)]).predictions) == 1


def test_numbers_are_filled_flagged_and_dropped_as_in_training(people: Any, fit_and_export: Any) -> None:
    frame = people.frame.assign(never=np.nan, coded=people.frame["visits"].where(people.frame["visits"] > 9, -1))
    columns = ColumnTransformer(
        [
            ("mean", SimpleImputer(add_indicator=True), ["age", "never", "visits"]),
            ("kept", SimpleImputer(keep_empty_features=True, strategy="median"), ["never", "score"]),
            ("coded", SimpleImputer(missing_values=-1, strategy="constant", fill_value=99), ["coded"]),
            ("flags", MissingIndicator(), ["age", "city", "visits"]),
        ]
    )
    exported = fit_and_export(make_pipeline(columns, LogisticRegression(max_iter=2000)), frame, people.two)
    assert exported.parity.max_difference < 1e-12


def test_trees_send_missing_numbers_and_categories_their_own_way(people: Any, fit_and_export: Any) -> None:
    used = people.frame[["age", "cat", "visits", "score", "member"]]
    boosting = HistGradientBoostingClassifier(max_iter=20, random_state=0)  # takes the categories of `cat` as they are
    exported = fit_and_export(boosting, used, people.three)
    assert exported.parity.max_difference < 1e-12
    assert (
        len(exported.ask([{"age": None, "cat": "never seen", "visits": 1, "score": 0.5, "member": True}]).predictions)
        == 1
    )
    forest = RandomForestClassifier(10, random_state=0)
    assert fit_and_export(forest, used[["age", "visits"]], people.two).parity.max_difference < 1e-12


def test_a_null_where_training_had_none_is_refused(people: Any, fit_and_export: Any) -> None:
    model = make_pipeline(ColumnTransformer([("e", OneHotEncoder(), ["plan"])]), LogisticRegression())
    exported = fit_and_export(model, people.frame[["plan"]], people.two)
    with pytest.raises(InvalidInputError, match="column 'plan': null came"):
        exported.ask([{"plan": None}])
    with pytest.raises(InvalidInputError, match='does not know the category "d"'):
        exported.ask([{"plan": "d"}])
