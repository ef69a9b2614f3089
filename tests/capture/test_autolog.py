"""What scikit-learn does in a cell is seen from outside; afterwards nothing is left of the watching."""

from __future__ import annotations

import logging
import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.base
import sklearn.metrics
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from snapml_jupyter.capture.cell import CellOptions, CellRecording, CellReport
from snapml_jupyter.domain.run import RunSource, RunStatus
from snapml_jupyter.runs.queries import list_metric_points
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store.workspace import Workspace

Record = Callable[..., CellReport]

IMPORTS = """
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import *
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
import numpy as np, pandas as pd, sklearn
X = pd.DataFrame(np.random.default_rng(0).normal(size=(80, 2)), columns=["p", "q"])
y = pd.Series(X["p"] + X["q"] > 0, name="positive")
"""


@pytest.fixture(autouse=True)
def notebook(namespace: dict[str, Any]) -> None:
    exec(IMPORTS, namespace)


def watched_functions() -> list[str]:
    """Everything of scikit-learn's that is not its own."""
    left = []
    waiting: list[type[Any]] = [sklearn.base.BaseEstimator]
    while waiting:
        cls = waiting.pop()
        waiting += cls.__subclasses__()
        left += [
            f"{cls.__name__}.{name}"
            for name, value in vars(cls).items()
            if "snapml" in getattr(getattr(getattr(value, "fn", value), "__code__", None), "co_filename", "")
        ]
    for name in sklearn.metrics.__all__:
        function = getattr(sklearn.metrics, name)
        for cell in getattr(function, "__closure__", None) or ():
            if "snapml" in getattr(getattr(cell.cell_contents, "__code__", None), "co_filename", ""):
                left.append(name)
    if "__init_subclass__" in vars(sklearn.base.BaseEstimator):
        left.append("__init_subclass__")
    return left


@pytest.fixture(autouse=True)
def no_trace() -> Any:
    yield
    assert watched_functions() == []
    assert not any("snapml" in type(finder).__module__ for finder in sys.meta_path)


def test_the_outermost_estimators_params_are_recorded_flat(record: Record) -> None:
    run = record("model = make_pipeline(StandardScaler(with_mean=False), LogisticRegression(C=0.5)).fit(X, y)").run
    assert run.params == {
        "estimator": "Pipeline",
        "standardscaler": "StandardScaler",
        "standardscaler__with_mean": False,
        "logisticregression": "LogisticRegression",
        "logisticregression__C": 0.5,
    }


def test_a_single_estimators_defaults_are_recorded_too(record: Record) -> None:
    params = record("model = Ridge(alpha=np.float64(2.0)).fit(X, y)").run.params
    assert params["estimator"] == "Ridge"
    assert params["alpha"] == 2.0
    assert params["fit_intercept"] is True


def test_params_given_in_the_line_go_before_those_found(record: Record) -> None:
    run = record("model = Ridge(alpha=2.0).fit(X, y)", params={"alpha": 5}).run
    assert run.params["alpha"] == 5
    assert run.status is RunStatus.finished


def test_other_estimators_are_recorded_behind_their_names(record: Record) -> None:
    params = record(
        "scaler = StandardScaler(with_std=False)\nZ = scaler.fit_transform(X)\nmodel = Ridge().fit(Z, y)"
    ).run.params
    assert params["estimator"] == "Ridge"
    assert params["scaler.estimator"] == "StandardScaler"
    assert params["scaler.with_std"] is False


def test_column_transformers_nest(record: Record) -> None:
    code = (
        "X2 = X.assign(word='a')\n"
        "columns = make_column_transformer((OneHotEncoder(handle_unknown='ignore'), ['word']), remainder='passthrough')\n"
        "model = make_pipeline(columns, AdaBoostClassifier(n_estimators=3)).fit(X2, y)"
    )
    params = record(code).run.params
    assert params["columntransformer__onehotencoder__handle_unknown"] == "ignore"
    assert params["columntransformer__remainder"] == "passthrough"
    assert params["adaboostclassifier__n_estimators"] == 3


