"""Anything said twice is held together: docs against packages, settings, commands, magics, errors; examples run."""

from __future__ import annotations

import doctest
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from snapml_jupyter.cli.main import main
from snapml_jupyter.domain.errors import error_types
from snapml_jupyter.operations import list_operations
from snapml_jupyter.settings import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
#: Python blocks and, right behind them, the output that the page promises (`...` stands for anything).
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?", re.M | re.S)

RUNNER = """
import sys, warnings
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance()
shell.run_line_magic("colors", "nocolor")
for number, code in enumerate(sys.argv[1].split("\\0")):
    with capture_output(display=False) as captured:
        result = shell.run_cell(code, store_history=True)
    print(captured.stdout.rstrip(), end="\\0")
    if not result.success:
        print(captured.stdout, captured.stderr, file=sys.stderr)
        sys.exit(f"block {number} failed:\\n{code}")
"""


def packages() -> list[str]:
    inside = [p.parent.name for p in (ROOT / "snapml_jupyter").glob("*/__init__.py")]
    return sorted({*inside, "magics", "server_ext", "labextension"})


def commands(group: click.Group, context: click.Context, path: str = "snapml") -> list[str]:
    """Every `snapml noun verb`."""
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        found += (
            commands(command, context, f"{path} {name}") if isinstance(command, click.Group) else [f"{path} {name}"]
        )
    return found


def test_every_package_has_its_page() -> None:
    missing = [name for name in packages() if not (DOCS / f"{name}.md").exists()]
    assert not missing, f"docs/ lacks a page for: {', '.join(missing)}"


def test_the_index_names_every_page() -> None:
    index = (DOCS / "index.md").read_text()
    for page in DOCS.glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in index, page.name


def test_every_setting_is_documented_as_it_is() -> None:
    page = (DOCS / "settings.md").read_text()
    for setting in SETTINGS:
        assert f"| `{setting.variable}` | `{setting.default}` | {setting.help} |" in page, setting.variable


def test_every_command_is_documented_and_no_other() -> None:
    page = (DOCS / "cli.md").read_text()
    real = commands(main, click.Context(main))
    written = set(re.findall(r"`(snapml [a-z ]+?)[ `\[A-Z-]", page))
    for command in real:
        assert command in page, command
    for command in written:
        command = command.strip()
        assert any(r == command or r.startswith(command + " ") for r in real), f"docs/cli.md names {command}"


def test_every_magic_is_documented() -> None:
    from snapml_jupyter.magics import magic_names

    page = (DOCS / "magics.md").read_text()
    for name in magic_names():
        assert f"`{name}" in page, name


def test_every_error_is_documented() -> None:
    page = (DOCS / "domain.md").read_text()
    for code, kind in error_types().items():
        assert f"| `{kind.__name__}` | `{code}` |" in page, code


def test_every_operation_is_named_on_its_packages_page() -> None:
    for operation in list_operations():
        package, _, function = operation.name.partition(".")
        assert f"`{function}" in (DOCS / f"{package}.md").read_text(), operation.name


def test_every_link_leads_somewhere() -> None:
    for page in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", [p for p in PAGES if BLOCK.search(p.read_text())], ids=lambda p: p.name)
def test_the_python_on_the_page_runs_and_prints_what_it_promises(page: Path, tmp_path: Path) -> None:
    blocks = [(m["code"], m["output"]) for m in BLOCK.finditer(page.read_text())]
    environment = {
        **os.environ,
        "SNAPML_WORKSPACE": str(tmp_path / "workspace"),
        "SNAPML_PORT": "0",
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }
    program = [sys.executable, "-c", RUNNER, "\0".join(code for code, _ in blocks)]
    try:
        done = subprocess.run(program, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    finally:
        stop = [sys.executable, "-m", "snapml_jupyter.cli", "host", "stop"]
        subprocess.run(stop, env=environment, cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr[-4000:]
    checker = doctest.OutputChecker()
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for (code, promised), printed in zip(blocks, done.stdout.split("\0"), strict=False):
        if promised is not None:
            same = checker.check_output(promised.rstrip() + "\n", printed.rstrip() + "\n", flags)
            assert same, f"{code}\nprinted:\n{printed}\nbut {page.name} says:\n{promised}"


def test_docstring_examples_hold() -> None:
    import importlib

    for name in ("domain.errors", "domain.names"):
        module = importlib.import_module(f"snapml_jupyter.{name}")
        assert doctest.testmod(module).failed == 0
        assert inspect.getdoc(module)
