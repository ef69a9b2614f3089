"""Steps that are one affine map, distances to centres, kernels against fixed points, or another estimator inside."""

from __future__ import annotations

import copy
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np

from .conversion import Conversion, Prediction
from .curves import interpolate
from .svm import kernel_values
from .table import Table, numbers, select, width_of

_KERNELS = {"rbf": "rbf", "linear": "linear", "poly": "poly", "polynomial": "poly", "sigmoid": "sigmoid"}


def map_affinely(conversion: Conversion, transformer: Any, table: Table) -> Table:
    """FactorAnalysis, FastICA, FeatureAgglomeration by means, random projections, SparsePCA, CCA, PLS: x A + b.

    The map is asked of the transformer itself: what it makes of zero, and of one step along every column.
    """
    graph = conversion.graph
    width = width_of(table)
    if type(transformer).__name__ == "FeatureAgglomeration" and transformer.pooling_func is not np.mean:
        conversion.fail(transformer, table, "it does not pool by the mean", "use pooling_func=np.mean")
    asked = copy.copy(transformer)
    asked._sklearn_output_config = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about feature names, which are ours to keep
        made = asked.transform(np.vstack([np.zeros((1, width)), np.eye(width)]))
    answers = np.asarray(made.toarray() if hasattr(made, "toarray") else made, dtype=np.float64)
    weights = graph.constant(np.ascontiguousarray(answers[1:] - answers[:1]))
    product = graph.op("MatMul", conversion.numbers(transformer, table), weights)
    return numbers(graph.op("Add", product, graph.constant(answers[:1])), answers.shape[1], table)


def measure_distances(conversion: Conversion, clusters: Any, table: Table) -> Table:
    """KMeans, MiniBatchKMeans, BisectingKMeans, Birch: the distance to every centre."""
    graph = conversion.graph
    centres = getattr(clusters, "cluster_centers_", None)
    centres = np.asarray(clusters.subcluster_centers_ if centres is None else centres, dtype=np.float64)
    middle = centres.mean(axis=0, keepdims=True)  # near zero the squares lose fewer digits
    rows = graph.op("Sub", conversion.numbers(clusters, table), graph.constant(middle))
    moved = centres - middle
    twice = graph.op("MatMul", rows, graph.constant(np.ascontiguousarray(2.0 * moved.T)))
    own = graph.sum_columns(graph.op("Mul", rows, rows))
    squared = graph.op("Add", graph.op("Sub", own, twice), graph.constant((moved**2).sum(axis=1)[None, :]))
    above = graph.op("Max", squared, graph.constant(np.array(0.0)))
    return numbers(graph.op("Sqrt", above), len(centres), table)


def sample_fourier(conversion: Conversion, transformer: Any, table: Table) -> Table:
    """RBFSampler."""
    graph = conversion.graph
    weights = np.ascontiguousarray(transformer.random_weights_, dtype=np.float64)
    product = graph.op("MatMul", conversion.numbers(transformer, table), graph.constant(weights))
    moved = graph.op("Add", product, graph.constant(np.asarray(transformer.random_offset_).reshape(1, -1)))
    scale = graph.constant(np.array(np.sqrt(2.0 / weights.shape[1])))
    return numbers(graph.op("Mul", graph.op("Cos", moved), scale), weights.shape[1], table)


def approximate_kernel(conversion: Conversion, transformer: Any, table: Table) -> Table:
    """Nystroem."""
    graph = conversion.graph
    points = np.asarray(transformer.components_, dtype=np.float64)
    similarity = _similarity(conversion, transformer, table, points)
    mixed = np.ascontiguousarray(np.asarray(transformer.normalization_, dtype=np.float64).T)
    return numbers(graph.op("MatMul", similarity, graph.constant(mixed)), mixed.shape[1], table)


def regress_by_kernel(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """KernelRidge."""
    similarity = _similarity(conversion, model, table, np.asarray(model.X_fit_, dtype=np.float64))
    weights = np.asarray(model.dual_coef_, dtype=np.float64).reshape(len(model.X_fit_), -1)
    if weights.shape[1] > 1:
        conversion.fail(model, table, "it predicts several targets at once", "train one model per target")
    return Prediction(values=conversion.graph.op("MatMul", similarity, conversion.graph.constant(weights)))


def regress_by_steps(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """IsotonicRegression: straight lines between its thresholds, level beyond them."""
    if model.out_of_bounds != "clip":
        conversion.fail(model, table, "it has no answer beyond its training range", "set out_of_bounds='clip'")
    corners, heights = (np.asarray(v, dtype=np.float64) for v in (model.X_thresholds_, model.y_thresholds_))
    return Prediction(values=interpolate(conversion.graph, conversion.numbers(model, table), corners, heights))


def predict_selected(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """RFE and RFECV as a model: the inner one, on the columns that were kept."""
    return conversion.predict(
        model.estimator_, select(conversion.graph, table, np.flatnonzero(model.support_).tolist())
    )


def predict_inner(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """SelfTrainingClassifier and FrozenEstimator: the fitted one inside."""
    return conversion.predict(getattr(model, "estimator_", None) or model.estimator, table)


def transform_inner(conversion: Conversion, model: Any, table: Table) -> Table:
    """FrozenEstimator around a transformer."""
    return conversion.transform(model.estimator, table)


def _similarity(conversion: Conversion, model: Any, table: Table, points: Any) -> str:
    if callable(model.kernel) or model.kernel not in _KERNELS:
        conversion.fail(
            model,
            table,
            f"its kernel {'is Python code' if callable(model.kernel) else repr(model.kernel) + ' has no form here'}",
            "use the kernel 'rbf', 'linear', 'poly' or 'sigmoid'",
        )
    kernel = SimpleNamespace(
        kernel=_KERNELS[model.kernel],
        _gamma=1.0 / points.shape[1] if model.gamma is None else model.gamma,
        coef0=1.0 if model.coef0 is None else model.coef0,
        degree=3.0 if model.degree is None else model.degree,
    )
    return kernel_values(conversion.graph, kernel, conversion.numbers(model, table), points)
