"""What gradient boosting, optuna, torch and transformers do inside a run is recorded without a word in the code."""

from __future__ import annotations

import ctypes
import sys
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest

from snapml_jupyter.capture.cell import CellReport
from snapml_jupyter.capture.script import autolog_run
from snapml_jupyter.domain.run import RunStatus
from snapml_jupyter.runs.queries import get_run, list_metric_points, list_runs, search_runs
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store.workspace import Workspace

Record = Callable[..., CellReport]


def _has_openmp() -> bool:
    """Whether LightGBM's wheel finds GCC's OpenMP, which it does not bring and a bare Linux lacks."""
    try:
        return sys.platform != "linux" or ctypes.CDLL("libgomp.so.1") is not None
    except OSError:
        return False


HAS_LIGHTGBM = _has_openmp()
HAS_XGBOOST = find_spec("xgboost") is not None
HAS_TORCH = find_spec("torch") is not None
HAS_TRAINER = HAS_TORCH and find_spec("transformers") is not None and find_spec("accelerate") is not None

DATA = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(200, 3))
y = (X[:, 0] + X[:, 1] > 0).astype(int)
"""


def curve(workspace: Workspace, ref: str, name: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in list_metric_points(workspace, ref, name)]


@pytest.mark.skipif(not HAS_LIGHTGBM, reason="LightGBM needs libgomp.so.1: apt-get install libgomp1")
def test_lightgbm_gives_a_point_an_iteration(record: Record, workspace: Workspace, namespace: dict[str, Any]) -> None:
    exec(DATA, namespace)
    report = record(
        """
import lightgbm
history = {}
booster = lightgbm.train(
    {"objective": "binary", "metric": ["auc", "binary_logloss"], "verbosity": -1, "num_leaves": 5},
    lightgbm.Dataset(X[:150], y[:150]), num_boost_round=8, valid_sets=[lightgbm.Dataset(X[150:], y[150:])],
    callbacks=[lightgbm.record_evaluation(history)],
)
""",
        name="native",
    )
    assert report.run.status is RunStatus.finished, report.run.error
    for metric in ("auc", "binary_logloss"):
        expected = list(enumerate(namespace["history"]["valid_0"][metric]))
        assert curve(workspace, "native", f"valid_0.{metric}") == expected
    assert report.run.params["num_leaves"] == 5
    booster = sys.modules["lightgbm.basic"].Booster
    assert "snapml" not in booster.eval_valid.__code__.co_filename


@pytest.mark.skipif(not HAS_LIGHTGBM, reason="LightGBM needs libgomp.so.1: apt-get install libgomp1")
@pytest.mark.skipif(not HAS_XGBOOST, reason="xgboost-cpu has no wheel for this machine")
def test_the_scikit_learn_classes_of_lightgbm_and_xgboost_give_them_too(
    record: Record, workspace: Workspace, namespace: dict[str, Any]
) -> None:
    exec(DATA, namespace)
    report = record(
        """
import warnings
warnings.simplefilter("ignore")  # LightGBM 4.7 finds eval_set out of date, older ones know nothing else
from lightgbm import LGBMClassifier
from xgboost import XGBClassifier
first = LGBMClassifier(n_estimators=6, verbosity=-1).fit(X[:150], y[:150], eval_set=[(X[150:], y[150:])])
second = XGBClassifier(n_estimators=7, max_depth=2, eval_metric="logloss")
second.fit(X[:150], y[:150], eval_set=[(X[:150], y[:150]), (X[150:], y[150:])], verbose=False)
history = second.evals_result()
""",
        name="classes",
    )
    warnings.simplefilter("error")
    assert report.run.status is RunStatus.finished, report.run.error
    assert len(curve(workspace, "classes", "valid_0.binary_logloss")) == 6
    for number in (0, 1):
        expected = list(enumerate(namespace["history"][f"validation_{number}"]["logloss"]))
        assert curve(workspace, "classes", f"validation_{number}.logloss") == expected
    assert float(report.run.tags["fit_seconds"]) > 0
    assert report.run.params["max_depth"] == 2
    assert report.run.params["first.n_estimators"] == 6


@pytest.mark.skipif(not HAS_XGBOOST, reason="xgboost-cpu has no wheel for this machine")
def test_a_second_training_in_a_run_is_a_metric_of_its_own(
    record: Record, workspace: Workspace, namespace: dict[str, Any]
) -> None:
    exec(DATA, namespace)
    record(
        """
