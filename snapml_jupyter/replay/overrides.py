"""Other data and other params for a program: `--data flights@latest`, `--param depth=8`."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..domain.errors import InvalidInputError
from ..domain.names import parse_dataset_ref
from ..domain.program import PartKind, Program

if TYPE_CHECKING:
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace


def with_data(
    workspace: Workspace | RemoteWorkspace, program: Program, refs: list[str]
) -> tuple[Program, dict[str, str]]:
    """The program on other dataset versions, and by variable which ones.

    A reference is `flights@latest` (for the input that is a version of `flights`) or `df=flights@v3` (for the variable).
    Raises InvalidInputError when the cell reads no such data.
    """
    from ..datasets.versions import get_version

    changed: dict[str, str] = {}
    for given in refs:
        variable, equals, ref = given.partition("=")
        if not equals:
            variable, ref = "", given
        name = parse_dataset_ref(ref).name
        places = [
            table.place
            for table in program.tables
            if table.place == variable or (not variable and parse_dataset_ref(table.dataset_ref).name == name)
        ]
        if not places:
            read = ", ".join(f"{table.place} = {table.dataset_ref}" for table in program.tables) or "none"
            raise InvalidInputError(
                f"The cell reads no data that is '{variable or name}'. What it reads: {read}. Write VARIABLE={ref} to give one "
                "of these other data."
            )
        version = get_version(workspace, ref)
        for place in places:
            changed[place] = version.ref
    tables = [
        replace(table, dataset_ref=changed[table.place], order=None) if table.place in changed else table
        for table in program.tables
    ]
    return replace(program, tables=tables), changed


def with_params(program: Program, params: Mapping[str, Any]) -> Program:
    """The program with other values: of small values it was given, of `-p` params, of constants assigned in the cell.

    Raises InvalidInputError naming what can be set.
    """
    for name, value in params.items():
        changed = _with_param(program, name, value)
        if changed is None:
            known = ", ".join(settable(program)) or "nothing"
            raise InvalidInputError(
                f"The cell has no param '{name}' that could be given another value. What can be set: {known}."
            )
        program = changed
    return program


def settable(program: Program) -> list[str]:
    """Names that `with_params` knows."""
    names = [name for part in program.parts if part.kind is PartKind.value for name in part.names]
    return list(dict.fromkeys([*names, *program.given, *(name for name, _ in _constants(program.body))]))


def _with_param(program: Program, name: str, value: Any) -> Program | None:
    found = False
    parts = []
    for part in program.parts:
        if part.kind is PartKind.value and part.names == [name]:
            part = replace(part, code=f"{name} = {value!r}")
            found = True
        parts.append(part)
    body = program.body
    if not found:
        for constant, node in _constants(body):
            if constant == name:
                body = _replaced(body, node, repr(value))
                found = True
                break
    given = dict(program.given)
    if name in given:
        given[name] = value
        found = True
    return replace(program, parts=parts, body=body, given=given) if found else None


def _constants(body: str) -> list[tuple[str, ast.expr]]:
    """Names that the cell's own statements first set to a constant, with the constant."""
    try:
        tree: ast.Module | None = ast.parse(body)
    except SyntaxError:  # magics in the cell
        tree = _without_magics(body)
    if tree is None:
        return []
    found: dict[str, ast.expr] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            if isinstance(target, ast.Name) and target.id not in found and _is_constant(statement.value):
                found[target.id] = statement.value
    return list(found.items())


def _without_magics(body: str) -> ast.Module | None:
    lines = ["" if line.lstrip().startswith(("%", "!")) else line for line in body.split("\n")]
    try:
        return ast.parse("\n".join(lines))
    except SyntaxError:
        return None


def _is_constant(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _replaced(body: str, node: ast.expr, text: str) -> str:
    lines = body.split("\n")
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    head = lines[first].encode()[: node.col_offset].decode()
    tail = lines[last].encode()[node.end_col_offset :].decode()
    return "\n".join([*lines[:first], head + text + tail, *lines[last + 1 :]])
