"""Records to JSON and back; the source of the OpenAPI document and of the TypeScript types.

Numbers that JSON cannot say (NaN, infinities) travel as the strings "nan", "inf" and "-inf".
"""

from __future__ import annotations

import inspect
import math
from typing import Any, TypeVar

import msgspec

from .domain.errors import InvalidInputError, SnapMLError, error_types
from .operations import Operation

T = TypeVar("T")


def encode(value: Any) -> Any:
    """A record, or anything made of records, as JSON-safe builtins."""
    return _finite(msgspec.to_builtins(value, str_keys=True))


def encode_json(value: Any) -> bytes:
    """A record as JSON bytes."""
    return msgspec.json.encode(encode(value))


def decode(value: Any, expected: Any, what: str = "value") -> Any:
    """Builtins as the expected type. Raises InvalidInputError that names `what` and the place inside it."""
    try:
        return msgspec.convert(value, expected, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInputError(f"The {what} is not usable: {error}.") from None


def decode_json(content: bytes | str, expected: Any = Any, what: str = "JSON text") -> Any:
    """JSON bytes as the expected type. Raises InvalidInputError."""
    try:
        value = msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        raise InvalidInputError(f"The {what} is not JSON: {error}.") from None
    return decode(value, expected, what)


def encode_error(error: SnapMLError) -> dict[str, str]:
    """How an error travels: `{"error": code, "message": sentence}`."""
    return {"error": error.code, "message": str(error)}


def decode_error(content: Any) -> SnapMLError:
    """The error that the other side raised."""
    if isinstance(content, dict) and isinstance(content.get("message"), str):
        return error_types().get(str(content.get("error")), SnapMLError)(content["message"])
    return SnapMLError(f"The server answered with something that is not an error of ours: {str(content)[:200]}")


def openapi(operations: list[Operation], version: str, records: tuple[type, ...] = ()) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the given operations; `records` are described besides those that they use."""
    bodies = {declared.name: _body_type(declared) for declared in operations}
    answers = {declared.name: declared.types()["return"] for declared in operations}
    wanted = [*bodies.values(), *answers.values(), *records]
    schemas, components = msgspec.json.schema_components(wanted, ref_template="#/components/schemas/{name}")
    body_schemas = dict(zip(bodies, schemas[: len(bodies)], strict=True))
    answer_schemas = dict(zip(answers, schemas[len(bodies) :], strict=False))
    components["Error"] = {
        "type": "object",
        "properties": {"error": {"type": "string"}, "message": {"type": "string"}},
        "required": ["error", "message"],
    }
    failure = {
        "description": "What failed, which name, and what to do.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    paths = {
        f"/snapml/api/{declared.name}": {
            "post": {
                "operationId": declared.name,
                "summary": declared.summary,
                "tags": [declared.name.partition(".")[0]],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": body_schemas[declared.name]}},
                },
                "responses": {
                    "200": {
                        "description": "The record.",
                        "content": {"application/json": {"schema": answer_schemas[declared.name]}},
                    },
                    "default": failure,
                },
                "x-permission": declared.permission,
                "x-audited": declared.audited,
            }
        }
        for declared in operations
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "SnapML for Jupyter", "version": version},
        "paths": paths,
        "components": {"schemas": components},
    }


def _body_type(declared: Operation) -> type:
    """A struct with the operation's parameters as fields, so that the schema has their types and defaults."""
    types = declared.types()
    required: list[Any] = []
    optional: list[Any] = []
    for name, parameter in declared.parameters.items():
        if parameter.default is inspect.Parameter.empty:
            required.append((name, types[name]))
        else:
            optional.append((name, types[name], parameter.default))
    title = "".join(part.title() for part in declared.name.replace(".", "_").split("_")) + "Arguments"
    return msgspec.defstruct(title, [*required, *optional], kw_only=True)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
