"""Models that are one matrix product and a link function. Always in double."""

from __future__ import annotations

from typing import Any

import numpy as np

from .conversion import Conversion, Prediction
from .table import Table


def predict_linear(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """Linear regressors: LinearRegression, Ridge, Lasso, ElasticNet, LinearSVR, SGDRegressor, ..."""
    return Prediction(values=_scores(conversion, model, table))


def predict_log_linear(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """Generalised linear models with a log link: Poisson, Gamma, Tweedie."""
    scores = _scores(conversion, model, table)
    link = type(getattr(model, "_base_loss", None) and model._base_loss.link).__name__
    return Prediction(values=scores if link == "IdentityLink" else conversion.graph.op("Exp", scores))


def classify_logistic(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """LogisticRegression: the logistic function for two classes, softmax for more."""
    graph = conversion.graph
    scores = _scores(conversion, model, table)
    if len(model.classes_) == 2:
        probabilities = conversion.two_columns(graph.op("Sigmoid", scores))
    elif getattr(model, "multi_class", "auto") == "ovr" or model.solver == "liblinear":
        probabilities = _one_against_rest(conversion, graph.op("Sigmoid", scores))
    else:
        probabilities = graph.op("Softmax", scores, axis=1)
    return conversion.classification(
        model.classes_, probabilities, decision=scores, winner=_winner_by_score(conversion, model, scores)
    )


def classify_by_score(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """Linear classifiers without probabilities: RidgeClassifier, LinearSVC, Perceptron, SGD with hinge loss, ..."""
    scores = _scores(conversion, model, table)
    probabilities = None
    if type(model).__name__ == "SGDClassifier":
        if model.loss == "log_loss":
            positive = conversion.graph.op("Sigmoid", scores)
            probabilities = (
                conversion.two_columns(positive)
                if len(model.classes_) == 2
                else _one_against_rest(conversion, positive)
            )
        elif model.loss == "modified_huber":
            conversion.fail(model, table, "the loss 'modified_huber' has no form here", "train with loss='log_loss'")
    return conversion.classification(
        model.classes_, probabilities, decision=scores, winner=_winner_by_score(conversion, model, scores)
    )


def predict_constant(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """DummyClassifier and DummyRegressor: the same answer for every row, the baseline to beat."""
    graph = conversion.graph
    entered = [piece for piece in table if piece.kind != "datetime"]
    if not entered or getattr(model, "strategy", "") in ("stratified", "uniform"):
        conversion.fail(model, table, "its answers are drawn at random", "use strategy='prior' or 'most_frequent'")
    if hasattr(model, "classes_"):
        answer = np.asarray(model.predict_proba(np.zeros((1, 1))), dtype=np.float64)
    else:
        answer = np.asarray(model.constant_, dtype=np.float64).reshape(1, -1)
    n_rows = graph.op("Shape", entered[0].tensor, start=0, end=1)
    one = graph.constant(np.array([1], dtype=np.int64))
    repeated = graph.op("Expand", graph.constant(answer), graph.op("Concat", n_rows, one, axis=0))
    if hasattr(model, "classes_"):
        return conversion.classification(model.classes_, repeated)
    return Prediction(values=repeated)


def _scores(conversion: Conversion, model: Any, table: Table) -> str:
    graph = conversion.graph
    weights = np.asarray(model.coef_, dtype=np.float64)
    if weights.ndim == 2 and weights.shape[0] > 1 and not hasattr(model, "classes_"):
        conversion.fail(model, table, "it predicts several targets at once", "train one model per target")
    weights = weights.reshape(-1, weights.shape[-1])
    product = graph.op("MatMul", conversion.numbers(model, table), graph.constant(np.ascontiguousarray(weights.T)))
    return graph.op("Add", product, graph.constant(np.asarray(model.intercept_, dtype=np.float64).reshape(1, -1)))


def _one_against_rest(conversion: Conversion, positive: str) -> str:
    graph = conversion.graph
    return graph.op("Div", positive, graph.sum_columns(positive))


def _winner_by_score(conversion: Conversion, model: Any, scores: str) -> str:
    graph = conversion.graph
    if len(model.classes_) > 2:
        return graph.op("ArgMax", scores, axis=1, keepdims=0)
    above = graph.cast(graph.op("Greater", scores, graph.constant(np.array(0.0))), "int64")
    return graph.op("Reshape", above, graph.constant(np.array([-1], dtype=np.int64)))
