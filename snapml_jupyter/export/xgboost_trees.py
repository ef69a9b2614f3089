"""XGBoost: classifier, regressor and Booster, read from the JSON that XGBoost itself saves.

XGBoost rounds its inputs to float32 and compares with float32 thresholds: so does the graph, exactly. It also adds up
leaves in float32, where the graph adds doubles: answers differ by that rounding, about 1e-7 for a tree.
Format: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np

from .boosters import booster_matrix, classes_of, from_scores
from .conversion import Conversion, Prediction
from .table import Table
from .trees import Tree, sum_trees

_LINKS = {
    "binary:logistic": "sigmoid",
    "reg:logistic": "sigmoid",
    "multi:softprob": "softmax",
    "multi:softmax": "softmax",
    "count:poisson": "exp",
    "reg:gamma": "exp",
    "reg:tweedie": "exp",
} | dict.fromkeys(
    (
        "reg:squarederror",
        "reg:squaredlogerror",
        "reg:absoluteerror",
        "reg:pseudohubererror",
        "reg:quantileerror",
    ),
    "identity",
)


def predict_xgboost(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """XGBClassifier, XGBRegressor, their forests, or a Booster, up to what its own predict uses."""
    graph = conversion.graph
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    gradient = learner["gradient_booster"]
    objective = learner["objective"]["name"]
    params = learner["learner_model_param"]
    if gradient["name"] not in ("gbtree", "dart"):
        conversion.fail(model, table, f"its booster is {gradient['name']}", "train with booster='gbtree'")
    if objective not in _LINKS:
        conversion.fail(
            model,
            table,
            f"what its objective '{objective}' makes of raw scores is not known here",
            "train with an objective such as binary:logistic, multi:softprob, reg:squarederror or count:poisson",
        )
    if int(params.get("num_target", "1")) > 1:
        conversion.fail(model, table, "it predicts several targets at once", "train one model per target")
    link = _LINKS[objective]
    if (link in ("sigmoid", "softmax")) < (classes_of(conversion, model) is not None):
        conversion.fail(
            model, table, f"its objective '{objective}' gives no probabilities", "train with binary:logistic"
        )
    forest = gradient.get("gbtree", gradient)["model"]
    weights = gradient.get("weight_drop")
    n_features, n_targets = int(params["num_feature"]), max(1, int(params["num_class"]))
    categories = _categories(forest)
    matrix = booster_matrix(conversion, model, table, categories, n_features)
    matrix = _with_gaps(conversion, model, graph.cast(matrix, "float"))
    trees = [
        _tree(forest["trees"][number], forest["tree_info"][number], weights[number] if weights else 1.0, categories)
        for number in range(_n_used(model, booster, forest))
    ]
    raw = sum_trees(conversion, graph.cast(matrix, "double"), trees, n_targets)
    raw = graph.op("Add", raw, graph.constant(_start(params["base_score"], link).reshape(1, -1)))
    return from_scores(conversion, model, raw, link)


def _n_used(model: Any, booster: Any, forest: dict[str, Any]) -> int:
    """How many trees count: after early stopping, the classes for scikit-learn stop at the best iteration."""
    n_trees = len(forest["trees"])
    attributes = booster.attributes()
    if model is booster or "best_iteration" not in attributes:
        return n_trees
    per_round = int(forest["gbtree_model_param"].get("num_parallel_tree", "1")) * max(1, max(forest["tree_info"]) + 1)
    bounds = forest.get("iteration_indptr") or list(range(0, n_trees + 1, per_round))
    return int(bounds[min(int(attributes["best_iteration"]) + 1, len(bounds) - 1)])


def _with_gaps(conversion: Conversion, model: Any, matrix: str) -> str:
    """Values that the model takes for missing (its argument `missing`) as NaN."""
    missing = getattr(model, "missing", np.nan)
    if missing is None or np.isnan(missing):
        return matrix
    graph = conversion.graph
    gone = graph.op("Equal", matrix, graph.constant(np.array(missing, dtype=np.float32)))
    return graph.op("Where", gone, graph.constant(np.array(np.nan, dtype=np.float32)), matrix)


def _start(text: str, link: str) -> Any:
    """The score every row starts from; saved as what it means, so the link is undone. Lists since version 3.1."""
    base = np.atleast_1d(np.asarray(json.loads(text), dtype=np.float32)).astype(np.float64)
    if link == "sigmoid":
        return np.log(base) - np.log1p(-base)
    return np.log(base) if link == "exp" else base


def _tree(saved: dict[str, Any], target: int, weight: float, categories: dict[int, list[Any]]) -> Tree:
    left = np.asarray(saved["left_children"], dtype=np.int64)
    leaf = left == -1
    feature = np.asarray(saved["split_indices"], dtype=np.int64)
    condition = np.asarray(saved["split_conditions"], dtype=np.float32)
    by_category = np.asarray(saved.get("split_type", np.zeros(len(left))), dtype=np.int64) == 1
    # It goes left below the threshold, the operator up to it: the next smaller float32 is the same line.
    below = np.nextafter(condition, np.float32(-np.inf)).astype(np.float64)
    members: dict[int, list[int]] = {}
    for node, start, size in zip(
        saved["categories_nodes"], saved["categories_segments"], saved["categories_sizes"], strict=True
    ):
        right = set(saved["categories"][start : start + size])
        known = categories.get(int(feature[node]))
        if known is not None:
            members[int(node)] = [place for place in range(len(known)) if place not in right]
        else:  # numbers that are categories themselves, as many as there may be
            members[int(node)] = sorted(right)
    swapped = np.zeros(len(left), dtype=bool)
    swapped[[node for node in members if int(feature[node]) not in categories]] = True
    right_child = np.asarray(saved["right_children"], dtype=np.int64)
    default_left = np.asarray(saved["default_left"], dtype=np.int64)
    return Tree(
        feature=feature,
        threshold=np.where(by_category, -np.inf, below),
        left=np.where(swapped, right_child, left),
        right=np.where(swapped, left, right_child),
        is_leaf=leaf,
        missing_left=np.where(swapped, 1 - default_left, default_left),
        values=np.where(leaf, condition.astype(np.float64) * weight, 0.0).reshape(-1, 1),
        target=target,
        members=members,
    )


def _categories(forest: dict[str, Any]) -> dict[int, list[Any]]:
    """Feature -> its categories in the order of their codes, where XGBoost kept them (since version 3.1)."""
    found: dict[int, list[Any]] = {}
    for feature, kept in enumerate(forest.get("cats", {}).get("enc", [])):
        values = kept.get("values", [])
        if not values:
            continue
        offsets = kept.get("offsets")
        if offsets:
            text = bytes(value & 0xFF for value in values)
            found[feature] = [text[a:b].decode() for a, b in pairwise(offsets)]
        else:
            found[feature] = list(values)
    return found
