"""Fitted objects to bytes and back, and who may load them."""

from __future__ import annotations

import pickle
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from snapml_jupyter.domain.errors import (
    CannotKeepError,
    ConflictError,
    DamagedContentError,
    InvalidInputError,
    MissingDependencyError,
    NotFoundError,
    SnapMLWarning,
    UntrustedModelError,
)
from snapml_jupyter.domain.model import ModelFormat
from snapml_jupyter.runs import recording
from snapml_jupyter.runs.model_files import dump_model, estimator_name, load_model_bytes
from snapml_jupyter.runs.models import get_run_model, keep_model, load_run_model
from snapml_jupyter.runs.queries import get_run
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store.workspace import Workspace


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame: pd.DataFrame = pd.DataFrame(
        {"distance": rng.normal(1000, 300, 200), "origin": rng.choice(["EWR", "JFK", "LGA"], 200)}
    )
    frame.loc[3, "distance"] = np.nan
    return frame


@pytest.fixture(scope="module")
def late(flights: pd.DataFrame) -> np.ndarray[Any, Any]:
    return np.where(flights["distance"].fillna(0) > 1000, "late", "on time")


def pipeline(estimator: Any) -> Pipeline:
    prepare = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["distance"]),
            (
                "words",
                OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                make_column_selector(pattern="origin"),
            ),
        ]
    )
    return Pipeline([("prepare", prepare), ("model", estimator)])


class Stubborn:
    """A step that holds what no file can."""

    def __init__(self) -> None:
        self.lock_ = threading.Lock()

    def fit(self, frame: Any, labels: Any = None) -> Stubborn:
        return self

    def transform(self, frame: Any) -> Any:
        return frame


class Bomb:
    """A pickle that would run code."""

    def __reduce__(self) -> Any:
        return (pytest.fail, ("the pickle was loaded",))


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        RandomForestClassifier(5, random_state=0),
        HistGradientBoostingClassifier(max_iter=5),
        GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, scoring="roc_auc"),
    ],
    ids=estimator_name,
)
def test_a_scikit_learn_pipeline_is_kept_without_pickle(estimator: Any, flights: pd.DataFrame, late: Any) -> None:
    model = pipeline(estimator).fit(flights, late)
    content, kind = dump_model(model)
    assert kind is ModelFormat.skops
    again = load_model_bytes(content, kind, "ada", "ada")
    np.testing.assert_array_equal(again.predict_proba(flights), model.predict_proba(flights))


def test_another_actor_loads_reviewed_types_but_not_unchecked_ones(flights: pd.DataFrame, late: Any) -> None:
    content, kind = dump_model(pipeline(LogisticRegression()).fit(flights, late))
    assert load_model_bytes(content, kind, "ada", "bob").predict(flights[:1]).shape == (1,)
    content, kind = dump_model(pipeline(RandomForestClassifier(2)).fit(flights, late))
    with pytest.raises(UntrustedModelError, match=r"written by ada and holds sklearn\.tree.*trust=True"):
        load_model_bytes(content, kind, "ada", "bob")
    assert load_model_bytes(content, kind, "ada", "bob", trust=True).predict(flights[:1]).shape == (1,)


def test_code_of_the_user_makes_it_a_pickle(flights: pd.DataFrame, late: Any) -> None:
    columns = FunctionTransformer(lambda frame: frame[["distance"]].fillna(0))
    model = make_pipeline(columns, LogisticRegression()).fit(flights, late)
    content, kind = dump_model(model)
    assert kind is ModelFormat.pickle
    again = load_model_bytes(content, kind, "ada", "ada")
    np.testing.assert_array_equal(again.predict(flights), model.predict(flights))


def test_a_pickle_of_another_actor_is_not_loaded_without_trust() -> None:
    content = pickle.dumps(Bomb())
    with pytest.raises(UntrustedModelError, match=r"a pickle that eve wrote.*trust=True"):
        load_model_bytes(content, ModelFormat.pickle, "eve", "ada")


def test_a_skops_file_with_a_foreign_function_is_not_loaded(flights: pd.DataFrame) -> None:
    import os

    import skops.io

    content = skops.io.dumps(FunctionTransformer(os.system).fit(flights))
    with pytest.raises(UntrustedModelError, match="system"):
        load_model_bytes(content, ModelFormat.skops, "ada", "ada")


def test_a_step_that_cannot_be_kept_is_named(flights: pd.DataFrame, late: Any) -> None:
    model = Pipeline([("inner", Pipeline([("stubborn", Stubborn())])), ("model", pipeline(LogisticRegression()))])
    model.fit(flights, late)
    with pytest.raises(CannotKeepError, match=r"step 'inner\.stubborn' \(Stubborn\)"):
        dump_model(model)


