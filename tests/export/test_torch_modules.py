"""torch modules: what their outputs mean is measured, and the graph answers like the module for any number of rows."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pandas as pd
import pytest

from snapml_jupyter.domain.errors import ExportError, InvalidInputError
from snapml_jupyter.domain.model import Task
from snapml_jupyter.export.inputs import GraphInputs
from snapml_jupyter.export.onnx_graph import export_model
from snapml_jupyter.export.parity import check_parity, open_session
from snapml_jupyter.runs.signature import infer_signature

if any(importlib.util.find_spec(name) is None for name in ("torch", "onnxscript")):
    pytest.skip("torch and onnxscript are missing: pip install 'snapml-jupyter[torch]'", allow_module_level=True)

import torch
from torch import nn

from snapml_jupyter.export.torch_modules import measured_link

# Loading torch takes seconds: one process does all of these.
pytestmark = pytest.mark.xdist_group("torch")

RNG = np.random.default_rng(8)
FRAME = pd.DataFrame(
    {
        "distance": RNG.normal(size=300) * 3,
        "carrier": RNG.integers(0, 12, 300),
        "late": RNG.random(300) < 0.3,
        "share": RNG.random(300).astype("float32"),
    }
)
FRAME.loc[::9, "distance"] = np.nan


class Net(nn.Module):
    """All columns as one matrix; batch statistics and dropout, which must not be in the graph."""

    def __init__(self, n_outputs: int, last: nn.Module | None = None, n_inputs: int = 4) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.inner = nn.Sequential(
            nn.Linear(n_inputs, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, n_outputs)
        )
        self.last = last or nn.Identity()

    def forward(self, x: Any) -> Any:
        return self.last(self.inner(torch.nan_to_num(x)))


class Embedded(nn.Module):
    """One argument per column: whole numbers as such, for the embedding."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.carriers = nn.Embedding(12, 3)
        self.out = nn.Linear(5, 1)

    def forward(self, carrier: Any, distance: Any, late: Any) -> Any:
        rest = torch.stack([torch.nan_to_num(distance), late.float()], dim=1)
        return self.out(torch.cat([self.carriers(carrier), rest], dim=1)).squeeze(1)


def ask(content: bytes, rows: list[dict[str, Any]]) -> Any:
    session = open_session(content)
    inputs = GraphInputs(session.get_modelmeta().custom_metadata_map)
    return inputs.decode(session.run(inputs.output_names, inputs.rows_to_feeds(rows)))


def test_a_classifier_of_logits_answers_alike_and_stays_in_training_mode() -> None:
    model = Net(3)
    signature = infer_signature(model, FRAME, labels=["early", "on time", "late"])
    content = export_model(model, signature, FRAME, {})
    parity = check_parity(model, content, FRAME, signature, 1e-5)
    assert parity.passed
    assert parity.label_agreement == 1.0
    assert all(part.training for part in model.modules())
    answer = ask(content, [{"distance": None, "carrier": 3, "late": True, "share": 0.5}])
    assert answer.predictions[0] in ("early", "on time", "late")
    assert answer.probabilities.sum() == pytest.approx(1.0)
    assert b"test_torch_modules.py" not in content  # the exporter notes where in the user's files each line was


def test_arguments_named_like_columns_are_those_columns() -> None:
    model = Embedded()
    signature = infer_signature(model, FRAME)
    assert signature.task is Task.regression
    content = export_model(model, signature, FRAME, {})
    assert check_parity(model, content, FRAME, signature, 1e-5).passed
    assert [column.input for column in graph_columns(content)] == ["distance", "carrier", "late", None]


def graph_columns(content: bytes) -> Any:
    return GraphInputs(open_session(content).get_modelmeta().custom_metadata_map).graph_columns


@pytest.mark.parametrize(
    ("model", "labels", "link"),
    [
        (Net(3), ["a", "b", "c"], "softmax"),
        (Net(3, nn.Softmax(dim=1)), ["a", "b", "c"], "identity"),
        (Net(3, nn.LogSoftmax(dim=1)), ["a", "b", "c"], "exp"),
        (Net(1), ["a", "b"], "sigmoid"),
        (Net(1, nn.Sigmoid()), ["a", "b"], "identity"),
        (Net(1, nn.Flatten(0)).double(), None, "identity"),
    ],
    ids=["logits", "probabilities", "log-probabilities", "one logit", "one probability", "a number"],
)
def test_what_the_outputs_mean_is_measured(model: Any, labels: Any, link: str) -> None:
    signature = infer_signature(model, FRAME, labels=labels)
    assert measured_link(model, FRAME, signature) == (3 if labels and len(labels) == 3 else 1, link)


def test_small_logits_are_not_taken_for_a_probability() -> None:
    model = Net(1)
    with torch.no_grad():  # every row of the frame gets a score between 0 and 1
        model.inner[4].weight.mul_(0.01)
        model.inner[4].bias.fill_(0.5)
    signature = infer_signature(model, FRAME, labels=[False, True])
    assert measured_link(model, FRAME, signature) == (1, "sigmoid")


class Starred(nn.Module):
    def forward(self, *columns: Any) -> Any:
        return columns[0]


class Unknown(nn.Module):
    def forward(self, carrier: Any, speed: Any) -> Any:
        return carrier


class Branching(nn.Module):
    def forward(self, x: Any) -> Any:
        return x[:, 0] if x.sum() > 0 else x[:, 1]


@pytest.mark.parametrize(
    ("model", "frame", "labels", "sentence"),
    [
        (Net(3), FRAME, None, "its outputs have 3 columns, and it was kept with no labels. Instead: keep it with one"),
        (Net(3), FRAME, ["a", "b"], "its outputs have 3 columns, and it was kept with 2 labels"),
        (Net(3, n_inputs=3), FRAME, ["a", "b", "c"], "does not take its columns as tensors"),
        (
            Net(3),
            FRAME.assign(city="Oslo"),
            ["a", "b", "c"],
            "works on column 'city', cannot be exported: it needs num",
        ),
        (Starred(), FRAME, None, r"its forward takes \*columns"),
        (Unknown(), FRAME, None, "its forward takes carrier, speed, and there is no column 'speed'"),
    ],
    ids=["no labels", "too few labels", "too few inputs", "text", "starred", "unknown column"],
)
def test_what_cannot_be_is_said(model: Any, frame: pd.DataFrame, labels: Any, sentence: str) -> None:
    with pytest.raises(ExportError, match=sentence):
        export_model(model, infer_signature(model, frame, labels=labels), frame)


@pytest.mark.filterwarnings("ignore")  # torch's own, about what it tries before it gives up
def test_branches_on_values_are_refused_with_the_reason_of_torch() -> None:
    frame = FRAME[["distance", "share"]].fillna(0.0)
    model = Branching()
    with pytest.raises(ExportError, match=r"torch cannot export it .*Instead: use operations that torch\.onnx\.export"):
        export_model(model, infer_signature(model, frame), frame)


def test_labels_are_checked() -> None:
    with pytest.raises(InvalidInputError, match="two labels or more, each once"):
        infer_signature(Net(3), FRAME, labels=["a", "a", "b"])
