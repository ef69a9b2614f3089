"""Affine maps, distances, kernels and estimators around estimators, each before or as a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import Birch, FeatureAgglomeration, KMeans
from sklearn.decomposition import FactorAnalysis, FastICA, SparsePCA
from sklearn.feature_selection import RFE
from sklearn.isotonic import IsotonicRegression
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.random_projection import SparseRandomProjection
from sklearn.semi_supervised import SelfTrainingClassifier

from snapml_jupyter.domain.errors import ExportError

RNG = np.random.default_rng(6)
FRAME = pd.DataFrame(RNG.gamma(2.0, 1.0, (200, 5)), columns=list("abcde"))
AMOUNT = (FRAME["a"] - FRAME["b"] + 3).to_numpy()
CLASSES = pd.qcut(AMOUNT, 3, labels=False)


@pytest.mark.parametrize(
    "step",
    [
        FactorAnalysis(2),
        FastICA(3, random_state=0),
        FeatureAgglomeration(2),
        SparsePCA(2, random_state=0, max_iter=50),
        SparseRandomProjection(3, random_state=0),
        KMeans(4, n_init=1, random_state=0),
        Birch(n_clusters=3),
        RBFSampler(n_components=20, random_state=0),
        Nystroem(n_components=20, random_state=0),
        Nystroem(kernel="polynomial", degree=2, n_components=20, random_state=0),
    ],
    ids=lambda step: f"{type(step).__name__} {getattr(step, 'kernel', '')}",
)
def test_a_step_before_a_model_answers_alike(step: Any, fit_and_export: Any) -> None:
    assert fit_and_export(make_pipeline(step, Ridge()), FRAME, AMOUNT).parity.max_difference < 1e-7


@pytest.mark.parametrize(
    ("model", "columns"),
    [
        (KernelRidge(kernel="rbf", gamma=0.3), "abcde"),
        (IsotonicRegression(out_of_bounds="clip"), "a"),
        (RFE(Ridge(), n_features_to_select=2), "abcde"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_regressor_answers_alike(model: Any, columns: str, fit_and_export: Any) -> None:
    assert fit_and_export(model, FRAME[list(columns)], AMOUNT).parity.max_difference < 1e-9


@pytest.mark.parametrize(
    "model",
    [RFE(LogisticRegression(), n_features_to_select=2), SelfTrainingClassifier(LogisticRegression())],
    ids=lambda model: type(model).__name__,
)
def test_a_classifier_inside_another_answers_alike(model: Any, fit_and_export: Any) -> None:
    parity = fit_and_export(model, FRAME, CLASSES).parity
    assert parity.max_difference < 1e-12
    assert parity.label_agreement == 1.0


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (
            make_pipeline(FeatureAgglomeration(2, pooling_func=np.median), Ridge()),
            r"Step 'featureagglomeration' \(FeatureAgglomeration\).*it does not pool by the mean. Instead: use pooling_func",
        ),
        (KernelRidge(kernel="laplacian"), "its kernel 'laplacian' has no form here. Instead: use the kernel 'rbf'"),
    ],
    ids=["medians", "another kernel"],
)
def test_what_is_not_of_that_form_is_refused(model: Any, sentence: str, fit_and_export: Any) -> None:
    with pytest.raises(ExportError, match=sentence):
        fit_and_export(model, FRAME, AMOUNT)
