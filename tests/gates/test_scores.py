"""Metrics against scikit-learn's, with and without weights, and what the paired tests say of simulated models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

from snapml_jupyter.domain.errors import InvalidInputError
from snapml_jupyter.gates.paired import bootstrap, mcnemar
from snapml_jupyter.gates.scores import METRICS, Answered, score, scorer


def classified(n_labels: int, seed: int = 0) -> Answered:
    random = np.random.default_rng(seed)
    truth = random.integers(0, n_labels, 300)
    raw = random.random((300, n_labels)).round(1) + 0.05  # rounded, so that there are ties
    raw[np.arange(300), truth] += 0.3
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    return Answered(truth, probabilities.argmax(axis=1), probabilities, n_labels)


def expected(name: str, a: Answered, weights: Any) -> float:
    two = a.n_labels == 2
    average = "binary" if two else "macro"
    labels = list(range(a.n_labels))
    functions: dict[str, Any] = {
        "accuracy": lambda: reference.accuracy_score(a.truth, a.predicted, sample_weight=weights),
        "balanced_accuracy": lambda: reference.balanced_accuracy_score(a.truth, a.predicted, sample_weight=weights),
        "precision": lambda: reference.precision_score(
            a.truth, a.predicted, average=average, sample_weight=weights, zero_division=0
        ),
        "recall": lambda: reference.recall_score(a.truth, a.predicted, average=average, sample_weight=weights),
        "f1": lambda: reference.f1_score(a.truth, a.predicted, average=average, sample_weight=weights),
        "auc": lambda: np.mean(
            [
                reference.roc_auc_score(a.truth == label, a.probabilities[:, label], sample_weight=weights)
                for label in ([1] if two else labels)
            ]
        ),
        "log_loss": lambda: reference.log_loss(a.truth, a.probabilities, sample_weight=weights, labels=labels),
        "brier": lambda: reference.brier_score_loss(
            a.truth, a.probabilities[:, 1] if two else a.probabilities, sample_weight=weights, labels=labels
        ),
        "r2": lambda: reference.r2_score(a.truth, a.predicted, sample_weight=weights),
        "mae": lambda: reference.mean_absolute_error(a.truth, a.predicted, sample_weight=weights),
        "mse": lambda: reference.mean_squared_error(a.truth, a.predicted, sample_weight=weights),
        "rmse": lambda: reference.root_mean_squared_error(a.truth, a.predicted, sample_weight=weights),
    }
    return float(functions[name]())


CLASSES = [name for name, (task, _) in METRICS.items() if task.value == "classification"]
NUMBERS = [name for name in METRICS if name not in CLASSES]


@pytest.mark.parametrize("n_labels", [2, 4])
@pytest.mark.parametrize("name", CLASSES)
def test_classification_metrics_are_scikit_learns(name: str, n_labels: int) -> None:
    answered = classified(n_labels)
    weights = np.bincount(np.random.default_rng(3).integers(0, 300, 300), minlength=300).astype(float)
    assert score(name, answered) == pytest.approx(expected(name, answered, None), rel=1e-9)
    assert scorer(name, answered)(weights) == pytest.approx(expected(name, answered, weights), rel=1e-9)


@pytest.mark.parametrize("name", NUMBERS)
def test_regression_metrics_are_scikit_learns(name: str) -> None:
    random = np.random.default_rng(1)
    truth = random.normal(size=300)
    answered = Answered(truth, truth + random.normal(size=300))
    weights = random.integers(0, 4, 300).astype(float)
    assert score(name, answered) == pytest.approx(expected(name, answered, None), rel=1e-9)
    assert scorer(name, answered)(weights) == pytest.approx(expected(name, answered, weights), rel=1e-9)


def test_a_metric_that_does_not_fit_is_a_sentence() -> None:
    numbers = Answered(np.zeros(3), np.zeros(3))
    with pytest.raises(InvalidInputError, match="'auc' is for a classification"):
        score("auc", numbers)
    with pytest.raises(InvalidInputError, match="needs probabilities"):
        score("auc", Answered(np.array([0, 1]), np.array([0, 1]), None, 2))


def labelled(truth: Any, accuracy: float, random: Any) -> Answered:
    right = random.random(len(truth)) < accuracy
    return Answered(truth, np.where(right, truth, 1 - truth), None, 2)


def test_the_bootstraps_bound_is_below_the_true_difference_as_often_as_it_says() -> None:
    random = np.random.default_rng(11)
    below = 0
    for _ in range(200):
        truth = random.integers(0, 2, 300)
        ours, theirs = labelled(truth, 0.80, random), labelled(truth, 0.82, random)
        found = bootstrap("accuracy", ours, theirs, confidence=0.95, resamples=200)
        below += found.lower_bound <= -0.02
    assert 0.90 <= below / 200 <= 0.99  # 95% up to what 200 trials can tell


def test_mcnemar_is_the_exact_binomial_tail_and_rarely_fails_an_equal_model() -> None:
    truth = np.zeros(100, dtype=int)
    ours = Answered(truth, np.r_[np.ones(8, int), np.zeros(92, int)], None, 2)
    theirs = Answered(truth, np.r_[np.zeros(8, int), np.ones(2, int), np.zeros(90, int)], None, 2)
    found = mcnemar(ours, theirs)
    assert (found.n_only_candidate_wrong, found.n_only_champion_wrong) == (8, 2)
    assert found.p_value == pytest.approx((45 + 10 + 1) / 1024)
    assert mcnemar(ours, ours).p_value == 1.0
    random = np.random.default_rng(5)
    failed = 0
    for _ in range(400):
        truth = random.integers(0, 2, 200)
        failed += mcnemar(labelled(truth, 0.8, random), labelled(truth, 0.8, random)).p_value < 0.05
    assert failed / 400 < 0.08
