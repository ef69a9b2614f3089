"""Models made of models: voting, stacking, calibration, bagging, boosting of classifiers, thresholds, scaled targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from .conversion import Conversion, Prediction
from .scalers import FUNCTIONS, scale_by_maximum, scale_robust, scale_standard
from .table import Table, numbers, select


def vote(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """VotingClassifier and VotingRegressor."""
    graph = conversion.graph
    members = [fitted for fitted in model.estimators_ if fitted != "drop"]
    answers = [conversion.predict(member, table) for member in members]
    weights = model._weights_not_none
    weights = np.ones(len(members)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not hasattr(model, "classes_"):
        return Prediction(values=_weighted_mean(conversion, [_values(answer) for answer in answers], weights))
    if model.voting == "soft":
        shares = [_probabilities(conversion, model, table, answer) for answer in answers]
        return conversion.classification(model.classes_, _weighted_mean(conversion, shares, weights))
    votes = [_one_hot(conversion, answer, len(model.classes_)) for answer in answers]
    counted = _weighted_mean(conversion, votes, weights)
    return conversion.classification(model.classes_, None, winner=graph.op("ArgMax", counted, axis=1, keepdims=0))


def stack(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """StackingClassifier and StackingRegressor: the members' answers are the last model's columns."""
    graph = conversion.graph
    pieces: Table = []
    members = [fitted for fitted in model.estimators_ if fitted != "drop"]
    for member, method in zip(members, model.stack_method_, strict=True):
        answer = conversion.predict(member, table)
        if method == "predict_proba":
            tensor = _probabilities(conversion, model, table, answer)
            n_classes = len(member.classes_)
            # Of two classes the first says nothing that the second does not.
            kept = [1] if n_classes == 2 else list(range(n_classes))
            pieces.extend(numbers(graph.take_columns(tensor, kept), len(kept), table))
        elif method == "decision_function" and answer.decision is not None:
            n_classes = len(member.classes_)
            pieces.extend(numbers(answer.decision, 1 if n_classes == 2 else n_classes, table))
        elif method == "predict" and answer.values is not None:
            pieces.extend(numbers(answer.values, 1, table))
        else:
            conversion.fail(member, table, f"stacking uses its {method}, which has no form here", "set stack_method")
    if model.passthrough:
        pieces.extend(table)
    answer = conversion.predict(model.final_estimator_, pieces)
    if not hasattr(model, "classes_"):
        return answer
    return conversion.classification(
        model.classes_, answer.probabilities, decision=answer.decision, winner=answer.winner
    )


def calibrate(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """CalibratedClassifierCV: the mean of the calibrated classifiers."""
    shares = [_calibrated(conversion, one, table) for one in model.calibrated_classifiers_]
    return conversion.classification(model.classes_, _weighted_mean(conversion, shares, np.ones(len(shares))))


def bag(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """BaggingClassifier and BaggingRegressor: the mean of members that may see some of the columns each."""
    graph = conversion.graph
    matrix = numbers(conversion.numbers(model, table), model.n_features_in_, table)
    shares = []
    for member, positions in zip(model.estimators_, model.estimators_features_, strict=True):
        answer = conversion.predict(member, select(graph, matrix, [int(position) for position in positions]))
        if not hasattr(model, "classes_"):
            shares.append(_values(answer))
            continue
        n_classes = len(model.classes_)
        own = (
            _one_hot(conversion, answer, len(member.classes_)) if answer.probabilities is None else answer.probabilities
        )
        seen = [int(label) for label in member.classes_]  # positions among all classes; a sample may lack some
        if seen != list(range(n_classes)):
            spread = np.zeros((len(seen), n_classes))
            spread[np.arange(len(seen)), seen] = 1.0
            own = graph.op("MatMul", own, graph.constant(spread))
        shares.append(own)
    mean = _weighted_mean(conversion, shares, np.ones(len(shares)))
    return conversion.classification(model.classes_, mean) if hasattr(model, "classes_") else Prediction(values=mean)


def boost_classifiers(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """AdaBoostClassifier (SAMME): weighted votes, made into probabilities by softmax."""
    graph = conversion.graph
    n_classes = len(model.classes_)
    votes = []
    for member in model.estimators_:
        hot = _one_hot(conversion, conversion.predict(member, table), n_classes)
        # A vote for one class counts against the others.
        votes.append(
            graph.op("Where", graph.cast(hot, "bool"), _number(graph, 1.0), _number(graph, -1 / (n_classes - 1)))
        )
    weights = np.asarray(model.estimator_weights_, dtype=np.float64)[: len(votes)]
    decision = _weighted_mean(conversion, votes, weights)
    if n_classes == 2:
        probabilities = conversion.two_columns(
            graph.op("Sigmoid", graph.op("Mul", graph.take_columns(decision, [1]), _number(graph, 2.0)))
        )
    else:
        probabilities = graph.op("Softmax", graph.op("Div", decision, _number(graph, n_classes - 1.0)), axis=1)
    return conversion.classification(model.classes_, probabilities)


def move_threshold(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """FixedThresholdClassifier and TunedThresholdClassifierCV: the model's probabilities, another line between labels."""
    graph = conversion.graph
    answer = conversion.predict(model.estimator_, table)
    threshold = getattr(model, "best_threshold_", getattr(model, "threshold", "auto"))
    threshold = 0.5 if threshold == "auto" else float(threshold)
    if answer.probabilities is None or model.response_method == "decision_function":
        conversion.fail(model, table, "it compares scores, not probabilities", "set response_method='predict_proba'")
    label = getattr(model, "pos_label", None)
    if label is None:
        label = getattr(getattr(model, "_curve_scorer", None), "_get_pos_label", lambda: None)()
    position = 1 if label is None else [str(c) for c in model.classes_].index(str(label))
    above = graph.op("GreaterOrEqual", graph.take_columns(answer.probabilities, [position]), _number(graph, threshold))
    places = graph.constant(np.array([1 - position, position], dtype=np.int64))
    flat = graph.op("Reshape", graph.cast(above, "int64"), graph.constant(np.array([-1], dtype=np.int64)))
    return conversion.classification(model.classes_, answer.probabilities, winner=graph.op("Gather", places, flat))


