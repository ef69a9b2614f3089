"""Which names of a cell come from a clock: a replay takes another time, and that is no difference."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class ClockReadings:
    """Where a cell keeps what it read from a clock: whole variables, items of variables (`row[1]`, `rows[*][2]`), and keys,
    columns or attributes of that name wherever they lie.
    """

    names: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()


def clock_names(code: str) -> set[str]:
    """Names that get a value computed from a clock reading, directly or through other names."""
    return set(clock_readings(code).names)


def clock_readings(code: str, definitions: Sequence[str] = ()) -> ClockReadings:
    """What the cell keeps of a clock, also through functions of `definitions` that return what they measured."""
    try:
        tree = ast.parse(code)
        others = [ast.parse(source) for source in definitions]
    except SyntaxError:
        return ClockReadings()
    functions: dict[str, set[int | None]] = {}
    keys: set[str] = set()
    for each in [*others, tree]:
        for node in ast.walk(each):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                measured = _measured(node)
                if measured:
                    functions[node.name] = measured
                names, _ = _tainted_in(node, functions)
                keys |= _keys_of(node, names, functions)
    names, places = _tainted_in(tree, functions)
    return ClockReadings(frozenset(names), frozenset(places), frozenset(keys | _keys_of(tree, names, functions)))


def _measured(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[int | None]:
    """Which parts of what the function returns are clock readings: places in a tuple, None for the whole."""
    names, _ = _tainted_in(function, {})
    found: set[int | None] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            if isinstance(node.value, ast.Tuple):
                found |= {n for n, part in enumerate(node.value.elts) if _is_scalar_of_clock(part, names)}
            elif _is_scalar_of_clock(node.value, names):
                found.add(None)
    return found


def _tainted_in(tree: ast.AST, functions: Mapping[str, set[int | None]]) -> tuple[set[str], set[str]]:
    """Names and items of names that hold clock readings."""
    tainted: set[str] = {name for name, measured in functions.items() if None in measured}
    called = frozenset(tainted)
    places: set[str] = set()
    filled: dict[str, list[bool]] = {}
    while True:
        before = len(tainted) + len(places)
        filled.clear()
        for node in ast.walk(tree):
            if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    _assign(target, node.value, tainted, places, filled, functions)
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "append"  # times.append(time.time() - start)
                and isinstance(node.func.value, ast.Name)
                and len(node.args) == 1
            ):
                name, value = node.func.value.id, node.args[0]
                filled.setdefault(name, []).append(_is_scalar_of_clock(value, tainted))
                for place in _places_in(value, tainted, places, functions):
                    places.add(f"{name}[*][{place}]")
        tainted |= {name for name, fillings in filled.items() if all(fillings)}
        if len(tainted) + len(places) == before:
            return tainted - called, places


def _assign(
    target: ast.expr,
    value: ast.expr,
    tainted: set[str],
    places: set[str],
    filled: dict[str, list[bool]],
    functions: Mapping[str, set[int | None]],
) -> None:
    if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
        # times[i] = time() - start, as long as nothing else is put into it; keys that are texts are looked at as such
        if not (isinstance(target.slice, ast.Constant) and isinstance(target.slice.value, str)):
            filled.setdefault(target.value.id, []).append(_is_scalar_of_clock(value, tainted))
        return
    if _is_scalar_of_clock(value, tainted):
        tainted.update(_plain_names(target))
        return
    for place in _places_in(value, tainted, places, functions):
        if isinstance(target, (ast.Tuple, ast.List)) and place < len(target.elts):
            tainted.update(_plain_names(target.elts[place]))
        elif isinstance(target, ast.Name):
            places.add(f"{target.id}[{place}]")


def _places_in(
    value: ast.expr, tainted: set[str], places: set[str], functions: Mapping[str, set[int | None]]
) -> list[int]:
    """Which items of a tuple or list, or of what a function returns, are clock readings."""
    if isinstance(value, ast.Name):
        return [int(n) for n in re.findall(rf"(?:^|,){value.id}\[(\d+)\](?=,|$)", ",".join(sorted(places)))]
    if isinstance(value, (ast.Tuple, ast.List)):
        return [n for n, part in enumerate(value.elts) if _is_scalar_of_clock(part, tainted)]
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return [n for n in functions.get(value.func.id, ()) if n is not None]
    return []


def _keys_of(tree: ast.AST, tainted: set[str], functions: Mapping[str, set[int | None]]) -> set[str]:
    """Keys, columns and attributes that get a clock reading."""
    tainted = tainted | {name for name, measured in functions.items() if None in measured}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str) and _is_scalar_of_clock(value, tainted):
                    found.add(key.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
            found |= {k.arg for k in node.keywords if k.arg and _is_scalar_of_clock(k.value, tainted)}
        elif isinstance(node, (ast.Assign, ast.AugAssign)) and _is_scalar_of_clock(node.value, tainted):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Attribute):
                    found.add(target.attr)
                elif (
                    isinstance(target, ast.Subscript)
                    and isinstance(target.slice, ast.Constant)
                    and isinstance(target.slice.value, str)
                ):
                    found.add(target.slice.value)
    return found


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


def _is_scalar_of_clock(value: ast.expr, tainted: set[str]) -> bool:
    """The value is arithmetic on clock readings; a call that merely gets one (`fit(X, start)`) is not."""
    if isinstance(value, ast.Name):
        return value.id in tainted
    if isinstance(value, ast.Call):
        if _asks(value) or (isinstance(value.func, ast.Name) and value.func.id in tainted):
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
        return bool(value.elts) and all(_is_scalar_of_clock(element, tainted) for element in value.elts)
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
