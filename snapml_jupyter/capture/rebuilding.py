"""Training data of LightGBM and XGBoost as bytes and back: pointers into the library, which no pickler can follow.

Each library writes them into a file of its own kind, which keeps everything: rows, labels, weights, bins.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from typing import Any


def taken_apart(value: Any) -> tuple[str, tuple[Any, ...]] | None:
    """The kind of such a value and what it is made of, all of which can be pickled; None for any other value."""
    kind = type(value)
    if kind.__name__ == "DMatrix" and kind.__module__.partition(".")[0] == "xgboost":
        return "dmatrix", (_written(value.save_binary), value.feature_names, value.feature_types)
    if kind.__name__ == "Dataset" and kind is getattr(sys.modules.get("lightgbm"), "Dataset", None):
        return _dataset_parts(value)
    return None


def rebuilt(kind: str, parts: tuple[Any, ...]) -> Any:
    """The value again, of what `taken_apart` gave."""
    return (_load_dmatrix if kind == "dmatrix" else _load_dataset)(*parts)


def _dataset_parts(value: Any) -> tuple[str, tuple[Any, ...]] | None:
    state = dict(vars(value))
    if state.get("_handle") is None:
        return None  # it is what it was given until it is first used
    if state.get("data") is not None and not isinstance(state["data"], (str, os.PathLike)):
        state["_handle"] = None  # made again of the rows when it is used
        return "dataset", (None, state)
    content = _written(value.save_binary)
    state["_handle"] = None
    state["data"] = None
    return "dataset", (content, state)


def _load_dataset(content: bytes | None, state: dict[str, Any]) -> Any:
    import lightgbm

    made = lightgbm.Dataset.__new__(lightgbm.Dataset)
    vars(made).update(state)
    if content is not None:
        with tempfile.TemporaryDirectory(prefix="snapml-") as folder:
            path = os.path.join(folder, "data.bin")
            with open(path, "wb") as file:
                file.write(content)
            read = lightgbm.Dataset(path, params=state.get("params"), free_raw_data=False).construct()
        vars(made)["_handle"] = read._handle
        read._handle = None  # it belongs to the other now
    return made


def _load_dmatrix(content: bytes, feature_names: Any, feature_types: Any) -> Any:
    import xgboost

    with tempfile.TemporaryDirectory(prefix="snapml-") as folder:
        path = os.path.join(folder, "data.buffer")
        with open(path, "wb") as file:
            file.write(content)
        made = xgboost.DMatrix(path)
    made.feature_names, made.feature_types = feature_names, feature_types
    return made


def _written(write: Callable[[str], Any]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="snapml-") as folder:
        path = os.path.join(folder, "data.bin")
        write(path)
        with open(path, "rb") as file:
            return file.read()
