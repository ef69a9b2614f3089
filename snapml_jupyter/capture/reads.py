"""Which names of the notebook a cell reads: those loaded before the cell itself has surely given them a value.

The analysis is static and follows the order of evaluation at the cell's top level. Where it cannot know (a branch, a
loop that may not run, an exception) it assumes that the name is still the notebook's: rather one input too many than
one missing. Functions and classes, of this cell or of earlier ones, count with the global names they read.
"""

from __future__ import annotations

import ast
import copy
import dis
import functools
import re
import types
from collections.abc import Iterator, Mapping
from typing import Any

from .cell_magics import magic_code

_GLOBAL_LOADS = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_FORMULA = re.compile(r"\s*[\w.()+\-*/:, \[\]'\"]*~(?!/)")
_QUERIED = re.compile(r"(?<![\w.])@([^\W\d]\w*)")
_MAX_FORMULA = 2_000
_MAGIC_CALLS = {"run_line_magic", "run_cell_magic", "system", "getoutput"}


def names_read(code: str, namespace: Mapping[str, Any]) -> list[str]:
    """Names of `namespace` that the (already transformed) source reads, in the order of first reading.

    >>> names_read("y = x + 1; z = y", {"x": 1, "y": 2, "z": 3})
    ['x']
    """
    found = _Reads(namespace)
    for statement in ast.parse(code).body:
        found.visit(statement)
    return list(found.names)


