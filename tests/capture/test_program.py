"""What a cell needs: definitions by source, values by value, and what cannot be kept by name."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from snapml_jupyter.capture.definitions import ExecutedCell
from snapml_jupyter.capture.program import Gathered, gather, literal
from snapml_jupyter.capture.state import load_state
from snapml_jupyter.domain.program import PartKind


class Notebook:
    """Cells executed in a namespace of their own, which is `__main__` while the test runs."""

    def __init__(self) -> None:
        self.module = types.ModuleType("__main__")
        self.namespace: dict[str, Any] = self.module.__dict__
        self.history: list[ExecutedCell] = []

    def run(self, *cells: str) -> Notebook:
        for code in cells:
            self.history.append(ExecutedCell(len(self.history) + 1, code))
            exec(compile(code, f"<cell {len(self.history)}>", "exec", dont_inherit=True), self.namespace)
        return self

    def gather(self, code: str) -> Gathered:
        return gather(code, self.namespace, self.history, {})

    def again(self, code: str) -> dict[str, Any]:
        """A namespace made of what was gathered alone, after the cell."""
        found = self.gather(code)
        fresh = types.ModuleType("__main__")
        before, sys.modules["__main__"] = sys.modules["__main__"], fresh
        try:
            space = fresh.__dict__
            for kind in (PartKind.imports, PartKind.value):
                for part in found.parts:
                    if part.kind is kind:
                        exec(part.code, space)
            if found.early:
                space.update(load_state(found.early, space, lambda place: None))
            for part in found.parts:
                if part.kind is PartKind.definition:
                    exec(part.code, space)
            if found.state:
                values = load_state(found.state, space, lambda place: None)
                for (name, attribute), value in values.pop("__class_attributes__", {}).items():
                    setattr(space[name], attribute, value)
                space.update(values)
            exec(code, space)
            return space
        finally:
            sys.modules["__main__"] = before


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.mark.parametrize(
    ("cells", "code", "result"),
    [
        (["k = 3", "f = lambda v: v * k", "k = 5"], "r = f(2)", 10),
        (["def f(v): return v + 1", "g = f", "def f(v): return v * 100"], "r = (f(2), g(2))", (200, 3)),
        (["def outer(k):\n    def inner(v): return v * k\n    return inner", "g = outer(7)"], "r = g(6)", 42),
        (["D = 5", "def f(v, d=D): return v + d", "D = 50"], "r = f(1) + D", 56),
        (["def even(n): return n == 0 or odd(n - 1)", "def odd(n): return n != 0 and even(n - 1)"], "r = even(10)", True),
        (["class A:\n    rate = 1\n    def go(self): return self.rate * 2", "A.rate = 7", "a = A()"], "r = a.go()", 14),
        (["class A:\n    def go(self): return 1", "A.go = lambda self: 42", "a = A()"], "r = a.go()", 42),
        (["S = 4", "class A:\n    size = S * 2", "S = 100"], "r = A.size + S", 108),
        (["a = [1]", "b = a"], "b.append(2); r = len(a)", 2),
        (["R = {}\ndef reg(f):\n    R[f.__name__] = f\n    return f", "@reg\ndef one(): return 1"], "r = R['one']()", 1),
        (["import functools\ndef times(n):\n    def d(f):\n        @functools.wraps(f)\n        def g(v): return f(v) * n\n        return g\n    return d", "N = 4", "@times(N)\ndef h(v): return v", "N = 9"], "r = h(3)", 12),
        (["import json as js"], "r = js.dumps([1])", "[1]"),
        (["from math import *"], "r = floor(2.5) + sqrt(4)", 4.0),
        (["x = 1", "y = x + 1", "x = 10"], "r = (x, y)", (10, 2)),
        (["it = iter([1, 2, 3])\nnext(it)"], "r = list(it)", [2, 3]),
        (["from enum import Enum\nclass E(Enum):\n    a = 1", "e = E.a"], "r = e is E.a", True),
        (["class Base: pass", "class Sub(Base): pass", "class Base: other = 1", "s = Sub()"], "r = isinstance(s, Base)", False),
    ],
)  # fmt: skip
def test_a_cell_does_the_same_with_what_was_gathered_alone(
    notebook: Notebook, cells: list[str], code: str, result: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", notebook.module)
    notebook.run(*cells)
    assert notebook.again(code)["r"] == result


def test_definitions_are_kept_as_they_were_written(notebook: Notebook) -> None:
    notebook.run("def f(v):\n    # why\n    return v  +  1", "def f(v):\n    # newer\n    return v  +  2")
    (part,) = notebook.gather("f(1)").parts
    assert part.code == "def f(v):\n    # newer\n    return v  +  2"
    assert part.cell == 2


def test_a_cell_that_was_edited_but_not_run_to_its_end_is_not_taken_for_the_definition(notebook: Notebook) -> None:
    notebook.run("def f(v): return v + 1")
    notebook.history.append(ExecutedCell(2, "1 / 0\ndef f(v): return v + 2"))
    (part,) = notebook.gather("f(1)").parts
    assert part.code == "def f(v): return v + 1"


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("import sqlite3\nx = sqlite3.connect(':memory:')", "Connection"),
        ("x = (v for v in range(3))", "generator"),
        ("x = open('/dev/null')", "TextIOWrapper"),
        ("import threading\nx = threading.Lock()", "lock"),
    ],
)
def test_what_cannot_be_kept_is_named_with_the_line_that_reads_it(notebook: Notebook, cell: str, kind: str) -> None:
    notebook.run(cell, "y = 1")
    found = notebook.gather("z = y\nprint(x)")
    (missing,) = found.missing
    assert (missing.name, missing.type, missing.line) == ("x", kind, 2)
    assert [part.code for part in found.parts] == ["y = 1"]
    getattr(notebook.namespace["x"], "close", lambda: None)()


def test_only_what_the_cell_needs_is_kept(notebook: Notebook) -> None:
    notebook.run("import json, re", "a = 1", "b = 2", "def f(): return a", "def g(): return b")
    codes = [part.code for part in notebook.gather("f()").parts]
    assert codes == ["a = 1", "def f(): return a"]


def test_literals_are_exact_or_none() -> None:
    assert literal({"a": (1, None, 2.5)}) == "{'a': (1, None, 2.5)}"
    for value in (float("nan"), [float("inf")], [[1]], "x" * 5000, object(), {1: object()}, set()):
        assert literal(value) is None, value
