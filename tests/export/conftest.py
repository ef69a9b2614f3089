"""A frame with every kind of column a client may send, missing values among them, and labels that depend on it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from snapml_jupyter.domain.model import Parity, Signature
from snapml_jupyter.export.inputs import GraphInputs
from snapml_jupyter.export.onnx_graph import export_model
from snapml_jupyter.export.parity import check_parity, open_session
from snapml_jupyter.runs.signature import infer_signature


@dataclass(frozen=True)
class People:
    """`frame` and three targets for its rows: two classes (text), three classes (whole numbers), a number."""

    frame: pd.DataFrame
    two: Any
    three: Any
    number: Any


@pytest.fixture(scope="session")
def people() -> People:
    rng = np.random.default_rng(7)
    n = 600
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 12, n),
            "visits": rng.integers(0, 50, n),
            "member": rng.random(n) < 0.3,
            "score": rng.random(n).astype("float32"),
            "city": rng.choice(["Paris", "Rome", "Zürich", "", "日本"], n),
            "plan": rng.choice(["a", "b", "c"], n),
            "cat": pd.Categorical(rng.choice(["x", "y", "z"], n)),
            "letter": pd.Series(rng.choice(["u", "v"], n), dtype=object),
            "maybe": pd.Series(rng.choice(np.array([True, False, None], dtype=object), n), dtype=object),
        }
    )
    for column in ("age", "city", "cat"):
        frame.loc[rng.random(n) < 0.1, column] = np.nan
    frame["letter"] = pd.Series([None if gone else value for value, gone in zip(frame["letter"], rng.random(n) < 0.1, strict=True)], dtype=object)  # fmt: skip
    signal = (
        frame["age"].fillna(30) / 40
        + frame["visits"] / 25
        + (frame["city"] == "Paris")
        + frame["member"]
        + rng.normal(0, 0.3, n)
    )
    return People(
        frame=frame,
        two=np.where(signal > signal.median(), "yes", "no").astype(object),
        three=pd.qcut(signal, 3, labels=False).to_numpy(),
        number=(signal * 100).to_numpy(),
    )


@dataclass(frozen=True)
class Exported:
    """A fitted model beside its graph."""

    model: Any
    signature: Signature
    content: bytes
    parity: Parity

    def ask(self, rows: list[dict[str, Any]]) -> Any:
        """What the graph answers to rows as a client sends them."""
        session = open_session(self.content)
        inputs = GraphInputs(session.get_modelmeta().custom_metadata_map)
        return inputs.decode(session.run(inputs.output_names, inputs.rows_to_feeds(rows)))


@pytest.fixture(scope="session")
def fit_and_export() -> Callable[..., Exported]:
    """`fit_and_export(model, frame, target)` fits, exports and compares on the same rows; warnings of ours are errors."""

    def run(model: Any, frame: pd.DataFrame, target: Any, fit_on: Any = None) -> Exported:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what scikit-learn says while fitting is not under test
            model.fit(frame if fit_on is None else fit_on, target)
        signature = infer_signature(model, frame)
        content = export_model(model, signature, frame, {"run_id": "r1"})
        return Exported(model, signature, content, check_parity(model, content, frame, signature, 1e-5))

    return run