import xgboost
train = xgboost.DMatrix(X, y)
for depth in (1, 2):
    xgboost.train({"max_depth": depth, "objective": "binary:logistic"}, train, 3, evals=[(train, "train")], verbose_eval=False)
folds = xgboost.cv({"objective": "binary:logistic"}, train, 2, nfold=2)
""",
        name="twice",
    )
    assert [step for step, _ in curve(workspace, "twice", "train.logloss")] == [0, 1, 2]
    params = get_run(workspace, "twice").params
    assert (params["max_depth"], params["objective"], params["num_boost_round"]) == (1, "binary:logistic", 3)
    assert [step for step, _ in curve(workspace, "twice", "train.logloss_2")] == [0, 1, 2]
    assert [value for _, value in curve(workspace, "twice", "test.logloss_3")] == pytest.approx(
        list(namespace["folds"]["test-logloss-mean"])
    )


def test_trials_of_a_study_are_runs_inside_of_the_run(record: Record, workspace: Workspace) -> None:
    report = record(
        """
import optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
from sklearn.metrics import mean_absolute_error
def objective(trial):
    x = trial.suggest_float("x", -1, 1)
    kind = trial.suggest_categorical("kind", ["a", "b"])
    trial.report(x, 0)
    mean_absolute_error([0.0], [x])
    if trial.number == 2:
        raise optuna.TrialPruned
    if trial.number == 3:
        raise ValueError("a bad setting")
    return x * x
study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
study.optimize(objective, n_trials=5, catch=(ValueError,))
best = study.best_params["x"]
""",
        name="search",
    )
    assert report.run.status is RunStatus.finished, report.run.error
    assert report.run.n_children == 5
    page = search_runs(workspace, parent=report.run.run_id, sort="name")
    assert page.n_total == 5
    assert [row.name for row in page.rows] == [f"trial-{n}" for n in range(5)]
    states = {row.name: row.status.value for row in page.rows}
    assert states == {
        "trial-0": "finished", "trial-1": "finished", "trial-2": "cancelled", "trial-3": "failed", "trial-4": "finished",
    }  # fmt: skip
    first = page.rows[0]
    assert first.metrics["value"] == pytest.approx(float(str(first.params["x"])) ** 2)
    assert first.metrics["reported"] == first.params["x"]
    assert first.metrics["mean_absolute_error"] == abs(float(str(first.params["x"])))
    assert page.rows[2].tags["pruned"] == "true"
    assert [step for step, _ in curve(workspace, report.run.run_id, "value")] == [0, 1, 4]
    assert report.run.metrics["best_value"] == min(value for _, value in curve(workspace, report.run.run_id, "value"))
    assert "best__x" in report.run.params
    assert [run.name for run in list_runs(workspace, top_level=True)] == ["search"]


def test_trials_that_are_asked_for_and_told_of_are_runs_too(record: Record, workspace: Workspace) -> None:
    report = record(
        """
import optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
waiting = [study.ask({"x": optuna.distributions.FloatDistribution(-1, 1)}) for _ in range(3)]
for trial in waiting[:2]:
    study.tell(trial, trial.params["x"] ** 2)
