"""Transformers of numbers: each is the same curve in the graph, inside the training range and outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.linear_model import Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from snapml_jupyter.export.parity import check_parity
from snapml_jupyter.export.scalers import FUNCTIONS

TRANSFORMERS: dict[str, Callable[[], Any]] = {
    "standard": StandardScaler,
    "standard, only divided": lambda: StandardScaler(with_mean=False),
    "robust": RobustScaler,
    "robust, only shifted": lambda: RobustScaler(with_scaling=False),
    "range": lambda: MinMaxScaler((-1, 1)),
    "range, clipped": lambda: MinMaxScaler(clip=True),
    "largest is one": MaxAbsScaler,
    "length is one": Normalizer,
    "above a threshold": lambda: Binarizer(threshold=3),
    "bins": lambda: KBinsDiscretizer(4, encode="onehot-dense", quantile_method="averaged_inverted_cdf"),
    "numbered bins of equal width": lambda: KBinsDiscretizer(5, encode="ordinal", strategy="uniform"),
    "Yeo-Johnson": PowerTransformer,
    "Box-Cox": lambda: PowerTransformer(method="box-cox", standardize=False),
    "evenly": lambda: QuantileTransformer(n_quantiles=50),
    "to a normal": lambda: QuantileTransformer(n_quantiles=300, output_distribution="normal"),
    "powers to three": lambda: PolynomialFeatures(3),
    "products of two": lambda: PolynomialFeatures(2, interaction_only=True, include_bias=False),
    "main directions": lambda: make_pipeline(StandardScaler(), PCA(2, whiten=True)),
    "main directions through zero": lambda: TruncatedSVD(2),
    "two side by side": lambda: FeatureUnion(
        [("a", StandardScaler()), ("b", MinMaxScaler())], transformer_weights={"a": 2.0}
    ),
    "the best": lambda: make_pipeline(SelectKBest(k=2), VarianceThreshold()),
    "as it is": FunctionTransformer,
}


@pytest.fixture(scope="module")
def sizes() -> pd.DataFrame:
    """Positive numbers: skewed, whole with repetitions, narrow."""
    rng = np.random.default_rng(4)
    return pd.DataFrame(
        {"long": rng.lognormal(3, 1, 400), "count": rng.integers(1, 6, 400), "narrow": 100 + rng.random(400)}
    )


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_transformer_is_the_same_curve(name: str, sizes: pd.DataFrame, fit_and_export: Any) -> None:
    model = make_pipeline(TRANSFORMERS[name](), StandardScaler(), Ridge())
    exported = fit_and_export(model, sizes, sizes["long"] + sizes["count"] * 10)
    assert exported.parity.max_difference < 1e-10
    beyond = (sizes * 1.7 + 1).astype(sizes.dtypes)
    assert check_parity(model, exported.content, beyond, exported.signature, 1e-5).max_difference < 1e-10


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_numpy_function_is_the_same_function(name: str, sizes: pd.DataFrame, fit_and_export: Any) -> None:
    small = sizes.assign(long=sizes["long"] / 100)
    bent = ColumnTransformer([("f", FunctionTransformer(getattr(np, name)), ["long"])], remainder="passthrough")
    exported = fit_and_export(make_pipeline(bent, Ridge()), small, small["long"])
    assert exported.parity.max_difference < 1e-10


def test_a_transformer_that_pandas_output_names_is_found_by_name_again(people: Any, fit_and_export: Any) -> None:
    first = ColumnTransformer([("s", StandardScaler(), ["visits", "score"])], verbose_feature_names_out=False)
    second = ColumnTransformer([("r", RobustScaler(), ["score"])], remainder="passthrough")
    model = make_pipeline(first.set_output(transform="pandas"), second, Ridge())
    assert fit_and_export(model, people.frame, people.number).parity.max_difference < 1e-10
