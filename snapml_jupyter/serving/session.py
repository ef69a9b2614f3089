"""One loaded model: an ONNX graph from raw rows to labels and probabilities, one thread per run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import onnxruntime

from ..domain.errors import ExportError, InvalidInputError
from ..domain.model import Signature
from ..export.inputs import GraphInputs
from ..export.row_feeds import RowFeeds
from .rows import Row, RowDecoder


class CannotAnswerError(InvalidInputError):
    """Rows of the right columns and types that the model itself refuses."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the model says of n rows: n labels (classification) or numbers, and n lists of probabilities or None."""

    values: list[Any]
    probabilities: list[list[float]] | None

    def part(self, start: int, stop: int) -> Answers:
        """The answers of rows `start` to `stop`."""
        probabilities = self.probabilities[start:stop] if self.probabilities is not None else None
        return Answers(self.values[start:stop], probabilities)


class ModelSession:
    """The graph in memory. Runs may be called from several threads. Raises ExportError when it cannot be loaded."""

    def __init__(self, content: bytes) -> None:
        options = onnxruntime.SessionOptions()
        # Workers are scaled by processes; threads inside one would fight over the same cores.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 4
        try:
            self._session: Any = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises a class of its own for every kind of failure
            raise ExportError(f"onnxruntime cannot load the model: {error}") from error
        # The wrapper around it compares the feeds' names with the graph's at each run; these come from the graph.
        self._run_session: Any = getattr(self._session, "_sess", self._session).run
        self.inputs = GraphInputs(self._session.get_modelmeta().custom_metadata_map)
        self._row_feeds = RowFeeds(self.inputs)

    def run(self, rows: list[Row]) -> Answers:
        """Predict rows that a RowDecoder gave.

        Raises InvalidInputError for a value the graph does not take, CannotAnswerError when the graph itself fails.
        """
        if len(rows) == 1 and self._row_feeds.take():
            try:
                outputs = self._run_graph(self._row_feeds.fill(rows[0]))
            finally:
                self._row_feeds.release()
        else:
            outputs = self._run_graph(self.inputs.tuples_to_feeds(rows, has_types=True))
        answers = self.inputs.decode(outputs)
        probabilities = answers.probabilities
        return Answers(answers.predictions, None if probabilities is None else probabilities.tolist())

    def _run_graph(self, feeds: dict[str, Any]) -> list[Any]:
        try:
            outputs: list[Any] = self._run_session(self.inputs.output_names, feeds, None)
        except Exception as error:  # onnxruntime raises a class of its own for every kind of failure
            raise CannotAnswerError(f"The model cannot answer these rows: {error}") from error
        return outputs

    def smoke_test(self, decoder: RowDecoder, signature: Signature) -> None:
        """Answer the signature's example row. Raises ExportError that says what came out instead of an answer."""
        try:
            answers = self.run([decoder.example_row()])
        except InvalidInputError as error:
            raise ExportError(f"The smoke request with the signature's example row failed: {error}") from error
        labels = signature.labels
        width = len(answers.probabilities[0]) if answers.probabilities else len(labels or ())
        if len(answers.values) != 1 or width != len(labels or ()):
            raise ExportError(
                f"The smoke request was answered with {answers}, which does not fit the signature: "
                f"one row, {len(labels or ())} classes."
            )
