"""A fitted model, from raw named columns to its answer, as one ONNX graph.

Each kind of step has its converter in the two tables below; what they do not list goes through skl2onnx. Arithmetic is
in double, as in scikit-learn, so the graph agrees with the model to rounding; `parity.py` proves it on real rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from ..domain.errors import ExportError
from ..domain.model import ColumnKind, Signature, SignatureColumn, Task
from ..version import __version__
from . import (
    combined,
    curves,
    encoders,
    geometry,
    imputers,
    lightgbm_trees,
    linear,
    scalers,
    structure,
    svm,
    text,
    torch_modules,
    trees,
    xgboost_trees,
)
from .conversion import (
    Conversion,
    NoDoubleFormError,
    Predict,
    Prediction,
    Transform,
    TreesNeedOtherOpsetError,
    class_key,
)
from .frames import missing_marker, model_columns
from .graph import Graph
from .inputs import COLUMNS_KEY, OUTPUTS_KEY, SIGNATURE_KEY, GraphColumn
from .table import Piece, Table

if TYPE_CHECKING:
    import pandas as pd

TRANSFORMERS: dict[str, Transform] = {
    "Pipeline": structure.transform_pipeline,
    "ColumnTransformer": structure.transform_columns,
    "FeatureUnion": structure.transform_union,
    "SimpleImputer": imputers.impute,
    "MissingIndicator": imputers.indicate_missing,
    "OneHotEncoder": encoders.encode_one_hot,
    "OrdinalEncoder": encoders.encode_by_table,
    "TargetEncoder": encoders.encode_by_table,
    "StandardScaler": scalers.scale_standard,
    "MinMaxScaler": scalers.scale_to_range,
    "MaxAbsScaler": scalers.scale_by_maximum,
    "RobustScaler": scalers.scale_robust,
    "PowerTransformer": curves.raise_to_powers,
    "QuantileTransformer": curves.spread_evenly,
    "PolynomialFeatures": curves.multiply_columns,
    "PCA": curves.project,
    "TruncatedSVD": curves.project,
    "CCA": geometry.map_affinely,
    "FactorAnalysis": geometry.map_affinely,
    "FastICA": geometry.map_affinely,
    "FeatureAgglomeration": geometry.map_affinely,
    "GaussianRandomProjection": geometry.map_affinely,
    "MiniBatchSparsePCA": geometry.map_affinely,
    "PLSCanonical": geometry.map_affinely,
    "PLSRegression": geometry.map_affinely,
    "SparsePCA": geometry.map_affinely,
    "SparseRandomProjection": geometry.map_affinely,
    "Birch": geometry.measure_distances,
    "BisectingKMeans": geometry.measure_distances,
    "KMeans": geometry.measure_distances,
    "MiniBatchKMeans": geometry.measure_distances,
    "RBFSampler": geometry.sample_fourier,
    "Nystroem": geometry.approximate_kernel,
    "FrozenEstimator": geometry.transform_inner,
    "Binarizer": scalers.compare_with_threshold,
    "KBinsDiscretizer": scalers.cut_into_bins,
    "FunctionTransformer": scalers.apply_function,
    "SelectKBest": scalers.keep_selected,
    "SelectPercentile": scalers.keep_selected,
    "SelectFromModel": scalers.keep_selected,
    "SelectFpr": scalers.keep_selected,
    "SelectFdr": scalers.keep_selected,
    "SelectFwe": scalers.keep_selected,
    "GenericUnivariateSelect": scalers.keep_selected,
    "SequentialFeatureSelector": scalers.keep_selected,
    "RFE": scalers.keep_selected,
    "RFECV": scalers.keep_selected,
    "VarianceThreshold": scalers.keep_selected,
    "CountVectorizer": text.count_words,
    "TfidfVectorizer": text.count_and_weigh_words,
    "TfidfTransformer": text.weigh_words,
}

PREDICTORS: dict[str, Predict] = {
    "Pipeline": structure.predict_pipeline,
    "GridSearchCV": structure.predict_best,
    "RandomizedSearchCV": structure.predict_best,
    "HalvingGridSearchCV": structure.predict_best,
    "HalvingRandomSearchCV": structure.predict_best,
    "HistGradientBoostingClassifier": trees.predict_hist_boosting,
    "HistGradientBoostingRegressor": trees.predict_hist_boosting,
    "GradientBoostingClassifier": trees.predict_boosting,
    "GradientBoostingRegressor": trees.predict_boosting,
    "RandomForestClassifier": trees.predict_forest,
    "RandomForestRegressor": trees.predict_forest,
    "ExtraTreesClassifier": trees.predict_forest,
    "ExtraTreesRegressor": trees.predict_forest,
    "DecisionTreeClassifier": trees.predict_tree,
    "DecisionTreeRegressor": trees.predict_tree,
    "ExtraTreeClassifier": trees.predict_tree,
    "ExtraTreeRegressor": trees.predict_tree,
    "LogisticRegression": linear.classify_logistic,
    "LogisticRegressionCV": linear.classify_logistic,
    "SGDClassifier": linear.classify_by_score,
    "RidgeClassifier": linear.classify_by_score,
    "RidgeClassifierCV": linear.classify_by_score,
    "LinearSVC": linear.classify_by_score,
    "Perceptron": linear.classify_by_score,
    "PassiveAggressiveClassifier": linear.classify_by_score,
    "LinearRegression": linear.predict_linear,
    "Ridge": linear.predict_linear,
    "RidgeCV": linear.predict_linear,
    "Lasso": linear.predict_linear,
    "LassoCV": linear.predict_linear,
    "LassoLars": linear.predict_linear,
    "LassoLarsCV": linear.predict_linear,
    "LassoLarsIC": linear.predict_linear,
    "Lars": linear.predict_linear,
    "LarsCV": linear.predict_linear,
    "ElasticNet": linear.predict_linear,
    "ElasticNetCV": linear.predict_linear,
    "BayesianRidge": linear.predict_linear,
    "ARDRegression": linear.predict_linear,
    "HuberRegressor": linear.predict_linear,
    "TheilSenRegressor": linear.predict_linear,
    "QuantileRegressor": linear.predict_linear,
    "OrthogonalMatchingPursuit": linear.predict_linear,
    "SGDRegressor": linear.predict_linear,
    "PassiveAggressiveRegressor": linear.predict_linear,
    "LinearSVR": linear.predict_linear,
    "PoissonRegressor": linear.predict_log_linear,
    "GammaRegressor": linear.predict_log_linear,
    "TweedieRegressor": linear.predict_log_linear,
    "DummyClassifier": linear.predict_constant,
    "DummyRegressor": linear.predict_constant,
    "SVC": svm.classify_support_vectors,
    "NuSVC": svm.classify_support_vectors,
    "SVR": svm.regress_support_vectors,
    "NuSVR": svm.regress_support_vectors,
    "VotingClassifier": combined.vote,
    "VotingRegressor": combined.vote,
    "StackingClassifier": combined.stack,
    "StackingRegressor": combined.stack,
    "CalibratedClassifierCV": combined.calibrate,
    "BaggingClassifier": combined.bag,
    "BaggingRegressor": combined.bag,
    "AdaBoostClassifier": combined.boost_classifiers,
    "FixedThresholdClassifier": combined.move_threshold,
    "TunedThresholdClassifierCV": combined.move_threshold,
    "TransformedTargetRegressor": combined.scale_back,
    "IsotonicRegression": geometry.regress_by_steps,
    "KernelRidge": geometry.regress_by_kernel,
    "RFE": geometry.predict_selected,
    "RFECV": geometry.predict_selected,
    "SelfTrainingClassifier": geometry.predict_inner,
    "FrozenEstimator": geometry.predict_inner,
    "lightgbm.basic.Booster": lightgbm_trees.predict_lightgbm,
    "lightgbm.sklearn.LGBMClassifier": lightgbm_trees.predict_lightgbm,
    "lightgbm.sklearn.LGBMRegressor": lightgbm_trees.predict_lightgbm,
    "torch.nn.Module": torch_modules.predict_torch,
    "xgboost.core.Booster": xgboost_trees.predict_xgboost,
    "xgboost.sklearn.XGBClassifier": xgboost_trees.predict_xgboost,
    "xgboost.sklearn.XGBRegressor": xgboost_trees.predict_xgboost,
    "xgboost.sklearn.XGBRFClassifier": xgboost_trees.predict_xgboost,
    "xgboost.sklearn.XGBRFRegressor": xgboost_trees.predict_xgboost,
}

#: Version of the tree operators, and whether a forest may be copied per class: tried in this order.
_TREE_FORMS = ((5, False), (4, False), (5, True))

_TENSORS = {
    ColumnKind.boolean: "bool",
    ColumnKind.integer: "int64",
    ColumnKind.float: "double",
    ColumnKind.string: "string",
    ColumnKind.datetime: "datetime",
}

_OUTPUT_NAMES = ("label", "probabilities", "prediction")


def export_model(
    model: Any, signature: Signature, example_frame: pd.DataFrame, metadata: Mapping[str, str] | None = None
) -> bytes:
    """The serialised ONNX graph of a fitted model.

    One input per used column of the signature, shape [rows, 1]. Outputs: `label` [rows] in the original type and
    `probabilities` [rows, classes] (double; absent when the classifier has none), or `prediction` [rows, 1] (double).
    `example_frame` is what the model was fitted on, or some rows of it. `metadata` goes into the graph beside the
    signature, each key with the prefix `snapml.` (`run_id`, `dataset_ref`, `model_ref`).
    Raises ExportError naming the step, its class, its columns and what to use instead.
    """
    if signature.task is Task.other:
        raise ExportError(
            f"A {type(model).__name__} neither classifies nor predicts a number, so there is nothing to serve. "
            "Export a classifier or a regressor."
        )
    if signature.labels is not None and len(signature.labels) == 1:
        raise ExportError(
            f"The model knows only one class, {signature.labels[0]!r}: "
            f"{'the target' if signature.target is None else repr(signature.target)} had one value in all rows it was "
            "fitted on, so it can only answer that. Fit it on rows of two classes or more."
        )
    if str(type(model).__module__).partition(".")[0] != "sklearn" and class_key(model) not in PREDICTORS:
        raise ExportError(
            f"A model of class {type(model).__module__}.{type(model).__name__} cannot be exported: only models and "
            "pipelines of scikit-learn, LightGBM, XGBoost and torch modules become ONNX graphs. Instead: put the model "
            "into a scikit-learn Pipeline, or use HistGradientBoostingClassifier or HistGradientBoostingRegressor."
        )
    if hasattr(model, "fit"):
        _check_fitted(model)
    # Some converters and operators of skl2onnx have no double form; then those parts compute in float32.
    problem: str | None = "skl2onnx has no double form of it"
    try:
        content, has_foreign_part = _build(model, signature, example_frame, metadata or {}, single=False)
        problem = _cannot_run(content, example_frame) if has_foreign_part else None
    except NoDoubleFormError:
        pass
    if problem is not None:
        content, _ = _build(model, signature, example_frame, metadata or {}, single=True)
        problem = _cannot_run(content, example_frame)
        if problem is not None:
            raise ExportError(
                f"The model ({type(model).__name__}) cannot be exported: onnxruntime does not run its graph ({problem}). "
                "Instead: use a model of scikit-learn such as HistGradientBoosting, RandomForest or LogisticRegression."
            )
    return content


def _build(
    model: Any, signature: Signature, frame: pd.DataFrame, metadata: Mapping[str, str], *, single: bool
) -> tuple[bytes, bool]:
    for ml_opset, copies in _TREE_FORMS:
        conversion = Conversion(
            Graph(ml_opset),
            TRANSFORMERS,
            PREDICTORS,
            copies=copies,
            single=single,
            signature=signature,
            frame=frame,
        )
        try:
            table = _raw_table(conversion.graph, model, signature, frame)
            answer = conversion.predict(model, table)
        except TreesNeedOtherOpsetError:
            continue
        return _finish(conversion, signature, table, answer, metadata), conversion.has_foreign_part
    raise ExportError(
        f"The trees inside {type(model).__name__} cannot be in one ONNX graph: some split by categories, others are only "
        "known to an older operator. Instead: encode the categories with OrdinalEncoder or OneHotEncoder."
    )


def _raw_table(graph: Graph, model: Any, signature: Signature, frame: pd.DataFrame) -> Table:
    """The graph's inputs, in the order of the columns that the model was fitted on."""
    columns = {column.name: column for column in signature.inputs}
    table: Table = []
    for name in model_columns(model, signature):
        column = columns.get(name)
        if column is None:  # seen in training but dropped by the model; an error only if a step touches it
            table.append(Piece(tensor="", kind="datetime", sources=(name,), raw=(name,)))
            continue
        tensor = _tensor_kind(column, frame)
        if tensor != "datetime":
            graph.input(_input_name(name, columns), tensor)
        table.append(
            Piece(
                tensor=_input_name(name, columns),
                kind=tensor,
                sources=(name,),
                raw=(name,),
                missing=missing_marker(frame, name) if tensor == "string" else None,
                is_category=name in frame.columns and str(frame[name].dtype) == "category",
            )
        )
    return table


