"""Giving a namespace everything that a program needs: imports, values, definitions, tables, in that order."""

from __future__ import annotations

import linecache
from typing import TYPE_CHECKING, Any

from ..capture.program import CLASS_ATTRIBUTES
from ..capture.state import load_state
from ..domain.program import PartKind, Program
from .tables import load_table

if TYPE_CHECKING:
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace


def restore(workspace: Workspace | RemoteWorkspace, program: Program, namespace: dict[str, Any]) -> list[str]:
    """Fill the namespace; gives the imports that failed, which matter only when the cell uses them.

    Raises what a definition or a value that cannot be restored raises.
    """
    tables: dict[str, Any] = {}

    def table(place: str) -> Any:
        if place not in tables:
            tables[place] = load_table(workspace, next(t for t in program.tables if t.place == place))
        return tables[place]

    failed = []
    for part in program.parts:
        if part.kind is PartKind.imports:
            try:
                run_source(part.code, namespace, f"<{part.code}>")
            except ImportError as error:
                failed.append(f"{part.code}: {error}")
    for part in program.parts:
        if part.kind is PartKind.value:
            run_source(part.code, namespace, f"<{part.names[0]}>")
    if program.early_digest is not None:
        namespace.update(load_state(workspace.blobs.read(program.early_digest), namespace, table))
    for part in program.parts:
        if part.kind is PartKind.definition:
            run_source(part.code, namespace, f"<{part.names[0]} of cell {part.cell}>")
    if program.state_digest is not None:
        values = load_state(workspace.blobs.read(program.state_digest), namespace, table)
        for (name, attribute), value in values.pop(CLASS_ATTRIBUTES, {}).items():
            setattr(namespace[name], attribute, value)
        namespace.update(values)
        for (
            part
        ) in program.parts:  # functions kept by value bring the globals they had, which may be given otherwise now
            if part.kind is PartKind.value and part.names[0] not in values:
                run_source(part.code, namespace, f"<{part.names[0]}>")
    for each in program.tables:
        if "." not in each.place and each.place not in namespace:
            namespace[each.place] = table(each.place)
    return failed


def run_source(code: str, namespace: dict[str, Any], filename: str) -> None:
    """Execute source whose lines tracebacks and `inspect.getsource` can show."""
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    exec(compile(code, filename, "exec", dont_inherit=True), namespace)
