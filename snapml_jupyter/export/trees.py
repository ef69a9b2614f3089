"""Trees: single ones, forests, gradient boosting and histogram gradient boosting, with thresholds as scikit-learn has them.

Histogram boosting compares doubles, so its trees compute in double. The others round their inputs to float32 first and
compare with double thresholds: the graph does the same, by casting there and back. Missing values go the way that
training chose, and categorical splits are set memberships (both of the operators for trees, ai.onnx.ml version 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import numpy_helper

from .conversion import Conversion, Prediction, TreesNeedOtherOpsetError
from .table import Table

#: Node modes of version 5.
_LEQ, _MEMBER = 0, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One tree as arrays over its nodes, the root first. `values` is [nodes, targets], read at leaves.

    `target` is what a tree with one value adds to. `members` gives the categories that go left, by node.
    """

    feature: Any
    threshold: Any
    left: Any
    right: Any
    is_leaf: Any
    missing_left: Any
    values: Any
    target: int = 0
    members: dict[int, list[int]]


def predict_hist_boosting(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """HistGradientBoosting, classifier or regressor, with its own handling of missing values and categories."""
    graph = conversion.graph
    table = _own_preprocessing(conversion, model, table)
    trees = [_hist_tree(predictor, target) for stage in model._predictors for target, predictor in enumerate(stage)]
    n_targets = int(model.n_trees_per_iteration_)
    raw = sum_trees(conversion, conversion.numbers(model, table), trees, n_targets)
    raw = graph.op("Add", raw, graph.constant(np.asarray(model._baseline_prediction, dtype=np.float64).reshape(1, -1)))
    if not hasattr(model, "classes_"):
        link = type(model._loss.link).__name__
        return Prediction(values=graph.op("Exp", raw) if link == "LogLink" else raw)
    return from_raw_scores(conversion, model, raw, n_targets)


def predict_boosting(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """GradientBoosting, classifier or regressor."""
    graph = conversion.graph
    matrix = conversion.numbers(model, table)
    if model.init_ != "zero" and not type(model.init_).__name__.startswith("Dummy"):
        conversion.fail(model, table, "it starts from another model", "leave out init")
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_)))  # the same for every row
    trees = [
        _classic_tree(estimator.tree_, model.learning_rate * estimator.tree_.value[:, :, 0], target)
        for stage in model.estimators_
        for target, estimator in enumerate(stage)
    ]
    n_targets = int(model.n_trees_per_iteration_)
    raw = sum_trees(conversion, _rounded(conversion, matrix), trees, n_targets)
    raw = graph.op("Add", raw, graph.constant(np.asarray(start, dtype=np.float64).reshape(1, -1)))
    if not hasattr(model, "classes_"):
        return Prediction(values=raw)
    if type(model._loss).__name__ == "ExponentialLoss":
        doubled = graph.op("Mul", raw, graph.constant(np.array(2.0)))
        return from_raw_scores(conversion, model, doubled, n_targets)
    return from_raw_scores(conversion, model, raw, n_targets)


