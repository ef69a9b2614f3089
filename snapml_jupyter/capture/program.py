"""The program of a cell: what it reads from the notebook, found before it runs and kept so that it can run again.

Functions and classes are kept as the source that made them, imports as imports, small plain values as literals, tables as
dataset versions, everything else by value in the state in which the cell finds it. So it does not matter in which order
cells ran, what was changed in place or which cell was edited since. What cannot be kept is named.
"""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..domain.program import MissingValue, PartKind, ProgramPart
from .definitions import (
    Definition,
    ExecutedCell,
    attribute_paths,
    find_definition,
    imports_of,
    is_earlier_output,
    is_history,
)
from .reads import names_read
from .state import REFUSALS, TooLargeError, dump_state

#: Longest source of a value that is written into the program; longer ones are kept as bytes.
MAX_LITERAL = 2_000
#: Under this key of the state lie attributes that classes were given after their definition.
CLASS_ATTRIBUTES = "__class_attributes__"
#: References to a value that only its name holds, where they are counted: the namespace and the calls that look at it.
_ALONE = 4


@dataclass(slots=True)
class Gathered:
    """What a cell needs. `state` and `early` are pickles; `early` is restored before the definitions."""

    parts: list[ProgramPart] = field(default_factory=list)
    state_names: list[str] = field(default_factory=list)
    state: bytes | None = None
    early: bytes | None = None
    missing: list[MissingValue] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)


def gather(
    code: str,
    namespace: Mapping[str, Any],
    history: Sequence[ExecutedCell],
    tables: Mapping[int, str],
    skip: frozenset[str] = frozenset(),
) -> Gathered:
    """What the (transformed) cell needs. `tables` are kept already: their `id` and the place they are called by.

    Never raises for a value: what cannot be kept is in `missing`.
    """
    return _Gathering(code, namespace, history, tables, skip).gather()


