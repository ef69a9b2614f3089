"""Which names of a cell come from a clock: a replay takes another time, and that is no difference."""

from __future__ import annotations

import ast
import re

_CLOCKS = {
    "time", "perf_counter", "process_time", "monotonic", "time_ns", "perf_counter_ns", "process_time_ns", "monotonic_ns",
    "now", "utcnow", "today", "timeit", "default_timer", "strftime", "ctime",
}  # fmt: skip
_MODULES = {"time", "datetime", "timeit", "dt", "date", "Timestamp", "pd", "pandas", "t", "_time"}
_MAGICS = ("%time", "%timeit", "%%time", "%%timeit")


def reads_clock(code: str) -> bool:
    """Whether the (raw or transformed) source asks for the time anywhere, or shows how long something takes."""
    if any(magic in code for magic in _MAGICS) or re.search(r"'(time|timeit)'|\bverbose\b|\btqdm\b", code):
        return True
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return False
    return any(_asks(node) for node in ast.walk(tree))


def clock_names(code: str) -> set[str]:
    """Names that get a value computed from a clock reading, directly or through other names."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return set()
    tainted: set[str] = set()
    while True:
        before = len(tainted)
        for node in ast.walk(tree):
            if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and node.value is not None:
                if _is_tainted(node.value, tainted):
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    for target in targets:
                        tainted.update(_plain_names(target))
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "append"  # times.append(time.time() - start)
                and isinstance(node.func.value, ast.Name)
                and any(_is_scalar_of_clock(argument, tainted) for argument in node.args)
            ):
                tainted.add(node.func.value.id)
        if len(tainted) == before:
            return tainted


def clock_metrics(code: str) -> set[str]:
    """Metrics whose logged value comes from a clock: `run.log_metric("seconds", time.time() - t0)`."""
    tainted = clock_names(code)
    found = set()
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called == "log_metric" and len(node.args) >= 2:
            name = node.args[0]
            if (
                isinstance(name, ast.Constant)
                and isinstance(name.value, str)
                and _is_scalar_of_clock(node.args[1], tainted)
            ):
                found.add(name.value)
        elif called == "log_metrics" and node.args and isinstance(node.args[0], ast.Dict):
            for key, value in zip(node.args[0].keys, node.args[0].values, strict=True):
                if isinstance(key, ast.Constant) and _is_scalar_of_clock(value, tainted):
                    found.add(str(key.value))
    return found


def _plain_names(target: ast.expr) -> list[str]:
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, (ast.Tuple, ast.List)):
        return [name for element in target.elts for name in _plain_names(element)]
    return []  # an item or attribute: the object holds more than the time


def _is_tainted(value: ast.expr, tainted: set[str]) -> bool:
    return _is_scalar_of_clock(value, tainted)


def _is_scalar_of_clock(value: ast.expr, tainted: set[str]) -> bool:
    """The value is arithmetic on clock readings; a call that merely gets one (`fit(X, start)`) is not."""
    if isinstance(value, ast.Name):
        return value.id in tainted
    if isinstance(value, ast.Call):
        if _asks(value):
            return True
        name = value.func.id if isinstance(value.func, ast.Name) else getattr(value.func, "attr", "")
        if name in (
            "round",
            "float",
            "int",
            "str",
            "format",
            "strftime",
            "isoformat",
            "timedelta",
            "total_seconds",
            "mean",
            "sum",
            "min",
            "max",
        ):
            inner = value.func.value if isinstance(value.func, ast.Attribute) else None
            return any(_is_scalar_of_clock(a, tainted) for a in [*value.args, *([inner] if inner is not None else [])])
        return False
    if isinstance(value, ast.BinOp):
        return _is_scalar_of_clock(value.left, tainted) or _is_scalar_of_clock(value.right, tainted)
    if isinstance(value, ast.Attribute):
        return _is_scalar_of_clock(value.value, tainted)
    if isinstance(value, ast.JoinedStr):
        return any(_is_scalar_of_clock(p.value, tainted) for p in value.values if isinstance(p, ast.FormattedValue))
    if isinstance(value, (ast.Tuple, ast.List)):
        return any(_is_scalar_of_clock(element, tainted) for element in value.elts)
    return False


def _asks(node: ast.AST) -> bool:
    """`time()`, `time.time()`, `datetime.datetime.now()`."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id in _CLOCKS - {"now", "today", "strftime"}
    if isinstance(node.func, ast.Attribute) and node.func.attr in _CLOCKS:
        root = node.func.value
        while isinstance(root, ast.Attribute):
            root = root.value
        return isinstance(root, ast.Name) and root.id in _MODULES
    return False
