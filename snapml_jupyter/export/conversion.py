"""One conversion under way: the graph, where in the pipeline we are, and which converter a step gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ..domain.errors import ExportError
from ..domain.model import Signature
from ..runs.model_kinds import is_torch_module
from .graph import Graph
from .table import Table, kinds_of, matrix, sources_of

if TYPE_CHECKING:
    import pandas as pd


class TreesNeedOtherOpsetError(Exception):
    """The graph must be built again with the other version of the tree operators."""


class NoDoubleFormError(Exception):
    """The graph must be built again with the parts from skl2onnx in float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a predictor answers, as tensors.

    Classification: `classes` in the estimator's order; `probabilities` [rows, classes] and `decision` [rows, 1 or
    classes] where the estimator has them; `winner` [rows] is the position of the predicted class.
    Regression: `values` [rows, 1].
    """

    classes: Any = None
    probabilities: str | None = None
    decision: str | None = None
    winner: str | None = None
    values: str | None = None


Transform = Callable[["Conversion", Any, Table], Table]
Predict = Callable[["Conversion", Any, Table], Prediction]


class Conversion:
    """Passed to every converter. `copies` allows one copy of a forest per class, where trees hold one value a leaf.

    `single` makes the parts that skl2onnx converts compute in float32, for operators that have no double form.
    """

    def __init__(
        self,
        graph: Graph,
        transformers: dict[str, Transform],
        predictors: dict[str, Predict],
        *,
        copies: bool = False,
        single: bool = False,
        signature: Signature | None = None,
        frame: pd.DataFrame | None = None,
    ) -> None:
        self.graph = graph
        self.transformers = transformers
        self.predictors = predictors
        self.copies = copies
        self.single = single
        #: What the columns and labels are, and some rows, for models that do not say themselves.
        self.signature = signature
        self.frame = frame
        #: Whether any part came from skl2onnx, so that `single` makes a difference.
        self.has_foreign_part = False
        #: Raw column -> the only values that an encoder takes.
        self.categories: dict[str, list[Any]] = {}
        #: Raw columns that some step reads in lower case.
        self.lowered: set[str] = set()
        self._path: list[str] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Errors inside name this step."""
        self._path.append(name)
        try:
            yield
        finally:
            self._path.pop()

    def transform(self, estimator: Any, table: Table) -> Table:
        """Convert one transformer. Raises ExportError when there is no way."""
        from .skl2onnx_part import transform_with_skl2onnx

        if isinstance(estimator, str):
            return table if estimator == "passthrough" else []
        if not table:
            return []
        converter = self.transformers.get(class_key(estimator), transform_with_skl2onnx)
        return converter(self, estimator, table)

    def predict(self, estimator: Any, table: Table) -> Prediction:
        """Convert one classifier or regressor. Raises ExportError when there is no way."""
        from .skl2onnx_part import predict_with_skl2onnx

        if _has_several_targets(estimator):
            self.fail(estimator, table, "it predicts several targets at once", "train one model per target")
        converter = self.predictors.get(class_key(estimator), predict_with_skl2onnx)
        return converter(self, estimator, table)

    def numbers(self, estimator: Any, table: Table) -> str:
        """The table as one double matrix. Raises ExportError when it holds text or dates."""
        if "datetime" in kinds_of(table):
            self.refuse_dates(estimator, table)
        if "string" in kinds_of(table):
            text = [piece for piece in table if piece.kind == "string"]
            self.fail(
                estimator,
                text,
                "it needs numbers, but these are text",
                "encode them first (OneHotEncoder or OrdinalEncoder in a ColumnTransformer)",
            )
        return matrix(self.graph, table)

    def refuse_dates(self, estimator: Any, table: Table) -> NoReturn:
        """Raise the ExportError for date columns that are used."""
        dates = [piece for piece in table if piece.kind == "datetime"]
        self.fail(
            estimator,
            dates,
            "ONNX has no dates",
            "give the model numbers made from them (month, weekday, hour), or drop them in a ColumnTransformer",
        )

    def fail(self, estimator: Any, table: Table, why: str, instead: str) -> NoReturn:
        """Raise ExportError naming the step, its class and its columns, why it cannot be, and what to do instead."""
        kind = estimator if isinstance(estimator, str) else type(estimator).__name__
        where = f"Step '{' > '.join(self._path)}' ({kind})" if self._path else f"The model ({kind})"
        names = sources_of(table)
        shown = ", ".join(f"'{name}'" for name in names[:8]) + (", ..." if len(names) > 8 else "")
        columns = f", which works on {'column' if len(names) == 1 else 'columns'} {shown}," if names else ""
        raise ExportError(f"{where}{columns} cannot be exported: {why}. Instead: {instead}.")

    def classification(
        self,
        classes: Sequence[Any],
        probabilities: str | None,
        *,
        decision: str | None = None,
        winner: str | None = None,
    ) -> Prediction:
        """A classifier's answer; the winner is the most probable class unless given."""
        if winner is None and probabilities is not None:
            winner = self.graph.op("ArgMax", probabilities, axis=1, keepdims=0)
        return Prediction(classes=np.asarray(classes), probabilities=probabilities, decision=decision, winner=winner)

    def two_columns(self, positive: str) -> str:
        """Probabilities [rows, 2] from those of the second class [rows, 1]."""
        one = self.graph.constant(np.array(1.0))
        return self.graph.concat([self.graph.op("Sub", one, positive), positive])


def class_key(estimator: Any) -> str:
    """How the converter tables name an estimator's class; a class of one's own never matches, even if it subclasses."""
    kind = type(estimator)
    if is_torch_module(estimator):
        return "torch.nn.Module"
    return (
        str(kind.__name__)
        if str(kind.__module__).partition(".")[0] == "sklearn"
        else f"{kind.__module__}.{kind.__name__}"
    )


def _has_several_targets(estimator: Any) -> bool:
    if hasattr(estimator, "classes_"):
        return isinstance(estimator.classes_, list)
    return isinstance(getattr(estimator, "n_outputs_", 1), int) and getattr(estimator, "n_outputs_", 1) > 1
