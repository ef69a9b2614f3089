"""Finding the source of functions and classes of the notebook among the cells that were executed.

A source counts only when compiling it gives the very code that the value has: the newest cell of that name need not have
run to its end, a cell may have been edited, a name may have been rebound. What has no such source is kept by value.
"""

from __future__ import annotations

import ast
import functools
import re
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .reads import global_names

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_CLASS_MEMBERS = {"__module__", "__dict__", "__weakref__", "__doc__", "__qualname__", "__annotations__"}


@dataclass(frozen=True, slots=True)
class ExecutedCell:
    """A cell of this kernel as Python (magics translated), by its execution count."""

    number: int
    code: str


@dataclass(frozen=True, slots=True)
class Definition:
    """The statement that makes a function or class.

    `needed_at_once` are names that the statement itself reads (decorators, defaults, bases), `needed` those with what
    its functions read when they are called. `overrides` are attributes of a class that its statement would not give it now, `decorators`
    the names that its decorators read.
    """

    name: str
    code: str
    cell: int
    line: int
    needed_at_once: tuple[str, ...]
    needed: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()


def find_definition(name: str, value: Any, history: Sequence[ExecutedCell]) -> Definition | None:
    """The newest statement that defines `name` as `value` is now; None when there is none."""
    if not _may_be_defined(value):
        return None
    for cell in reversed(history):
        for statement in reversed(_definitions(cell.code)):
            if _defines(statement, name):
                overrides = _made_by(statement, value)
                if overrides is not None:
                    return _definition(name, statement, cell, overrides)
    return None


def imports_of(history: Sequence[ExecutedCell]) -> dict[str, list[str]]:
    """Import statements by the name they bind, the newest last; star imports under `*`."""
    found: dict[str, list[str]] = {}
    for cell in history:
        for name, code in _imports(cell.code):
            found.setdefault(name, []).append(code)
    return found


