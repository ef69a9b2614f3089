"""Exporting registered versions: proof on training rows, once, and a sentence when it cannot be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder

from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.domain.errors import ExportError, InvalidInputError, ParityError, UntrustedModelError
from snapml_jupyter.registry.exporting import ensure_exported, export_onnx
from snapml_jupyter.registry.versions import get_model, register
from snapml_jupyter.runs.models import keep_model
from snapml_jupyter.runs.recording import record_model
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store import audit, events
from snapml_jupyter.store.workspace import Workspace

Train = Callable[..., str]


def twice(values: Any) -> Any:
    """Python code, which makes a model a pickle that no graph can hold."""
    return values * 2


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    made = pd.DataFrame(
        {"amount": rng.normal(50, 20, 500), "n": rng.integers(0, 9, 500), "city": rng.choice(["Oslo", "Rome"], 500)}
    )
    made.loc[rng.random(500) < 0.1, "amount"] = np.nan
    made.loc[rng.random(500) < 0.1, "city"] = np.nan
    return made


@pytest.fixture
def train(workspace: Workspace, frame: pd.DataFrame) -> Train:
    """`train(model)` fits it on the frame in a run, keeps the frame as a dataset version, registers 'trips'."""

    def run_it(model: Any, target: Any = None, training_ref: str | None = "kept") -> str:
        target = np.where(frame["n"] > 4, "late", "on time") if target is None else target
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn's own about infinite values
            model.fit(frame, target)
        if training_ref == "kept":
            training_ref = snapshot(workspace, "trips", frame.assign(answer=target)).ref
        with start_run(workspace, "training") as run:
            kept = keep_model(workspace, run.run_id, model, example=frame, target="answer", training_ref=training_ref)
            record_model(workspace, run.run_id, replace(kept, training_ref=training_ref))
        return register(workspace, run.run_id, "trips").ref

    return run_it


def boosted() -> Any:
    numbered = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return make_pipeline(
        ColumnTransformer([("c", numbered, ["city"])], remainder="passthrough"),
        HistGradientBoostingClassifier(max_iter=10, categorical_features=[0]),
    )


def logistic() -> Any:
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    columns = ColumnTransformer([("w", words, ["city"]), ("n", SimpleImputer(), ["amount", "n"])])
    return make_pipeline(columns, LogisticRegression(max_iter=500))


@pytest.mark.parametrize("model", [boosted, logistic])
def test_a_kept_model_becomes_a_graph_with_its_proof(model: Any, workspace: Workspace, train: Train) -> None:
    ref = train(model())
    version = ensure_exported(workspace, ref)
    assert version.onnx_digest is not None
    assert version.parity is not None
    assert version.parity.passed
    assert (version.parity.n_rows, version.parity.source_ref) == (500, "trips@v1")
    assert version.parity.max_difference < 1e-12
    graph = onnx.load_from_string(workspace.blobs.read(version.onnx_digest))
    written = {item.key: item.value for item in graph.metadata_props}
    assert written["snapml.run_id"] == version.run_id
    assert written["snapml.dataset_ref"] == "trips@v1"
    assert written["snapml.model_ref"] == ref
    assert get_model(workspace, ref) == version


def test_exporting_again_changes_nothing(workspace: Workspace, train: Train) -> None:
    ref = train(logistic())
    first = ensure_exported(workspace, ref)
    last = events.last_event_id(workspace.database)
    assert ensure_exported(workspace, ref) == first
    assert events.last_event_id(workspace.database) == last
    found = [event for event in events.list_events(workspace.database) if event.kind == "model.exported"]
    assert [event.subject for event in found] == [ref]
    assert audit.list_entries(workspace.database, subject=ref)[0].operation == "registry.ensure_exported"


def test_two_processes_export_one_graph(workspace: Workspace, train: Train) -> None:
    ref = train(logistic())
    code = (
        "import sys\n"
        "from snapml_jupyter.registry.exporting import ensure_exported\n"
        "from snapml_jupyter.store.workspace import Workspace\n"
        "print(ensure_exported(Workspace(sys.argv[1], actor='ada'), sys.argv[2]).onnx_digest)\n"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, workspace.location, ref], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    digests = {process.communicate(timeout=120)[0].strip() for process in started}
    assert [process.returncode for process in started] == [0, 0]
    assert digests == {get_model(workspace, ref).onnx_digest}
    found = [event.kind for event in events.list_events(workspace.database)]
    assert found.count("model.exported") == 1


def test_the_setting_says_on_how_many_rows(workspace: Workspace, train: Train, monkeypatch: Any) -> None:
    ref = train(logistic())
    monkeypatch.setenv("SNAPML_PARITY_ROWS", "60")
    parity = ensure_exported(workspace, ref).parity
    assert parity is not None
    assert parity.n_rows == 60


def test_a_graph_that_answers_differently_is_not_kept(workspace: Workspace, train: Train) -> None:
    # Neighbours at equal distances: which of them count depends on how they are searched.
    nearest = make_pipeline(
        ColumnTransformer([("n", SimpleImputer(), ["n"])]), KNeighborsClassifier(3, algorithm="kd_tree")
    )
    ref = train(nearest, target=np.arange(500) % 7 % 2 == 0)
    with pytest.raises(ParityError) as caught:
        ensure_exported(workspace, ref)
    assert str(caught.value).startswith(f"{ref} was not exported: on 500 rows of trips@v1 its ONNX graph differs")
    assert "Neighbours at equal distances" in str(caught.value)
    assert "To deploy it as it is: --accept-parity" in str(caught.value)
    assert get_model(workspace, ref).onnx_digest is None
    assert audit.list_entries(workspace.database, subject=ref)[0].operation != "registry.ensure_exported"
    accepted = ensure_exported(workspace, ref, accept_parity=True)
    assert accepted.parity is not None
    assert (accepted.parity.passed, accepted.parity.accepted_by) == (False, workspace.actor)
    assert accepted.parity.worst_differences[0] == accepted.parity.max_difference > 1e-5
    entry = audit.list_entries(workspace.database, subject=ref)[0]
    assert entry.operation == "registry.ensure_exported"
    assert entry.details["accepted_parity"] is True
    assert entry.details["worst_rows"] == accepted.parity.worst_rows
    assert ensure_exported(workspace, ref) == accepted  # accepted once, and said on the version


def test_a_model_without_training_data_says_how_to_keep_it(workspace: Workspace, train: Train) -> None:
    ref = train(logistic(), training_ref=None)
    with pytest.raises(ExportError, match=r"its run kept no training data .*\(run\.log_model\(model, example=df\)"):
        ensure_exported(workspace, ref)


def test_training_data_without_the_models_columns_is_named(
    workspace: Workspace, train: Train, frame: pd.DataFrame
) -> None:
    other = snapshot(workspace, "other", frame[["amount", "city"]])
    with pytest.raises(ExportError, match="its training data other@v1 has no column 'n'"):
        ensure_exported(workspace, train(logistic(), training_ref=other.ref))


def test_infinite_training_values_which_no_client_can_send_are_left_out_of_the_proof(
    workspace: Workspace, train: Train, frame: pd.DataFrame
) -> None:
    frame.loc[:9, "amount"] = np.inf
    columns = ColumnTransformer([("n", "passthrough", ["amount", "n"])])
    version = ensure_exported(workspace, train(make_pipeline(columns, HistGradientBoostingClassifier(max_iter=5))))
    assert version.parity is not None
    assert version.parity.n_rows == 490


def test_the_step_that_cannot_be_exported_is_named(workspace: Workspace, train: Train) -> None:
    columns = ColumnTransformer([("double", FunctionTransformer(twice), ["n"])])
    ref = train(make_pipeline(columns, LogisticRegression()))
    with pytest.raises(ExportError, match=r"Step 'columntransformer > double' \(FunctionTransformer\)"):
        ensure_exported(workspace, ref)


def test_another_actors_pickle_is_not_loaded_without_trust(workspace: Workspace, train: Train) -> None:
    columns = ColumnTransformer([("n", FunctionTransformer(twice), ["n"])])
    ref = train(make_pipeline(columns, LogisticRegression()))
    grace = workspace.acting_as("grace")
    with pytest.raises(UntrustedModelError, match="a pickle that ada wrote"):
        ensure_exported(grace, ref)
    with pytest.raises(ExportError, match="'twice' is Python code"):
        ensure_exported(grace, ref, trust=True)


def test_a_forest_of_three_classes_and_a_regression_export_too(
    workspace: Workspace, train: Train, frame: pd.DataFrame
) -> None:
    columns = ColumnTransformer([("n", SimpleImputer(), ["amount", "n"])])
    classes = ensure_exported(workspace, train(make_pipeline(columns, RandomForestClassifier(5)), frame["n"] % 3))
    assert classes.signature.labels == [0, 1, 2]
    number = ensure_exported(workspace, train(make_pipeline(columns, LinearRegression()), frame["n"] * 1e6))
    assert number.ref == "trips:2"
    assert number.parity is not None
    assert number.parity.passed


def test_the_graph_is_written_to_a_file(
    workspace: Workspace, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = train(logistic())
    exported = export_onnx(workspace, "trips", tmp_path / "graph.onnx")
    assert (exported.ref, exported.path) == (ref, str(tmp_path / "graph.onnx"))
    assert exported.parity.passed
    onnx.checker.check_model(str(tmp_path / "graph.onnx"))
    monkeypatch.chdir(tmp_path)
    assert export_onnx(workspace, ref).path == str(tmp_path / "trips-1.onnx")
    assert sorted(os.listdir(tmp_path)) == ["graph.onnx", "trips-1.onnx", "workspace"]
    with pytest.raises(InvalidInputError, match="give the name of a file in a folder that exists"):
        export_onnx(workspace, ref, tmp_path / "nowhere" / "graph.onnx")
    with pytest.raises(InvalidInputError, match="give the name of a file"):
        export_onnx(workspace, ref, tmp_path)


def test_a_new_process_serves_the_file_with_onnxruntime_alone(
    workspace: Workspace, train: Train, tmp_path: Path
) -> None:
    exported = export_onnx(workspace, train(boosted()), tmp_path / "graph.onnx")
    code = (
        "import json, sys, onnxruntime\n"
        "from snapml_jupyter.export.inputs import GraphInputs\n"
        "session = onnxruntime.InferenceSession(sys.argv[1])\n"
        "inputs = GraphInputs(session.get_modelmeta().custom_metadata_map)\n"
        "rows = [{'amount': None, 'n': 8, 'city': None}, {'amount': 3.5, 'n': 1, 'city': 'Atlantis'}]\n"
        "answers = inputs.decode(session.run(inputs.output_names, inputs.rows_to_feeds(rows)))\n"
        "heavy = [m for m in ('pandas', 'sklearn', 'onnx', 'skl2onnx') if m in sys.modules]\n"
        "print(json.dumps([answers.predictions, heavy]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, exported.path], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == [["late", "on time"], []]


def test_a_booster_is_kept_with_the_labels_it_does_not_know(workspace: Workspace, frame: pd.DataFrame) -> None:
    xgboost = pytest.importorskip("xgboost", reason="its CPU build is for x86-64 only")
    numbers = frame[["amount", "n"]]
    late = (frame["n"] > 4).to_numpy()
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(numbers, late), 5)
    with start_run(workspace, "boosted") as run:
        assert run.log_model(booster, numbers, target="late", labels=["on time", "late"]) is not None
    version = ensure_exported(workspace, register(workspace, run.run_id, "boosted").ref)
    assert version.signature.labels == ["on time", "late"]
    assert version.onnx_digest is not None
    graph = onnx.load_from_string(workspace.blobs.read(version.onnx_digest))
    written = {item.key: item.value for item in graph.metadata_props}
    assert written["snapml.dataset_ref"] == "boosted-training@v1"
    assert json.loads(written["snapml.signature"])["labels"] == ["on time", "late"]


def test_a_torch_module_of_another_actor_is_loaded_with_trust_only(workspace: Workspace) -> None:
    torch = pytest.importorskip("torch", reason="pip install 'snapml-jupyter[torch]'")
    with start_run(workspace, "net") as run:
        run.log_model(torch.nn.Linear(2, 2), pd.DataFrame({"a": [0.5, 1.5], "b": [1.0, 2.0]}), labels=["no", "yes"])
    ref = register(workspace, run.run_id, "net").ref
    other = Workspace(workspace.location, actor="grace")
    with pytest.raises(UntrustedModelError, match="trust=True"):
        ensure_exported(other, ref)
    assert ensure_exported(workspace, ref).parity is not None
