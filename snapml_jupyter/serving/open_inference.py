"""Open Inference Protocol v2, REST: metadata and infer, from JSON to rows and back.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
One input tensor per raw column, shape [n, 1] (or [n]); outputs `label` and `probabilities`, or `prediction`. Tensors are
JSON arrays or, both ways, raw bytes after the JSON (`binary_tensors.py`).
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from ..domain.errors import InvalidInputError
from ..domain.model import ColumnKind
from ..version import __version__
from .binary_tensors import read_tensor, write_tensor
from .routing import Served
from .rows import Row
from .session import Answers

PLATFORM = "onnx_onnxv1"
#: The header that says where the JSON ends and the raw tensors begin.
HEADER_LENGTH = b"inference-header-content-length"
#: Parts of other servers' protocols that change where data is or what an answer means, so are not passed over.
_UNSUPPORTED = ("shared_memory_region", "classification")

_NUMBERS = frozenset(
    {"UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"},
)
_DATATYPES = _NUMBERS | {"BOOL", "BYTES"}
_ADVERTISED: dict[ColumnKind, str] = {
    ColumnKind.boolean: "BOOL",
    ColumnKind.integer: "INT64",
    ColumnKind.float: "FP64",
    ColumnKind.string: "BYTES",
    ColumnKind.datetime: "BYTES",
}


_Parameters = dict[str, str | int | float | bool]
_NO_DATA = msgspec.Raw(b"")


class _Input(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw = _NO_DATA
    parameters: _Parameters | None = None


class _WantedOutput(msgspec.Struct):
    name: str
    parameters: _Parameters | None = None


class InferRequest(msgspec.Struct):
    """The body of an infer request; tensor data stays unread until its column is known."""

    inputs: list[_Input]
    id: str | None = None
    parameters: _Parameters | None = None
    outputs: list[_WantedOutput] | None = None


class _Output(msgspec.Struct):
    name: str
    datatype: str
    shape: list[int]
    data: list[Any] | msgspec.UnsetType = msgspec.UNSET
    parameters: dict[str, int] | msgspec.UnsetType = msgspec.UNSET


class _InferAnswer(msgspec.Struct, omit_defaults=True):
    model_name: str
    model_version: str
    outputs: list[_Output]
    id: str | None = None


_decoder = msgspec.json.Decoder(InferRequest)
_encode = msgspec.json.Encoder().encode


def server_metadata() -> dict[str, Any]:
    """`GET /v2`."""
    return {"name": "snapml-jupyter", "version": __version__, "extensions": ["binary_tensor_data"]}


def model_metadata(served: Served, versions: list[str]) -> dict[str, Any]:
    """`GET /v2/models/NAME`: inputs and outputs from the signature; -1 is a length the client chooses."""
    signature = served.deployment.signature
    return {
        "name": served.deployment.endpoint,
        "versions": versions,
        "platform": PLATFORM,
        "inputs": [
            {"name": column.name, "datatype": _ADVERTISED[column.kind], "shape": [-1, 1]} for column in signature.inputs
        ],
        "outputs": [
            {"name": name, "datatype": datatype, "shape": [-1, width]} for name, datatype, width in _outputs(served)
        ],
    }


def decode_infer(served: Served, body: bytes, header_length: bytes | None = None) -> tuple[InferRequest, list[Row]]:
    """The request and its rows, checked against the signature. Raises InvalidInputError naming the input.

    `header_length` is the value of the header Inference-Header-Content-Length: the JSON's length, raw tensors follow.
    """
    raw: memoryview | None = None
    if header_length is not None:
        body, raw = _split(body, header_length)
    try:
        request = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        hint = " NaN and Infinity are not JSON: send null for a missing value." if b"NaN" in body else ""
        raise InvalidInputError(f"The body is not an inference request: {error}.{hint}") from None
    known = [name for name, _, _ in _outputs(served)]
    for wanted in request.outputs or []:
        if wanted.name not in known:
            raise InvalidInputError(f"There is no output '{wanted.name[:60]}'. Outputs: {', '.join(known)}.")
        _check_parameters(f"Output '{wanted.name}'", wanted.parameters)
    decoder = served.decoder
    given = {item.name: item for item in request.inputs}
    if len(given) != len(request.inputs):
        raise InvalidInputError("Two inputs have the same name; each column is sent once.")
    unknown = [name for name in given if name not in decoder.names]
    if unknown or not given:
        shown = f"There is no input '{unknown[0][:60]}'." if unknown else "The request has no inputs."
        raise InvalidInputError(f"{shown} Inputs: {', '.join(decoder.names)}.")
    first = request.inputs[0]
    n_rows = _rows_of(first)
    if n_rows == 0:
        raise InvalidInputError("There are no rows to predict: the first dimension of 'shape' is 0.")
    decoder.check_count(n_rows)
    tensors = _cut(request.inputs, raw)
    columns: list[bytes | list[Any] | None] = []
    for column in decoder.columns:
        item = given.get(column.name)
        if item is None:
            columns.append(None)
            continue
        _check_datatype(item, column.kind)
        if _rows_of(item) != n_rows:
            raise InvalidInputError(
                f"Input '{item.name}' has {_rows_of(item)} rows, '{first.name}' has {n_rows}; "
                "all inputs have the same number."
            )
        tensor = tensors.get(item.name)
        if tensor is not None:
            columns.append(read_tensor(item.name, item.datatype, tensor, n_rows))
        elif item.datatype == "FP16":
            raise InvalidInputError(f"Input '{item.name}': FP16 has no JSON form. Send it as binary data, or as FP32.")
        else:
            columns.append(bytes(item.data))
    return request, decoder.decode_columns(columns, n_rows)


def encode_infer(served: Served, request: InferRequest, answers: Answers) -> tuple[bytes, int | None]:
    """The answer, with the outputs that were asked for, in that order; tensors are flat, row-major.

    The number is the length of its JSON when raw tensors follow, None when it is all JSON.
    """
    n_rows = len(answers.values)
    data: dict[str, list[Any]] = {
        "label": answers.values,
        "prediction": answers.values,
        "probabilities": [p for row in answers.probabilities or () for p in row],
    }
    known = {name: (datatype, width) for name, datatype, width in _outputs(served)}
    asked = {item.name: item.parameters or {} for item in request.outputs or ()} or {key: {} for key in known}
    all_binary = (request.parameters or {}).get("binary_data_output") is True
    outputs, tensors = [], []
    for name, parameters in asked.items():
        datatype, width = known[name]
        output = _Output(name, datatype, [n_rows, width])
        if parameters.get("binary_data", all_binary) is True:
            tensors.append(write_tensor(datatype, data[name]))
            output.parameters = {"binary_data_size": len(tensors[-1])}
        else:
            output.data = data[name]
        outputs.append(output)
    content = _encode(_InferAnswer(served.deployment.endpoint, served.version, outputs, request.id))
    return (b"".join([content, *tensors]), len(content)) if tensors else (content, None)


def _split(body: bytes, header_length: bytes) -> tuple[bytes, memoryview]:
    """The JSON and the raw tensors behind it."""
    length = int(header_length) if header_length.isdigit() and len(header_length) < 12 else -1
    if not 0 < length <= len(body):
        raise InvalidInputError(
            f"Inference-Header-Content-Length is '{header_length[:20].decode('latin-1')}'; it must be the length of the "
            f"JSON, between 1 and the {len(body)} bytes of the body."
        )
    return body[:length], memoryview(body)[length:]


def _cut(inputs: list[_Input], raw: memoryview | None) -> dict[str, memoryview]:
    """Each binary input's bytes, which follow the JSON in the order of the inputs."""
    tensors: dict[str, memoryview] = {}
    at = 0
    for item in inputs:
        _check_parameters(f"Input '{item.name}'", item.parameters)
        size = item.parameters.get("binary_data_size") if item.parameters else None
        if size is None:
            if item.data == _NO_DATA:
                raise InvalidInputError(
                    f"Input '{item.name}' has no data: send 'data', or binary data and its 'binary_data_size'."
                )
            continue
        if type(size) is not int or size < 0:
            raise InvalidInputError(f"Input '{item.name}': 'binary_data_size' must be a number of bytes.")
        if item.data != _NO_DATA:
            raise InvalidInputError(f"Input '{item.name}' has 'data' and binary data; send one of them.")
        if raw is None:
            raise InvalidInputError(
                f"Input '{item.name}' is sent as binary data, but the request has no header "
                "Inference-Header-Content-Length that says where the JSON ends."
            )
        if at + size > len(raw):
            raise InvalidInputError(
                f"Input '{item.name}' has 'binary_data_size' {size}, but only {len(raw) - at} bytes are left of the body."
            )
        tensors[item.name] = raw[at : at + size]
        at += size
    if raw is not None and at != len(raw):
        raise InvalidInputError(f"{len(raw) - at} bytes of binary data are left after the last input.")
    return tensors


