"""The OpenAPI 3.1 document of one endpoint, from its signature; the examples are the signature's and the model's own answers."""

from __future__ import annotations

from typing import Any

import msgspec

from ..domain.model import ColumnKind
from ..version import __version__
from .mlflow_protocol import encode_invocation
from .open_inference import HEADER_LENGTH, InferRequest, encode_infer, model_metadata
from .plain_protocol import encode_predictions
from .routing import Served

Json = dict[str, Any]

_TYPES = {
    ColumnKind.boolean: "boolean",
    ColumnKind.integer: "integer",
    ColumnKind.float: "number",
    ColumnKind.string: "string",
    ColumnKind.datetime: "string",
}
_ERRORS = {
    "400": "The body or a value cannot be used; the message names row and column.",
    "401": "No key, or one that is not valid.",
    "403": "The key is for something else.",
    "413": "Too many rows or bytes.",
    "415": "A Content-Type or Content-Encoding that is not known.",
    "422": "The model cannot answer these rows.",
    "429": "Too many requests; see Retry-After.",
    "503": "Not ready, or too many requests at once: try again.",
}


def openapi_document(served: Served) -> Json:
    """`GET /endpoints/NAME/openapi.json`."""
    name = served.deployment.endpoint
    row = served.decoder.example_row()
    answers = served.session.run([row])
    example = dict(zip(served.decoder.names, row, strict=True))
    plain = msgspec.json.decode(encode_predictions(served, "1f0c2a9b7d3e-1", answers))
    flat = msgspec.json.decode(encode_invocation(answers))
    tensors = msgspec.json.decode(encode_infer(served, InferRequest([]), answers)[0])
    infer_example = {
        "inputs": [
            {"name": tensor["name"], "datatype": tensor["datatype"], "shape": [1, 1], "data": [example[tensor["name"]]]}
            for tensor in model_metadata(served, [served.version])["inputs"]
        ]
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": name,
            "version": served.version,
            "description": f"Predictions of the model {served.deployment.model_ref}, served by SnapML for Jupyter {__version__}.",
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "tags": [
            {"name": "predict", "description": "Rows as objects."},
            {"name": "open inference", "description": "The Open Inference Protocol v2."},
            {"name": "mlflow", "description": "MLflow's scoring protocol; the key says which endpoint."},
            {"name": "operations", "description": "Whether it answers, and how often it did."},
        ],
        "paths": {
            f"/endpoints/{name}/predict": _post(
                "predict", "Predict rows", "Rows", "Predictions", {"rows": [example]}, plain
            ),
            f"/endpoints/{name}/feedback": {
                "post": _operation(
                    "predict",
                    "feedback",
                    "Say what was right",
                    _content(
                        "Feedback", {"labels": [{"request_id": plain["request_id"], "row": 0, "label": _truth(served)}]}
                    ),
                    {"202": {"description": "Taken.", **_content("Taken", None)}},
                )
            },
            f"/v2/models/{name}": _get(
                "open inference", "metadata", "Inputs and outputs", model_metadata(served, [served.version])
            ),
            f"/v2/models/{name}/ready": _get(
                "open inference", "ready", "Whether it answers", {"name": name, "ready": True}
            ),
            f"/v2/models/{name}/infer": _infer(infer_example, tensors),
            f"/v2/models/{name}/versions/{served.version}/infer": _infer(infer_example, tensors, "_version"),
            "/invocations": _invocations(example, flat),
            "/ping": _text("mlflow", "ping", "Whether it answers"),
            "/metrics": _text("operations", "metrics", "Prometheus text"),
        },
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key of the endpoint."}
            },
            "schemas": _schemas(served, example),
            "responses": {code: {"description": text, **_content("Error", None)} for code, text in _ERRORS.items()}
            | {
                f"mlflow-{code}": {"description": text, **_content("MLflowError", None)}
                for code, text in _ERRORS.items()
            },
        },
    }


