"""The layering table, the size budget and the forbidden names, read from the source itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from snapml_jupyter import operations

ROOT = Path(__file__).resolve().parent.parent

#: Every package may import domain, settings, operations, wire and version. Extend here when a package is added.
MAY_IMPORT: dict[str, set[str]] = {
    "domain": set(),
    "settings": set(),
    "version": set(),
    "figures": set(),
    "operations": {"wire"},
    "wire": {"operations"},
    "store": set(),
    "profiles": {"store"},
    "runs": {"store", "datasets"},
    "governance": {"store", "datasets", "runs"},
    "datasets": {"store", "profiles"},
    "validation": {"store", "datasets"},
    "export": {"store", "runs"},
    "capture": {"store", "runs", "datasets", "validation"},
    "replay": {"store", "runs", "datasets", "capture"},
    "registry": {"store", "runs", "datasets", "export", "governance"},
    "monitoring": {"store", "runs", "datasets", "profiles", "registry", "export"},
    "serving": {"store", "registry", "export"},
    "gates": {"store", "runs", "datasets", "validation", "registry", "export", "serving"},
    "packaging": {"store", "registry", "export", "serving"},
    "host": {"store", "serving", "monitoring"},
    "public": {
        "store",
        "runs",
        "datasets",
        "validation",
        "registry",
        "export",
        "serving",
        "monitoring",
        "governance",
        "capture",
        "replay",
        "gates",
        "packaging",
    },
    "cli": {
        "gates",
        "packaging",
        "replay",
        "store",
        "public",
        "runs",
        "datasets",
        "validation",
        "registry",
        "export",
        "serving",
        "monitoring",
        "governance",
    },
    "magics": {
        "gates",
        "store",
        "public",
        "capture",
        "replay",
        "runs",
        "datasets",
        "validation",
        "registry",
        "export",
        "serving",
        "monitoring",
        "governance",
    },
    "server_ext": {"store", "runs", "datasets", "validation", "registry", "serving", "monitoring", "governance"},
}
EVERYONE = {"domain", "settings", "operations", "wire", "version", "figures"}
FACES = {"magics", "server_ext", "cli"}
FORBIDDEN = re.compile(r"^(utils?|helpers?|common|misc|manager)$")
#: A file of more lines is a decision with a reason, given here.
LONGER: dict[str, str] = {}


def sources() -> Iterator[tuple[str, Path]]:
    """Every Python file of the product, with the package it belongs to."""
    for path in sorted((ROOT / "snapml_jupyter").rglob("*.py")):
        parts = path.relative_to(ROOT / "snapml_jupyter").with_suffix("").parts
        if parts != ("__init__",):
            yield parts[0], path
    for face in ("magics", "server_ext"):
        for path in sorted((ROOT / face).rglob("*.py")):
            yield face, path


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Packages of ours that the file imports, with the line."""
    inside = ROOT / "snapml_jupyter" if (ROOT / "snapml_jupyter") in path.parents else ROOT
    depth = len(path.relative_to(inside).parts)  # how many dots reach snapml_jupyter itself
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            if node.level == depth:
                for name in [node.module] if node.module else [alias.name for alias in node.names]:
                    yield node.lineno, name.partition(".")[0]
            elif node.level > depth:
                yield node.lineno, "outside the package"
            elif node.level == 0 and node.module and node.module.partition(".")[0] == "snapml_jupyter":
                for name in node.module.split(".")[1:2] or [alias.name for alias in node.names]:
                    yield node.lineno, name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("snapml_jupyter."):
                    yield node.lineno, alias.name.split(".")[1]


def test_arrows_only_point_down() -> None:
    wrong = []
    for package, path in sources():
        assert package in MAY_IMPORT, f"{path}: add '{package}' to the table, with what it may import"
        allowed = MAY_IMPORT[package] | {package} | (EVERYONE if package not in ("domain",) else set())
        for line, name in imported(path):
            if name not in allowed and (ROOT / "snapml_jupyter" / f"{name}.py").exists() | (name in MAY_IMPORT):
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {package} may not import {name}")
    assert not wrong, "\n".join(wrong)


def test_faces_do_not_import_each_other() -> None:
    for package, path in sources():
        if package in FACES:
            for line, name in imported(path):
                assert name == package or name not in FACES, f"{path}:{line} imports {name}"


def test_the_domain_needs_only_the_standard_library() -> None:
    import sys

    for package, path in sources():
        if package == "domain":
            for node in ast.walk(ast.parse(path.read_text())):
                names = [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
                names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                for name in names:
                    assert name and name.partition(".")[0] in sys.stdlib_module_names, f"{path} imports {name}"


def test_only_the_store_knows_sql() -> None:
    statement = re.compile(
        r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE)\b", re.S
    )
    for package, path in sources():
        if package != "store":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and statement.search(node.value):
                    pytest.fail(f"{path.relative_to(ROOT)}:{node.lineno} has SQL; it belongs in snapml_jupyter/store/")


def test_no_file_is_longer_than_500_lines() -> None:
    for path in [p for _, p in sources()] + sorted((ROOT / "labextension" / "src").rglob("*.ts*")):
        name = str(path.relative_to(ROOT))
        lines = len(path.read_text().splitlines())
        assert lines <= 500 or name in LONGER or path.name == "types.ts", f"{name} has {lines} lines"


def test_no_module_has_a_name_that_says_nothing() -> None:
    for folder in ("snapml_jupyter", "magics", "server_ext", "labextension/src", "tests"):
        for path in (ROOT / folder).rglob("*"):
            if "node_modules" not in path.parts and path.suffix in (".py", ".ts", ".tsx", ""):
                assert not FORBIDDEN.match(path.stem), path


def test_every_module_that_declares_operations_is_listed() -> None:
    declaring = set()
    for package, path in sources():
        if re.search(r"^@operation\(", path.read_text(), re.M):
            module = path.relative_to(ROOT / "snapml_jupyter").with_suffix("")
            assert package != "store", path
            declaring.add(".".join(module.parts))
    assert declaring == set(operations.MODULES)
    assert len(operations.MODULES) == len(set(operations.MODULES))


def test_every_package_module_and_public_function_says_what_it_is() -> None:
    silent = []
    for _, path in sources():
        tree = ast.parse(path.read_text())
        if not ast.get_docstring(tree):
            silent.append(str(path.relative_to(ROOT)))
        for node in tree.body:
            if (
                isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
                and not node.name.startswith("_")
                and not ast.get_docstring(node)
                and not any(ast.unparse(decorator) == "overload" for decorator in node.decorator_list)
            ):
                silent.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert not silent, "no docstring: " + ", ".join(silent)


def test_nothing_swallows_every_exception() -> None:
    for _, path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler):
                names = [ast.unparse(node.type)] if node.type else ["everything"]
                broad = any(name in ("everything", "Exception", "BaseException") for name in names)
                raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
                commented = "#" in path.read_text().splitlines()[node.lineno - 1]
                assert not broad or raises or commented, (
                    f"{path.relative_to(ROOT)}:{node.lineno} catches everything and says no reason"
                )
