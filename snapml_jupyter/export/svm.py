"""Support vector machines: the kernel against every support vector, in double."""

from __future__ import annotations

from typing import Any

import numpy as np

from .conversion import Conversion, Prediction
from .graph import Graph
from .skl2onnx_part import predict_with_skl2onnx
from .table import Table


def classify_support_vectors(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """SVC and NuSVC. Probabilities of more than two classes are solved for iteratively, which skl2onnx writes."""
    graph = conversion.graph
    has_probabilities = hasattr(model, "predict_proba")
    if len(model.classes_) > 2:
        if has_probabilities:
            return predict_with_skl2onnx(conversion, model, table)
        return _classify_by_pairs(conversion, model, table)
    decision = _decision(conversion, model, table, np.asarray(_dense(model.dual_coef_)).T)
    above = graph.cast(graph.op("Greater", decision, graph.constant(np.array(0.0))), "int64")
    winner = graph.op("Reshape", above, graph.constant(np.array([-1], dtype=np.int64)))
    probabilities = None
    if has_probabilities:
        # Platt scaling as libsvm has it, whose decision has the opposite sign.
        a, b = (graph.constant(np.array(float(np.ravel(fitted)[0]))) for fitted in (model._probA, model._probB))
        inner = graph.op("Add", graph.op("Mul", graph.op("Neg", decision), a), b)
        first = graph.op("Sigmoid", graph.op("Neg", inner))
        probabilities = graph.concat([first, graph.op("Sub", graph.constant(np.array(1.0)), first)])
    return conversion.classification(model.classes_, probabilities, decision=decision, winner=winner)


def regress_support_vectors(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """SVR and NuSVR."""
    return Prediction(values=_decision(conversion, model, table, np.asarray(_dense(model.dual_coef_)).T))


def _classify_by_pairs(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """One decision for each pair of classes; the class that wins most pairs, the first of equals.

    The decision per class adds confidences to the votes, as `sklearn.multiclass._ovr_decision_function`.
    """
    graph = conversion.graph
    n_classes = len(model.classes_)
    pairs = [(i, j) for i in range(n_classes) for j in range(i + 1, n_classes)]
    coefficients = np.asarray(_dense(model.dual_coef_))
    ends = np.cumsum(model.n_support_)
    owned = [slice(end - count, end) for end, count in zip(ends, model.n_support_, strict=True)]
    weights = np.zeros((coefficients.shape[1], len(pairs)))
    votes_won, votes_lost, confidence = (np.zeros((len(pairs), n_classes)) for _ in range(3))
    for pair, (i, j) in enumerate(pairs):
        weights[owned[i], pair] = coefficients[j - 1, owned[i]]
        weights[owned[j], pair] = coefficients[i, owned[j]]
        votes_won[pair, i] = votes_lost[pair, j] = confidence[pair, i] = 1.0
        confidence[pair, j] = -1.0
    decision = _decision(conversion, model, table, weights)
    zero = graph.constant(np.array(0.0))
    lost = graph.cast(graph.op("Less", decision, zero), "double")
    not_lost = graph.op("Sub", graph.constant(np.array(1.0)), lost)
    won = graph.cast(graph.op("Greater", decision, zero), "double")
    not_won = graph.op("Sub", graph.constant(np.array(1.0)), won)

    def count(first: str, second: str) -> str:
        return graph.op(
            "Add",
            graph.op("MatMul", first, graph.constant(votes_won)),
            graph.op("MatMul", second, graph.constant(votes_lost)),
        )

    total = graph.op("MatMul", decision, graph.constant(confidence))
    size = graph.op("Add", graph.op("Abs", total), graph.constant(np.array(1.0)))
    share = graph.op("Div", total, graph.op("Mul", size, graph.constant(np.array(3.0))))
    per_class = graph.op("Add", count(not_lost, lost), share)
    votes = per_class if model.break_ties else count(won, not_won)
    winner = graph.op("ArgMax", votes, axis=1, keepdims=0)
    return conversion.classification(model.classes_, None, decision=per_class, winner=winner)


def _decision(conversion: Conversion, model: Any, table: Table, weights: Any) -> str:
    """[rows, columns of weights]: the kernel with every support vector, weighted and shifted."""
    graph = conversion.graph
    if callable(model.kernel) or model.kernel == "precomputed":
        conversion.fail(
            model, table, "its kernel is Python code", "use the kernel 'rbf', 'linear', 'poly' or 'sigmoid'"
        )
    rows = conversion.numbers(model, table)
    vectors = np.asarray(_dense(model.support_vectors_), dtype=np.float64)
    similarity = kernel_values(graph, model, rows, vectors)
    weighted = graph.op("MatMul", similarity, graph.constant(np.ascontiguousarray(weights, dtype=np.float64)))
    return graph.op("Add", weighted, graph.constant(np.asarray(model.intercept_, dtype=np.float64).reshape(1, -1)))


def kernel_values(graph: Graph, model: Any, rows: str, vectors: Any) -> str:
    """[rows, support vectors]."""
    if model.kernel == "rbf":
        # Distances do not change when everything is moved; near zero, x.x - 2 x.v + v.v loses no digits.
        centre = vectors.mean(axis=0, keepdims=True)
        rows, vectors = graph.op("Sub", rows, graph.constant(centre)), vectors - centre
    product = graph.op("MatMul", rows, graph.constant(np.ascontiguousarray(vectors.T)))
    if model.kernel == "linear":
        return product
    gamma = graph.constant(np.array(float(model._gamma)))
    if model.kernel == "rbf":
        own = graph.sum_columns(graph.op("Mul", rows, rows))
        twice = graph.op("Mul", product, graph.constant(np.array(2.0)))
        squared = graph.op("Add", graph.op("Sub", own, twice), graph.constant((vectors**2).sum(axis=1)[None, :]))
        return graph.op("Exp", graph.op("Neg", graph.op("Mul", gamma, squared)))
    inner = graph.op("Add", graph.op("Mul", gamma, product), graph.constant(np.array(float(model.coef0))))
    if model.kernel == "sigmoid":
        return graph.op("Tanh", inner)
    return graph.op("Pow", inner, graph.constant(np.array(float(model.degree))))


def _dense(values: Any) -> Any:
    return values.toarray() if hasattr(values, "toarray") else values