def test_bytes_that_are_no_model_are_damaged() -> None:
    for kind in ModelFormat:
        with pytest.raises(DamagedContentError, match=f"cannot be read as {kind.value}"):
            load_model_bytes(b"not a model", kind, "ada", "ada")
    with pytest.raises(MissingDependencyError, match="no_such_module"):
        load_model_bytes(b"cno_such_module\nThing\n.", ModelFormat.pickle, "ada", "ada")


def test_a_run_keeps_its_model_with_signature(workspace: Workspace, flights: pd.DataFrame, late: Any) -> None:
    model = pipeline(LogisticRegression()).fit(flights, late)
    with start_run(workspace, "late-flights", capture_environment=False) as run:
        kept = run.log_model(model, example=flights, target="late")
    assert kept is not None
    assert kept == get_run_model(workspace, "late-flights")
    assert kept.estimator == "ColumnTransformer → LogisticRegression"
    assert kept.written_by == "ada"
    assert kept.signature.target == "late"
    assert kept.signature.labels == ["late", "on time"]
    assert get_run(workspace, "late-flights").has_model
    again = load_run_model(workspace, run.run_id)
    np.testing.assert_array_equal(again.predict(flights), model.predict(flights))


def test_the_frame_a_model_was_fitted_on_is_kept_with_it(
    workspace: Workspace, flights: pd.DataFrame, late: Any
) -> None:
    model = pipeline(LogisticRegression()).fit(flights, late)
    with start_run(workspace, "late-flights", capture_environment=False) as run:
        kept = run.log_model(model, example=flights)
    assert kept is not None
    assert kept.training_ref == "late-flights-training@v1"
    assert [given.dataset_ref for given in run.run.inputs] == ["late-flights-training@v1"]


def test_a_frame_that_cannot_be_kept_does_not_cost_the_model(workspace: Workspace) -> None:
    numbers = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 0.0, 1.0]})
    model = LinearRegression().fit(numbers, numbers["a"])
    strange = numbers.assign(note=[{1}, {2}, {3}])
    with start_run(workspace, "strange", capture_environment=False) as run, pytest.warns(SnapMLWarning, match="'note'"):
        kept = run.log_model(model, example=strange)
    assert kept is not None
    assert kept.training_ref is None


def test_another_actor_cannot_pass_for_the_writer(workspace: Workspace, flights: pd.DataFrame, late: Any) -> None:
    columns = FunctionTransformer(lambda frame: frame[["distance"]].fillna(0))
    model = make_pipeline(columns, LogisticRegression()).fit(flights, late)
    eve = workspace.acting_as("eve")
    with start_run(eve, "gift", capture_environment=False) as run:
        kept = keep_model(eve, run.run_id, model, example=flights)
    with pytest.raises(UntrustedModelError, match="eve"):
        load_run_model(workspace, "gift")
    forged = recording.record_model(eve, run.run_id, replace(kept, written_by="ada"))
    assert forged.written_by == "eve"
    assert load_run_model(workspace, "gift", trust=True).predict(flights).shape == (200,)


def test_a_model_without_content_or_fit_is_refused(workspace: Workspace, flights: pd.DataFrame, late: Any) -> None:
    with start_run(workspace, "x", capture_environment=False) as run:
        with pytest.raises(InvalidInputError, match="not fitted yet"):
            run.log_model(pipeline(LogisticRegression()), example=flights)
        with pytest.raises(InvalidInputError, match="is a class"):
            run.log_model(LogisticRegression, example=flights)
        with pytest.raises(NotFoundError, match="kept no model"):
            get_run_model(workspace, run.run_id)
        kept = keep_model(workspace, run.run_id, pipeline(LogisticRegression()).fit(flights, late), example=flights)
        with pytest.raises(NotFoundError, match="put blob"):
            recording.record_model(workspace, run.run_id, replace(kept, model_digest="0" * 64))


def test_a_registered_model_cannot_be_replaced(workspace: Workspace, flights: pd.DataFrame, late: Any) -> None:
    numbers = flights[["distance"]].fillna(0)
    with start_run(workspace, "x", capture_environment=False) as run:
        run.log_model(LinearRegression().fit(numbers, numbers["distance"]), example=numbers)
        run.log_model(LinearRegression(fit_intercept=False).fit(numbers, numbers["distance"]), example=numbers)
    with workspace.transaction() as tx:
        now = workspace.now().isoformat()
        tx.insert("models", name="delay", created_at=now)
        tx.insert(
            "model_versions",
            name="delay",
            number=1,
            run_id=run.run_id,
            stage="none",
            metrics="{}",
            created_at=now,
            created_by="ada",
        )
    assert get_run(workspace, "x").model_refs == ["delay:1"]
    with pytest.raises(ConflictError, match="registered as delay:1"):
        keep_model(workspace, run.run_id, pipeline(LogisticRegression()).fit(flights, late), example=flights)