def predict_forest(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """RandomForest and ExtraTrees: the mean over the trees, summed before it is divided so that ties stay ties."""
    return average_trees(conversion, model, [estimator.tree_ for estimator in model.estimators_], table)


def predict_tree(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """DecisionTree and ExtraTree."""
    return average_trees(conversion, model, [model.tree_], table)


def average_trees(conversion: Conversion, model: Any, fitted: Sequence[Any], table: Table) -> Prediction:
    """The mean answer of fitted trees."""
    graph = conversion.graph
    matrix = _rounded(conversion, conversion.numbers(model, table))
    n_trees = graph.constant(np.array(float(len(fitted))))
    if not hasattr(model, "classes_"):
        trees = [_classic_tree(tree, tree.value[:, 0, :1], 0) for tree in fitted]
        return Prediction(values=graph.op("Div", sum_trees(conversion, matrix, trees, 1), n_trees))
    n_classes = len(model.classes_)
    shares = [_shares(tree.value[:, 0, :n_classes]) for tree in fitted]
    if n_classes == 2:
        trees = [_classic_tree(tree, share[:, 1:], 0) for tree, share in zip(fitted, shares, strict=True)]
        second = graph.op("Div", sum_trees(conversion, matrix, trees, 1), n_trees)
        return conversion.classification(model.classes_, conversion.two_columns(second))
    trees = [_classic_tree(tree, share, 0) for tree, share in zip(fitted, shares, strict=True)]
    total = sum_trees(conversion, matrix, trees, n_classes)
    return conversion.classification(model.classes_, graph.op("Div", total, n_trees))


def from_raw_scores(conversion: Conversion, model: Any, raw: str, n_targets: int) -> Prediction:
    """Probabilities from log-odds [rows, 1] or scores per class [rows, classes]."""
    graph = conversion.graph
    if n_targets == 1:
        probabilities = conversion.two_columns(graph.op("Sigmoid", raw))
    else:
        probabilities = graph.op("Softmax", raw, axis=1)
    return conversion.classification(model.classes_, probabilities, decision=raw)


def sum_trees(conversion: Conversion, matrix: str, trees: list[Tree], n_targets: int) -> str:
    """The sum of the trees' leaves per target, [rows, targets] in double."""
    shares_leaves = any(tree.values.shape[1] > 1 for tree in trees)
    if conversion.graph.ml_opset >= 5:
        if shares_leaves and not conversion.copies:
            raise TreesNeedOtherOpsetError  # one value a leaf here; the older operator keeps several
        return _sum_version_5(conversion, matrix, trees, n_targets)
    if any(tree.members for tree in trees):
        raise TreesNeedOtherOpsetError  # the older operator has no categorical splits
    return _sum_version_4(conversion, matrix, trees, n_targets)


def _sum_version_5(conversion: Conversion, matrix: str, trees: list[Tree], n_targets: int) -> str:
    singles = [
        (tree, tree.values[:, column], tree.target if tree.values.shape[1] == 1 else column)
        for tree in trees
        for column in range(tree.values.shape[1])
    ]
    roots: list[int] = []
    features, modes, splits, missing, members = [], [], [], [], []
    sides: dict[str, list[Any]] = {"true": [], "false": []}
    leafs: dict[str, list[Any]] = {"true": [], "false": []}
    weights, targets = [], []
    n_nodes = n_leaves = 0
    for tree, values, target in singles:
        leaf = np.asarray(tree.is_leaf, dtype=bool)
        roots.append(n_nodes)
        weights.append(values[leaf])
        targets.append(np.full(int(leaf.sum()), target))
        if leaf[0]:  # a tree that is one leaf: a node both of whose branches lead to it
            inner = np.array([0])
            places = np.array([n_leaves])
            children = {"true": inner, "false": inner}
        else:
            inner = np.flatnonzero(~leaf)
            places = np.empty(len(leaf), dtype=np.int64)
            places[inner] = n_nodes + np.arange(len(inner))
            places[leaf] = n_leaves + np.arange(int(leaf.sum()))
            children = {"true": tree.left[inner], "false": tree.right[inner]}
        features.append(np.maximum(tree.feature[inner], 0))
        splits.append(np.where(leaf[inner], 0.0, tree.threshold[inner]))
        missing.append(tree.missing_left[inner])
        mode = np.full(len(inner), _LEQ, dtype=np.uint8)
        for order, node in enumerate(inner.tolist()):
            if tree.members.get(node):
                mode[order] = _MEMBER
                members.extend([*map(float, tree.members[node]), np.nan])
        modes.append(mode)
        for side, child in children.items():
            sides[side].append(places[child])
            leafs[side].append(leaf[child])
        n_nodes += len(inner)
        n_leaves += int(leaf.sum())
    attributes: dict[str, Any] = {
        "n_targets": n_targets,
        "tree_roots": roots,
        "nodes_featureids": _ints(features),
        "nodes_modes": numpy_helper.from_array(np.concatenate(modes)),
        "nodes_splits": numpy_helper.from_array(np.concatenate(splits).astype(np.float64)),
        "nodes_missing_value_tracks_true": _ints(missing),
        "nodes_truenodeids": _ints(sides["true"]),
        "nodes_falsenodeids": _ints(sides["false"]),
        "nodes_trueleafs": _ints(leafs["true"]),
        "nodes_falseleafs": _ints(leafs["false"]),
        "leaf_weights": numpy_helper.from_array(np.concatenate(weights).astype(np.float64)),
        "leaf_targetids": _ints(targets),
    }
    if members:
        attributes["membership_values"] = numpy_helper.from_array(np.array(members, dtype=np.float64))
    return conversion.graph.large_ml("TreeEnsemble", matrix, **attributes)


def _sum_version_4(conversion: Conversion, matrix: str, trees: list[Tree], n_targets: int) -> str:
    """The older operator: several values a leaf, thresholds in double, the sums rounded to float32 at the end."""
    tree_ids, node_ids, features, splits, missing, left, right = [], [], [], [], [], [], []
    modes: list[str] = []
    leaf_trees, leaf_nodes, leaf_targets, leaf_weights = [], [], [], []
    for number, tree in enumerate(trees):
        leaf = np.asarray(tree.is_leaf, dtype=bool)
        n_nodes = len(leaf)
        tree_ids.append(np.full(n_nodes, number))
        node_ids.append(np.arange(n_nodes))
        features.append(np.where(leaf, 0, tree.feature))
        splits.append(np.where(leaf, 0.0, tree.threshold))
        missing.append(np.where(leaf, 0, tree.missing_left))
        modes.extend("LEAF" if is_leaf else "BRANCH_LEQ" for is_leaf in leaf)
        left.append(np.where(leaf, 0, tree.left))
        right.append(np.where(leaf, 0, tree.right))
        # A leaf of a grown tree mostly holds one class; zeros add nothing, but no leaf may go without a value.
        ends = np.flatnonzero(leaf)
        said = tree.values[ends] != 0
        said[~said.any(axis=1), 0] = True
        rows, columns = np.nonzero(said)
        leaf_trees.append(np.full(len(rows), number))
        leaf_nodes.append(ends[rows])
        leaf_targets.append(columns if tree.values.shape[1] > 1 else np.full(len(rows), tree.target))
        leaf_weights.append(tree.values[ends][said])
    summed = conversion.graph.large_ml(
        "TreeEnsembleRegressor",
        matrix,
        n_targets=n_targets,
        nodes_treeids=_ints(tree_ids),
        nodes_nodeids=_ints(node_ids),
        nodes_featureids=_ints(features),
        nodes_values_as_tensor=numpy_helper.from_array(np.concatenate(splits).astype(np.float64)),
        nodes_missing_value_tracks_true=_ints(missing),
        nodes_modes=modes,
        nodes_truenodeids=_ints(left),
        nodes_falsenodeids=_ints(right),
        target_treeids=_ints(leaf_trees),
        target_nodeids=_ints(leaf_nodes),
        target_ids=_ints(leaf_targets),
        target_weights_as_tensor=numpy_helper.from_array(np.concatenate(leaf_weights).astype(np.float64)),
    )
    return conversion.graph.cast(summed, "double")


def _own_preprocessing(conversion: Conversion, model: Any, table: Table) -> Table:
    """What histogram boosting does before its trees: encode its categorical columns and put them first."""
    preprocessor = getattr(model, "_preprocessor", None)
    if preprocessor is None:
        return table
    from .structure import transform_columns

    plain = _CopyWithoutCheck(preprocessor)
    return transform_columns(conversion, plain, table)


class _CopyWithoutCheck:
    """The fitted preprocessor of histogram boosting, its check of numeric columns replaced by passing them on."""

    def __init__(self, preprocessor: Any) -> None:
        self.transformer_weights = preprocessor.transformer_weights
        self._transformer_to_input_indices = preprocessor._transformer_to_input_indices
        self.transformers_ = [
            (name, "passthrough" if name == "numerical" else fitted, columns)
            for name, fitted, columns in preprocessor.transformers_
        ]


def _hist_tree(predictor: Any, target: int) -> Tree:
    nodes = predictor.nodes
    # A split that no category passes sends only missing values left: a threshold that no number is below.
    threshold = np.where(nodes["is_categorical"] == 1, -np.inf, nodes["num_threshold"])
    members = {
        int(node): _bits(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]])
        for node in np.flatnonzero((nodes["is_categorical"] == 1) & (nodes["is_leaf"] == 0))
    }
    return Tree(
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=threshold,
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        is_leaf=nodes["is_leaf"].astype(bool),
        missing_left=nodes["missing_go_to_left"].astype(np.int64),
        values=nodes["value"].reshape(-1, 1),
        target=target,
        members=members,
    )


