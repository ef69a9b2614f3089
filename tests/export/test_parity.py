"""The proof itself: it passes when the graph is right, and shows where it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import numpy_helper
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from snapml_jupyter.domain.errors import InvalidInputError
from snapml_jupyter.export.parity import check_parity

FRAME = pd.DataFrame({"x": np.linspace(-3, 3, 101), "y": np.linspace(5, -5, 101)})


def nudged(content: bytes, by: float) -> bytes:
    """The graph with every fitted number moved a little."""
    model = onnx.load_from_string(content)
    for constant in model.graph.initializer:
        if constant.data_type == onnx.TensorProto.DOUBLE and constant.dims:
            values = numpy_helper.to_array(constant) + by
            constant.CopyFrom(numpy_helper.from_array(values, constant.name))
    return bytes(model.SerializeToString())


def test_a_wrong_graph_fails_and_names_its_worst_rows(fit_and_export: Any) -> None:
    good = fit_and_export(LogisticRegression(), FRAME, FRAME["x"].to_numpy() > 0.5)
    assert good.parity.passed
    bad = check_parity(good.model, nudged(good.content, 0.01), FRAME, good.signature, 1e-5)
    assert not bad.passed
    assert 1e-4 < bad.max_difference < 0.1
    assert len(bad.worst_rows) == 5
    given = good.model.predict_proba(FRAME.iloc[bad.worst_rows])[:, 1]
    assert np.abs(given - 0.5).max() < 0.5


def test_a_difference_within_the_tolerance_passes(fit_and_export: Any) -> None:
    good = fit_and_export(LogisticRegression(), FRAME, FRAME["x"].to_numpy() > 0.5)
    assert check_parity(good.model, nudged(good.content, 1e-7), FRAME, good.signature, 1e-5).passed


def test_predictions_are_compared_relative_above_one(fit_and_export: Any) -> None:
    target = 1e6 * (FRAME["x"].to_numpy() + 10)
    good = fit_and_export(LinearRegression(), FRAME, target)
    assert check_parity(good.model, nudged(good.content, 1.0), FRAME, good.signature, 1e-5).max_difference < 1e-5
    assert not check_parity(good.model, nudged(good.content, 1e3), FRAME, good.signature, 1e-5).passed


def test_a_tie_counts_as_agreement_only_when_probabilities_are_within_the_tolerance(fit_and_export: Any) -> None:
    tied = pd.DataFrame({"x": [0.0, 0.0, 1.0, 1.0]})
    good = fit_and_export(DecisionTreeClassifier(max_depth=1, min_samples_leaf=4), tied, [False, True, False, True])
    assert good.parity.label_agreement == 1.0
    flipped = onnx.load_from_string(good.content)
    for constant in flipped.graph.initializer:
        if constant.data_type == onnx.TensorProto.BOOL:  # the labels
            constant.CopyFrom(numpy_helper.from_array(np.array([True, False]), constant.name))
    other = check_parity(good.model, flipped.SerializeToString(), tied, good.signature, 1e-5)
    assert other.label_agreement == 1.0  # 0.5 and 0.5: either label is right
    clear = fit_and_export(DecisionTreeClassifier(), FRAME, FRAME["x"].to_numpy() > 0)
    model = onnx.load_from_string(clear.content)
    for constant in model.graph.initializer:
        if constant.data_type == onnx.TensorProto.BOOL:
            constant.CopyFrom(numpy_helper.from_array(np.array([True, False]), constant.name))
    wrong = check_parity(clear.model, model.SerializeToString(), FRAME, clear.signature, 1e-5)
    assert wrong.max_difference == 0.0
    assert wrong.label_agreement == 0.0
    assert not wrong.passed


def test_a_classifier_without_probabilities_is_judged_by_its_labels(fit_and_export: Any) -> None:
    exported = fit_and_export(LinearSVC(), FRAME, FRAME["x"].to_numpy() > 0.5)
    assert exported.parity.passed
    assert exported.ask([{"x": 3.0, "y": -5.0}]).probabilities is None


def test_no_rows_prove_nothing(fit_and_export: Any) -> None:
    good = fit_and_export(LogisticRegression(), FRAME, FRAME["x"].to_numpy() > 0.5)
    with pytest.raises(InvalidInputError, match="no rows to compare"):
        check_parity(good.model, good.content, FRAME.head(0), good.signature, 1e-5)
    with pytest.raises(InvalidInputError, match="The frame has no column 'y'"):
        check_parity(good.model, good.content, FRAME[["x"]], good.signature, 1e-5)
