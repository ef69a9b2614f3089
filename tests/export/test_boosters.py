"""LightGBM and XGBoost: classes and native boosters, alone and behind a pipeline, with their own ways with gaps."""

from __future__ import annotations

import ctypes
import importlib.util
import inspect
import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from snapml_jupyter.domain.errors import ExportError, InvalidInputError
from snapml_jupyter.domain.model import Task
from snapml_jupyter.export.onnx_graph import export_model
from snapml_jupyter.export.parity import check_parity
from snapml_jupyter.runs.signature import infer_signature


def has(library: str) -> bool:
    """Whether it is installed and the OpenMP library that it loads is there."""
    if importlib.util.find_spec(library) is None:
        return False
    if library == "xgboost" or sys.platform != "linux":
        return True
    try:
        return ctypes.CDLL("libgomp.so.1") is not None
    except OSError:
        return False


needs_lightgbm = pytest.mark.skipif(not has("lightgbm"), reason="LightGBM is missing, or libgomp.so.1 that it loads")
needs_xgboost = pytest.mark.skipif(not has("xgboost"), reason="XGBoost is missing: its CPU build is for x86-64 only")

N_ROWS = 800
SMALL = {"n_estimators": 12, "n_jobs": 1}
QUIET = {**SMALL, "verbose": -1}
FEW = {"verbose": -1, "num_threads": 1}