study.tell(waiting[2].number, state=optuna.trial.TrialState.FAIL)
best = study.best_value
""",
        name="asked",
    )
    page = search_runs(workspace, parent=report.run.run_id, sort="name")
    assert [(row.name, row.status.value) for row in page.rows] == [
        ("trial-0", "finished"), ("trial-1", "finished"), ("trial-2", "failed"),
    ]  # fmt: skip
    values = [row.metrics.get("value") for row in page.rows]
    assert values[:2] == [float(str(row.params["x"])) ** 2 for row in page.rows[:2]]
    assert report.run.metrics["best_value"] == min(v for v in values if v is not None)
    assert report.run.params["best__x"] in [row.params["x"] for row in page.rows]
    assert curve(workspace, "asked", "value") == list(enumerate(values[:2]))


def test_a_script_run_is_autologged_and_nothing_is_left(workspace: Workspace) -> None:
    from sklearn.base import BaseEstimator
    from sklearn.linear_model import Ridge

    before = vars(Ridge)["fit"]
    with start_run(workspace, "outer", capture_environment=False) as outer:
        autolog_run(outer)
        for alpha in (1.0, 2.0):
            with start_run(workspace, "inner", capture_environment=False) as inner:
                autolog_run(inner)
                Ridge(alpha=alpha).fit([[0.0], [1.0]], [0.0, 1.0])
        with start_run(workspace, "unseen", capture_environment=False) as unseen:
            unseen.is_autologged = False
            Ridge(alpha=3.0).fit([[0.0], [1.0]], [0.0, 1.0])
    assert vars(Ridge)["fit"] is before
    assert "__init_subclass__" not in vars(BaseEstimator)
    runs = {run.params.get("alpha", run.name): run for run in list_runs(workspace)}
    assert float(runs[1.0].tags["fit_seconds"]) > 0 and runs[1.0].params["estimator"] == "Ridge"
    assert runs[2.0].parent_run_id == outer.run_id
    assert runs["unseen"].metrics == {} and runs["unseen"].params == {}


def test_what_goes_wrong_while_watching_warns_once_and_breaks_nothing(
    record: Record, workspace: Workspace, namespace: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from snapml_jupyter.runs.tracking import ActiveRun

    def broken(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(ActiveRun, "log_metric", broken)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = record(
            """
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
model = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
score = r2_score([0.0, 1.0], model.predict([[0.0], [1.0]]))
"""
        )
    assert report.run.status is RunStatus.finished
    assert namespace["score"] == 1.0
    assert sum("Not everything could be recorded" in str(warning.message) for warning in caught) == 1


@pytest.mark.skipif(not HAS_TORCH, reason="torch is too large for the dev extra: pip install -c constraints.txt torch")
def test_a_torch_loop_gives_its_losses_and_learning_rates(
    record: Record, workspace: Workspace, namespace: dict[str, Any]
) -> None:
    report = record(
        """
import torch
torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, 4)
inputs, losses = torch.randn(32, 3), []
targets = inputs.sum(1, keepdim=True)
for step in range(8):
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(inputs), targets)
    loss.backward()
    optimizer.step()
    schedule.step()
    losses.append(loss.item())
other = (model(inputs) ** 2).mean()
other.backward()
""",
        name="loop",
    )
    assert report.run.status is RunStatus.finished, report.run.error
    assert curve(workspace, "loop", "loss") == list(enumerate(namespace["losses"]))
    assert len(curve(workspace, "loop", "loss_2")) == 1
    assert curve(workspace, "loop", "lr") == [(0, 0.1), (4, pytest.approx(0.01))]
    assert (report.run.params["optimizer"], report.run.params["optimizer__momentum"]) == ("SGD", 0.5)
    assert "snapml" not in sys.modules["torch"].Tensor.backward.__code__.co_filename


@pytest.mark.skipif(not HAS_TRAINER, reason="transformers is in the llm extra: pip install -c constraints.txt torch transformers accelerate")  # fmt: skip
def test_a_trainer_gives_the_loss_of_every_step(
    record: Record, workspace: Workspace, namespace: dict[str, Any], tmp_path: Any
) -> None:
    namespace["folder"] = str(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the libraries' own
        report = record(
            """
import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments
model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=1, n_embd=8, vocab_size=16, n_positions=8))
rows = [{"input_ids": torch.arange(8), "labels": torch.arange(8)} for _ in range(8)]
arguments = TrainingArguments(folder, max_steps=6, per_device_train_batch_size=2, report_to=[], logging_steps=3,
                              disable_tqdm=True, use_cpu=True, save_strategy="no", learning_rate=0.01)
Trainer(model, arguments, train_dataset=rows, eval_dataset=rows).train()
""",
            name="trainer",
        )
    assert report.run.status is RunStatus.finished, report.run.error
    losses = curve(workspace, "trainer", "loss")
    assert [step for step, _ in losses] == [0, 1, 2, 3, 4, 5]
    assert losses[-1][1] < losses[0][1]
    assert [step for step, _ in curve(workspace, "trainer", "learning_rate")] == [3, 6]
    assert report.run.params["learning_rate"] == 0.01