def _classic_tree(tree: Any, values: Any, target: int) -> Tree:
    missing_left = getattr(tree, "missing_go_to_left", None)
    return Tree(
        feature=tree.feature.astype(np.int64),
        threshold=tree.threshold,
        left=tree.children_left.astype(np.int64),
        right=tree.children_right.astype(np.int64),
        is_leaf=tree.children_left == -1,
        missing_left=np.zeros(tree.node_count, dtype=np.int64) if missing_left is None else np.asarray(missing_left),
        values=values,
        target=target,
        members={},
    )


def _shares(values: Any) -> Any:
    """Class shares at each node; older scikit-learn kept counts."""
    totals = values.sum(axis=1, keepdims=True)
    return values if np.allclose(totals, 1.0) else values / np.where(totals == 0.0, 1.0, totals)


def _rounded(conversion: Conversion, matrix: str) -> str:
    """Numbers as float32 would keep them, in double."""
    return conversion.graph.cast(conversion.graph.cast(matrix, "float"), "double")


def _bits(words: Any) -> list[int]:
    """The positions of the set bits of eight 32-bit words."""
    return [32 * i + bit for i, word in enumerate(words.tolist()) for bit in range(32) if word >> bit & 1]


def _ints(parts: Sequence[Any]) -> list[int]:
    found: list[int] = np.concatenate([np.asarray(part, dtype=np.int64).ravel() for part in parts]).tolist()
    return found