class _Gathering:
    def __init__(
        self,
        code: str,
        namespace: Mapping[str, Any],
        history: Sequence[ExecutedCell],
        tables: Mapping[int, str],
        skip: frozenset[str],
    ) -> None:
        self.code = code
        self.namespace = namespace
        self.history = history
        self.tables = tables
        self.skip = skip
        self.imports = imports_of([*history, ExecutedCell(0, code)])
        self.refused: set[str] = set()  # definitions that are kept by value after all
        self._start()

    def _start(self) -> None:
        self.import_lines: dict[str, str] = {}
        self.definitions: dict[str, Definition] = {}
        self.by_id: dict[int, str] = {}
        self.literals: dict[str, str] = {}
        self.values: dict[str, Any] = {}
        self.done: set[str] = set()
        self.modules: set[str] = set()
        self.missing: list[MissingValue] = []

    def gather(self) -> Gathered:
        while True:
            for name in names_read(self.code, self.namespace):
                self._need(name)
            state = self._dump_all()
            early, refused = self._dump_early()
            if not refused:
                break
            self.refused |= refused  # what needs a value that needs what it defines: all of it is kept by value
            self._start()
        result = Gathered(
            parts=[*self._import_parts(), *self._literal_parts(), *self._definition_parts()],
            state_names=list(self.values),
            state=state,
            early=early,
            missing=self.missing,
            modules=sorted(self.modules),
        )
        return result

    # Names

    def _need(self, name: str) -> None:
        if name in self.done or name not in self.namespace or name in self.skip:
            return
        self.done.add(name)
        if name in ("In", "Out", "_ih", "_oh"):
            self._miss(
                name, "the list of earlier inputs or outputs is not kept; give the value a name", self.namespace[name]
            )
            return
        if is_history(name) and not is_earlier_output(name):
            return
        value = self.namespace[name]
        if isinstance(value, types.ModuleType):
            self._need_module(name, value)
        elif id(value) in self.tables and self.tables[id(value)] == name:
            self.values[name] = value  # by reference, under the table's own name
        elif self._need_import(name, value) or self._need_definition(name, value):
            return
        elif not self._need_literal(name, value):
            self.values[name] = value

    def _need_module(self, name: str, module: types.ModuleType) -> None:
        real = module.__name__
        self.modules.add(real)
        if sys.modules.get(real) is not module:
            self._miss(name, f"the module {real} is not the one that is loaded", module)
            return
        if "." in real and name != real.rpartition(".")[2]:
            line = f"import {real} as {name}"
        elif "." in real:
            line = (
                f"from {real.rpartition('.')[0]} import {name}"
                if self._is_attribute(real)
                else f"import {real} as {name}"
            )
        else:
            line = f"import {real}" + (f" as {name}" if name != real else "")
        self.import_lines[name] = line

    @staticmethod
    def _is_attribute(real: str) -> bool:
        parent, _, child = real.rpartition(".")
        return hasattr(sys.modules.get(parent), child)

    def _need_import(self, name: str, value: Any) -> bool:
        """A function, class or object that a module holds under a name."""
        for line in reversed(self.imports.get(name, [])):
            node = ast.parse(line).body[0]
            if isinstance(node, ast.ImportFrom) and node.module and node.names[0].name != "*":
                found = getattr(sys.modules.get(node.module), node.names[0].name, _NOTHING)
                if found is value and not self._is_changeable(value):
                    self.import_lines[name] = line
                    self.modules.add(node.module)
                    return True
        for line in self.imports.get("*", []):
            source = str(ast.parse(line).body[0].module)  # type: ignore[attr-defined]  # a star import names one
            if getattr(sys.modules.get(source), name, _NOTHING) is value and not self._is_changeable(value):
                self.import_lines[name] = f"from {source} import {name}"
                self.modules.add(source)
                return True
        module = getattr(value, "__module__", None)
        qualname = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
        if not isinstance(module, str) or not isinstance(qualname, str) or "." in qualname or module == "__main__":
            return False
        if not (isinstance(value, type) or callable(value)):
            return False
        if module == "builtins":
            return False
        if getattr(sys.modules.get(module), qualname, _NOTHING) is not value:
            return False
        self.import_lines[name] = f"from {_public(module, qualname, value)} import {qualname}" + (
            f" as {name}" if name != qualname else ""
        )
        self.modules.add(module)
        return True

    @staticmethod
    def _is_changeable(value: Any) -> bool:
        """An object that a module holds and the notebook may have changed: it is kept by value."""
        return not (
            isinstance(value, type) or callable(value) or isinstance(value, (int, float, str, bytes, tuple, frozenset))
        )

    def _need_definition(self, name: str, value: Any) -> bool:
        if name in self.refused:
            return False
        definition = find_definition(name, value, self.history)
        if definition is None:
            return False
        if any(not callable_or_module(self.namespace[n]) for n in definition.decorators if n in self.namespace):
            return False  # a decorator was given a value that may be another one now
        at_once = [n for n in definition.needed_at_once if n in self.namespace and n != name]
        if isinstance(value, type) and not self._has_its_bases(value):
            return False
        self.definitions[name] = definition
        self.by_id[id(value)] = name
        for needed in definition.needed:
            if needed != name:
                self._need(needed)
        if any(n in self.definitions and _depends(n, name, self.definitions) for n in at_once):
            del self.definitions[name], self.by_id[id(value)]  # in a circle, or redefined since: kept by value
            self.refused.add(name)
            return False
        return True

    def _has_its_bases(self, value: type) -> bool:
        """Whether the class's bases of the notebook are what their names mean now."""
        return all(
            base.__module__ != "__main__" or self.namespace.get(base.__name__) is base for base in value.__bases__
        )

    def _need_literal(self, name: str, value: Any) -> bool:
        shared = isinstance(value, (list, dict, set)) and sys.getrefcount(value) > _ALONE
        text = None if shared else literal(value)
        if text is None:
            return False
        self.literals[name] = text
        return True

    def _refer(self, value: Any) -> str | None:
        """The name of a function or class that the program defines or imports; finds its definition if there is one."""
        known = self.by_id.get(id(value))
        if known is not None:
            return known
        if getattr(value, "__module__", None) != "__main__":
            module = getattr(value, "__module__", None)
            if isinstance(module, str):
                self.modules.add(module)
            return None
        name = getattr(value, "__qualname__", "")
        if self.namespace.get(name) is value and name not in self.done:
            self._need(name)
            return self.by_id.get(id(value))
        return None

    # Values

    def _dump_all(self) -> bytes | None:
        """The state. Values that cannot be kept leave it, one by one, and are named."""
        if not self.values and not self.definitions:
            return None
        while True:
            known = (len(self.values), len(self.definitions))
            extra = self._class_attributes()
            content = self._dump({**self.values, **extra})
            if content is None:
                for name in list(self.values):
                    problem = self._problem(name, self.values[name])
                    if problem is not None:
                        self._miss(name, problem, self.values.pop(name))
                if extra and self._dump(extra) is None:
                    self._miss("class attributes", "they cannot be written to bytes", extra)
                    return self._dump(self.values)
                content = self._dump({**self.values, **self._class_attributes()})
                if content is None:  # each alone fits, together they do not
                    for name in list(self.values):
                        self._miss(name, "all values together are larger than what is kept", self.values.pop(name))
                    return None
            if (len(self.values), len(self.definitions)) == known or not self.values:
                return content if self.values or extra else None
            # Writing found functions and classes of the notebook that are defined by source, which need more names.

    def _class_attributes(self) -> dict[str, Any]:
        changed = {}
        for name, definition in self.definitions.items():
            for attribute in definition.overrides:
                changed[(name, attribute)] = vars(self.namespace[name]).get(attribute)
        return {CLASS_ATTRIBUTES: changed} if changed else {}

    def _dump(self, values: Mapping[str, Any]) -> bytes | None:
        try:
            return dump_state(values, self.namespace, self.tables, self._refer)
        except RecursionError:
            return None
        except REFUSALS:  # anything an object's own way of being pickled may raise; the caller finds out which
            return None

    def _problem(self, name: str, value: Any) -> str | None:
        try:
            dump_state({name: value}, self.namespace, self.tables, self._refer)
        except TooLargeError as error:
            return str(error)
        except REFUSALS as error:  # as above; the sentence goes on the card
            return f"a {type(value).__name__} cannot be kept ({_short(error)})"
        return None

    def _dump_early(self) -> tuple[bytes | None, set[str]]:
        """Values that definitions read as they are executed: restored before them, and again with the others.

        Gives their bytes, and the definitions for which that is impossible.
        """
        early: dict[str, Any] = {}
        impossible: set[str] = set()
        for definition in self.definitions.values():
            names = [name for name in self._read_at_once(definition) if name in self.values]
            content = {name: self.values[name] for name in names}
            try:
                dump_state(content, self.namespace, self.tables, self._refuse)
            except REFUSALS:  # such as a value made of classes that are defined later
                impossible.add(definition.name)
            else:
                early.update(content)
        return (dump_state(early, self.namespace, self.tables, self._refuse) if early else None), impossible

    def _read_at_once(self, definition: Definition) -> list[str]:
        """Names that executing the statement reads, also in the decorators it calls."""
        found = dict.fromkeys(definition.needed_at_once)
        waiting = [name for name in definition.decorators if name in self.definitions]
        while waiting:
            for name in self.definitions[waiting.pop()].needed:
                if name not in found:
                    found[name] = None
                    waiting += [name] if name in self.definitions else []
        return list(found)

    def _refuse(self, value: Any) -> str | None:
        if self._refer(value) is not None:
            raise ValueError("it is not defined yet")
        return None

    def _miss(self, name: str, reason: str, value: Any) -> None:
        self.missing.append(
            MissingValue(name=name, type=type(value).__name__, reason=reason, line=line_of(self.code, name))
        )

    # Parts

    def _import_parts(self) -> list[ProgramPart]:
        lines: dict[str, list[str]] = {}
        if any("sklearn" in line for line in self.import_lines.values()):
            # Importing these makes scikit-learn offer what it calls experimental; nothing else refers to them.
            for experimental in sorted(m for m in sys.modules if m.startswith("sklearn.experimental.enable_")):
                lines[f"import {experimental}"] = []
        for name, line in self.import_lines.items():
            lines.setdefault(line, []).append(name)
        sources = [self.code, *(d.code for d in self.definitions.values())]
        for source in sources:
            for path in sorted(attribute_paths(source)):
                root, _, rest = path.partition(".")
                module = self.namespace.get(root)
                while rest and isinstance(module, types.ModuleType):
                    real = f"{module.__name__}.{rest}"
                    if real in sys.modules and isinstance(sys.modules[real], types.ModuleType):
                        if root in self.import_lines:
                            # Under an alias the submodule is reached through its parent: importing it is enough.
                            lines.setdefault(f"import {real}", []).append("")
                            self.modules.add(real)
                        break
                    rest = rest.rpartition(".")[0]
        return [
            ProgramPart(kind=PartKind.imports, names=[n for n in names if n], code=line)
            for line, names in sorted(lines.items(), key=lambda item: (not item[0].startswith("import"), item[0]))
        ]

    def _literal_parts(self) -> list[ProgramPart]:
        return [
            ProgramPart(kind=PartKind.value, names=[name], code=f"{name} = {text}")
            for name, text in self.literals.items()
        ]

    def _definition_parts(self) -> list[ProgramPart]:
        """In the order of execution, but what a statement reads at once before it."""
        ordered: list[Definition] = []
        placed: set[str] = set()

        def place(definition: Definition) -> None:
            if definition.name in placed:
                return
            placed.add(definition.name)
            for name in definition.needed_at_once:
                if name in self.definitions:
                    place(self.definitions[name])
            ordered.append(definition)

        for definition in sorted(self.definitions.values(), key=lambda d: (d.cell, d.line)):
            place(definition)
        return [ProgramPart(kind=PartKind.definition, names=[d.name], code=d.code, cell=d.cell) for d in ordered]


