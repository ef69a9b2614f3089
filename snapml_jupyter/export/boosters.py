"""What LightGBM and XGBoost have in common: their columns as one matrix, and what their raw scores are turned into.

Both are read from their own text formats, so that neither library is needed to convert, and their trees become the same
operator as scikit-learn's (see `trees.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .conversion import Conversion, Prediction
from .encoders import look_up
from .table import Piece, Table, numbers, single_columns, width_of


def booster_matrix(
    conversion: Conversion, model: Any, table: Table, categories: Mapping[int, Sequence[Any]], n_features: int
) -> str:
    """All columns as one double matrix; those in `categories` (by position) as the positions of their categories.

    A missing or unknown category is NaN, as both libraries have it. Raises ExportError for text without categories, and
    when the table has another number of columns than the model.
    """
    if width_of(table) != n_features:
        conversion.fail(
            model,
            table,
            f"it was fitted on {n_features} columns, and {width_of(table)} come in here",
            "log the model with the frame it was fitted on as example",
        )
    if not categories:
        return conversion.numbers(model, table)
    coded: Table = []
    for position, piece in enumerate(single_columns(conversion.graph, table)):
        coded.append(_coded(conversion, model, piece, categories[position]) if position in categories else piece)
    return conversion.numbers(model, coded)


def from_scores(conversion: Conversion, model: Any, raw: str, link: str, scale: float = 1.0) -> Prediction:
    """The answer from raw scores [rows, targets]: `link` is identity, square, exp, log1p_exp, sigmoid, sigmoids or softmax.

    For a classifier the classes are the model's own, or the signature's labels; `scale` is the sigmoid's steepness.
    """
    graph = conversion.graph
    if link == "sigmoid" or link == "sigmoids":
        steep = raw if scale == 1.0 else graph.op("Mul", raw, graph.constant(np.array(scale)))
        values = graph.op("Sigmoid", steep)
    elif link == "softmax":
        values = graph.op("Softmax", raw, axis=1)
    elif link == "exp":
        values = graph.op("Exp", raw)
    elif link == "log1p_exp":
        values = graph.op("Log", graph.op("Add", graph.op("Exp", raw), graph.constant(np.array(1.0))))
    elif link == "square":
        values = graph.op("Mul", raw, graph.op("Abs", raw))
    else:
        values = raw
    classes = classes_of(conversion, model)
    if classes is None:
        return Prediction(values=values)
    if link == "sigmoid":
        values = conversion.two_columns(values)
    return conversion.classification(classes, values, decision=raw)


def classes_of(conversion: Conversion, model: Any) -> Any:
    """The model's classes, the signature's labels for a model that keeps none, None for a regression."""
    labels = conversion.signature.labels if conversion.signature else None
    own = getattr(model, "classes_", None) if hasattr(model, "fit") else labels
    return None if own is None else np.asarray(own)


def _coded(conversion: Conversion, model: Any, piece: Piece, categories: Sequence[Any]) -> Piece:
    graph = conversion.graph
    places = look_up(conversion, model, piece, list(categories), list(range(len(categories))), len(categories))
    table = graph.constant(np.array([*range(len(categories)), np.nan], dtype=np.float64))
    return numbers(graph.op("Gather", table, places, axis=0), 1, [piece])[0]
