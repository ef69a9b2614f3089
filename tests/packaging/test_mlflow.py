"""The MLflow model, read and run the way that MLflow 3.17.2 does (mlflow/models/model.py, mlflow/onnx/__init__.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import yaml

from snapml_jupyter.packaging.exporting import export_deployment

#: What `mlflow.models.Model` takes from the file; it refuses nothing, so a misspelt key would only be lost.
KEYS = {
    "artifact_path", "run_id", "utc_time_created", "flavors", "signature", "saved_input_example_info", "model_uuid",
    "mlflow_version", "metadata", "model_size_bytes", "resources", "env_vars", "auth_policy", "model_id", "prompts",
}  # fmt: skip
#: `mlflow.types.DataType`
TYPES = {"boolean", "integer", "long", "float", "double", "string", "binary", "datetime"}


def predict(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """MLflow's wrapper of an ONNX graph: a column is a flat array unless it is the only one; answers become columns."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = [(one.name, one.type) for one in session.get_inputs()]
    feeds = (
        {name: np.asarray(frame[name].to_numpy()) for name, _ in inputs}
        if len(inputs) > 1
        else {inputs[0][0]: frame.to_numpy()}
    )
    for name, kind in inputs:
        if kind == "tensor(float)" and feeds[name].dtype == np.float64:
            feeds[name] = feeds[name].astype(np.float32)
    names = [one.name for one in session.get_outputs()]
    answers = session.run(names, feeds)
    return pd.DataFrame({name: np.asarray(one).reshape(-1) for name, one in zip(names, answers, strict=True)})


@pytest.mark.parametrize("name", ["trips", "Price_2"])
def test_the_file_says_what_mlflow_reads(taken: Any, tmp_path: Path, name: str) -> None:
    exported = export_deployment(taken.workspace, name, "mlflow", tmp_path)
    content = yaml.safe_load((tmp_path / "MLmodel").read_text())
    assert set(content) <= KEYS
    assert content["flavors"]["python_function"]["loader_module"] == "mlflow.onnx"
    assert content["flavors"]["onnx"]["data"] in exported.files
    for path in (*content["flavors"]["python_function"]["env"].values(), "requirements.txt"):
        assert path in exported.files
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    for key, tensors in (("inputs", session.get_inputs()), ("outputs", session.get_outputs())):
        columns = json.loads(content["signature"][key])
        assert [column["name"] for column in columns] == [tensor.name for tensor in tensors]
        assert {column["type"] for column in columns} <= TYPES
    example = json.loads((tmp_path / content["saved_input_example_info"]["artifact_path"]).read_text())
    assert example["columns"] == [one.name for one in session.get_inputs()]
    answers = predict(tmp_path / "model.onnx", pd.DataFrame(example["data"], columns=example["columns"]))
    assert len(answers) == 1


def test_mlflows_wrapper_gets_the_models_answers(taken: Any, tmp_path: Path) -> None:
    export_deployment(taken.workspace, "trips", "mlflow", tmp_path)
    answers = predict(tmp_path / "model.onnx", taken.frame.astype({"city": object}))
    model = taken.models["trips"]
    assert (answers["label"] == model.predict(taken.frame)).all()
    np.testing.assert_allclose(
        answers[["probability_late", "probability_on time"]], model.predict_proba(taken.frame), atol=1e-6
    )


def test_a_graph_of_one_column_takes_a_table(taken: Any, tmp_path: Path) -> None:
    export_deployment(taken.workspace, "Price_2", "mlflow", tmp_path)
    frame = taken.frame[["amount"]]
    answers = predict(tmp_path / "model.onnx", frame)
    np.testing.assert_allclose(answers["prediction"], taken.models["Price_2"].predict(frame), atol=1e-6)
