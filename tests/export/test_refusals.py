"""What cannot be exported: the sentence names the step, its class, its columns, and what to do instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.semi_supervised import LabelPropagation
from sklearn.svm import SVC

from snapml_jupyter.domain.errors import ExportError
from snapml_jupyter.export.onnx_graph import export_model
from snapml_jupyter.runs.signature import infer_signature


class Doubled(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A transformer of one's own."""

    def fit(self, X: Any, y: Any = None) -> Doubled:
        self.is_fitted_ = True
        return self

    def transform(self, X: Any) -> Any:
        return np.asarray(X) * 2


class Forest(RandomForestClassifier):  # type: ignore[misc]  # scikit-learn has no types
    """A model of one's own that looks like a known one."""


def twice(values: Any) -> Any:
    return values * 2


def on(*steps: tuple[str, Any, list[str]]) -> Callable[[Any], Any]:
    return lambda model: make_pipeline(ColumnTransformer(list(steps)), model)


LOGISTIC = LogisticRegression(max_iter=1000)
NUMBERS = ("n", SimpleImputer(), ["age", "visits"])

CASES: dict[str, tuple[Any, str]] = {
    "a function": (
        on(NUMBERS, ("double", FunctionTransformer(twice), ["visits"]))(LOGISTIC),
        "Step 'columntransformer > double' (FunctionTransformer), which works on column 'visits', cannot be exported: "
        "the function 'twice' is Python code, which a graph cannot hold. Instead: compute that column in the DataFrame",
    ),
    "a transformer of one's own": (
        on(NUMBERS, ("own", Doubled(), ["visits", "score"]))(LOGISTIC),
        "Step 'columntransformer > own' (Doubled), which works on columns 'visits', 'score', cannot be exported: it is "
        "Python code of its own, which a graph cannot hold. Instead: do this step in the DataFrame",
    ),
    "a model that subclasses a known one": (
        on(NUMBERS)(Forest(5)),
        "Step 'forest' (Forest), which works on columns 'age', 'visits', cannot be exported: it is Python code of its own",
    ),
    "a transformer that no converter knows": (
        on(NUMBERS, ("hash", HashingVectorizer(n_features=8), "plan"))(LOGISTIC),
        "Step 'columntransformer > hash' (HashingVectorizer), which works on column 'plan', cannot be exported",
    ),
    "a model that no converter knows": (
        on(NUMBERS)(LabelPropagation()),
        "Step 'labelpropagation' (LabelPropagation), which works on columns 'age', 'visits', cannot be exported: skl2onnx "
        "has no converter for it. Instead: use a model of scikit-learn such as HistGradientBoosting",
    ),
    "dates": (
        on(NUMBERS, ("when", "passthrough", ["when"]))(LOGISTIC),
        "which works on column 'when', cannot be exported: ONNX has no dates. Instead: give the model numbers made from",
    ),
    "words by a tokenizer of one's own": (
        on(("t", CountVectorizer(tokenizer=str.split, token_pattern=None), "city"))(LOGISTIC),
        "(CountVectorizer), which works on column 'city', cannot be exported: its tokenizer is Python code",
    ),
    "letters": (
        on(("t", TfidfVectorizer(analyzer="char"), "plan"))(LOGISTIC),
        "Instead: use analyzer='word' with the default token_pattern",
    ),
    "word pairs around stop words": (
        on(("t", TfidfVectorizer(stop_words=["the"], ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b"), "plan"))(
            LOGISTIC
        ),
        "stop words inside word pairs cannot be skipped",
    ),
    "a kernel of one's own": (
        on(NUMBERS)(SVC(kernel=lambda a, b: a @ b.T)),
        "Step 'svc' (SVC), which works on columns 'age', 'visits', cannot be exported: its kernel is Python code",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_step_is_named_with_its_columns_and_a_way_out(name: str, people: Any) -> None:
    model, sentence = CASES[name]
    frame = people.frame.assign(when=pd.date_range("2026-01-01", periods=len(people.frame), freq="h"))
    frame["city"] = frame["city"].fillna("Oslo")
    if name == "dates":
        frame["when"] = frame["when"].astype("int64") / 1e9
    model.fit(frame, people.two)
    if name == "dates":
        frame["when"] = pd.date_range("2026-01-01", periods=len(people.frame), freq="h")
    with pytest.raises(ExportError) as caught:
        export_model(model, infer_signature(model, frame), frame)
    assert sentence in str(caught.value)


def test_dates_that_the_model_drops_are_no_obstacle(people: Any, fit_and_export: Any) -> None:
    frame = people.frame.assign(when=pd.date_range("2026-01-01", periods=len(people.frame), freq="h"))
    exported = fit_and_export(on(NUMBERS)(LOGISTIC), frame, people.two)
    assert exported.parity.max_difference < 1e-12
    assert exported.ask([{"age": 30, "visits": 2, "when": "2026-11-01"}]).predictions


def test_several_targets_are_refused(people: Any) -> None:
    both = np.column_stack([people.number, people.number])
    for model in (LinearRegression(), RandomForestRegressor(3)):
        frame = people.frame[["visits", "member"]]
        model.fit(frame, both)
        with pytest.raises(
            ExportError, match=r"it predicts several targets at once\. Instead: train one model per target"
        ):
            export_model(model, infer_signature(model, frame), frame)


def test_what_neither_classifies_nor_predicts_is_refused(people: Any) -> None:
    frame = people.frame[["visits"]]
    model = KMeans(2, n_init=1).fit(frame)
    with pytest.raises(ExportError, match="A KMeans neither classifies nor predicts a number"):
        export_model(model, infer_signature(model, frame), frame)


@pytest.mark.parametrize("model", [RandomForestClassifier(3), HistGradientBoostingClassifier(max_iter=3)])
def test_a_classifier_of_one_class_is_refused(people: Any, model: Any) -> None:
    frame = people.frame[["visits"]]
    fitted = model.fit(frame, pd.Series(["yes"] * len(frame), name="stays"))
    with pytest.raises(
        ExportError, match=r"knows only one class, 'yes': 'stays' had one value in all rows.*two classes"
    ):
        export_model(fitted, infer_signature(fitted, frame, "stays"), frame)


def test_models_of_other_libraries_are_refused(people: Any) -> None:
    frame = people.frame[["visits"]]
    forest = Forest(3).fit(frame, people.two)
    with pytest.raises(
        ExportError, match=r"A model of class .*\.Forest cannot be exported: only models and pipelines of"
    ):
        export_model(forest, infer_signature(forest, frame), frame)


def test_a_model_that_is_not_fitted_is_refused(people: Any) -> None:
    frame = people.frame[["visits"]]
    signature = infer_signature(LogisticRegression().fit(frame, people.two), frame)
    with pytest.raises(ExportError, match="The LogisticRegression is not fitted"):
        export_model(LogisticRegression(), signature, frame)
