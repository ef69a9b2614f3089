"""Numbers that float32 cannot tell apart, thresholds between them, and labels and columns of every type and name."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from snapml_jupyter.export.inputs import GraphInputs

RNG = np.random.default_rng(5)


@pytest.mark.parametrize(
    "model",
    [
        HistGradientBoostingClassifier(max_iter=20, random_state=0),
        RandomForestClassifier(10, random_state=0),
        ExtraTreesClassifier(10, random_state=0),
        DecisionTreeClassifier(random_state=0),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_neighbours_beyond_float32_stay_apart(model: Any, fit_and_export: Any) -> None:
    n = 900
    frame = pd.DataFrame({"seconds": 1.6e9 + np.arange(n) / 1000, "count": 2**30 + np.arange(n)})
    exported = fit_and_export(model, frame, np.arange(n) % 300 < 150)
    assert exported.parity.max_difference < 1e-12
    assert exported.parity.label_agreement == 1.0


def test_whole_numbers_beyond_2_to_the_53_stay_apart(fit_and_export: Any) -> None:
    frame = pd.DataFrame({"id": RNG.choice([2**60, 2**60 + 1, 2**60 + 3], 300), "x": RNG.normal(size=300)})
    columns = ColumnTransformer([("c", OneHotEncoder(handle_unknown="ignore"), ["id"])], remainder="passthrough")
    exported = fit_and_export(
        make_pipeline(columns, LogisticRegression()), frame, (frame["id"] == 2**60 + 1).to_numpy()
    )
    assert exported.parity.max_difference < 1e-12
    known, unknown = exported.ask([{"id": 2**60 + 1, "x": 0.0}, {"id": 2**60 + 2, "x": 0.0}]).probabilities[:, 1]
    assert known > 0.9 > unknown


def test_a_float32_column_rounds_requests_as_it_rounded_training(fit_and_export: Any) -> None:
    frame = pd.DataFrame({"x": np.repeat(np.array([0.1, 0.2], dtype=np.float32), 50)})
    exported = fit_and_export(DecisionTreeClassifier(), frame, np.repeat([False, True], 50))
    values = [0.1, 0.2, float(exported.model.tree_.threshold[0])]
    rounded = pd.DataFrame({"x": np.array(values, dtype=np.float32)})
    assert exported.ask([{"x": value} for value in values]).predictions == exported.model.predict(rounded).tolist()


def test_predictions_of_large_numbers_keep_their_digits(fit_and_export: Any) -> None:
    frame = pd.DataFrame({"x": RNG.normal(size=400), "y": RNG.normal(size=400)})
    target = 1e9 + 1e6 * frame["x"].to_numpy()
    for model in (LinearRegression(), HistGradientBoostingRegressor(max_iter=10)):
        assert fit_and_export(model, frame, target).parity.max_difference < 1e-12


@pytest.mark.parametrize(
    "labels", [["no", "yes"], [False, True], [3, 7], [1.0, 2.0], ["a", "b", "ü"], [1, 2, 3]], ids=str
)
def test_labels_come_back_in_their_own_type(labels: list[Any], fit_and_export: Any) -> None:
    frame = pd.DataFrame({"x": np.arange(90.0)})
    target = np.array(labels, dtype=object if isinstance(labels[0], str) else None)[np.arange(90) * len(labels) // 90]
    exported = fit_and_export(DecisionTreeClassifier(), frame, target)
    answer = exported.ask([{"x": 0}, {"x": 89}])
    assert answer.predictions == [labels[0], labels[-1]]
    assert [type(label) for label in answer.predictions] == [type(labels[0])] * 2
    assert answer.probabilities.shape == (2, len(labels))


def test_columns_may_be_named_like_outputs_or_in_any_script(fit_and_export: Any) -> None:
    frame = pd.DataFrame(
        {
            "label": RNG.normal(size=200),
            "label_input": RNG.normal(size=200),
            "": RNG.integers(0, 9, 200),
            "a:0 /é": RNG.normal(size=200),
            "probabilities": RNG.choice(["p", "q"], 200),
        }
    )
    columns = ColumnTransformer([("c", OneHotEncoder(), ["probabilities"])], remainder="passthrough")
    exported = fit_and_export(make_pipeline(columns, RandomForestClassifier(5)), frame, RNG.random(200) < 0.5)
    assert exported.parity.max_difference < 1e-12
    assert exported.parity.label_agreement == 1.0


def test_a_model_fitted_on_an_array_takes_the_columns_in_order(fit_and_export: Any) -> None:
    frame = pd.DataFrame({"b": RNG.normal(size=200), "a": RNG.normal(size=200) * 9})
    exported = fit_and_export(LogisticRegression(), frame, frame["b"].to_numpy() > 0, fit_on=frame.to_numpy())
    assert exported.parity.max_difference < 1e-12


def test_categories_that_are_numbers_stay_numbers(fit_and_export: Any) -> None:
    frame = pd.DataFrame({"c": pd.Categorical(RNG.integers(1, 5, 300)), "x": RNG.normal(size=300)})
    target = (frame["c"].astype(int) % 2 + frame["x"] > 0.6).to_numpy()
    assert fit_and_export(HistGradientBoostingClassifier(max_iter=10), frame, target).parity.max_difference < 1e-12


def test_trees_of_both_kinds_share_a_graph(people: Any, fit_and_export: Any) -> None:
    numbered = ColumnTransformer([("o", OrdinalEncoder(), ["plan"]), ("v", "passthrough", ["visits"])])
    by_category = make_pipeline(numbered, HistGradientBoostingClassifier(max_iter=5, categorical_features=[0]))
    forest = make_pipeline(ColumnTransformer([("v", "passthrough", ["visits"])]), RandomForestClassifier(5))
    vote = VotingClassifier([("h", by_category), ("f", forest)], voting="soft")
    assert fit_and_export(vote, people.frame, people.three).parity.max_difference < 1e-12


def test_the_graph_says_where_it_comes_from_and_what_it_takes(people: Any, fit_and_export: Any) -> None:
    columns = ColumnTransformer([("e", OneHotEncoder(), ["plan"]), ("n", "passthrough", ["visits"])])
    exported = fit_and_export(make_pipeline(columns, LogisticRegression(max_iter=500)), people.frame, people.two)
    graph = onnx.load_from_string(exported.content)
    written = {item.key: item.value for item in graph.metadata_props}
    assert written["snapml.run_id"] == "r1"
    assert set(written) == {"snapml.run_id", "snapml.version", "snapml.signature", "snapml.columns", "snapml.outputs"}
    inputs = GraphInputs(written)
    assert inputs.signature == exported.signature
    assert [i.name for i in graph.graph.input] == ["visits", "plan"]
    assert [o.name for o in graph.graph.output] == ["label", "probabilities"]
    assert inputs.datatypes["visits"] == "INT64"
    described = msgspec.json.decode(written["snapml.columns"])
    assert next(c for c in described if c["name"] == "plan")["categories"] == ["a", "b", "c"]
    assert len(exported.ask([{"plan": "a", "visits": 3}]).predictions) == 1  # what the model drops may stay away