def _tensor_kind(column: SignatureColumn, frame: pd.DataFrame) -> str:
    """Numbers that may be missing are doubles, with NaN; float32 columns stay so, to round requests the same way."""
    if column.nullable and column.kind in (ColumnKind.boolean, ColumnKind.integer):
        return "double"
    if column.kind is ColumnKind.float and column.name in frame.columns and str(frame[column.name].dtype) == "float32":
        return "float"
    return _TENSORS[column.kind]


def _input_name(name: str, columns: Mapping[str, SignatureColumn]) -> str:
    """The column's own name, unless an output has it."""
    while name in _OUTPUT_NAMES or not name:
        name += "_input"
        if name in columns:
            name += "_"
    return name


def _finish(
    conversion: Conversion, signature: Signature, table: Table, answer: Prediction, metadata: Mapping[str, str]
) -> bytes:
    graph = conversion.graph
    outputs: list[tuple[str, str, str, int | None]] = []
    if signature.task is Task.classification:
        assert answer.winner is not None
        labels, kind = _labels(answer.classes)
        outputs.append(("label", graph.op("Gather", graph.constant(labels), answer.winner), kind, None))
        if answer.probabilities is not None:
            outputs.append(("probabilities", answer.probabilities, "double", len(answer.classes)))
    else:
        assert answer.values is not None
        outputs.append(("prediction", answer.values, "double", 1))
    needed = graph.inputs_needed_by(tensor for _, tensor, _, _ in outputs)
    pieces = {piece.sources[0]: piece for piece in table}
    columns = []
    for column in signature.inputs:
        piece = pieces.get(column.name)
        used = piece is not None and piece.tensor in needed
        columns.append(
            GraphColumn(
                name=column.name,
                input=piece.tensor if piece is not None and used else None,
                tensor=piece.kind if piece is not None else _TENSORS[column.kind],
                categories=conversion.categories.get(column.name),
                lowered=column.name in conversion.lowered
                and piece is not None
                and text.is_only_read_lowered(graph, piece.tensor),
            )
        )
    written = {f"snapml.{key}": value for key, value in metadata.items()}
    written["snapml.version"] = __version__
    written[SIGNATURE_KEY] = msgspec.json.encode(signature).decode()
    written[COLUMNS_KEY] = msgspec.json.encode(columns).decode()
    written[OUTPUTS_KEY] = msgspec.json.encode([name for name, _, _, _ in outputs]).decode()
    return graph.finish(outputs, written)


