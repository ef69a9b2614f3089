"""Which types in a skops file may be restored without asking.

skops restores the types it trusts itself; for the others it asks. The names below were reviewed for scikit-learn 1.9 and
skops 0.16: none of them runs code that the file's writer chose.
"""

from __future__ import annotations

_SCORES_OF_LABELS = (
    "accuracy_score",
    "balanced_accuracy_score",
    "brier_score_loss",
    "f1_score",
    "jaccard_score",
    "log_loss",
    "matthews_corrcoef",
    "precision_score",
    "recall_score",
)
_SCORES_OF_NUMBERS = (
    "explained_variance_score",
    "max_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_log_error",
    "median_absolute_error",
    "r2_score",
    "root_mean_squared_error",
)
_SPLITTERS = (
    "GroupKFold",
    "KFold",
    "LeaveOneOut",
    "RepeatedKFold",
    "RepeatedStratifiedKFold",
    "ShuffleSplit",
    "StratifiedGroupKFold",
    "StratifiedKFold",
    "StratifiedShuffleSplit",
    "TimeSeriesSplit",
)

#: Plain data, and functions that only compute.
_REVIEWED = frozenset(
    {
        "functools.partial",
        "numpy.abs",
        "numpy.clip",
        "numpy.dtype",
        "numpy.max",
        "numpy.mean",
        "numpy.median",
        "numpy.min",
        "numpy.nan_to_num",
        "numpy.round",
        "numpy.sum",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",
        "scipy.interpolate._bsplines.BSpline",
        "sklearn._loss.loss.HalfTweedieLoss",
        "sklearn._loss.loss.HalfTweedieLossIdentity",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.calibration._TemperatureScaling",
        "sklearn.cluster._bisect_k_means._BisectingTree",
        "sklearn.cluster._kmeans._kmeans_single_elkan",
        "sklearn.cluster._kmeans._kmeans_single_lloyd",
        "sklearn.compose._column_transformer._RemainderColsList",
        "sklearn.compose._column_transformer.make_column_selector",
        "sklearn.feature_selection._univariate_selection.chi2",
        "sklearn.feature_selection._univariate_selection.f_classif",
        "sklearn.feature_selection._univariate_selection.f_oneway",
        "sklearn.feature_selection._univariate_selection.f_regression",
        "sklearn.feature_selection._univariate_selection.r_regression",
        "sklearn.feature_selection._mutual_info.mutual_info_classif",
        "sklearn.feature_selection._mutual_info.mutual_info_regression",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        "sklearn.metrics._scorer._PassthroughScorer",
        "sklearn.metrics._scorer._Scorer",
        "sklearn.metrics._scorer._MultimetricScorer",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.utils._bunch.Bunch",
    }
    | {f"sklearn.metrics._classification.{score}" for score in _SCORES_OF_LABELS}
    | {f"sklearn.metrics._ranking.{score}" for score in ("average_precision_score", "roc_auc_score")}
    | {f"sklearn.metrics._regression.{score}" for score in _SCORES_OF_NUMBERS}
    | {f"sklearn.model_selection._split.{splitter}" for splitter in _SPLITTERS}
    | {
        f"scipy.sparse._{kind}.{kind}_{shape}"
        for kind in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
        for shape in ("array", "matrix")
    }
    | {
        f"sklearn.gaussian_process.kernels.{kernel}"
        for kernel in (
            "CompoundKernel",
            "ConstantKernel",
            "DotProduct",
            "Exponentiation",
            "ExpSineSquared",
            "Hyperparameter",
            "Matern",
            "PairwiseKernel",
            "Product",
            "RationalQuadratic",
            "RBF",
            "Sum",
            "WhiteKernel",
        )
    }
)

#: Compiled structures whose arrays scikit-learn follows without checking bounds: no code of the writer runs, but a
#: crafted file can crash or confuse the process. (https://github.com/scikit-learn/scikit-learn/pull/34558)
_UNCHECKED = frozenset(
    {
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.tree._tree.Tree",
    }
)


def is_reviewed(name: str) -> bool:
    """Whether anyone's file may hold it."""
    return name in _REVIEWED


def is_unchecked(name: str) -> bool:
    """Whether it is restored only from the actor's own files, or with trust."""
    return name in _UNCHECKED or name.startswith("sklearn.metrics._dist_metrics.")
