"""The lab extension's types are those of the records: generated, and held fresh here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snapml_jupyter.cli.typescript import lab_types, typescript
from snapml_jupyter.operations import list_operations

TYPES = Path(__file__).parents[1] / "labextension" / "src" / "api" / "types.ts"


def _document(schemas: dict[str, Any], body: Any = None, answer: Any = None) -> dict[str, Any]:
    call = {
        "operationId": "runs.list_runs",
        "summary": "Runs, newest first.",
        "requestBody": {"content": {"application/json": {"schema": body or {"$ref": "#/components/schemas/A"}}}},
        "responses": {"200": {"content": {"application/json": {"schema": answer or {"type": "null"}}}}},
    }
    return {"components": {"schemas": schemas}, "paths": {"/snapml/api/runs.list_runs": {"post": call}}}


def _of(schema: dict[str, Any]) -> str:
    """The type of one field."""
    text = typescript(_document({"A": {"type": "object", "properties": {"field": schema}}}))
    return next(line for line in text.splitlines() if line.startswith("  field: "))[len("  field: ") : -1]


def test_the_types_of_the_lab_extension_are_fresh() -> None:
    assert TYPES.read_text(encoding="utf-8") == lab_types(), (
        "Write them again: python -m snapml_jupyter.cli.typescript labextension/src/api/types.ts"
    )


def test_every_operation_is_in_the_map() -> None:
    text = TYPES.read_text(encoding="utf-8")
    assert all(f"  '{declared.name}': {{ arguments: " in text for declared in list_operations())


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "format": "date-time"}, "string"),
        ({"type": "integer"}, "number"),
        ({"type": "number"}, "Float"),
        ({"type": ["string", "null"]}, "string | null"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "number | null"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Run"}}, "Run[]"),
        ({"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, "(string | null)[]"),
        ({"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "items": False}, "[string, Float]"),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, "Record<string, boolean>"),
        ({"type": "object"}, "Record<string, unknown>"),
        ({"enum": ["a", "b"]}, "'a' | 'b'"),
        ({"const": True}, "true"),
        ({}, "unknown"),
    ],
)
def test_each_kind_of_schema_has_its_type(schema: dict[str, Any], expected: str) -> None:
    assert _of(schema) == expected


def test_only_arguments_with_a_default_may_be_left_out() -> None:
    record = {"type": "object", "properties": {"n": {"type": "integer"}, "m": {"type": "integer"}}, "required": ["n"]}
    text = typescript(_document({"Run": record, "RunsListRunsArguments": record}))
    assert "export interface Run {\n  n: number;\n  m: number;\n}" in text
    assert "export interface RunsListRunsArguments {\n  n: number;\n  m?: number;\n}" in text


def test_a_comment_in_a_docstring_cannot_end_the_comment_in_typescript() -> None:
    text = typescript(_document({"Stage": {"description": "Not */ the end.", "enum": ["none"]}}))
    assert "/** Not * / the end. */\nexport type Stage = 'none';" in text


def test_a_schema_without_a_type_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="No TypeScript for the schema"):
        _of({"type": "file"})