def _labels(classes: Any) -> tuple[Any, str]:
    """The classes as a constant of their own type."""
    values = np.asarray(classes).tolist()
    if all(isinstance(value, bool) for value in values):
        return np.array(values, dtype=np.bool_), "bool"
    if all(isinstance(value, int) for value in values):
        return np.array(values, dtype=np.int64), "int64"
    if all(isinstance(value, (int, float)) for value in values):
        return np.array(values, dtype=np.float64), "double"
    if all(isinstance(value, str) for value in values):
        return np.array(values, dtype=object), "string"
    shown = ", ".join(repr(value) for value in values[:4])
    raise ExportError(
        f"The labels {shown} are not all text, all numbers or all booleans. Train with labels of one type."
    )


def _check_fitted(model: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(model)
    except NotFittedError:
        raise ExportError(f"The {type(model).__name__} is not fitted. Call fit before exporting it.") from None


def _cannot_run(content: bytes, frame: pd.DataFrame) -> str | None:
    """Why onnxruntime refuses the graph or its first rows, None when it runs."""
    from onnxruntime.capi.onnxruntime_pybind11_state import (
        EPFail,
        Fail,
        InvalidArgument,
        InvalidGraph,
        NotImplemented,
        RuntimeException,
    )

    from .frames import frame_to_columns
    from .inputs import GraphInputs
    from .parity import open_session

    try:
        session = open_session(content)
        inputs = GraphInputs(session.get_modelmeta().custom_metadata_map)
        for n_rows in (10, 1):
            columns = frame_to_columns(frame.head(n_rows), inputs.signature)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                session.run(inputs.output_names, inputs.columns_to_feeds(columns))
    except (EPFail, Fail, InvalidArgument, InvalidGraph, NotImplemented, RuntimeException) as error:
        return str(error).partition("\n")[0]
    return None
