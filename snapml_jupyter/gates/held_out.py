"""Held-out rows of a dataset version, and what an exported graph says of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ..domain.errors import InvalidInputError
from ..domain.model import ModelVersion, Signature, Task
from ..export.frames import frame_to_columns
from ..export.inputs import GraphInputs
from ..export.parity import open_session
from ..serving.rows import example_value
from .scores import Answered

if TYPE_CHECKING:
    import pandas as pd

    from ..store.workspace import Workspace
    from .gates_file import Data

#: Rows through the graph at a time.
_BATCH_ROWS = 20_000
_ROUNDS = 5


class LoadedGraph:
    """A version's exported graph in this process, on one thread."""

    def __init__(self, workspace: Workspace, version: ModelVersion) -> None:
        assert version.onnx_digest is not None
        content = workspace.blobs.read(version.onnx_digest)
        self.version = version
        self.n_bytes = len(content)
        self.session: Any = open_session(content)
        self.inputs = GraphInputs(self.session.get_modelmeta().custom_metadata_map)

    def answer(self, frame: pd.DataFrame, target: str) -> Answered:
        """Truth and answers of every row. Raises InvalidInputError for rows the model cannot take or a truth it
        cannot know."""
        signature = self.version.signature
        predictions: list[Any] = []
        probabilities: list[Any] = []
        for start in range(0, len(frame), _BATCH_ROWS):
            columns = frame_to_columns(frame.iloc[start : start + _BATCH_ROWS], signature)
            feeds = self.inputs.columns_to_feeds(columns)
            answers = self.inputs.decode(self.session.run(self.inputs.output_names, feeds))
            predictions += answers.predictions
            if answers.probabilities is not None:
                probabilities.append(answers.probabilities)
        truth = frame[target]
        if signature.task is not Task.classification:
            return Answered(_numbers(truth, target), np.array(predictions, dtype=np.float64))
        labels = {label: position for position, label in enumerate(signature.labels or ())}
        return Answered(
            _positions(truth.tolist(), labels, target),
            _positions(predictions, labels, "the prediction"),
            np.concatenate(probabilities) if probabilities else None,
            len(labels),
        )

    def time_single_rows(self, frame: pd.DataFrame | None, n_requests: int) -> Any:
        """Seconds of so many single-row predictions, from Python values to Python answers, sorted: one line a round.

        Rounds are for machines that do other work meanwhile, which shows in some of them and not in all.
        """
        rows = example_rows(self.version.signature, frame)
        timings = np.empty((_ROUNDS, n_requests))
        for number in range(-100, timings.size):  # the first hundred warm it up
            row = rows[number % len(rows)]
            started_at = time.perf_counter()
            feeds = self.inputs.rows_to_feeds([row])
            self.inputs.decode(self.session.run(self.inputs.output_names, feeds))
            if number >= 0:
                timings.flat[number] = time.perf_counter() - started_at
        return np.sort(timings, axis=1)


def example_rows(signature: Signature, frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Rows as a request has them: the first 200 of the frame, or the signature's own example."""
    if frame is None or not len(frame):
        return [{column.name: example_value(column) for column in signature.inputs}]
    columns = frame_to_columns(frame.head(200), signature)
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def read_rows(workspace: Workspace, data: Data, versions: list[ModelVersion]) -> tuple[pd.DataFrame, str, str]:
    """Evenly spaced rows that have a truth, the column with it, and the reference they came from.

    The target is the one named, else what the signature of a version says. Raises NotFoundError for a dataset that is
    not there, InvalidInputError for a target that it does not have.
    """
    from ..datasets.dataset import open_dataset

    dataset = open_dataset(workspace, data.ref)
    known = [column.name for column in dataset.schema if not column.is_index]
    target = data.target or next((v.signature.target for v in versions if v.signature.target is not None), None)
    if target is None or target not in known:
        what = "Nobody says which column has the truth" if target is None else f"{data.ref} has no column '{target}'"
        raise InvalidInputError(
            f'{what}. Name it in gates.toml: [data] with target = "COLUMN". Columns: {", ".join(known[:20])}.'
        )
    frame = dataset.to_pandas()
    usable = np.flatnonzero(frame[target].notna().to_numpy())
    if not len(usable):
        raise InvalidInputError(f"{dataset.version.ref} has no row with a value in '{target}'.")
    chosen = usable[np.linspace(0, len(usable) - 1, min(data.rows, len(usable))).round().astype(np.int64)]
    return frame.iloc[chosen], target, dataset.version.ref


def _numbers(truth: Any, target: str) -> Any:
    try:
        return truth.to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError(f"The target '{target}' is no column of numbers, which this model predicts.") from None


def _positions(values: list[Any], labels: dict[Any, int], what: str) -> Any:
    try:
        return np.array([labels[value] for value in values], dtype=np.int64)
    except (KeyError, TypeError) as error:
        unknown = next((value for value in values if value not in labels), error)
        shown = ", ".join(repr(label) for label in list(labels)[:8])
        raise InvalidInputError(f"{unknown!r} in '{what}' is no label of the model; it knows {shown}.") from None
