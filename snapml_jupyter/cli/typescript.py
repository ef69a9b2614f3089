"""TypeScript types from the OpenAPI document, so that the lab extension cannot drift from the records.

`python -m snapml_jupyter.cli.typescript labextension/src/api/types.ts` writes the file; a test holds it fresh.

A record is an interface whose fields are all present, because answers always carry every field; only the arguments
of an operation may be left out where they have a default. A float is `Float`: JSON cannot say NaN or infinity, so
they travel as strings (see `wire`).
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

HEADER = """\
// Written by `python -m snapml_jupyter.cli.typescript`. Do not edit: change the Python record and write it again.
/* eslint-disable */

/** A float on the wire: JSON has no NaN and no infinities. */
export type Float = number | 'nan' | 'inf' | '-inf';
"""

_SCALARS = {"string": "string", "integer": "number", "number": "Float", "boolean": "boolean", "null": "null"}
_IDENTIFIER = re.compile(r"^[A-Za-z_$][A-Za-z0-9_$]*$")


def typescript(document: dict[str, Any]) -> str:
    """The types of every component, and `Operations`: operation name to its arguments and its result.

    Raises ValueError naming a schema that has no TypeScript here.
    """
    schemas: dict[str, Any] = document["components"]["schemas"]
    declarations = [_declaration(name, schemas[name]) for name in sorted(schemas)]
    return "\n".join([HEADER, *declarations, _operations(document["paths"])])


def _declaration(name: str, schema: dict[str, Any]) -> str:
    comment = _comment(schema.get("description"))
    if "properties" not in schema:
        return f"{comment}export type {name} = {_type(schema)};\n"
    if not schema["properties"]:
        return f"{comment}export type {name} = Record<string, never>;\n"
    may_be_absent = set(schema["properties"]) - set(schema.get("required", ())) if name.endswith("Arguments") else set()
    fields = [
        f"  {_key(field)}{'?' if field in may_be_absent else ''}: {_type(kind)};\n"
        for field, kind in schema["properties"].items()
    ]
    return f"{comment}export interface {name} {{\n{''.join(fields)}}}\n"


def _operations(paths: dict[str, Any]) -> str:
    lines = ["/** Every operation: what it takes and what it gives. */\n", "export interface Operations {\n"]
    for path in sorted(paths):
        call = paths[path]["post"]
        arguments = call["requestBody"]["content"]["application/json"]["schema"]
        result = call["responses"]["200"]["content"]["application/json"]["schema"]
        lines.append(_comment(call.get("summary"), "  "))
        lines.append(f"  '{call['operationId']}': {{ arguments: {_type(arguments)}; result: {_type(result)} }};\n")
    return "".join([*lines, "}\n"])


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return _union([_type(choice) for choice in schema["anyOf"]])
    if "enum" in schema:
        return _union([_literal(value) for value in schema["enum"]])
    if "const" in schema:
        return _literal(schema["const"])
    kind = schema.get("type")
    if isinstance(kind, list):
        return _union([_type({**schema, "type": one}) for one in kind])
    if kind == "array":
        return _array(schema)
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"Record<string, {_type(values) if isinstance(values, dict) else 'unknown'}>"
    if kind in _SCALARS:
        return _SCALARS[kind]
    if kind is None:
        return "unknown"
    raise ValueError(f"No TypeScript for the schema {json.dumps(schema)[:200]}.")


def _array(schema: dict[str, Any]) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(_type(item) for item in schema['prefixItems'])}]"
    items = schema.get("items")
    item = _type(items) if isinstance(items, dict) else "unknown"
    return f"({item})[]" if " | " in item else f"{item}[]"


def _union(kinds: list[str]) -> str:
    return " | ".join(dict.fromkeys(kinds))


def _literal(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)


def _key(name: str) -> str:
    return name if _IDENTIFIER.match(name) else f"'{name}'"


def _comment(text: str | None, indent: str = "") -> str:
    if not text:
        return ""
    lines = inspect.cleandoc(text).replace("*/", "* /").splitlines()
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


def lab_types() -> str:
    """The types of every operation, and of the card that a cell's output holds."""
    from ..domain.run_card import RunCard
    from ..operations import list_operations
    from ..version import __version__
    from ..wire import openapi

    return typescript(openapi(list_operations(), __version__, (RunCard,)))


def main(path: str) -> None:
    """Write the types to `path`."""
    Path(path).write_text(lab_types(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
