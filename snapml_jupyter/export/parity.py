"""Proof that an exported graph answers like the model it came from, on real rows."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ..domain.errors import ExportError, InvalidInputError
from ..domain.model import Parity, Signature, Task
from .answering import answering
from .frames import frame_to_columns
from .inputs import Answers, GraphInputs

if TYPE_CHECKING:
    import pandas as pd

#: Rows compared at a time.
_BATCH_ROWS = 20_000

#: Share of rows whose labels must agree.
LABEL_AGREEMENT = 0.9999

_WORST_ROWS = 5


def open_session(content: bytes) -> Any:
    """An onnxruntime session on one thread, silent about what it optimises."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def check_parity(model: Any, onnx_bytes: bytes, frame: pd.DataFrame, signature: Signature, tolerance: float) -> Parity:
    """Compare the graph with the model on every row of the frame, through the same inputs that requests take.

    The difference of a row is the largest absolute difference of its probabilities; for a regression it is the
    difference of the predictions, relative where the model's is above 1. Labels agree when they are equal, or when the
    model's own probabilities of the two labels are a tie within twice the tolerance and the row's probabilities differ
    by no more than the tolerance. It passes when no difference exceeds the tolerance and at least 99.99% of the labels
    agree. `worst_rows` are positions in the frame. Raises InvalidInputError for a frame without rows.
    """
    if not len(frame):
        raise InvalidInputError("There are no rows to compare the exported model on. Give a frame with at least one.")
    session = open_session(onnx_bytes)
    inputs = GraphInputs(session.get_modelmeta().custom_metadata_map)
    ask = answering(model, signature, frame)
    differences = np.zeros(len(frame))
    agreed = np.ones(len(frame), dtype=bool)
    for start in range(0, len(frame), _BATCH_ROWS):
        batch = frame.iloc[start : start + _BATCH_ROWS]
        feeds = inputs.columns_to_feeds(frame_to_columns(batch, signature))
        answers = inputs.decode(session.run(inputs.output_names, feeds))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # unknown categories, feature names: what matters is what comes out
            expected, probabilities = ask(batch)
            rows = slice(start, start + len(batch))
            if signature.task is Task.classification:
                differences[rows], agreed[rows] = _compare_classes(
                    model, signature, expected, probabilities, answers, tolerance
                )
            else:
                differences[rows] = _compare_numbers(expected, np.array(answers.predictions))
    worst = np.lexsort((agreed, -differences))[:_WORST_ROWS].tolist()
    shown = [row for row in worst if differences[row] > 0 or not agreed[row]]
    largest = float(differences.max())
    agreement = float(agreed.mean())
    return Parity(
        n_rows=len(frame),
        max_difference=largest,
        label_agreement=agreement,
        tolerance=tolerance,
        passed=largest <= tolerance and agreement >= LABEL_AGREEMENT,
        worst_rows=shown,
        worst_differences=[float(differences[row]) for row in shown],
    )


def _compare_classes(
    model: Any, signature: Signature, expected: Any, probabilities: Any, answers: Answers, tolerance: float
) -> tuple[Any, Any]:
    """Differences and agreement of one batch."""
    own = getattr(model, "classes_", None)
    classes = np.array(signature.labels, dtype=object) if own is None else np.asarray(own)
    got = np.array(answers.predictions, dtype=object)
    equal = np.asarray(expected.astype(object) == got)
    if answers.probabilities is None:
        return np.zeros(len(got)), equal
    if probabilities is None:
        raise ExportError(f"The graph of {type(model).__name__} has probabilities, but the model has none to compare.")
    differences = _gap(probabilities, answers.probabilities).max(axis=1)
    for row in np.flatnonzero(~equal):
        ours = probabilities[row, _position(classes, got[row])]
        theirs = probabilities[row, _position(classes, expected[row])]
        equal[row] = abs(ours - theirs) <= 2 * tolerance and differences[row] <= tolerance
    return differences, equal


def _compare_numbers(expected: Any, got: Any) -> Any:
    expected = expected.astype(np.float64).ravel()
    return _gap(expected, got.astype(np.float64).ravel()) / np.maximum(1.0, np.abs(expected))


def _gap(expected: Any, got: Any) -> Any:
    """Absolute differences; infinite where exactly one of the two is not a number."""
    gap = np.abs(expected - got)
    one_is_nan = np.isnan(expected) != np.isnan(got)
    return np.where(one_is_nan, np.inf, np.where(np.isnan(gap), 0.0, gap))


def _position(classes: Any, label: Any) -> int:
    return int(np.flatnonzero(classes.astype(object) == label)[0])
