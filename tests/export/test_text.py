"""Words: tokens, lower case, pairs and weights are those of scikit-learn, in every script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

WORDS = ["good", "Bad", "Élan", "naïve", "the", "a", "ÖL", "日本語", "x_1", "Straße", "ИВАН", "don't", "7", "42"]

VECTORIZERS: dict[str, Callable[[], Any]] = {
    "weights": TfidfVectorizer,
    "pairs, logarithms": lambda: TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
    "only pairs": lambda: CountVectorizer(ngram_range=(2, 2)),
    "present or not, case kept": lambda: CountVectorizer(binary=True, lowercase=False),
    "stop words, other length": lambda: TfidfVectorizer(stop_words="english", norm="l1"),
    "single letters too": lambda: TfidfVectorizer(token_pattern=r"(?u)\b\w+\b", norm=None),
    "few words": lambda: CountVectorizer(max_features=5),
}


@pytest.fixture(scope="module")
def letters() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    ends = ["", "!", ". Great", "#tag", "\n\tend"]
    texts = [" ".join(rng.choice(WORDS, rng.integers(0, 9))) + str(rng.choice(ends)) for _ in range(400)]
    return pd.DataFrame({"text": texts, "n": rng.normal(size=400)})


@pytest.mark.parametrize("name", VECTORIZERS)
def test_words_are_counted_alike(name: str, letters: pd.DataFrame, fit_and_export: Any) -> None:
    columns = ColumnTransformer([("t", VECTORIZERS[name](), "text"), ("n", "passthrough", ["n"])])
    target = letters["text"].str.contains("good").to_numpy()
    exported = fit_and_export(make_pipeline(columns, LogisticRegression()), letters, target)
    assert exported.parity.max_difference < 1e-12
    unseen = pd.DataFrame({"text": ["", "nothing known", "GOOD élan ÉLAN good", "İstanbul ǅ ß"], "n": [0.0] * 4})
    answers = exported.ask(unseen.to_dict("records"))
    np.testing.assert_allclose(answers.probabilities, exported.model.predict_proba(unseen), atol=1e-12)


def test_a_model_fitted_on_a_series_of_text(letters: pd.DataFrame, fit_and_export: Any) -> None:
    model = make_pipeline(CountVectorizer(), TfidfTransformer(), LogisticRegression())
    target = letters["text"].str.contains("good").to_numpy()
    exported = fit_and_export(model, letters[["text"]], target, fit_on=letters["text"])
    assert exported.parity.max_difference < 1e-12


def test_a_column_that_is_also_a_category_keeps_its_case_there(fit_and_export: Any) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"text": rng.choice(["Good day", "good day", "BAD day", "bad night"], 300)})
    columns = ColumnTransformer([("t", TfidfVectorizer(), "text"), ("c", OneHotEncoder(), ["text"])])
    target = frame["text"].isin(["Good day", "bad night"]).to_numpy()
    exported = fit_and_export(make_pipeline(columns, LogisticRegression()), frame, target)
    assert exported.parity.max_difference < 1e-12
    assert exported.parity.label_agreement == 1.0
