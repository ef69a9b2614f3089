"""Anything said twice is held together: docs against packages, settings, commands, magics, errors; examples run."""

from __future__ import annotations

import doctest
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import snapml_jupyter
from snapml_jupyter.cli.main import main
from snapml_jupyter.domain.errors import error_types
from snapml_jupyter.operations import list_operations
from snapml_jupyter.settings import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
#: Python blocks and, right behind them, the output that the page promises (`...` stands for anything).
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?", re.M | re.S)
#: A promised error, as `NotFoundError: There is no model 'chrun'.`: the block must raise it.
ERROR = re.compile(r"^[A-Za-z]+Error: ")

#: Reads the blocks as JSON, runs them in one shell as cells, and writes what each printed as JSON. Stops at a block that
#: raises though its page does not say so.
RUNNER = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

shell = InteractiveShell.instance()
shell.run_line_magic("colors", "nocolor")
shell.displayhook.write_output_prompt = lambda: None  # pages show results without `Out[3]:`
printed = []
for block in json.load(sys.stdin):
    with capture_output(display=False) as captured:
        result = shell.run_cell(block["code"], store_history=True)
    error = result.error_before_exec or result.error_in_exec
    if (error is not None) != block["raises"]:
        ended = f"{type(error).__name__}: {error}" if error else "raised nothing"
        sys.exit(f"{block['code']}\\n{captured.stdout}{captured.stderr}\\n{ended}")
    printed.append(captured.stdout.strip("\\n") if error is None else f"{type(error).__name__}: {error}")
print(json.dumps(printed))
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


def test_every_option_of_a_magic_is_documented() -> None:
    from snapml_jupyter.magics.registration import all_magics

    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", (DOCS / "magics.md").read_text(), re.M | re.S))
    for magic in all_magics():
        section = sections[magic.name]
        assert magic.summary in section, magic.written
        for option in magic.parser().option_names():
            assert f"`{option}" in section, f"{magic.written} {option}"


def test_every_public_name_is_documented() -> None:
    page = (DOCS / "public.md").read_text()
    for name in snapml_jupyter.__all__:
        assert name == "__version__" or re.search(rf"`snap\.{name}[`(]", page), name


def test_commands_and_settings_of_the_lab_extension_are_documented() -> None:
    page = (DOCS / "labextension.md").read_text()
    schema = json.loads((ROOT / "labextension" / "schema" / "plugin.json").read_text())
    tokens = (ROOT / "labextension" / "src" / "tokens.ts").read_text()
    for name, setting in schema["properties"].items():
        assert f"| `{name}` | `{json.dumps(setting['default'])}` |" in page, name
    for command in re.findall(r"'(snapml:[a-z-]+)'", tokens):
        assert f"| `{command}` |" in page, command


def test_every_trait_of_the_server_extension_is_documented() -> None:
    from snapml_jupyter.server_ext.app import SnapMLExtension

    page = (DOCS / "server_ext.md").read_text()
    for name in SnapMLExtension.class_own_traits(config=True):
        assert f"| `c.SnapMLExtension.{name}` |" in page, name


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


def run_page(page: Path, folder: Path) -> list[tuple[str, str | None, str]]:
    """Each Python block of a page with what is promised and what was printed, run in a fresh workspace and one shell."""
    blocks = [(m["code"], m["output"]) for m in BLOCK.finditer(page.read_text())]
    environment = {
        **os.environ,
        "SNAPML_WORKSPACE": str(folder / "workspace"),
        "SNAPML_ACTOR": "ada",
        "SNAPML_PORT": "0",
        "IPYTHONDIR": str(folder / "ipython"),
        "COLUMNS": "100",
    }
    for name in ("SNAPML_API_KEY", "SNAPML_TOKEN", "JUPYTERHUB_API_TOKEN"):
        environment.pop(name, None)
    cells = [{"code": code, "raises": bool(promised and ERROR.match(promised))} for code, promised in blocks]
    try:
        done = subprocess.run(
            [sys.executable, "-c", RUNNER],
            input=json.dumps(cells),
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
        )
    finally:
        if (folder / "workspace" / "host").exists():
            stop = [sys.executable, "-m", "snapml_jupyter.cli", "host", "stop"]
            subprocess.run(stop, env=environment, cwd=folder, capture_output=True, timeout=60, check=True)
    assert done.returncode == 0, f"{page.name}:\n{done.stderr[-4000:]}"
    printed = json.loads(done.stdout.splitlines()[-1])
    return [(code, promised, got) for (code, promised), got in zip(blocks, printed, strict=True)]


@pytest.mark.parametrize("page", [p for p in PAGES if BLOCK.search(p.read_text())], ids=lambda p: p.name)
def test_the_python_on_the_page_runs_and_prints_what_it_promises(page: Path, tmp_path: Path) -> None:
    checker = doctest.OutputChecker()
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for code, promised, printed in run_page(page, tmp_path):
        if promised is not None:
            same = checker.check_output(promised.strip() + "\n", printed.strip() + "\n", flags)
            assert same, f"{page.name}:\n{code}\nprinted:\n{printed}\n\nbut the page says:\n{promised}"


def test_docstring_examples_hold() -> None:
    import importlib

    for name in ("domain.errors", "domain.names"):
        module = importlib.import_module(f"snapml_jupyter.{name}")
        assert doctest.testmod(module).failed == 0
        assert inspect.getdoc(module)