@pytest.mark.parametrize("jobs", ["None", "2"])
def test_a_search_is_one_fit_with_its_best_params(record: Record, jobs: str, namespace: dict[str, Any]) -> None:
    code = f"search = GridSearchCV(LogisticRegression(), {{'C': [0.1, 1.0]}}, cv=2, n_jobs={jobs}).fit(X, y)"
    report = record(code)
    params = report.run.params
    assert params["estimator"] == "GridSearchCV(LogisticRegression)"
    assert params["best__C"] == namespace["search"].best_params_["C"]
    assert report.run.metrics == {}
    assert float(report.run.tags["fit_seconds"]) > 0
    assert report.model is not None
    assert report.model.variable == "search"


def test_a_class_of_the_notebook_travels_to_other_processes_while_it_is_watched(record: Record) -> None:
    code = (
        "from sklearn.base import BaseEstimator, ClassifierMixin\n"
        "class Always(ClassifierMixin, BaseEstimator):\n"
        "    def __init__(self, answer=True): self.answer = answer\n"
        "    def fit(self, X, y):\n        self.classes_ = np.unique(y)\n        return self\n"
        "    def predict(self, X): return np.full(len(X), self.answer)\n"
        "search = GridSearchCV(Always(), {'answer': [True, False]}, cv=2, n_jobs=2).fit(X, y)\n"
        "mine = Always().fit(X, y)\n"
    )
    report = record(code)
    assert report.run.error is None
    assert report.run.params["estimator"] == "Always"
    assert report.run.params["search.estimator"] == "GridSearchCV(Always)"


def test_fits_inside_fits_and_of_workers_are_not_the_users(record: Record, namespace: dict[str, Any]) -> None:
    code = (
        "forest = RandomForestClassifier(n_estimators=5, n_jobs=2).fit(X, y)\n"
        "boosted = AdaBoostClassifier(n_estimators=5).fit(X, y)\n"
        "scores = cross_val_score(Ridge(), X, y)\n"
    )
    report = record(code)
    names = {name.partition(".")[0] for name in report.run.params if name.endswith(".estimator")}
    assert names == {"forest"}
    assert report.run.params["estimator"] == "AdaBoostClassifier"
    assert isinstance(namespace["forest"], RandomForestClassifier)
    assert isinstance(namespace["boosted"], AdaBoostClassifier)


def test_fit_predict_counts_as_a_fit(record: Record) -> None:
    report = record("groups = KMeans(2, n_init=1)\nfound = groups.fit_predict(X)")
    assert report.run.params["n_clusters"] == 2
    assert report.model is not None
    assert report.model.variable == "groups"


def test_the_last_fitted_predictor_that_a_name_holds_is_kept(record: Record) -> None:
    report = record(
        "a = Ridge(1.0).fit(X, y)\nb = Ridge(2.0).fit(X, y)\nRidge(3.0).fit(X, y)\nc = StandardScaler().fit(X)"
    )
    assert report.model is not None
    assert report.model.variable == "b"
    assert report.run.params["alpha"] == 2.0


def test_a_model_nobody_holds_is_kept_all_the_same(record: Record) -> None:
    report = record("LogisticRegression().fit(X, y).predict(X)")
    assert report.model is not None
    assert report.model.variable == "model"


def test_a_model_fitted_on_arrays_gets_numbered_columns(record: Record) -> None:
    report = record("model = Ridge().fit(X.to_numpy(), y.to_numpy())", name="arrays")
    assert report.model is not None
    assert [column.name for column in report.model.signature.inputs] == ["x0", "x1"]
    assert report.model.signature.target is None
    assert report.model.training_ref == "arrays-training@v1"


def test_a_model_that_cannot_be_kept_is_said_in_the_card(record: Record) -> None:
    code = "import scipy.sparse\nmodel = LogisticRegression().fit(scipy.sparse.csr_matrix(X.to_numpy()), y)"
    report = record(code)
    assert report.run.status is RunStatus.finished
    assert report.model is None
    assert any(warning.startswith("The model is not kept.") for warning in report.warnings)


def test_a_model_logged_by_hand_is_left_alone(record: Record) -> None:
    report = record(
        "mine = Ridge(1.0).fit(X, y)\nrun.log_model(mine, X, variable='mine')\nlater = Ridge(2.0).fit(X, y)"
    )
    assert report.model is not None
    assert report.model.variable == "mine"


