"""A Triton model repository: `NAME/config.pbtxt`, `NAME/labels.txt`, `NAME/<version>/model.onnx`.

The configuration is ModelConfig in the text form of protocol buffers
(https://github.com/triton-inference-server/common/blob/main/protobuf/model_config.proto).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..domain.errors import ConflictError
from ..export.inputs import MISSING_TEXT
from ..export.parity import open_session

if TYPE_CHECKING:
    from .exporting import Exit, Files, Part

#: onnxruntime's names of element types to Triton's.
_TYPES = {
    "tensor(bool)": "TYPE_BOOL",
    "tensor(int64)": "TYPE_INT64",
    "tensor(float)": "TYPE_FP32",
    "tensor(double)": "TYPE_FP64",
    "tensor(string)": "TYPE_STRING",
}
_MOST_ROWS = 4096
_LABELS = "labels.txt"

_README = """\
# Triton model repository: {name}

    tritonserver --model-repository=.

Serves {refs} over the Open Inference Protocol. Needs a Triton with an ONNX Runtime backend that knows IR version {ir}
and these operator sets: {opsets}.

What the endpoint of SnapML did with a request, clients now do themselves:
- each column is one input of shape [rows, 1], under its own name;
- a missing number is NaN, a missing text is the text {missing};
- nothing is checked against the signature beyond names and types, and there are no keys.
"""


def triton_files(leaving: Exit) -> Files:
    """The repository: one model with a folder for each version, all of them loaded."""
    name = leaving.endpoint.name
    files = {f"{name}/{path}": content for path, content in model_files(name, leaving.parts).items()}
    files["README.md"] = _readme(name, leaving.parts)
    return files


def model_files(name: str, parts: list[Part]) -> Files:
    """The folder of one model with these versions; the configuration is made from the first one's graph."""
    files = {"config.pbtxt": config(name, parts).encode()}
    labels = parts[0].version.signature.labels
    if labels is not None:
        files[_LABELS] = "".join(f"{_one_line(label)}\n" for label in labels).encode()
    for part in parts:
        files[f"{part.number}/model.onnx"] = part.graph
    return files


def config(name: str, parts: list[Part]) -> str:
    """`config.pbtxt` of a model. Raises ConflictError when its versions take or give different tensors."""
    session = open_session(parts[0].graph)
    for part in parts[1:]:
        other = open_session(part.graph)
        if _shapes(other) != _shapes(session):
            raise ConflictError(
                f"{part.version.ref} and {parts[0].version.ref} take or give different columns, and the versions of one "
                "Triton model cannot. Give one of them all traffic first: %snap_traffic."
            )
    numbers = ", ".join(str(part.number) for part in parts)
    lines = [
        f"name: {_quoted(name)}",
        'backend: "onnxruntime"',
        f"max_batch_size: {_MOST_ROWS}",
        *(_tensor("input", one) for one in session.get_inputs()),
        *(_tensor("output", one, parts[0].version.signature.labels is not None) for one in session.get_outputs()),
        f"version_policy {{ specific {{ versions: [ {numbers} ] }} }}",
        "instance_group [ { count: 1 kind: KIND_CPU } ]",
        "dynamic_batching { }",
    ]
    return "\n".join(lines) + "\n"


def _shapes(session: Any) -> list[tuple[str, str, list[Any]]]:
    return [(one.name, one.type, one.shape[1:]) for one in [*session.get_inputs(), *session.get_outputs()]]


def _tensor(kind: str, tensor: Any, has_labels: bool = False) -> str:
    """One input or output. The rows are Triton's batch dimension, which it does not name in `dims`."""
    rest = tensor.shape[1:]
    lines = [f"{kind} {{", f"  name: {_quoted(tensor.name)}", f"  data_type: {_TYPES[tensor.type]}"]
    if rest:
        lines.append(f"  dims: [ {', '.join(str(width) for width in rest)} ]")
    else:  # one value a row, without a dimension for it, which Triton can only say as a reshape
        lines += ["  dims: [ 1 ]", "  reshape { shape: [ ] }"]
    if has_labels and tensor.name == "probabilities":
        lines.append(f"  label_filename: {_quoted(_LABELS)}")
    return "\n".join([*lines, "}"])


def _readme(name: str, parts: list[Part]) -> bytes:
    import onnx

    model = onnx.load_from_string(parts[0].graph)
    opsets = ", ".join(f"{one.domain or 'ai.onnx'} {one.version}" for one in model.opset_import)
    return _README.format(
        name=name,
        refs=" and ".join(part.version.ref for part in parts),
        ir=model.ir_version,
        opsets=opsets,
        missing=json.dumps(MISSING_TEXT),
    ).encode()


def _quoted(text: str) -> str:
    """A string of the text form: UTF-8 as it is, the rest escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def _one_line(label: object) -> str:
    return " ".join(str(label).splitlines())
