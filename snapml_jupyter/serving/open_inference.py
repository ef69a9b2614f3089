"""Open Inference Protocol v2, REST: metadata and infer, from JSON to rows and back.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
One input tensor per raw column, shape [n, 1] (or [n]); outputs `label` and `probabilities`, or `prediction`.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from ..domain.errors import InvalidInputError
from ..domain.model import ColumnKind
from ..version import __version__
from .routing import Served
from .rows import Row
from .session import Answers

PLATFORM = "onnx_onnxv1"

_NUMBERS = frozenset(
    {"UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP32", "FP64"},
)
_DATATYPES = _NUMBERS | {"BOOL", "BYTES"}
_ADVERTISED: dict[ColumnKind, str] = {
    ColumnKind.boolean: "BOOL",
    ColumnKind.integer: "INT64",
    ColumnKind.float: "FP64",
    ColumnKind.string: "BYTES",
    ColumnKind.datetime: "BYTES",
}


class _Input(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw
    parameters: dict[str, Any] | None = None


class _WantedOutput(msgspec.Struct):
    name: str
    parameters: dict[str, Any] | None = None


class InferRequest(msgspec.Struct):
    """The body of an infer request; tensor data stays unread until its column is known."""

    inputs: list[_Input]
    id: str | None = None
    parameters: dict[str, Any] | None = None
    outputs: list[_WantedOutput] | None = None


class _Output(msgspec.Struct):
    name: str
    datatype: str
    shape: list[int]
    data: list[Any]


class _InferAnswer(msgspec.Struct, omit_defaults=True):
    model_name: str
    model_version: str
    outputs: list[_Output]
    id: str | None = None


_decoder = msgspec.json.Decoder(InferRequest)
_encode = msgspec.json.Encoder().encode


def server_metadata() -> dict[str, Any]:
    """`GET /v2`."""
    return {"name": "snapml-jupyter", "version": __version__, "extensions": []}


def model_metadata(served: Served) -> dict[str, Any]:
    """`GET /v2/models/NAME`: inputs and outputs from the signature; -1 is a length the client chooses."""
    signature = served.deployment.signature
    return {
        "name": served.deployment.endpoint,
        "versions": [served.version],
        "platform": PLATFORM,
        "inputs": [
            {"name": column.name, "datatype": _ADVERTISED[column.kind], "shape": [-1, 1]} for column in signature.inputs
        ],
        "outputs": [
            {"name": name, "datatype": datatype, "shape": [-1, width]} for name, datatype, width in _outputs(served)
        ],
    }


def decode_infer(served: Served, body: bytes) -> tuple[InferRequest, list[Row]]:
    """The request and its rows, checked against the signature. Raises InvalidInputError naming the input."""
    try:
        request = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInputError(f"The body is not an inference request: {error}.") from None
    known = [name for name, _, _ in _outputs(served)]
    for wanted in request.outputs or []:
        if wanted.name not in known:
            raise InvalidInputError(f"There is no output '{wanted.name[:60]}'. Outputs: {', '.join(known)}.")
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
    columns: list[bytes | None] = []
    for column in decoder.columns:
        item = given.get(column.name)
        if item is not None:
            _check_datatype(item, column.kind)
            if _rows_of(item) != n_rows:
                raise InvalidInputError(
                    f"Input '{item.name}' has {_rows_of(item)} rows, '{first.name}' has {n_rows}; "
                    "all inputs have the same number."
                )
        columns.append(bytes(item.data) if item is not None else None)
    return request, decoder.decode_columns(columns, n_rows)


def encode_infer(served: Served, request: InferRequest, answers: Answers) -> bytes:
    """The answer's JSON, with the outputs that were asked for; tensors are flat, row-major."""
    n_rows = len(answers.values)
    data: dict[str, list[Any]] = {
        "label": answers.values,
        "prediction": answers.values,
        "probabilities": [p for row in answers.probabilities or () for p in row],
    }
    wanted = [item.name for item in request.outputs] if request.outputs else None
    outputs = [
        _Output(name, datatype, [n_rows, width], data[name])
        for name, datatype, width in _outputs(served)
        if wanted is None or name in wanted
    ]
    return _encode(_InferAnswer(served.deployment.endpoint, served.version, outputs, request.id))


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
        raise InvalidInputError(
            f"Input '{item.name}' has datatype '{datatype[:20]}'; use {_ADVERTISED[kind]}"
            + (" (FP16 has no JSON form)." if datatype == "FP16" else ".")
        )
    fits = datatype in _NUMBERS if kind in (ColumnKind.integer, ColumnKind.float) else datatype == _ADVERTISED[kind]
    if not fits:
        raise InvalidInputError(f"Input '{item.name}' has datatype {datatype}, the model needs {_ADVERTISED[kind]}.")
    if item.parameters and "binary_data_size" in item.parameters:
        raise InvalidInputError(f"Input '{item.name}' is sent as binary data; send it as a JSON array in 'data'.")
