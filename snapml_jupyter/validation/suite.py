"""An expectation suite: what the columns and rows of a dataset are expected to be. Data only, written as YAML.

rows: {at_least: 100, at_most: 20000}
extra_columns: allowed
unique: [[carrier, flight]]
columns:
  carrier: {type: str, nulls: 0%, values: [AA, UA]}
  delay: {type: float64, nulls: 5%, at_least: -60, at_most: 2000}
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any

from ..domain.errors import InvalidInputError

#: Values that a suite can hold.
Scalar = str | int | float | bool | datetime | date
_SCALARS = (str, int, float, bool, datetime, date)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnExpectations:
    """What one column is expected to be; None expects nothing. `nulls` is the largest share of missing values, 0 to 1."""

    type: str | None = None
    nulls: float | None = None
    at_least: Scalar | None = None
    at_most: Scalar | None = None
    values: list[Scalar] | None = None
    unique: bool = False
    longest: int | None = None
    shortest: int | None = None
    matches: str | None = None
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Expectations of the rows as a whole, of columns together, and of each column by name."""

    columns: dict[str, ColumnExpectations] = field(default_factory=dict)
    rows_at_least: int | None = None
    rows_at_most: int | None = None
    extra_columns: bool = True
    unique: list[list[str]] = field(default_factory=list)

    @classmethod
    def from_yaml(cls, text: str) -> Suite:
        """Read a suite. Raises InvalidInputError saying where it is wrong and what is allowed there."""
        import yaml

        try:
            said = yaml.safe_load(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
            raise InvalidInputError(f"The suite is no YAML{where}: {getattr(error, 'problem', error)}.") from error
        return _suite(said)

    def to_yaml(self) -> str:
        """The suite as text that `from_yaml` reads."""
        said: dict[str, Any] = {}
        rows = {"at_least": self.rows_at_least, "at_most": self.rows_at_most}
        if known := {name: value for name, value in rows.items() if value is not None}:
            said["rows"] = known
        if not self.extra_columns:
            said["extra_columns"] = "refused"
        if self.unique:
            said["unique"] = [list(columns) for columns in self.unique]
        said["columns"] = {name: _said(column) for name, column in self.columns.items()}
        return _dumped(said)

    def to_python(self) -> str:
        """The columns' expectations as a pandera schema, for those who want to go on in Python."""
        lines = []
        for name, column in self.columns.items():
            checks = ", ".join(_python_checks(column))
            lines.append(
                f"        {name!r}: pa.Column({column.type!r}, [{checks}], nullable={column.nulls != 0}, "
                f"unique={column.unique}, required={column.required}),"
            )
        begin = ["import pandera.pandas as pa", "", "schema = pa.DataFrameSchema(", "    {"]
        if any("datetime." in line for line in lines):
            begin.insert(0, "import datetime")
        unique = f", unique={self.unique[0]!r}" if len(self.unique) == 1 else ""
        return "\n".join([*begin, *lines, "    },", f"    strict={not self.extra_columns}{unique},", ")"]) + "\n"


def _dumped(said: dict[str, Any]) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Times stand as they are read, not with a tag: yaml takes any colon within braces for one that has a meaning."""

        def analyze_scalar(self, scalar: str) -> Any:
            analysis = super().analyze_scalar(scalar)
            if getattr(self.event, "tag", None) == "tag:yaml.org,2002:timestamp":
                analysis.allow_flow_plain = True
            return analysis

    text: str = yaml.dump(said, Dumper=Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
    return text


_NAMES = [one.name for one in fields(ColumnExpectations)]


def _suite(said: Any) -> Suite:
    top = _mapping(said, "The suite", ["rows", "extra_columns", "unique", "columns"])
    rows = _mapping(top.get("rows") or {}, "rows", ["at_least", "at_most"])
    for name, value in rows.items():
        if type(value) is not int or value < 0:
            raise InvalidInputError(f"rows.{name} is a number of rows, not {value!r}.")
    extra = top.get("extra_columns", "allowed")
    if extra not in ("allowed", "refused"):
        raise InvalidInputError(f"extra_columns is 'allowed' or 'refused', not {extra!r}.")
    unique = top.get("unique") or []
    if not isinstance(unique, list) or not all(
        isinstance(group, list) and group and all(isinstance(name, str) for name in group) for group in unique
    ):
        raise InvalidInputError("unique is a list of lists of column names: [[carrier, flight]].")
    columns = _mapping(top.get("columns") or {}, "columns", None)
    return Suite(
        columns={str(name): _column(str(name), column) for name, column in columns.items()},
        rows_at_least=rows.get("at_least"),
        rows_at_most=rows.get("at_most"),
        extra_columns=extra == "allowed",
        unique=unique,
    )


def _column(name: str, said: Any) -> ColumnExpectations:
    where = f"columns.{name}"
    found = dict(_mapping(said or {}, where, _NAMES))
    if "nulls" in found:
        found["nulls"] = _share(found["nulls"], f"{where}.nulls")
    for key in ("unique", "required"):
        if key in found and type(found[key]) is not bool:
            raise InvalidInputError(f"{where}.{key} is true or false, not {found[key]!r}.")
    for key in ("longest", "shortest"):
        if key in found and (type(found[key]) is not int or found[key] < 0):
            raise InvalidInputError(f"{where}.{key} is a number of characters, not {found[key]!r}.")
    for key in ("type", "matches"):
        if key in found and not isinstance(found[key], str):
            raise InvalidInputError(f"{where}.{key} is text, not {found[key]!r}.")
    for key in ("at_least", "at_most"):
        if key in found and (not isinstance(found[key], _SCALARS) or isinstance(found[key], bool)):
            raise InvalidInputError(f"{where}.{key} is a number or a time, not {found[key]!r}.")
    if "values" in found and (
        not isinstance(found["values"], list) or not all(isinstance(value, _SCALARS) for value in found["values"])
    ):
        raise InvalidInputError(f"{where}.values is a list of values, not {found['values']!r}.")
    if "matches" in found:
        import re

        try:
            re.compile(found["matches"])
        except re.error as error:
            raise InvalidInputError(f"{where}.matches is no regular expression: {error}.") from error
    return ColumnExpectations(**found)


def _mapping(said: Any, where: str, allowed: list[str] | None) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise InvalidInputError(f"{where} is a mapping of names, not {said!r}.")
    if allowed is not None:
        for name in said:
            if name not in allowed:
                raise InvalidInputError(f"{where} has no '{name}'. It can have: {', '.join(allowed)}.")
    return said


def _share(said: Any, where: str) -> float:
    text = str(said).strip()
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        share = -1.0
    if isinstance(said, bool) or not 0 <= share <= 1:
        raise InvalidInputError(f"{where} is a share such as 5%, not {said!r}.")
    return share


def _said(column: ColumnExpectations) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name in _NAMES:
        value = getattr(column, name)
        if value is None or (name, value) in (("unique", False), ("required", True)):
            continue
        said[name] = f"{value * 100:.6g}%" if name == "nulls" else value
    return said


def _python_checks(column: ColumnExpectations) -> list[str]:
    checks = []
    if column.at_least is not None:
        checks.append(f"pa.Check.ge({column.at_least!r})")
    if column.at_most is not None:
        checks.append(f"pa.Check.le({column.at_most!r})")
    if column.values is not None:
        checks.append(f"pa.Check.isin({column.values!r})")
    if column.longest is not None or column.shortest is not None:
        checks.append(f"pa.Check.str_length({column.shortest!r}, {column.longest!r})")
    if column.matches is not None:
        checks.append(f"pa.Check.str_matches({column.matches!r})")
    return checks