def _schemas(served: Served, example: Json) -> Json:
    unused = served.decoder.unused
    properties: Json = {}
    for column in served.decoder.columns:
        type_ = _TYPES[column.kind]
        properties[column.name] = {
            "type": [type_, "null"] if column.nullable or column.name in unused else type_,
            **({"format": "date-time"} if column.kind is ColumnKind.datetime else {}),
            "examples": [example[column.name]],
        }
    required = [name for name in served.decoder.names if name not in unused]
    labels = served.deployment.signature.labels
    if labels is None:
        prediction = _object({"prediction": {"type": ["number", "null"]}})
    else:
        prediction = _object({"label": {"enum": list(labels)}})
        if served.label_names and len(served.session.inputs.output_names) > 1:
            numbers = {label: {"type": "number", "minimum": 0, "maximum": 1} for label in served.label_names}
            prediction = _object({"label": {"enum": list(labels)}, "probabilities": _object(numbers)})
    tensor = {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer"}},
        "datatype": {"type": "string"},
    }
    free = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
    values = {"type": "array"}
    rows = {
        "type": "array",
        "items": {"$ref": "#/components/schemas/Row"},
        "minItems": 1,
        "maxItems": served.decoder.max_rows,
    }
    text = {"type": "string"}
    return {
        "Row": {**_object(properties, required), "additionalProperties": False, "examples": [example]},
        "Rows": {**_object({"rows": rows}), "additionalProperties": False},
        "Predictions": _object(
            {"endpoint": text, "model": text, "request_id": text, "predictions": {"type": "array", "items": prediction}}
        ),
        "Feedback": _object(
            {
                "labels": {
                    "type": "array",
                    "items": _object(
                        {
                            "request_id": text,
                            "row": {"type": "integer", "minimum": 0, "default": 0},
                            "label": {"type": ["boolean", "number", "string"]},
                        },
                        ["request_id", "label"],
                    ),
                    "minItems": 1,
                }
            }
        ),
        "Taken": _object({"endpoint": text, "request_id": text, "n_labels": {"type": "integer"}}),
        "InferRequest": _object(
            {
                "id": text,
                "parameters": free,
                "inputs": {
                    "type": "array",
                    "items": _object({**tensor, "parameters": free, "data": values}, ["name", "shape", "datatype"]),
                    "minItems": 1,
                },
                "outputs": {"type": "array", "items": _object({"name": text, "parameters": free}, ["name"])},
            },
            ["inputs"],
        ),
        "InferAnswer": _object(
            {
                "model_name": text,
                "model_version": text,
                "id": text,
                "outputs": {
                    "type": "array",
                    "items": _object({**tensor, "parameters": free, "data": values}, ["name", "shape", "datatype"]),
                },
            },
            ["model_name", "model_version", "outputs"],
        ),
        "Invocation": {
            "oneOf": [
                _object(
                    {
                        "dataframe_split": _object(
                            {"columns": {"type": "array", "items": text}, "data": values, "index": values},
                            ["columns", "data"],
                        )
                    }
                ),
                _object({"dataframe_records": rows}),
                _object({"instances": values}),
                _object({"inputs": {"type": ["object", "array"]}}),
            ]
        },
        "InvocationAnswer": _object({"predictions": {"type": "array"}}),
        "Error": _object({"error": text}),
        "MLflowError": _object({"error_code": text, "message": text}),
    }


def _object(properties: Json, required: list[str] | None = None) -> Json:
    """An object schema; every property is required unless `required` says which are."""
    return {"type": "object", "properties": properties, "required": list(properties) if required is None else required}


def _content(schema: str, example: Any) -> Json:
    media: Json = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    return {"content": {"application/json": media if example is None else {**media, "example": example}}}


def _operation(tag: str, identifier: str, summary: str, body: Json | None, answers: Json, errors: str = "") -> Json:
    codes = _ERRORS if body is not None else ("401", "403", "429", "503")
    refused = {code: {"$ref": f"#/components/responses/{errors}{code}"} for code in codes}
    request = {"requestBody": {"required": True, **body}} if body is not None else {}
    return {
        "tags": [tag],
        "operationId": identifier,
        "summary": summary,
        **request,
        "responses": {**answers, **refused},
    }


def _post(tag: str, summary: str, schema: str, answer_schema: str, example: Any, answer: Any) -> Json:
    answers = {"200": {"description": "The answer.", **_content(answer_schema, answer)}}
    return {"post": _operation(tag, tag, summary, _content(schema, example), answers)}


def _get(tag: str, identifier: str, summary: str, example: Any) -> Json:
    answer = {
        "description": "The answer.",
        "content": {"application/json": {"schema": {"type": "object"}, "example": example}},
    }
    return {"get": _operation(tag, identifier, summary, None, {"200": answer})}


def _text(tag: str, identifier: str, summary: str) -> Json:
    answer = {"description": "The answer.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    errors = "mlflow-" if tag == "mlflow" else ""
    return {"get": _operation(tag, identifier, summary, None, {"200": answer}, errors)}


def _infer(example: Any, answer: Any, suffix: str = "") -> Json:
    binary = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    body, answered = _content("InferRequest", example), _content("InferAnswer", answer)
    body["content"] |= binary
    answered["content"] |= binary
    operation = _operation(
        "open inference", f"infer{suffix}", "Predict tensors", body, {"200": {"description": "The answer.", **answered}}
    )
    operation["parameters"] = [
        {
            "name": HEADER_LENGTH.decode(),
            "in": "header",
            "description": "Length of the JSON when raw tensors follow it.",
            "schema": {"type": "integer", "minimum": 1},
        }
    ]
    return {"post": operation}


def _invocations(example: Json, answer: Any) -> Json:
    body = _content("Invocation", None)
    names, row = list(example), list(example.values())
    body["content"]["application/json"]["examples"] = {
        "dataframe_split": {"value": {"dataframe_split": {"columns": names, "data": [row]}}},
        "dataframe_records": {"value": {"dataframe_records": [example]}},
        "instances": {"value": {"instances": [example]}},
        "inputs": {"value": {"inputs": {name: [value] for name, value in example.items()}}},
    }
    body["content"]["text/csv"] = {"schema": {"type": "string"}}
    answers = {"200": {"description": "The answer.", **_content("InvocationAnswer", answer)}}
    return {"post": _operation("mlflow", "invocations", "Predict in MLflow's forms", body, answers, "mlflow-")}


def _truth(served: Served) -> Any:
    labels = served.deployment.signature.labels
    return labels[0] if labels else 0.0
