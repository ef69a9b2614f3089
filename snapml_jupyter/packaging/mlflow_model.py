"""An MLflow model: `MLmodel` with the onnx flavor and a signature, the graph, and what it runs on.

MLflow's pyfunc wrapper of an ONNX graph (https://github.com/mlflow/mlflow/blob/master/mlflow/onnx/__init__.py) gives
each column of a DataFrame as a flat array when the graph has several inputs, and makes each output one column of its
answer. So the graph is written with flat inputs and outputs: a probability is an output of its own for each label.
"""

from __future__ import annotations

import json
import sys
import uuid
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

import yaml

from ..domain.model import ColumnKind, Signature, Task
from ..export.inputs import MISSING_TEXT, OUTPUTS_KEY, GraphInputs
from ..export.parity import open_session

if TYPE_CHECKING:
    from .exporting import Files, Part

#: The MLflow whose format this is.
_MLFLOW_VERSION = "3.17.2"
_TYPES = {
    "tensor(bool)": "boolean",
    "tensor(int64)": "long",
    "tensor(float)": "float",
    "tensor(double)": "double",
    "tensor(string)": "string",
}
#: Beside MLflow, which brings the pandas that it works with.
_REQUIREMENTS = ("numpy", "onnx", "onnxruntime")

_README = """\
# MLflow model: {ref}

    mlflow models serve -m . --env-manager local
    python -c "import mlflow; print(mlflow.pyfunc.load_model('.').metadata.signature)"

Missing numbers are NaN. Missing text is the text {missing}: MLflow has no null for it. Columns that the graph does not use
are not in the signature.
{canary}"""


def mlflow_files(part: Part, canary: Part | None) -> Files:
    """The files of the model's folder."""
    graph, n_inputs = flatten(part.graph, part.version.signature)
    session = open_session(graph)
    inputs = GraphInputs(session.get_modelmeta().custom_metadata_map)
    pip = [f"mlflow=={_MLFLOW_VERSION}", *(f"{name}=={installed(name)}" for name in _REQUIREMENTS)]
    python = ".".join(str(number) for number in sys.version_info[:3])
    examples = {column.name: column.example for column in part.version.signature.inputs}
    wanted = [column for column in inputs.graph_columns if column.input is not None]
    data = [[_example(examples[column.name], column.tensor) for column in wanted]]
    split = {"columns": [column.input for column in wanted], "data": data}
    left_out = f"\nThe canary {canary.version.ref} is not in this folder.\n" if canary is not None else ""
    ml_model = _ml_model(part, session, n_inputs, len(graph))
    conda = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": pip}],
    }
    environment = {"python": python, "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}
    return {
        "MLmodel": _yaml(ml_model),
        "model.onnx": graph,
        "requirements.txt": "".join(f"{line}\n" for line in pip).encode(),
        "conda.yaml": _yaml(conda),
        "python_env.yaml": _yaml(environment),
        "input_example.json": json.dumps(split).encode(),
        "serving_input_example.json": json.dumps({"dataframe_split": split}).encode(),
        "README.md": _README.format(ref=part.version.ref, missing=json.dumps(MISSING_TEXT), canary=left_out).encode(),
    }


def flatten(content: bytes, signature: Signature) -> tuple[bytes, int]:
    """The graph with inputs and outputs as MLflow's wrapper gives and takes them, and its number of inputs.

    One input keeps its shape [rows, 1], because a frame of one column comes as a table.
    """
    import onnx
    from onnx import helper

    model = onnx.load_from_string(content)
    graph = model.graph
    n_inputs = len(graph.input)
    before, after = [], []
    column = helper.make_tensor("snapml_column", onnx.TensorProto.INT64, [2], [-1, 1])
    flat = helper.make_tensor("snapml_flat", onnx.TensorProto.INT64, [1], [-1])
    graph.initializer.extend([column, flat])
    if n_inputs > 1:
        for one in graph.input:
            inner = f"snapml_table/{one.name}"
            _rename_reads(graph, one.name, inner)
            before.append(helper.make_node("Reshape", [one.name, "snapml_column"], [inner]))
            _set_shape(one, [None])
    outputs = []
    for one in graph.output:
        kind = one.type.tensor_type.elem_type
        inner = f"snapml_answer/{one.name}"
        for node in graph.node:
            for index, name in enumerate(node.output):
                if name == one.name:
                    node.output[index] = inner
        _rename_reads(graph, one.name, inner)
        if one.name == "probabilities":
            names = [f"probability_{_label_name(label)}" for label in signature.labels or ()]
            pieces = [f"snapml_piece/{name}" for name in names]
            after.append(helper.make_node("Split", [inner], pieces, axis=1, num_outputs=len(names)))
        else:
            names, pieces = [one.name], [inner]
        for name, piece in zip(names, pieces, strict=True):
            after.append(helper.make_node("Reshape", [piece, "snapml_flat"], [name]))
            outputs.append(helper.make_tensor_value_info(name, kind, [None]))
    nodes = [*before, *graph.node, *after]
    del graph.node[:], graph.output[:]
    graph.node.extend(nodes)
    graph.output.extend(outputs)
    for entry in model.metadata_props:
        if entry.key == OUTPUTS_KEY:
            entry.value = json.dumps([output.name for output in outputs])
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString()), n_inputs