def _check_parameters(who: str, parameters: _Parameters | None) -> None:
    for name in _UNSUPPORTED:
        if parameters and name in parameters:
            raise InvalidInputError(f"{who} has the parameter '{name}', which this server does not offer.")


def _outputs(served: Served) -> list[tuple[str, str, int]]:
    """Name, datatype and width of what comes out."""
    labels = served.deployment.signature.labels
    if labels is None:
        return [("prediction", "FP64", 1)]
    if all(isinstance(label, bool) for label in labels):
        datatype = "BOOL"
    elif all(isinstance(label, int) for label in labels):
        datatype = "INT64"
    elif all(isinstance(label, (int, float)) for label in labels):
        datatype = "FP64"
    else:
        datatype = "BYTES"
    outputs = [("label", datatype, 1)]
    if len(served.session.inputs.output_names) > 1:
        outputs.append(("probabilities", "FP64", len(labels)))
    return outputs


def _rows_of(item: _Input) -> int:
    shape = item.shape
    if not shape or len(shape) > 2 or any(size < 0 for size in shape) or (len(shape) == 2 and shape[1] != 1):
        raise InvalidInputError(
            f"Input '{item.name}' has shape {str(shape)[:60]}; a column of n rows has shape [n, 1] or [n]."
        )
    return math.prod(shape)


def _check_datatype(item: _Input, kind: ColumnKind) -> None:
    datatype = item.datatype
    if datatype not in _DATATYPES:
        raise InvalidInputError(f"Input '{item.name}' has datatype '{datatype[:20]}'; use {_ADVERTISED[kind]}.")
    fits = datatype in _NUMBERS if kind in (ColumnKind.integer, ColumnKind.float) else datatype == _ADVERTISED[kind]
    if not fits:
        raise InvalidInputError(f"Input '{item.name}' has datatype {datatype}, the model needs {_ADVERTISED[kind]}.")
