"""LightGBM: classifier, regressor and Booster, read from the text that LightGBM itself saves.

Thresholds and leaves are doubles there and in the graph, so the answers agree to rounding.
Format and decisions: https://github.com/microsoft/LightGBM/blob/master/include/LightGBM/tree.h
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .boosters import booster_matrix, classes_of, from_scores
from .conversion import Conversion, Prediction
from .table import Table
from .trees import Tree, sum_trees

#: Bits of a node's decision type: by category, missing goes left, then what counts as missing.
_BY_CATEGORY, _MISSING_LEFT = 1, 2
_NO_MISSING, _ZERO_MISSING = 0, 1

#: LightGBM takes numbers this near to zero for zero.
_ZERO = float(np.float32(1e-35))

_LINKS = {
    "binary": "sigmoid",
    "multiclass": "softmax",
    "multiclassova": "sigmoids",
    "cross_entropy": "sigmoid",
    "cross_entropy_lambda": "log1p_exp",
    "poisson": "exp",
    "gamma": "exp",
    "tweedie": "exp",
} | dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape"), "identity")


def predict_lightgbm(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """LGBMClassifier, LGBMRegressor or a Booster, up to its best iteration as its own predict does."""
    graph = conversion.graph
    booster = getattr(model, "booster_", model)
    header, blocks = _parse(booster.model_to_string(num_iteration=None))
    objective, *options = header.get("objective", "").split() or ["custom"]
    if objective not in _LINKS:
        conversion.fail(
            model,
            table,
            f"what its objective '{objective}' makes of raw scores is not known here",
            "train with an objective such as binary, multiclass, regression, poisson or tweedie",
        )
    if any(block.get("is_linear", "0") == "1" for block in blocks):
        conversion.fail(model, table, "its leaves hold linear models", "train with linear_tree=False")
    n_targets = int(header["num_tree_per_iteration"])
    categories = _categories(conversion, model, booster, table)
    matrix = booster_matrix(conversion, model, table, categories, int(header["max_feature_idx"]) + 1)
    trees = [_tree(block, number % n_targets) for number, block in enumerate(blocks)]
    by_category = sorted({int(tree.feature[node]) for tree in trees for node in tree.members})
    matrix = _whole_categories(conversion, matrix, [f for f in by_category if f not in categories], header)
    matrix = _zeros_missing(conversion, model, table, matrix, blocks, int(header["max_feature_idx"]) + 1)
    raw = sum_trees(conversion, matrix, trees, n_targets)
    if "average_output" in header:
        raw = graph.op("Div", raw, graph.constant(np.array(len(trees) / n_targets)))
    link = "square" if "sqrt" in options else _LINKS[objective]
    if (link in ("sigmoid", "softmax", "sigmoids")) < (classes_of(conversion, model) is not None):
        conversion.fail(model, table, f"its objective '{objective}' gives no probabilities", "train with binary")
    steepness = next((float(o.partition(":")[2]) for o in options if o.startswith("sigmoid:")), 1.0)
    return from_scores(conversion, model, raw, link, steepness)


def _parse(text: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The header and every tree as `key=value` pairs; a flag without a value is its own key."""
    header: dict[str, str] = {}
    blocks: list[dict[str, str]] = []
    current = header
    for line in text.splitlines():
        if line == "end of trees":
            break
        key, _, value = line.partition("=")
        if key == "Tree":
            current = {}
            blocks.append(current)
        elif key:
            current[key] = value
    return header, blocks