def _ml_model(part: Part, session: Any, n_inputs: int, n_bytes: int) -> dict[str, Any]:
    deployment, version = part.deployment, part.version
    nullable = {column.name: column.nullable for column in version.signature.inputs}
    kinds = {column.name: column.kind for column in version.signature.inputs}
    inputs = GraphInputs(session.get_modelmeta().custom_metadata_map)
    by_input = {column.input: column.name for column in inputs.graph_columns}
    columns = []
    for one in session.get_inputs():
        name = by_input[one.name]
        # A nullable whole number is NaN or a double in the graph, and text is never null there.
        required = not nullable[name] or kinds[name] is ColumnKind.string
        columns.append({"type": _TYPES[one.type], "name": one.name, "required": required})
    outputs = [{"type": _TYPES[one.type], "name": one.name, "required": True} for one in session.get_outputs()]
    return {
        "artifact_path": deployment.endpoint,
        "flavors": {
            "onnx": {
                "code": None,
                "data": "model.onnx",
                "onnx_session_options": {"intra_op_num_threads": 1, "inter_op_num_threads": 1},
                "onnx_version": installed("onnx"),
                "providers": ["CPUExecutionProvider"],
            },
            "python_function": {
                "data": "model.onnx",
                "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
                "loader_module": "mlflow.onnx",
                "python_version": ".".join(str(number) for number in sys.version_info[:3]),
            },
        },
        "metadata": {
            "snapml_endpoint": deployment.endpoint,
            "snapml_model": version.ref,
            "snapml_run": version.run_id,
            "snapml_task": (Task.classification if version.signature.labels else Task.regression).value,
        },
        "mlflow_version": _MLFLOW_VERSION,
        "model_size_bytes": n_bytes,
        "model_uuid": uuid.uuid5(uuid.NAMESPACE_URL, f"{version.ref}/{deployment.onnx_digest}").hex,
        "run_id": version.run_id,
        "saved_input_example_info": {
            "artifact_path": "input_example.json",
            "pandas_orient": "split",
            "serving_input_path": "serving_input_example.json",
            "type": "dataframe",
        },
        "signature": {"inputs": json.dumps(columns), "outputs": json.dumps(outputs), "params": None},
        "utc_time_created": deployment.created_at.strftime("%Y-%m-%d %H:%M:%S.%f"),
    }


def _rename_reads(graph: Any, old: str, new: str) -> None:
    """Let every node read another tensor, also inside branches and loops."""
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == old:
                node.input[index] = new
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename_reads(attribute.g, old, new)


def _set_shape(info: Any, shape: list[int | None]) -> None:
    info.type.tensor_type.shape.ClearField("dim")
    for size in shape:
        dim = info.type.tensor_type.shape.dim.add()
        if size is not None:
            dim.dim_value = size


def _label_name(label: object) -> str:
    return str(label).lower() if isinstance(label, bool) else str(label)


def _example(value: Any, tensor: str) -> Any:
    """A value as the graph has it."""
    if tensor == "string":
        return MISSING_TEXT if value is None else value
    if tensor in ("double", "float"):
        return None if value is None else float(value)
    return value


def _yaml(content: dict[str, Any]) -> bytes:
    return yaml.safe_dump(content, allow_unicode=True).encode()
