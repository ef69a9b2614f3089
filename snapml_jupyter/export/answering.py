"""What the model itself answers to a frame, whatever library it is of: the side of the proof that the graph must meet."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..domain.model import Signature, Task
from ..runs.model_kinds import is_booster, is_torch_module
from .frames import model_input

if TYPE_CHECKING:
    import pandas as pd

#: A frame -> predictions [rows], and probabilities [rows, classes] in the order of the signature's labels or None.
Answering = Callable[["pd.DataFrame"], tuple[Any, Any]]


def answering(model: Any, signature: Signature, frame: pd.DataFrame) -> Answering:
    """How to ask this model; `frame` is some rows of what it was fitted on."""
    if is_torch_module(model):
        from .torch_modules import torch_answering

        return _labelled(torch_answering(model, signature, frame), signature)
    if is_booster(model):
        ask = _ask_lightgbm if type(model).__module__ == "lightgbm.basic" else _ask_xgboost
        return _labelled(lambda rows: ask(model, model_input(model, rows, signature)), signature)
    return lambda rows: _ask_estimator(model, model_input(model, rows, signature), signature)


def _ask_estimator(model: Any, given: Any, signature: Signature) -> tuple[Any, Any]:
    predictions = np.asarray(model.predict(given))
    if signature.task is not Task.classification or not hasattr(model, "predict_proba"):
        return predictions, None
    return predictions, np.asarray(model.predict_proba(given), dtype=np.float64)


def _labelled(ask: Callable[[pd.DataFrame], Any], signature: Signature) -> Answering:
    """For models that give numbers only: probabilities [rows] or [rows, classes] as labels too."""
    if signature.labels is None:
        return lambda rows: (np.asarray(ask(rows)), None)
    labels = np.array(signature.labels, dtype=object)

    def answer(rows: pd.DataFrame) -> tuple[Any, Any]:
        shares = np.asarray(ask(rows), dtype=np.float64).reshape(len(rows), -1)
        if shares.shape[1] == 1:
            shares = np.hstack([1 - shares, shares])
        return labels[shares.argmax(axis=1)], shares

    return answer


def _ask_lightgbm(booster: Any, given: Any) -> Any:
    return booster.predict(given)


def _ask_xgboost(booster: Any, given: Any) -> Any:
    xgboost: Any = importlib.import_module("xgboost")
    rows = xgboost.DMatrix(given, enable_categorical=True)
    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    if objective != "multi:softmax":
        return booster.predict(rows)
    scores = np.asarray(booster.predict(rows, output_margin=True), dtype=np.float64)  # it would give classes only
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
