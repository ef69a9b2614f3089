"""Estimators that hold other estimators in order: pipelines, column transformers, unions, searches."""

from __future__ import annotations

from typing import Any

from .conversion import Conversion, Prediction
from .table import Table, select, width_of


def transform_pipeline(conversion: Conversion, pipeline: Any, table: Table) -> Table:
    """Every step, the last one too."""
    for name, step in pipeline.steps:
        if step is not None:
            with conversion.step(name):
                table = conversion.transform(step, table)
    return table


def predict_pipeline(conversion: Conversion, pipeline: Any, table: Table) -> Prediction:
    """Every step but the last transforms, the last predicts."""
    for name, step in pipeline.steps[:-1]:
        if step is not None:
            with conversion.step(name):
                table = conversion.transform(step, table)
    name, last = pipeline.steps[-1]
    with conversion.step(name):
        return conversion.predict(last, table)


def transform_columns(conversion: Conversion, transformer: Any, table: Table) -> Table:
    """ColumnTransformer: each fitted transformer on its columns, the results side by side; dropped ones vanish.

    Columns are found by position: the table has the order of the data the transformer was fitted on.
    """
    pieces: Table = []
    positions = transformer._transformer_to_input_indices
    weights = transformer.transformer_weights or {}
    for name, fitted, _ in transformer.transformers_:
        if isinstance(fitted, str) and fitted == "drop":
            continue
        with conversion.step(name):
            made = conversion.transform(fitted, select(conversion.graph, table, list(positions[name])))
            pieces.extend(_weighted(conversion, fitted, made, weights.get(name)))
    return pieces


def transform_union(conversion: Conversion, union: Any, table: Table) -> Table:
    """FeatureUnion: every transformer on all columns."""
    pieces: Table = []
    weights = union.transformer_weights or {}
    for name, fitted in union.transformer_list:
        with conversion.step(name):
            made = conversion.transform(fitted, table)
            pieces.extend(_weighted(conversion, fitted, made, weights.get(name)))
    return pieces


def predict_best(conversion: Conversion, search: Any, table: Table) -> Prediction:
    """A finished hyper-parameter search answers with its best estimator."""
    if not hasattr(search, "best_estimator_"):
        conversion.fail(search, table, "it kept no estimator", "search with refit=True")
    return conversion.predict(search.best_estimator_, table)


def _weighted(conversion: Conversion, fitted: Any, table: Table, weight: float | None) -> Table:
    if weight is None or not table:
        return table
    from .table import numbers

    graph = conversion.graph
    scaled = graph.op("Mul", conversion.numbers(fitted, table), graph.constant(float(weight)))
    return numbers(scaled, width_of(table), table)
