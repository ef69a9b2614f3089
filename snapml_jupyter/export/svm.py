"""Support vector machines with two classes or a number to predict: the kernel against every support vector, in double."""

from __future__ import annotations

from typing import Any

import numpy as np

from .conversion import Conversion, Prediction
from .graph import Graph
from .skl2onnx_part import predict_with_skl2onnx
from .table import Table


def classify_support_vectors(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """SVC and NuSVC. More than two classes are voted pair by pair, which skl2onnx knows how to write."""
    graph = conversion.graph
    if len(model.classes_) > 2:
        return predict_with_skl2onnx(conversion, model, table)
    decision = _decision(conversion, model, table)
    above = graph.cast(graph.op("Greater", decision, graph.constant(np.array(0.0))), "int64")
    winner = graph.op("Reshape", above, graph.constant(np.array([-1], dtype=np.int64)))
    probabilities = None
    if model.probability:
        # Platt scaling as libsvm has it, whose decision has the opposite sign.
        a, b = float(np.ravel(model.probA_)[0]), float(np.ravel(model.probB_)[0])
        inner = graph.op("Mul", graph.op("Neg", decision), graph.constant(np.array(a)))
        first = graph.op("Sigmoid", graph.op("Neg", graph.op("Add", inner, graph.constant(np.array(b)))))
        probabilities = graph.concat([first, graph.op("Sub", graph.constant(np.array(1.0)), first)])
    return conversion.classification(model.classes_, probabilities, decision=decision, winner=winner)


def regress_support_vectors(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """SVR and NuSVR."""
    return Prediction(values=_decision(conversion, model, table))


def _decision(conversion: Conversion, model: Any, table: Table) -> str:
    graph = conversion.graph
    if callable(model.kernel) or model.kernel == "precomputed":
        conversion.fail(
            model, table, "its kernel is Python code", "use the kernel 'rbf', 'linear', 'poly' or 'sigmoid'"
        )
    rows = conversion.numbers(model, table)
    weights = np.asarray(_dense(model.dual_coef_), dtype=np.float64).reshape(1, -1)
    vectors = np.asarray(_dense(model.support_vectors_), dtype=np.float64)
    similarity = _kernel(graph, model, rows, vectors)
    product = graph.op("MatMul", similarity, graph.constant(np.ascontiguousarray(weights.T)))
    return graph.op("Add", product, graph.constant(np.asarray(model.intercept_, dtype=np.float64).reshape(1, 1)))


def _kernel(graph: Graph, model: Any, rows: str, vectors: Any) -> str:
    """[rows, support vectors]."""
    product = graph.op("MatMul", rows, graph.constant(np.ascontiguousarray(vectors.T)))
    if model.kernel == "linear":
        return product
    gamma = graph.constant(np.array(float(model._gamma)))
    if model.kernel == "rbf":
        # |x - v|^2 = x.x - 2 x.v + v.v
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
