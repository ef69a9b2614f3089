"""Metrics of held-out rows as functions of weights, so that one preparation serves every bootstrap resample.

`scorer(...)` sorts and compares once; what it returns takes one weight a row and costs a few numpy sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from ..domain.errors import InvalidInputError
from ..domain.model import Task

Scorer = Callable[[Any], float]


@dataclass(frozen=True, slots=True)
class Answered:
    """What a model said of the held-out rows. For a classification `truth` and `predicted` are positions of labels."""

    truth: Any
    predicted: Any
    probabilities: Any = None
    n_labels: int = 0


#: Metric to task, and whether larger is better.
METRICS: dict[str, tuple[Task, bool]] = {
    "accuracy": (Task.classification, True),
    "balanced_accuracy": (Task.classification, True),
    "precision": (Task.classification, True),
    "recall": (Task.classification, True),
    "f1": (Task.classification, True),
    "auc": (Task.classification, True),
    "log_loss": (Task.classification, False),
    "brier": (Task.classification, False),
    "r2": (Task.regression, True),
    "mae": (Task.regression, False),
    "mse": (Task.regression, False),
    "rmse": (Task.regression, False),
}

_NEEDS_PROBABILITIES = ("auc", "log_loss", "brier")


def check_metric(name: str, where: str) -> None:
    """Raise InvalidInputError with the closest name for a metric that is not computed here."""
    if name not in METRICS:
        close = get_close_matches(name, list(METRICS), n=1)
        hint = f"Did you mean '{close[0]}'?" if close else f"Known: {', '.join(METRICS)}."
        more = " A metric that the run recorded goes to [recorded]." if where == "metrics" else ""
        raise InvalidInputError(f"gates.toml: [{where}] has the unknown metric '{name}'. {hint}{more}")


def is_larger_better(name: str) -> bool:
    """Whether more of the metric is better."""
    return METRICS[name][1]


def score(name: str, answered: Answered) -> float:
    """The metric with every row counted once. Raises InvalidInputError when the answers do not have what it needs."""
    return scorer(name, answered)(np.ones(len(answered.truth)))


def scorer(name: str, answered: Answered) -> Scorer:
    """The metric as a function of the rows' weights. Raises InvalidInputError like `score`."""
    task = Task.classification if answered.n_labels else Task.regression
    if METRICS[name][0] is not task:
        raise InvalidInputError(f"The metric '{name}' is for a {METRICS[name][0].value}; the model does {task.value}.")
    if name in _NEEDS_PROBABILITIES and answered.probabilities is None:
        raise InvalidInputError(f"The metric '{name}' needs probabilities, which the model does not give.")
    if task is Task.regression:
        return _regression(name, answered)
    if name == "auc":
        return _auc(answered)
    if name in ("balanced_accuracy", "precision", "recall", "f1"):
        return _by_class(name, answered)
    return _mean(_per_row(name, answered))


def _mean(per_row: Any) -> Scorer:
    return lambda weights: float(per_row @ weights / weights.sum())


def _per_row(name: str, answered: Answered) -> Any:
    if name == "accuracy":
        return (answered.truth == answered.predicted).astype(np.float64)
    rows = np.arange(len(answered.truth))
    if name == "log_loss":
        tiny = np.finfo(np.float64).eps
        return -np.log(np.clip(answered.probabilities[rows, answered.truth], tiny, 1.0))
    truth = np.zeros_like(answered.probabilities)
    truth[rows, answered.truth] = 1.0
    squares = ((answered.probabilities - truth) ** 2).sum(axis=1)
    return squares / 2 if answered.n_labels == 2 else squares  # of two classes by custom only one counts


def _regression(name: str, answered: Answered) -> Scorer:
    errors = answered.predicted - answered.truth
    if name == "mae":
        return _mean(np.abs(errors))
    squares = _mean(errors**2)
    if name == "mse":
        return squares
    if name == "rmse":
        return lambda weights: float(np.sqrt(squares(weights)))
    truth = answered.truth

    def r2(weights: Any) -> float:
        mean = truth @ weights / weights.sum()
        total = ((truth - mean) ** 2) @ weights
        return float(1 - (errors**2) @ weights / total) if total > 0 else float("nan")

    return r2


def _by_class(name: str, answered: Answered) -> Scorer:
    """Precision, recall and F1 of the second of two classes, else the plain mean over classes."""
    k = answered.n_labels
    cells = answered.truth * k + answered.predicted

    def by_class(weights: Any) -> float:
        counts = np.bincount(cells, weights=weights, minlength=k * k).reshape(k, k)
        right, actual, said = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
        if name == "balanced_accuracy":
            seen = actual > 0
            return float((right[seen] / actual[seen]).mean())
        bottom = {"precision": said, "recall": actual, "f1": (actual + said) / 2}[name]
        values = np.divide(right, bottom, out=np.zeros(k), where=bottom > 0)
        return float(values[1] if k == 2 else values[(actual + said) > 0].mean())

    return by_class


def _auc(answered: Answered) -> Scorer:
    """Area under the ROC curve; of more than two classes the plain mean of each against the rest."""
    classes = [1] if answered.n_labels == 2 else list(range(answered.n_labels))
    prepared = []
    for label in classes:
        scores = answered.probabilities[:, label]
        order = np.argsort(scores, kind="stable")
        ordered = scores[order]
        # Rows with the same score are one step of the curve.
        groups = np.cumsum(np.r_[False, ordered[1:] != ordered[:-1]])
        prepared.append((order, groups, (answered.truth == label)[order]))

    def auc(weights: Any) -> float:
        areas = []
        for order, groups, is_label in prepared:
            w = weights[order]
            positive = np.bincount(groups, weights=w * is_label)
            negative = np.bincount(groups, weights=w * ~is_label)
            total = positive.sum() * negative.sum()
            if total == 0:
                return float("nan")
            below = np.cumsum(negative) - negative
            areas.append((positive * (below + negative / 2)).sum() / total)
        return float(np.mean(areas))

    return auc