def attribute_paths(code: str) -> set[str]:
    """Every dotted path in the source: `sklearn.datasets.load_iris` gives itself and `sklearn.datasets`."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        path = _path(node)
        if path is not None and "." in path:
            found.add(path)
    return found


def _path(node: ast.AST) -> str | None:
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def _may_be_defined(value: Any) -> bool:
    if isinstance(value, type):
        return value.__module__ == "__main__"
    return callable(value)


@functools.lru_cache(maxsize=512)
def _definitions(code: str) -> list[ast.stmt]:
    """Top-level definitions, also below `if`, `try` and `with`, in order."""
    try:
        body = ast.parse(code).body
    except SyntaxError:  # a cell that IPython could not run either
        return []
    found: list[ast.stmt] = []
    waiting = list(body)
    while waiting:
        statement = waiting.pop(0)
        if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)) or (
            isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Lambda)
        ):
            found.append(statement)
        elif isinstance(statement, (ast.If, ast.Try, ast.With)):
            inner = [*statement.body, *getattr(statement, "orelse", [])]
            for handler in getattr(statement, "handlers", []):
                inner += handler.body
            waiting = inner + waiting
    return found


@functools.lru_cache(maxsize=512)
def _imports(code: str) -> list[tuple[str, str]]:
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                found.append((bound, f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                said = alias.name + (f" as {alias.asname}" if alias.asname else "")
                found.append((alias.asname or alias.name, f"from {node.module} import {said}"))
    return found


def _defines(statement: ast.stmt, name: str) -> bool:
    if isinstance(statement, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == name for target in statement.targets)
    return getattr(statement, "name", None) == name


def _made_by(statement: ast.stmt, value: Any) -> tuple[str, ...] | None:
    """Whether the statement made the value: the attributes that changed since (of a class), or None when it did not."""
    if isinstance(statement, ast.ClassDef):
        return _class_overrides(statement, value) if isinstance(value, type) else None
    code = _code_of(statement)
    if code is None or not _has_constant_defaults(statement):
        return None
    if not any(_same_code(code, found.__code__) for found in _functions_in(value)):
        return None
    given = vars(value) if isinstance(value, types.FunctionType) else {}
    return tuple(name for name in given if name != "__wrapped__")


def _functions_in(value: Any) -> Iterator[types.FunctionType]:
    """The function, what it wraps, and functions in its closure: what a decorator gives back holds the decorated one."""
    seen: set[int] = set()
    waiting = [value]
    while waiting and len(seen) < 50:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, types.FunctionType):
            yield each
            for cell in each.__closure__ or ():
                try:
                    waiting.append(cell.cell_contents)
                except ValueError:  # a variable that has no value yet
                    continue
        for name in ("__wrapped__", "__func__", "func", "py_func"):
            inner = getattr(each, name, None) if not isinstance(each, type) else None
            if isinstance(inner, types.FunctionType):
                waiting.append(inner)


def _has_constant_defaults(statement: ast.stmt) -> bool:
    arguments = statement.value.args if isinstance(statement, ast.Assign) else statement.args  # type: ignore[attr-defined]  # a lambda or a function
    return all(
        _is_constant(default) for default in [*arguments.defaults, *arguments.kw_defaults] if default is not None
    )


def _is_constant(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError):
        return False
    return isinstance(node, (ast.Constant, ast.UnaryOp, ast.Tuple))


def _code_of(statement: ast.stmt) -> types.CodeType | None:
    if isinstance(statement, ast.Assign):
        module = ast.Module(body=[statement], type_ignores=[])
        codes = [c for c in compile(module, "<cell>", "exec", dont_inherit=True).co_consts if _is_code(c)]
        return codes[0] if codes else None
    return _first_code(_bare(statement))


def _bare(statement: ast.stmt) -> ast.stmt:
    import copy

    bare = copy.copy(statement)
    bare.decorator_list = []  # type: ignore[attr-defined]  # a function or class
    return bare


def _first_code(statement: ast.stmt) -> types.CodeType | None:
    try:
        module = compile(ast.Module(body=[statement], type_ignores=[]), "<cell>", "exec", dont_inherit=True)
    except SyntaxError:
        return None
    name = getattr(statement, "name", None)
    return next((c for c in module.co_consts if _is_code(c) and c.co_name == name), None)


def _is_code(value: Any) -> bool:
    return isinstance(value, types.CodeType)


def _same_code(one: types.CodeType, other: types.CodeType) -> bool:
    """Equal but for where it stands."""
    if (one.co_code, one.co_names, one.co_varnames, one.co_freevars, one.co_cellvars) != (
        other.co_code,
        other.co_names,
        other.co_varnames,
        other.co_freevars,
        other.co_cellvars,
    ):
        return False
    if len(one.co_consts) != len(other.co_consts):
        return False
    for left, right in zip(one.co_consts, other.co_consts, strict=True):
        if isinstance(left, types.CodeType) and isinstance(right, types.CodeType):
            if not _same_code(left, right):
                return False
        elif type(left) is not type(right) or repr(left) != repr(right):
            return False
    return True


def _class_overrides(statement: ast.ClassDef, value: type) -> tuple[str, ...] | None:
    """Attributes that are not as the statement makes them; None when its methods are not the class's."""
    stated: dict[str, ast.stmt | ast.expr | None] = {}
    for inner in statement.body:
        if isinstance(inner, (*_FUNCTIONS, ast.ClassDef)):
            stated[inner.name] = inner
        elif isinstance(inner, ast.Assign):
            for target in inner.targets:
                for node in ast.walk(target):
                    if isinstance(node, ast.Name):
                        stated[node.id] = inner.value if isinstance(target, ast.Name) else None
        elif isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
            stated[inner.target.id] = inner.value
    members = vars(value)
    methods = [inner for inner in stated.values() if isinstance(inner, _FUNCTIONS)]
    same = [
        name for name, inner in stated.items() if isinstance(inner, _FUNCTIONS) and _is_method(inner, members.get(name))
    ]
    if methods and not same:
        return None
    if not methods and not set(stated) <= set(members) | set(getattr(value, "__dataclass_fields__", ())):
        return None
    if [base.__name__ for base in value.__bases__ if base is not object] and not statement.bases:
        return None
    changed = []
    for name, given in stated.items():
        if isinstance(given, _FUNCTIONS):
            if name not in same and name in members and _is_plain_function(members[name]):
                changed.append(name)
        elif isinstance(given, ast.expr) and name in members and not _is_wrapper(members[name]):
            # What is computed in the class's body was computed of what names meant then.
            try:
                if not _equals(ast.literal_eval(given), members[name]):
                    changed.append(name)
            except (ValueError, TypeError, SyntaxError):
                changed.append(name)
    if type(value).__module__ not in ("builtins", "abc"):
        return ()  # such as an Enum, whose members are what its metaclass made of the statement
    if not statement.decorator_list and not statement.keywords:
        changed += [
            n
            for n in members
            if n not in stated and n not in _CLASS_MEMBERS and not n.startswith(("__", "_abc_", "_sklearn"))
        ]
    return tuple(changed)