def table() -> pd.DataFrame:
    """Numbers with gaps, names with blanks, categories of text and of whole numbers, float32, booleans."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "flight time": rng.normal(size=N_ROWS),
            "city": pd.Categorical(rng.choice(["Oslo", "Rome", "Bern", "Wien"], N_ROWS)),
            "line": pd.Categorical(rng.choice([10, 20, 30], N_ROWS)),
            "n": rng.integers(0, 50, N_ROWS),
            "share": rng.normal(size=N_ROWS).astype("float32"),
            "late": rng.random(N_ROWS) < 0.4,
        }
    )
    frame.loc[rng.random(N_ROWS) < 0.1, ["flight time"]] = np.nan
    frame.loc[rng.random(N_ROWS) < 0.1, "city"] = np.nan
    return frame


FRAME = table()
SIGNAL = (
    FRAME["flight time"].fillna(1)
    + (FRAME["city"] == "Oslo")
    + (FRAME["line"] == 20)
    + FRAME["n"] / 25
    + FRAME["late"] * FRAME["share"]
).to_numpy()
NUMBERS = FRAME.drop(columns=["city", "line"])
TEXT = FRAME.assign(city=FRAME["city"].astype(object)).drop(columns="line")
BITS = (np.median(SIGNAL) < SIGNAL).astype(int)
ANSWERS = np.where(BITS, "yes", "no").astype(object)
THREE = pd.qcut(SIGNAL, 3, labels=False)
AMOUNT = (SIGNAL - SIGNAL.min() + 0.1) * 10


def prepared(model: Any) -> Any:
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    return make_pipeline(ColumnTransformer([("w", words, ["city"])], remainder="passthrough"), model)


def compare(model: Any, frame: pd.DataFrame, labels: Any = None) -> Any:
    """The parity of a fitted model on the rows it was fitted on, and on rows with gaps everywhere."""
    signature = infer_signature(model, frame, labels=labels)
    content = export_model(model, signature, frame, {})
    return signature, check_parity(model, content, frame, signature, 1e-5)


def fitted(model: Any, frame: pd.DataFrame, target: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the library says while it fits is not under test
        return model.fit(frame, target)


@needs_lightgbm
@pytest.mark.parametrize(
    ("target", "options"),
    [
        (ANSWERS, {}),
        (THREE, {}),
        (THREE, {"objective": "multiclassova"}),
        (THREE, {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.7}),
        (ANSWERS, {"boosting_type": "dart", "is_unbalance": True}),
        (BITS == 1, {"n_estimators": 1, "min_child_samples": N_ROWS}),
    ],
    ids=["text", "three", "one against rest", "forest", "dart", "no split at all"],
)
def test_a_lightgbm_classifier_answers_alike(target: Any, options: dict[str, Any]) -> None:
    import lightgbm

    signature, parity = compare(fitted(lightgbm.LGBMClassifier(**{**QUIET, **options}), FRAME, target), FRAME)
    assert parity.max_difference < 1e-12
    assert parity.label_agreement == 1.0
    assert [column.name for column in signature.inputs] == list(FRAME.columns)


@needs_lightgbm
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"objective": "quantile"},
        {"objective": "poisson"},
        {"objective": "tweedie"},
        {"reg_sqrt": True},
        {"zero_as_missing": True},
        {"use_missing": False},
    ],
    ids=str,
)
def test_a_lightgbm_regressor_answers_alike(options: dict[str, Any]) -> None:
    import lightgbm

    assert (
        compare(fitted(lightgbm.LGBMRegressor(**QUIET, **options), NUMBERS, AMOUNT), NUMBERS)[1].max_difference < 1e-12
    )


@needs_lightgbm
def test_lightgbm_boosters_take_labels_or_count_them() -> None:
    import lightgbm

    two = lightgbm.train({**FEW, "objective": "binary"}, lightgbm.Dataset(FRAME, BITS), 10)
    signature, parity = compare(two, FRAME, labels=["no", "yes"])
    assert (signature.task, signature.labels, parity.passed) == (Task.classification, ["no", "yes"], True)
    many = lightgbm.train(
        {**FEW, "objective": "multiclass", "num_class": 3}, lightgbm.Dataset(NUMBERS.to_numpy(dtype=float), THREE), 10
    )
    signature, parity = compare(many, NUMBERS)
    assert (signature.labels, parity.label_agreement) == ([0, 1, 2], 1.0)
    signature, parity = compare(lightgbm.train(FEW, lightgbm.Dataset(FRAME, AMOUNT), 10), FRAME)
    assert (signature.task, signature.labels, parity.passed) == (Task.regression, None, True)
    with pytest.raises(InvalidInputError, match="The model has 2 classes, but 3 labels are given"):
        infer_signature(two, FRAME, labels=["a", "b", "c"])


@needs_lightgbm
def test_lightgbm_stops_at_its_best_round() -> None:
    import lightgbm

    early = lightgbm.LGBMRegressor(n_estimators=300, learning_rate=0.5, n_jobs=1, verbose=-1)
    early.fit(
        NUMBERS[:400],
        AMOUNT[:400],
        **(
            {"eval_X": NUMBERS[400:], "eval_y": AMOUNT[400:]}
            if "eval_X" in inspect.signature(early.fit).parameters  # LightGBM 4.7 and newer
            else {"eval_set": [(NUMBERS[400:], AMOUNT[400:])]}
        ),
        callbacks=[lightgbm.early_stopping(3, verbose=False)],
    )
    assert early.best_iteration_ < 300
    assert compare(early, NUMBERS)[1].max_difference < 1e-12


@needs_lightgbm
def test_unknown_and_missing_categories_go_where_lightgbm_sends_them() -> None:
    import lightgbm

    model = fitted(lightgbm.LGBMClassifier(**QUIET), FRAME, THREE)
    signature = infer_signature(model, FRAME)
    content = export_model(model, signature, FRAME, {})
    new = FRAME.head(60).copy()
    new["city"] = pd.Categorical(["Paris", "Rome", None] * 20)
    assert check_parity(model, content, new, signature, 1e-5).max_difference < 1e-12


@needs_lightgbm
def test_categories_given_as_numbers_are_sets_too() -> None:
    import lightgbm

    model = lightgbm.LGBMClassifier(**QUIET, min_child_samples=5, categorical_feature=[1])
    assert compare(fitted(model, NUMBERS, THREE), NUMBERS)[1].max_difference < 1e-12


@needs_lightgbm
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"linear_tree": True}, "its leaves hold linear models. Instead: train with linear_tree=False"),
        (
            {"objective": lambda y, p: (p - y, np.ones_like(p))},
            "what its objective 'custom' makes of raw scores is not known here",
        ),
    ],
    ids=["linear trees", "an objective of one's own"],
)
def test_what_lightgbm_has_alone_is_refused_by_name(options: dict[str, Any], sentence: str) -> None:
    import lightgbm

    text = prepared(lightgbm.LGBMRegressor(**QUIET, **options))
    with pytest.raises(ExportError, match=sentence) as caught:
        compare(fitted(text, TEXT, AMOUNT), TEXT)
    assert str(caught.value).startswith("Step 'lgbmregressor' (LGBMRegressor), which works on columns 'city', 'flight")


@needs_lightgbm
@needs_xgboost
@pytest.mark.parametrize("target", [BITS, AMOUNT], ids=["classifier", "regressor"])
def test_either_is_the_last_step_of_a_pipeline(target: Any) -> None:
    import lightgbm
    import xgboost

    classifies = target is BITS
    kinds = (
        (lightgbm.LGBMClassifier(**QUIET), xgboost.XGBClassifier(**SMALL))
        if classifies
        else (lightgbm.LGBMRegressor(**QUIET), xgboost.XGBRegressor(**SMALL))
    )
    for model in kinds:
        parity = compare(fitted(prepared(model), TEXT, target), TEXT)[1]
        assert parity.passed
        assert parity.label_agreement == 1.0


@needs_xgboost
@pytest.mark.parametrize(
    ("target", "options"),
    [
        (BITS, {}),
        (THREE, {}),
        (THREE, {"objective": "multi:softmax"}),
        (BITS, {"base_score": 0.2, "missing": 7.0}),
        (BITS, {"booster": "dart", "rate_drop": 0.3}),
        (THREE, {"num_parallel_tree": 3, "subsample": 0.7}),
    ],
    ids=["two", "three", "softmax", "base score, own missing value", "dart", "forests"],
)
def test_an_xgboost_classifier_answers_alike(target: Any, options: dict[str, Any]) -> None:
    import xgboost

    frame = NUMBERS.fillna(0.0) if "missing" in options else NUMBERS
    parity = compare(fitted(xgboost.XGBClassifier(**SMALL, **options), frame, target), frame)[1]
    assert parity.max_difference < 1e-6  # XGBoost adds up in float32
    assert parity.label_agreement == 1.0


@needs_xgboost
@pytest.mark.parametrize(
    "objective", ["reg:squarederror", "reg:absoluteerror", "reg:gamma", "count:poisson", "reg:logistic"]
)
def test_an_xgboost_regressor_answers_alike(objective: str) -> None:
    import xgboost

    target = BITS if objective == "reg:logistic" else AMOUNT
    assert compare(fitted(xgboost.XGBRegressor(**SMALL, objective=objective), NUMBERS, target), NUMBERS)[1].passed


@needs_xgboost
@pytest.mark.parametrize("n_ways", [1, 10], ids=["sets", "one category at a time"])
def test_xgboost_splits_by_categories(n_ways: int) -> None:
    import xgboost

    model = xgboost.XGBClassifier(**SMALL, enable_categorical=True, max_cat_to_onehot=n_ways)
    assert compare(fitted(model, FRAME, THREE), FRAME)[1].passed


@needs_xgboost
def test_neighbours_of_a_threshold_keep_their_side() -> None:
    """XGBoost goes left below its float32 threshold; the numbers here are the thresholds and what lies beside them."""
    import xgboost

    values = np.float32(0.1) * np.arange(1, 201, dtype=np.float32)
    frame = pd.DataFrame({"x": values.astype(np.float64)})
    model = xgboost.XGBRegressor(n_estimators=20, max_depth=6, n_jobs=1).fit(frame, np.arange(200) % 7)
    signature = infer_signature(model, frame)
    content = export_model(model, signature, frame, {})
    around = np.concatenate([values, np.nextafter(values, np.float32(9e9)), np.nextafter(values, np.float32(-9e9))])
    beside = np.concatenate([around.astype(np.float64), np.nextafter(around.astype(np.float64), 9e9)])
    assert check_parity(model, content, pd.DataFrame({"x": beside}), signature, 1e-5).max_difference < 1e-6


@needs_xgboost
def test_xgboost_boosters_answer_alike_and_use_every_round() -> None:
    import xgboost

    rows = xgboost.DMatrix(NUMBERS, BITS)
    two = xgboost.train({"objective": "binary:logistic", "nthread": 1}, rows, 8)
    signature, parity = compare(two, NUMBERS, labels=["no", "yes"])
    assert (signature.labels, parity.passed, parity.label_agreement) == (["no", "yes"], True, 1.0)
    softmax = {"objective": "multi:softmax", "num_class": 3, "nthread": 1}
    many = xgboost.train(softmax, xgboost.DMatrix(NUMBERS.to_numpy(dtype=float), THREE), 8)
    assert compare(many, NUMBERS)[1].label_agreement == 1.0
    half = len(NUMBERS) // 2
    watched = xgboost.DMatrix(NUMBERS[half:], THREE[half:])
    early = xgboost.train(
        {**softmax, "objective": "multi:softprob", "learning_rate": 1.0},
        xgboost.DMatrix(NUMBERS[:half], THREE[:half]),
        60,
        evals=[(watched, "later")],
        early_stopping_rounds=2,
        verbose_eval=False,
    )
    assert compare(early, NUMBERS)[1].passed
    classes = xgboost.XGBClassifier(n_estimators=60, learning_rate=1.0, early_stopping_rounds=2, n_jobs=1)
    classes.fit(NUMBERS[:half], THREE[:half], eval_set=[(NUMBERS[half:], THREE[half:])], verbose=False)
    assert classes.best_iteration + 1 < classes.get_booster().num_boosted_rounds()
    assert compare(classes, NUMBERS)[1].passed


@needs_xgboost
@pytest.mark.parametrize(
    ("options", "target", "sentence"),
    [
        ({"booster": "gblinear"}, AMOUNT, "its booster is gblinear. Instead: train with booster='gbtree'"),
        ({}, np.column_stack([AMOUNT, AMOUNT]), "it predicts several targets at once"),
        ({"objective": "survival:cox"}, AMOUNT, "what its objective 'survival:cox' makes of raw scores is not known"),
    ],
    ids=["linear", "several targets", "survival"],
)
def test_what_xgboost_has_alone_is_refused(options: dict[str, Any], target: Any, sentence: str) -> None:
    import xgboost

    with pytest.raises(ExportError, match=sentence):
        compare(fitted(xgboost.XGBRegressor(**SMALL, **options), NUMBERS, target), NUMBERS)