_NOTHING = object()


def callable_or_module(value: Any) -> bool:
    """A function, class or module: what decorators are made of."""
    return callable(value) or isinstance(value, types.ModuleType)


def literal(value: Any) -> str | None:
    """Source that gives an equal value of the very same types; None when there is none or it is long.

    >>> literal({"depth": (3, 4.5, None)})
    "{'depth': (3, 4.5, None)}"
    """
    if not _is_plain(value, 0):
        return None
    text = repr(value)
    if len(text) > MAX_LITERAL or "nan" in text or "inf" in text:
        return None
    return text


def _is_plain(value: Any, depth: int) -> bool:
    kind = type(value)
    if kind in (int, float, str, bool, bytes, type(None), complex):
        return True
    return (
        depth < 3 and kind is tuple and len(value) <= 100 and all(_is_plain(item, depth + 1) for item in value)
    ) or (depth == 0 and kind in (list, dict, set) and _is_flat(value))


def _is_flat(value: Any) -> bool:
    if len(value) > 200 or (isinstance(value, set) and not value):
        return False
    items = [*value, *value.values()] if isinstance(value, dict) else value
    return all(_is_plain(item, 1) for item in items)


def _public(module: str, name: str, value: Any) -> str:
    """The shortest public module that holds the value: `sklearn.linear_model`, not `sklearn.linear_model._ridge`."""
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        candidate = ".".join(parts[:length])
        if any(part.startswith("_") for part in parts[1:length]) and length < len(parts):
            continue
        if getattr(sys.modules.get(candidate), "__dict__", {}).get(name) is value:
            return candidate
    return module


def _depends(name: str, on: str, definitions: Mapping[str, Definition]) -> bool:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each == on:
            return True
        if each in seen or each not in definitions:
            continue
        seen.add(each)
        waiting += definitions[each].needed_at_once
    return False


def line_of(code: str, name: str) -> int | None:
    """The first line of the cell that has the name, directly or in a function it calls."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return None
    lines = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
    return min(lines, default=None)


def _short(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0]
    return (text if len(text) <= 120 else text[:119] + "…") or type(error).__name__
