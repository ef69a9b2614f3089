"""What a client must send, read off the frame a model was fitted on."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline

from snapml_jupyter.domain.errors import InvalidInputError
from snapml_jupyter.domain.model import ColumnKind, Task
from snapml_jupyter.runs.signature import infer_signature

NUMBERS = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]})
HALVES = np.array([0, 0, 0, 0, 1, 1, 1, 1])


class Anything:
    """A model that says nothing about itself."""


def column(values: Any, **kwargs: Any) -> Any:
    (found,) = infer_signature(Anything(), pd.DataFrame({"c": pd.Series(values, **kwargs)})).inputs
    return found


@pytest.mark.parametrize(
    ("values", "dtype", "kind", "example"),
    [
        ([True, False], None, ColumnKind.boolean, True),
        ([True, None], "boolean", ColumnKind.boolean, True),
        ([1, 2], "int8", ColumnKind.integer, 1),
        ([1, 2], "uint64", ColumnKind.integer, 1),
        ([None, 2], "Int64", ColumnKind.integer, 2),
        ([np.nan, 2.5], None, ColumnKind.float, 2.5),
        ([np.inf, 2.5], "float32", ColumnKind.float, 2.5),
        (["a", None], None, ColumnKind.string, "a"),
        (["a", "b"], object, ColumnKind.string, "a"),
        (["a", "b"], "category", ColumnKind.string, "a"),
        ([3, 4], "category", ColumnKind.integer, 3),
        ([1, 2.5], object, ColumnKind.float, 1),
        ([True, False], object, ColumnKind.boolean, True),
        ([None, None], object, ColumnKind.string, None),
        ([dt.datetime(2026, 11, 1, 12)], None, ColumnKind.datetime, "2026-11-01T12:00:00"),
        ([dt.date(2026, 11, 1)], object, ColumnKind.datetime, "2026-11-01"),
        ([1, 2], "int64[pyarrow]", ColumnKind.integer, 1),
        (["a", "b"], "string[pyarrow]", ColumnKind.string, "a"),
        ([True, None], "bool[pyarrow]", ColumnKind.boolean, True),
    ],
)
def test_kinds_follow_the_types_of_the_columns(values: Any, dtype: Any, kind: ColumnKind, example: object) -> None:
    found = column(values, dtype=dtype)
    assert found.kind is kind
    assert found.example == example
    assert type(found.example) is type(example)


def test_a_column_is_nullable_when_training_had_missing_values() -> None:
    assert not column([1.0, 2.0]).nullable
    assert column([1.0, np.nan]).nullable
    assert column(["a", None]).nullable
    assert column([pd.Timestamp("2026-01-01"), pd.NaT]).nullable


@pytest.mark.parametrize(
    "values",
    [[1, "a"], [[1], [2]], [1j, 2j], [b"x"], [dt.timedelta(1)], pd.period_range("2026-01", periods=2), [True, 1]],
)
def test_a_column_that_clients_cannot_send_is_named(values: Any) -> None:
    with pytest.raises(InvalidInputError, match="Column 'c'"):
        column(values)


def test_the_task_and_the_labels_come_from_the_model() -> None:
    classifier = LogisticRegression().fit(NUMBERS, HALVES)
    found = infer_signature(classifier, NUMBERS, target="late")
    assert (found.task, found.labels, found.target) == (Task.classification, [0, 1], "late")
    named = make_pipeline(LogisticRegression()).fit(NUMBERS, np.where(HALVES, "yes", "no"))
    assert infer_signature(named, NUMBERS).labels == ["no", "yes"]
    searched = GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2).fit(NUMBERS, HALVES.astype(bool))
    assert infer_signature(searched, NUMBERS).labels == [False, True]
    regressor = infer_signature(LinearRegression().fit(NUMBERS, HALVES), NUMBERS)
    assert (regressor.task, regressor.labels) == (Task.regression, None)
    clusters = KMeans(2, n_init=1, random_state=0).fit(NUMBERS)
    assert infer_signature(clusters, NUMBERS).task is Task.other
    several = MultiOutputClassifier(LogisticRegression()).fit(NUMBERS, np.stack([HALVES, HALVES], axis=1))
    assert infer_signature(several, NUMBERS).task is Task.other
    assert infer_signature(Anything(), NUMBERS).task is Task.other


def test_the_target_left_in_the_frame_is_no_input() -> None:
    model = LinearRegression().fit(NUMBERS, HALVES)
    assert [c.name for c in infer_signature(model, NUMBERS.assign(late=HALVES)).inputs] == ["x"]
    with pytest.raises(InvalidInputError, match="fitted on column 'x'"):
        infer_signature(model, NUMBERS.rename(columns={"x": "y"}))


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (NUMBERS[:0], "no rows"),
        (pd.DataFrame(index=[1, 2]), "no columns"),
        (pd.DataFrame(np.zeros((2, 2))), "not by text"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "more than once"),
        (np.zeros((2, 2)), "example DataFrame"),
        (None, "example DataFrame"),
    ],
)
def test_a_frame_without_named_columns_or_rows_is_refused(frame: Any, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        infer_signature(Anything(), frame)
