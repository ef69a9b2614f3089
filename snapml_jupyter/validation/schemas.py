"""A user's own pandera schema as a suite: what can be said as data is taken over, the rest is refused by name."""

from __future__ import annotations

from typing import Any

from ..domain.errors import InvalidInputError
from .suite import ColumnExpectations, Suite


def is_schema(value: Any) -> bool:
    """Whether the value is a pandera schema or model, without importing pandera for it."""
    kind = value if isinstance(value, type) else type(value)
    return any(base.__module__.partition(".")[0] == "pandera" for base in kind.__mro__)


def suite_of_schema(schema: Any) -> Suite:
    """The suite that says what a pandera DataFrameSchema or DataFrameModel says.

    Raises InvalidInputError naming the column and the check that is code, not data.
    """
    if isinstance(schema, type) and hasattr(schema, "to_schema"):
        schema = schema.to_schema()
    if getattr(schema, "checks", None):
        raise InvalidInputError("The schema has checks of the whole frame, which are code. A suite holds data only.")
    columns = {}
    for name, column in schema.columns.items():
        if column.regex:
            raise InvalidInputError(f"Column '{name}' of the schema is a pattern of names; name each column instead.")
        found: dict[str, Any] = {
            "type": None if column.dtype is None else str(column.dtype),
            "nulls": None if column.nullable else 0.0,
            "unique": bool(column.unique),
            "required": bool(column.required),
        }
        for check in column.checks:
            found.update(_expectation(str(name), check))
        columns[str(name)] = ColumnExpectations(**found)
    unique = [list(schema.unique)] if getattr(schema, "unique", None) else []
    return Suite(columns=columns, extra_columns=schema.strict is not True, unique=unique)


def _expectation(column: str, check: Any) -> dict[str, Any]:
    said = check.statistics or {}
    if check.name == "greater_than_or_equal_to":
        return {"at_least": said["min_value"]}
    if check.name == "less_than_or_equal_to":
        return {"at_most": said["max_value"]}
    if check.name == "in_range" and said.get("include_min", True) and said.get("include_max", True):
        return {"at_least": said["min_value"], "at_most": said["max_value"]}
    if check.name == "isin":
        return {"values": list(said["allowed_values"])}
    if check.name == "equal_to":
        return {"values": [said["value"]]}
    if check.name == "str_matches":
        pattern = said["pattern"]
        return {"matches": getattr(pattern, "pattern", pattern)}
    if check.name == "str_length":
        return {"shortest": said.get("min_value"), "longest": said.get("max_value")}
    raise InvalidInputError(
        f"The check '{check.name or check}' of column '{column}' cannot be said in a suite. Suites know: ge, le, in_range, "
        "isin, eq, str_matches, str_length, nullable, unique, required."
    )
