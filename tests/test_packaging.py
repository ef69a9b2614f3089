"""One distribution: what is in the wheel and the sdist, and what Jupyter finds once it is installed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from snapml_jupyter.version import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

pytestmark = pytest.mark.xdist_group("packaging")


def _run(*command: str, cwd: Path, **environ: str) -> str:
    found = subprocess.run(command, cwd=cwd, env={**os.environ, **environ}, capture_output=True, text=True, check=False)
    assert found.returncode == 0, f"{' '.join(command)}\n{found.stdout[-2000:]}\n{found.stderr[-3000:]}"
    return found.stdout + found.stderr


def _build(target: str, source: Path, folder: Path) -> Path:
    """Build with the installed hatchling; the lab extension is taken as built, which is also what an sdist has."""
    if not (source / "snapml_jupyter/labextension/static/style.js").exists():
        pytest.fail("The lab extension is not built. Run: make labextension")
    before = set(folder.glob("*"))
    _run(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder), cwd=source)
    (made,) = set(folder.glob("*")) - before
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel in a folder of its own; its dependencies come from the environment of the tests."""
    folder = tmp_path_factory.mktemp("installed") / "site"
    _run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--target",
        str(folder),
        str(wheel),
        cwd=folder.parent,
    )
    return folder


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_python_and_npm_have_one_version() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert {PROJECT["version"], package["version"], lock["version"], lock["packages"][""]["version"]} == {__version__}


def test_the_wheel_puts_only_our_package_into_site_packages(wheel: Path) -> None:
    top = {name.partition("/")[0] for name in _names(wheel)}
    assert top == {
        "snapml_jupyter",
        f"snapml_jupyter-{__version__}.dist-info",
        f"snapml_jupyter-{__version__}.data",
    }


def test_the_wheel_has_the_root_folders_inside_the_package(wheel: Path) -> None:
    names = _names(wheel)
    for root in ("magics", "server_ext"):
        sources = {f"snapml_jupyter/{path.relative_to(ROOT)}" for path in (ROOT / root).rglob("*.py")}
        assert sources, f"{root}/ has no Python files"
        assert sources <= names
    assert "snapml_jupyter/server_ext/events.v1.yaml" in names
    assert "snapml_jupyter/py.typed" in names


def test_the_wheel_has_the_built_lab_extension_once_and_no_tests(wheel: Path) -> None:
    names = _names(wheel)
    share = f"snapml_jupyter-{__version__}.data/data/share/jupyter/labextensions/snapml-jupyter/"
    assert {share + "package.json", share + "install.json", share + "static/style.js"} <= names
    assert not [name for name in names if name.startswith("snapml_jupyter/labextension/")]
    assert not [name for name in names if "/tests/" in name or name.endswith((".ts", ".tsx", ".pyc"))]


def test_a_wheel_from_the_sdist_is_the_same_wheel(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        # Python 3.12 wants the filter named, 3.11.2 of Debian does not know it.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(tmp_path)
    (source,) = tmp_path.iterdir()
    again = _build("wheel", source, tmp_path)
    assert _names(again) == _names(wheel)


def test_the_installed_package_imports_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    code = (
        "import snapml_jupyter, snapml_jupyter.magics, snapml_jupyter.server_ext.app, importlib.util as u;"
        "print(snapml_jupyter.__file__, snapml_jupyter.magics.__file__);"
        "assert not any(u.find_spec(name) for name in ('magics', 'server_ext', 'labextension', 'tests'))"
    )
    said = _run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(installed))
    assert said.count(str(installed)) == 2


def test_jupyter_finds_both_extensions(installed: Path, tmp_path: Path) -> None:
    where = {
        "PYTHONPATH": str(installed),
        "JUPYTER_CONFIG_PATH": str(installed / "etc/jupyter"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_PATH": str(installed / "share/jupyter"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
    }
    server = _run(sys.executable, "-m", "jupyter", "server", "extension", "list", cwd=tmp_path, **where)
    assert re.search(r"snapml_jupyter.*enabled", server)
    assert re.search(rf"snapml_jupyter {re.escape(__version__)}.*OK", server)
    lab = _run(sys.executable, "-m", "jupyter", "labextension", "list", cwd=tmp_path, **where)
    assert re.search(rf"snapml-jupyter v{re.escape(__version__)}.*enabled.*OK.*\(python, snapml-jupyter\)", lab)


def test_the_command_and_the_extras_are_declared() -> None:
    assert PROJECT["scripts"] == {"snapml": "snapml_jupyter.cli.main:main"}
    assert {"llm", "hub", "ray", "postgres", "s3", "dev", "all"} <= set(PROJECT["optional-dependencies"])
    assert PROJECT["license"] == "BSD-3-Clause"
    assert "BSD 3-Clause" in (ROOT / "LICENSE").read_text()


def test_constraints_hold_every_declared_dependency_exactly() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    held = {line.partition("==")[0] for line in lines}
    assert all(
        re.fullmatch(r"[a-z0-9-]+==[\w.]+(?: ; python_(?:full_)?version (?:>=|<) \"3\.[\d.]+\")?", line)
        for line in lines
    )
    extras = PROJECT["optional-dependencies"].values()
    declared = [*PROJECT["dependencies"], *(one for extra in extras for one in extra)]
    names = {re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", one)[0]).lower() for one in declared}  # type: ignore[index]  # every requirement starts with a name
    assert names - held == {"snapml-jupyter"}