def _is_wrapper(member: Any) -> bool:
    """What refers to the class's own functions: made again by the statement."""
    return isinstance(member, (property, staticmethod, classmethod, types.MemberDescriptorType)) or callable(member)


def _equals(one: Any, other: Any) -> bool:
    return type(one) is type(other) and repr(one) == repr(other)


def _is_plain_function(member: Any) -> bool:
    return isinstance(member, types.FunctionType)


def _is_method(statement: ast.stmt, member: Any) -> bool:
    code = _code_of(statement)
    if isinstance(member, property):
        member = member.fget
    elif isinstance(member, (staticmethod, classmethod)):
        member = member.__func__
    if code is None or member is None:
        return False
    # Code of a method names the class cell and mangled names; compiled alone it does not, so names are compared loosely.
    for function in _functions_in(member):
        if _same_code(code, function.__code__) or (
            function.__code__.co_name == code.co_name and _same_shape(code, function.__code__)
        ):
            return True
    return False


def _same_shape(one: types.CodeType, other: types.CodeType) -> bool:
    """Equal constants and names, whatever `super()` and private names made of the instructions."""
    consts = [[repr(c) for c in code.co_consts if not _is_code(c)] for code in (one, other)]
    return (
        consts[0] == consts[1]
        and one.co_varnames == other.co_varnames
        and (
            bool({"super", "__class__"} & {*one.co_names, *one.co_freevars})
            or any(n.startswith("__") for n in one.co_names)
        )
    )


def _definition(name: str, statement: ast.stmt, cell: ExecutedCell, overrides: tuple[str, ...]) -> Definition:
    module = compile(ast.Module(body=[statement], type_ignores=[]), "<cell>", "exec", dont_inherit=True)
    everything = tuple(dict.fromkeys(global_names(module)))
    at_once = _names_at_once(module)
    decorators = [
        n.id for d in getattr(statement, "decorator_list", []) for n in ast.walk(d) if isinstance(n, ast.Name)
    ]
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
    lines = cell.code.splitlines()[first - 1 : statement.end_lineno]
    import textwrap

    code = textwrap.dedent("\n".join(lines))
    try:
        ast.parse(code)
    except SyntaxError:  # several statements on a line
        code = ast.unparse(statement)
    else:
        if len(ast.parse(code).body) != 1:
            code = ast.unparse(statement)
    return Definition(name, code, cell.number, first, at_once, everything, overrides, tuple(decorators))


def _names_at_once(module: types.CodeType) -> tuple[str, ...]:
    """Names that running the statement reads: its own, and those of class bodies inside."""
    import dis

    found: dict[str, None] = {}

    def collect(code: types.CodeType) -> None:
        for instruction in dis.get_instructions(code):
            if instruction.opname in ("LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
                found[str(instruction.argval)] = None
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType) and "__qualname__" in constant.co_names:
                collect(constant)  # a class body runs with the statement

    collect(module)
    return tuple(found)


_INPUT, _OUTPUT = re.compile(r"_i\d+"), re.compile(r"_{1,3}|_\d+")
_SHELL_NAMES = {"In", "Out", "exit", "quit", "get_ipython", "open"}


def is_history(name: str) -> bool:
    """Whether the name is the shell's or the interpreter's own: earlier inputs and outputs, `__name__`."""
    if name in _SHELL_NAMES or (name.startswith("__") and name.endswith("__")):
        return True
    return (
        is_earlier_output(name)
        or name in ("_i", "_ii", "_iii", "_ih", "_oh", "_dh")
        or _INPUT.fullmatch(name) is not None
    )


def is_earlier_output(name: str) -> bool:
    """`_`, `__`, `___` and `_12`: values of earlier cells that IPython keeps."""
    return _OUTPUT.fullmatch(name) is not None