def scale_back(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """TransformedTargetRegressor: the inner regressor's answer, its target transformed back."""
    graph = conversion.graph
    values = _values(conversion.predict(model.regressor_, table))
    inverse = model.transformer_
    kind = type(inverse).__name__
    if kind == "FunctionTransformer":
        function = inverse.inverse_func
        if function is None:
            return Prediction(values=values)
        if isinstance(function, np.ufunc) and function.__name__ in FUNCTIONS:
            return Prediction(values=FUNCTIONS[function.__name__](graph, values))
    back = {scale_standard: ("scale_", "mean_"), scale_robust: ("scale_", "center_"), scale_by_maximum: ("scale_", "")}
    names = {"StandardScaler": scale_standard, "RobustScaler": scale_robust, "MaxAbsScaler": scale_by_maximum}
    if kind in names:
        factor, shift = back[names[kind]]
        if getattr(inverse, factor, None) is not None:
            values = graph.op("Mul", values, graph.constant(np.asarray(getattr(inverse, factor)).reshape(1, -1)))
        if shift and getattr(inverse, shift, None) is not None:
            values = graph.op("Add", values, graph.constant(np.asarray(getattr(inverse, shift)).reshape(1, -1)))
        return Prediction(values=values)
    conversion.fail(
        model,
        table,
        f"its target is transformed back by {kind}, which has no form here",
        "use a numpy function such as np.expm1 as inverse_func, or StandardScaler",
    )


def _calibrated(conversion: Conversion, one: Any, table: Table) -> str:
    graph = conversion.graph
    answer = conversion.predict(one.estimator, table)
    n_classes = len(one.classes)
    if hasattr(one.estimator, "decision_function") and answer.decision is not None:
        scores = answer.decision
    else:
        shares = _probabilities(conversion, one.estimator, table, answer)
        scores = graph.take_columns(shares, [1]) if n_classes == 2 else shares
    if one.method == "temperature":
        return _tempered(conversion, one, scores, answer)
    columns = []
    for position, calibrator in enumerate(one.calibrators):
        column = scores if len(one.calibrators) == 1 else graph.take_columns(scores, [position])
        columns.append(_calibrated_column(conversion, calibrator, column))
    if n_classes == 2:
        return conversion.two_columns(columns[0])
    shares = graph.concat(columns)
    total = graph.sum_columns(shares)
    empty = graph.op("Equal", total, _number(graph, 0.0))
    mean = graph.op("Div", shares, graph.op("Where", empty, _number(graph, 1.0), total))
    return graph.op("Where", empty, _number(graph, 1 / n_classes), mean)


def _calibrated_column(conversion: Conversion, calibrator: Any, scores: str) -> str:
    graph = conversion.graph
    if type(calibrator).__name__ == "_SigmoidCalibration":
        inner = graph.op("Add", graph.op("Mul", scores, _number(graph, calibrator.a_)), _number(graph, calibrator.b_))
        return graph.op("Sigmoid", graph.op("Neg", inner))
    x = np.asarray(calibrator.X_thresholds_, dtype=np.float64)
    y = np.asarray(calibrator.y_thresholds_, dtype=np.float64)
    if len(x) == 1:
        return graph.op("Add", graph.op("Mul", scores, _number(graph, 0.0)), _number(graph, y[0]))
    clipped = graph.op("Clip", scores, _number(graph, x[0]), _number(graph, x[-1]))
    # The segment a score falls in: how many of the inner corners lie below it.
    below = graph.cast(graph.op("Greater", clipped, graph.constant(x[None, 1:-1])), "int64") if len(x) > 2 else None
    if below is None:
        segment = graph.cast(graph.op("Mul", scores, _number(graph, 0.0)), "int64")
    else:
        segment = graph.sum_columns(below)
    slope = np.diff(y) / np.diff(x)
    at_x, at_y, rise = (graph.op("Gather", graph.constant(values), segment) for values in (x[:-1], y[:-1], slope))
    return graph.op("Add", at_y, graph.op("Mul", rise, graph.op("Sub", clipped, at_x)))


def _tempered(conversion: Conversion, one: Any, scores: str, answer: Prediction) -> str:
    graph = conversion.graph
    inverse = _number(graph, float(one.calibrators[0].beta_))
    uses_probabilities = answer.decision is None or not hasattr(one.estimator, "decision_function")
    if uses_probabilities and answer.probabilities is not None:
        tiny = _number(graph, 1e-12)  # what scikit-learn adds before the logarithm
        logits = graph.op("Log", graph.op("Add", answer.probabilities, tiny))
        return graph.op("Softmax", graph.op("Mul", logits, inverse), axis=1)
    scaled = graph.op("Mul", scores, inverse)
    if len(one.classes) == 2:
        # softmax of (-x, x)
        return conversion.two_columns(graph.op("Sigmoid", graph.op("Mul", scaled, _number(graph, 2.0))))
    return graph.op("Softmax", scaled, axis=1)


def _weighted_mean(conversion: Conversion, tensors: list[str], weights: Any) -> str:
    graph = conversion.graph
    if len(tensors) == 1:
        return tensors[0]
    if (weights != 1).any():
        tensors = [
            graph.op("Mul", tensor, _number(graph, weight)) for tensor, weight in zip(tensors, weights, strict=True)
        ]
    return graph.op("Div", graph.op("Sum", *tensors), _number(graph, float(weights.sum())))


def _one_hot(conversion: Conversion, answer: Prediction, n_classes: int) -> str:
    """The predicted class as a row of zeros and a one, [rows, classes]."""
    graph = conversion.graph
    assert answer.winner is not None
    column = graph.op("Reshape", answer.winner, graph.constant(np.array([-1, 1], dtype=np.int64)))
    places = graph.constant(np.arange(n_classes, dtype=np.int64)[None, :])
    return graph.cast(graph.op("Equal", column, places), "double")


def _probabilities(conversion: Conversion, model: Any, table: Table, answer: Prediction) -> str:
    if answer.probabilities is None:
        conversion.fail(model, table, "a model inside it has no probabilities", "use models that have predict_proba")
    return answer.probabilities


def _values(answer: Prediction) -> str:
    assert answer.values is not None
    return answer.values


def _number(graph: Any, value: float) -> str:
    found: str = graph.constant(np.array(float(value)))
    return found