def test_a_loop_over_many_models_keeps_the_last_and_holds_few_frames(record: Record) -> None:
    report = record("for alpha in range(1, 120):\n    model = Ridge(alpha).fit(X, y)")
    assert report.run.params["alpha"] == 119
    assert report.model is not None
    assert report.model.variable == "model"


def test_metrics_are_recorded_under_the_functions_name(record: Record) -> None:
    report = record(
        "a = accuracy_score([1, 0, 1, 1], [1, 0, 0, 1])\nf1_score([1, 0], [1, 0], average=None)\nconfusion_matrix([1], [1])"
    )
    assert report.run.metrics == {"accuracy_score": 0.75}


def test_a_function_imported_long_ago_and_kept_in_a_dict_is_heard(record: Record, namespace: dict[str, Any]) -> None:
    namespace["scorers"] = {"r2": sklearn.metrics.r2_score}
    before = namespace["r2_score"]
    report = record(
        "import sklearn.metrics as m\nsame = m.r2_score is r2_score is scorers['r2']\nscorers['r2']([1, 2], [1, 2])"
    )
    assert report.run.metrics == {"r2_score": 1.0}
    assert namespace["same"] is True
    assert namespace["r2_score"] is before is sklearn.metrics.r2_score
    assert pickle.loads(pickle.dumps(before)) is before


def test_turns_of_a_loop_are_steps_and_other_places_other_metrics(record: Record, workspace: Workspace) -> None:
    code = (
        "for wrong in (0, 1):\n    accuracy_score([1, 1], [1, wrong])\n"
        "accuracy_score([1, 1], [0, 0]), accuracy_score([1], [1])\n"
        "def report(y, p):\n    return zero_one_loss(y, p)\n"
        "report([1, 1], [1, 0])\nreport([1], [1])\n"
    )
    run = record(code).run
    assert run.metrics == {
        "accuracy_score": 1.0,
        "accuracy_score_2": 0.0,
        "accuracy_score_3": 1.0,
        "zero_one_loss": 0.5,
        "zero_one_loss_2": 0.0,
    }
    points = list_metric_points(workspace, run.run_id, "accuracy_score")
    assert [(p.step, p.value) for p in points] == [(0, 0.5), (1, 1.0)]


def test_metrics_that_scikit_learn_computes_for_itself_are_not_the_users(record: Record) -> None:
    code = (
        "model = LogisticRegression().fit(X, y)\nmodel.score(X, y)\ncross_val_score(model, X, y, scoring='roc_auc')\n"
        "def mine(estimator, X, y):\n    return accuracy_score(y, estimator.predict(X))\n"
        "cross_val_score(model, X, y, scoring=mine)\ncross_val_score(model, X, y, scoring=make_scorer(f1_score), n_jobs=2)\n"
    )
    assert record(code).run.metrics == {}


def test_metrics_of_a_nested_run_are_its_own(record: Record, workspace: Workspace, namespace: dict[str, Any]) -> None:
    namespace["start"] = lambda name: start_run(workspace, name)
    report = record("with start('trial') as trial:\n    accuracy_score([1], [1])\nzero_one_loss([1], [1])")
    assert report.run.metrics == {"zero_one_loss": 0.0}
    assert namespace["trial"].run.metrics == {"accuracy_score": 1.0}


