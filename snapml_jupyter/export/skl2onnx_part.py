"""Steps that skl2onnx knows how to write, on a matrix of numbers, put into the larger graph.

Computed in double where the operators allow it. Text and missing-value handling never comes here.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np

from .conversion import Conversion, NoDoubleFormError, Prediction, TreesNeedOtherOpsetError, class_key
from .graph import OPSET
from .table import Table, numbers, width_of

#: Operators for trees that version 5 of ai.onnx.ml no longer has.
_OLD_TREES = {"TreeEnsembleClassifier", "TreeEnsembleRegressor"}


def transform_with_skl2onnx(conversion: Conversion, transformer: Any, table: Table) -> Table:
    """Any transformer of numbers. Raises ExportError when skl2onnx does not know it."""
    outputs = _convert(conversion, transformer, table, {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # feature names are ours to keep
        width = transformer.transform(np.ones((1, width_of(table)))).shape[1]
    return numbers(conversion.graph.cast(outputs[0], "double"), int(width), table)


def predict_with_skl2onnx(conversion: Conversion, model: Any, table: Table) -> Prediction:
    """Any classifier or regressor on numbers. Raises ExportError when skl2onnx does not know it."""
    graph = conversion.graph
    if not hasattr(model, "classes_"):
        (values,) = _convert(conversion, model, table, {})
        as_column = graph.op("Reshape", values, graph.constant(np.array([-1, 1], dtype=np.int64)))
        return Prediction(values=graph.cast(as_column, "double"))
    if not hasattr(model, "predict_proba"):
        conversion.fail(
            model,
            table,
            "it has no probabilities",
            "wrap it in CalibratedClassifierCV, or use a classifier that has predict_proba",
        )
    numbered = copy.copy(model)
    winner = None
    options: dict[str, Any] = {"zipmap": False}
    if class_key(model) in ("SVC", "NuSVC"):
        # Its label is voted and may differ from the most probable class.
        numbered.classes_ = np.arange(len(model.classes_))
        label, shares = _convert(conversion, numbered, table, options)
        winner = graph.cast(label, "int64")
    else:
        _, shares = _convert(conversion, numbered, table, options)
    return conversion.classification(model.classes_, graph.cast(shares, "double"), winner=winner)


def _convert(conversion: Conversion, estimator: Any, table: Table, options: dict[str, Any]) -> list[str]:
    with warnings.catch_warnings():
        # Deprecations between the versions of scikit-learn, skl2onnx and numpy are not the user's.
        warnings.simplefilter("ignore")
        from skl2onnx import convert_sklearn
        from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
        from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator

        if str(type(estimator).__module__).partition(".")[0] != "sklearn":
            _unknown(conversion, estimator, table)
        rows = conversion.numbers(estimator, table)
        conversion.has_foreign_part = True
        kind = FloatTensorType if conversion.single else DoubleTensorType
        try:
            part = convert_sklearn(
                estimator,
                initial_types=[("X", kind([None, width_of(table)]))],
                target_opset={"": OPSET, "ai.onnx.ml": 3},
                options={id(estimator): options} if options else None,
            )
        except (MissingConverter, MissingShapeCalculator):
            _unknown(conversion, estimator, table)
        except (
            RuntimeError,
            NotImplementedError,
            TypeError,
            ValueError,
            AttributeError,
            LookupError,
            NameError,
        ) as error:
            if not conversion.single:
                raise NoDoubleFormError from error
            reason = str(error).strip().partition("\n")[0][:200].rstrip(".")
            conversion.fail(
                estimator,
                table,
                f"skl2onnx cannot convert it ({reason})",
                "use another model, or plainer options of it",
            )
    if conversion.graph.ml_opset >= 5 and any(node.op_type in _OLD_TREES for node in part.graph.node):
        raise TreesNeedOtherOpsetError
    entered = conversion.graph.cast(rows, "float") if conversion.single else rows
    outputs: list[str] = conversion.graph.include(part, {"X": entered})
    return outputs


def _unknown(conversion: Conversion, estimator: Any, table: Table) -> None:
    own = str(type(estimator).__module__).partition(".")[0] != "sklearn"
    why = "it is Python code of its own, which a graph cannot hold" if own else "skl2onnx has no converter for it"
    if hasattr(estimator, "predict"):
        instead = "use a model of scikit-learn such as HistGradientBoosting, RandomForest or LogisticRegression"
    else:
        instead = (
            "do this step in the DataFrame before the model sees it, or use a transformer of scikit-learn such as "
            "SimpleImputer, OneHotEncoder, OrdinalEncoder, StandardScaler, KBinsDiscretizer or PolynomialFeatures"
        )
    conversion.fail(estimator, table, why, instead)