def _tree(block: dict[str, str], target: int) -> Tree:
    leaves = _numbers(block["leaf_value"], np.float64)
    n_inner = len(leaves) - 1
    if n_inner == 0:
        feature = threshold = np.zeros(0)
        decision = left = right = np.zeros(0, dtype=np.int64)
    else:
        feature = _numbers(block["split_feature"], np.int64)
        threshold = _numbers(block["threshold"], np.float64)
        decision = _numbers(block["decision_type"], np.int64)
        left = _numbers(block["left_child"], np.int64)
        right = _numbers(block["right_child"], np.int64)
    by_category = (decision & _BY_CATEGORY) != 0
    members: dict[int, list[int]] = {}
    if by_category.any():
        bounds = _numbers(block["cat_boundaries"], np.int64)
        words = _numbers(block["cat_threshold"], np.int64)
        for node in np.flatnonzero(by_category).tolist():
            place = int(threshold[node])  # a split by category keeps the number of its set there
            members[node] = _bits(words[bounds[place] : bounds[place + 1]])
    # Without missing values in training, a missing one counts as zero.
    as_zero = (decision >> 2) == _NO_MISSING
    missing_left = np.where(as_zero, threshold >= 0.0, (decision & _MISSING_LEFT) != 0)
    missing_left = np.where(by_category, False, missing_left)
    padding = np.zeros(len(leaves))
    return Tree(
        feature=np.concatenate([feature, padding]).astype(np.int64),
        # A category set that is empty sends nothing left: a threshold that no number is below.
        threshold=np.concatenate([np.where(by_category, -np.inf, threshold), padding]),
        left=_children(left, n_inner, len(leaves)),
        right=_children(right, n_inner, len(leaves)),
        is_leaf=np.arange(n_inner + len(leaves)) >= n_inner,
        missing_left=np.concatenate([missing_left, padding]).astype(np.int64),
        values=np.concatenate([np.zeros(n_inner), leaves]).reshape(-1, 1),
        target=target,
        members=members,
    )


def _children(child: Any, n_inner: int, n_leaves: int) -> Any:
    """Inner nodes keep their numbers; a leaf is written as its bitwise complement and comes behind them."""
    return np.concatenate([np.where(child >= 0, child, n_inner + ~child), np.zeros(n_leaves)]).astype(np.int64)


def _categories(conversion: Conversion, model: Any, booster: Any, table: Table) -> dict[int, list[Any]]:
    """The categories of pandas columns, by position; LightGBM keeps them in the order of the columns, without names."""
    kept = getattr(booster, "pandas_categorical", None) or []
    positions = []
    place = 0
    for piece in table:
        if piece.is_category:
            positions.append(place)
        place += piece.width
    if len(kept) != len(positions):
        conversion.fail(
            model,
            table,
            f"it was fitted on {len(kept)} columns of pandas categories, and {len(positions)} come in here",
            "encode them with OrdinalEncoder in a ColumnTransformer, and name them in categorical_feature",
        )
    return dict(zip(positions, kept, strict=True))


def _whole_categories(conversion: Conversion, matrix: str, features: list[int], header: dict[str, str]) -> str:
    """Categories given as numbers are cut to whole ones, as LightGBM does; NaN stays NaN."""
    if not features:
        return matrix
    graph = conversion.graph
    n_features = int(header["max_feature_idx"]) + 1
    cut = graph.op("Mul", graph.op("Sign", matrix), graph.op("Floor", graph.op("Abs", matrix)))
    return graph.op("Where", _mask(conversion, features, n_features), cut, matrix)


def _zeros_missing(
    conversion: Conversion, model: Any, table: Table, matrix: str, blocks: list[dict[str, str]], n_features: int
) -> str:
    """Zeros become missing in the columns that were trained so (zero_as_missing)."""
    zero: set[int] = set()
    other: set[int] = set()
    for block in blocks:
        if int(block["num_leaves"]) > 1:
            for feature, decision in zip(
                _numbers(block["split_feature"], np.int64).tolist(),
                _numbers(block["decision_type"], np.int64).tolist(),
                strict=True,
            ):
                (zero if decision >> 2 == _ZERO_MISSING else other).add(feature)
    if not zero:
        return matrix
    if zero & other:
        conversion.fail(
            model, table, "zero is missing in some of its trees only", "train all of it with one zero_as_missing"
        )
    graph = conversion.graph
    near = graph.op("LessOrEqual", graph.op("Abs", matrix), graph.constant(np.array(_ZERO)))
    gone = graph.op("And", near, _mask(conversion, sorted(zero), n_features))
    return graph.op("Where", gone, graph.constant(np.array(np.nan)), matrix)


def _mask(conversion: Conversion, features: list[int], n_features: int) -> str:
    chosen = np.zeros((1, n_features), dtype=bool)
    chosen[0, features] = True
    return conversion.graph.constant(chosen)


def _numbers(text: str, kind: Any) -> Any:
    return np.array(text.split(), dtype=kind)


def _bits(words: Any) -> list[int]:
    return [32 * i + bit for i, word in enumerate(words.tolist()) for bit in range(32) if word >> bit & 1]