def test_scikit_learn_imported_inside_the_cell_is_watched_too() -> None:
    """In a process of its own, since here it is loaded already."""
    import subprocess

    program = """
import sys, tempfile
from snapml_jupyter.capture.cell import CellOptions, CellRecording
from snapml_jupyter.domain.run import RunSource
from snapml_jupyter.store.workspace import Workspace
assert "sklearn" not in sys.modules
space = {"__name__": "__main__"}
code = '''
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.base import BaseEstimator
class Mine(BaseEstimator):
    def __init__(self, k=1): self.k = k
    def fit(self, X, y=None): return self
mine = Mine(k=3).fit([[0], [1]])
import sklearn.tree
model = sklearn.tree.DecisionTreeClassifier(max_depth=2).fit([[0.0], [1.0]], [0, 1])
accuracy_score([0, 1], model.predict([[0.0], [1.0]]))
'''
recording = CellRecording.begin(Workspace(tempfile.mkdtemp()), CellOptions(), RunSource(kind="cell"), code, space)
assert "sklearn" not in sys.modules
finders = len(sys.meta_path)
exec(code, space)
report = recording.end(None)
assert report.run.metrics == {"accuracy_score": 1.0}, report
assert report.run.params["max_depth"] == 2 and report.run.params["mine.k"] == 3, report.run.params
import sklearn.base
assert "__init_subclass__" not in vars(sklearn.base.BaseEstimator)
assert space["Mine"].fit.__code__.co_filename == "<string>"
assert not any("snapml" in type(f).__module__ for f in sys.meta_path)
assert "exec_module" not in vars(sklearn.base.__spec__.loader)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_failing_cell_keeps_what_was_seen_and_leaves_no_trace(record: Record, workspace: Workspace) -> None:
    report = record("print('before')\nmodel = LogisticRegression(C=0.25)\nmodel.fit(X, [1] * len(X))")
    run = report.run
    assert run.status is RunStatus.failed
    assert run.error is not None
    assert (run.error.type, run.error.line) == ("ValueError", 3)
    assert "capture/estimators.py" not in run.error.traceback
    assert run.params["C"] == 0.25
    assert report.model is None
    assert [a.path for a in run.artifacts] == ["stdout.txt"]


def test_an_error_without_readable_text_is_recorded(record: Record) -> None:
    error = record("class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd").run.error
    assert error is not None
    assert (error.type, error.message, error.line) == ("Odd", "<Odd has no readable text>", 3)


def test_an_interrupted_cell_is_cancelled(record: Record) -> None:
    assert record("raise KeyboardInterrupt").run.status is RunStatus.cancelled
    assert record("raise SystemExit").run.status is RunStatus.finished
    assert record("raise SystemExit(3)").run.status is RunStatus.failed


def test_loggers_that_took_hold_of_the_stream_are_heard(record: Record, workspace: Workspace) -> None:
    handler = logging.StreamHandler(sys.stderr)
    logger = logging.getLogger("of.the.notebook")
    logger.addHandler(handler)
    try:
        run = record("import logging\nlogging.getLogger('of.the.notebook').warning('careful')").run
    finally:
        logger.removeHandler(handler)
    (kept,) = run.artifacts
    assert kept.path == "stderr.txt"
    assert workspace.blobs.read(kept.digest) == b"careful\n"
    assert "write" not in vars(sys.stderr)


def test_a_frame_without_rows_is_said(record: Record, namespace: dict[str, Any]) -> None:
    namespace["empty"] = pd.DataFrame({"p": np.array([], dtype=float)})
    report = record("LogisticRegression().fit(empty, [])")
    assert report.run.status is RunStatus.failed
    assert any("'empty' has no rows" in warning for warning in report.warnings)


def test_an_estimator_is_the_same_type_for_everyone(record: Record, namespace: dict[str, Any]) -> None:
    import inspect

    signature = inspect.signature(LogisticRegression.fit)
    namespace["inspect"] = inspect
    record("inside = inspect.signature(LogisticRegression.fit)\nname = LogisticRegression.fit.__qualname__")
    assert namespace["inside"] == signature
    assert namespace["name"] == "LogisticRegression.fit"


def test_measurements_on_two_lines_are_two_metrics_however_the_cell_is_compiled(
    workspace: Workspace, namespace: dict[str, Any]
) -> None:
    """IPython compiles statement by statement: a freed code object's address is the next one's."""
    lines = ["from sklearn.metrics import r2_score", *["r2_score([1, 2], [1, 2])"] * 6]
    recording = CellRecording.begin(
        workspace, CellOptions(), RunSource(kind="cell", code="\n".join(lines)), "\n".join(lines), namespace
    )
    for number, line in enumerate(lines):
        exec(compile("\n" * number + line, "<cell>", "exec"), namespace)
    names = recording.end(None).run.metrics
    assert sorted(names) == ["r2_score", *(f"r2_score_{number}" for number in range(2, 7))]