def global_names(code: types.CodeType) -> Iterator[str]:
    """Names that a code object, or a function nested in it, looks up outside of itself."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in _GLOBAL_LOADS:
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from global_names(constant)
        elif isinstance(constant, str):
            yield from names_in_text(constant)


def names_in_text(text: str) -> list[str]:
    """Names that libraries look up in the caller's namespace: of a formula (`y ~ np.log(x)`) and of a query (`a > @k`).

    >>> names_in_text("y ~ np.log(x)"), names_in_text("a > @k"), names_in_text("a path ~/x"), names_in_text("plain a")
    (['y', 'np', 'log', 'x'], ['k'], [], [])
    """
    if len(text) > _MAX_FORMULA or "\n" in text:
        return []
    if _FORMULA.match(text):
        return _IDENTIFIER.findall(text)
    return _QUERIED.findall(text)


class _Reads(ast.NodeVisitor):
    """Walks the cell in the order of evaluation."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self.namespace = namespace
        self.names: dict[str, None] = {}
        self.assigned: set[str] = set()  # surely given a value by this cell, up to here
        self.deferred: dict[str, list[str]] = {}  # what this cell's functions and classes read when they are used
        self.followed: set[int] = set()

    # What loads and what assigns

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._read(node.id)
        elif isinstance(node.ctx, ast.Store):
            self._assign(node.id)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        self._each(node.targets)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._read(node.target.id)
        self.visit(node.value)
        self.visit(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.visit(node.target)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._assign(alias.asname or alias.name.partition(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name != "*":
                self._assign(alias.asname or alias.name)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            for name in names_in_text(node.value):
                self._read(name)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        inner = magic_code(node)
        if inner is not None:
            before = set(self.assigned)
            self._each(ast.parse(inner[0]).body)
            self.assigned = self.assigned if inner[1] else before
        elif isinstance(node.func, ast.Attribute) and node.func.attr in _MAGIC_CALLS:
            for argument in node.args:  # `%time model.fit(X)` has become a call with the code as text
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    for name in _IDENTIFIER.findall(argument.value):
                        self._read(name)

    # What may not run, or may run later

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self._branches(node.body, node.orelse)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        before = set(self.assigned)
        self.visit(node.target)
        self._each(node.body)
        self.assigned = before
        self._branches(node.orelse)

    visit_AsyncFor = visit_For

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self._branches(node.body)
        self._branches(node.orelse)

    def visit_Try(self, node: ast.Try) -> None:
        before = set(self.assigned)
        self._each([*node.body, *node.orelse])
        ends = [set(self.assigned)]
        for handler in node.handlers:
            self.assigned = set(before)
            if handler.type is not None:
                self.visit(handler.type)
            if handler.name is not None:
                self.assigned.add(handler.name)
            self._each(handler.body)
            if not isinstance(handler.body[-1], ast.Raise):
                ends.append(set(self.assigned))
        self.assigned = set.intersection(*ends)
        self._each(node.finalbody)

    visit_TryStar = visit_Try

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        before = set(self.assigned)
        for case in node.cases:
            self.assigned = set(before) | {
                name
                for part in ast.walk(case.pattern)
                for name in (getattr(part, "name", None), getattr(part, "rest", None))
                if isinstance(name, str)
            }
            self._each([case.pattern, *([case.guard] if case.guard else []), *case.body])
        self.assigned = before

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.visit(node.test)
        self._branches([node.body], [node.orelse])

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        arguments = node.args
        self._each([*node.decorator_list, *arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)])
        self.deferred[node.name] = _function_names(node)
        self.assigned.add(node.name)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._each([*node.decorator_list, *node.bases, *node.keywords])
        before, outer = set(self.assigned), self.deferred
        self.deferred = dict(outer)
        self._each(node.body)
        methods = [names for name, names in self.deferred.items() if outer.get(name) is not names]
        self.assigned, self.deferred = before, outer
        self.deferred[node.name] = [name for names in methods for name in names]
        self.assigned.add(node.name)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._each([*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)])
        everything = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        self._inside({argument.arg for argument in everything if argument is not None}, [node.body])

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        first, *rest = node.generators
        self.visit(first.iter)  # evaluated outside
        own = {
            name.id
            for generator in node.generators
            for name in ast.walk(generator.target)
            if isinstance(name, ast.Name)
        }
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._inside(own, [*first.ifs, *(part for g in rest for part in (g.iter, *g.ifs)), *results])

    visit_SetComp = visit_ListComp
    visit_GeneratorExp = visit_ListComp
    visit_DictComp = visit_ListComp

    # How they are done

    def _each(self, nodes: list[Any]) -> None:
        for node in nodes:
            self.visit(node)

    def _branches(self, *bodies: list[Any]) -> None:
        """Bodies of which one runs, or none when there is only one."""
        before, ends = set(self.assigned), []
        for body in bodies:
            self.assigned = set(before)
            self._each(body)
            ends.append(self.assigned)
        self.assigned = set.intersection(*ends) if len(ends) > 1 else before

    def _inside(self, own: set[str], nodes: list[Any]) -> None:
        before = set(self.assigned)
        self.assigned |= own
        self._each(nodes)
        self.assigned = before

    def _assign(self, name: str) -> None:
        self.assigned.add(name)
        self.deferred.pop(name, None)

    def _read(self, name: str) -> None:
        if name in self.assigned:
            for inner in self.deferred.pop(name, ()):
                self._read(inner)
        elif name in self.namespace and name not in self.names:
            self.names[name] = None
            self._follow(self.namespace[name])

    def _follow(self, value: Any) -> None:
        """Names that a function or object of an earlier cell reads when it is used here."""
        if id(value) in self.followed:
            return
        self.followed.add(id(value))
        if isinstance(value, (types.MethodType, staticmethod, classmethod)):
            self._follow(value.__func__)
        elif isinstance(value, functools.partial):
            for part in (value.func, *value.args, *value.keywords.values()):
                self._follow(part)
        elif isinstance(value, types.FunctionType):
            if value.__globals__ is self.namespace:
                for name in global_names(value.__code__):
                    self._read(name)
            self._follow(getattr(value, "__wrapped__", None))
        elif isinstance(value, type):
            if value.__module__ == self.namespace.get("__name__", "__main__"):
                for member in list(vars(value).values()):
                    self._follow(member.fget if isinstance(member, property) else member)
        elif type(value).__module__ == self.namespace.get("__name__", "__main__"):
            self._follow(type(value))


def _function_names(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Global names that the function's body reads, by compiling it alone."""
    bare = copy.copy(node)
    bare.decorator_list = []
    module = compile(ast.Module(body=[bare], type_ignores=[]), "<cell>", "exec", dont_inherit=True)
    codes = [constant for constant in module.co_consts if isinstance(constant, types.CodeType)]
    return list(dict.fromkeys(name for code in codes for name in global_names(code)))
