"""`--env recorded`: a real virtual environment with the recorded versions, from a folder of wheels in place of an index."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from snapml_jupyter.domain.errors import UnavailableError
from snapml_jupyter.domain.program import Program, Verdict
from snapml_jupyter.replay.recorded_environment import python_of
from snapml_jupyter.replay.replaying import replay
from snapml_jupyter.runs.environment import current_environment, installed_packages
from snapml_jupyter.runs.queries import get_run
from snapml_jupyter.store import environments
from snapml_jupyter.store.workspace import Workspace

RECORDER = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("%load_ext snapml_jupyter")
shell.run_cell("%%snap_train scaled\\nimport scales\\nfactor = scales.FACTOR * 2", store_history=True)
"""


def make_wheel(folder: Path, version: str, factor: float) -> Path:
    """A wheel of the distribution `scales`."""
    folder.mkdir(exist_ok=True)
    info = f"scales-{version}.dist-info"
    files = {
        "scales.py": f"FACTOR = {factor}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: scales\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in files) + f"{info}/RECORD,,\n"
    path = folder / f"scales-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which pip looks, and nowhere else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_CONSTRAINT", raising=False)
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace", actor="ada")


def environment_with(**packages: str) -> object:
    now = current_environment()
    return environments.with_digest(dataclasses.replace(now, packages={**now.packages, **packages}))


def test_a_run_of_another_version_is_replayed_with_the_version_it_recorded(
    tmp_path: Path, workspace: Workspace, index: Path
) -> None:
    with zipfile.ZipFile(make_wheel(index, "1.5", 0.5)) as wheel:
        wheel.extractall(tmp_path / "site")
    done = subprocess.run(
        [sys.executable, "-c", RECORDER],
        env={
            **os.environ,
            "PYTHONPATH": str(tmp_path / "site"),
            "SNAPML_WORKSPACE": workspace.location,
            "SNAPML_ACTOR": "ada",
            "IPYTHONDIR": str(tmp_path / "ipython"),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr

    here = replay(workspace, "scaled")
    assert here.verdict is Verdict.not_replayable
    assert "No module named 'scales'" in here.reason
    recorded = replay(workspace, "scaled", env="recorded")

    assert recorded.verdict is Verdict.identical, recorded
    assert recorded.environment == "recorded"
    assert recorded.run_id is not None
    replayed = get_run(workspace, recorded.run_id)
    assert replayed.params == get_run(workspace, "scaled").params
    assert replay(workspace, "scaled", env="recorded").verdict is Verdict.identical  # the environment is made once
    assert len(list((tmp_path / "workspace" / "environments").iterdir())) == 1


def test_what_is_installed_here_is_linked_and_what_no_index_has_is_left_out(workspace: Workspace, index: Path) -> None:
    make_wheel(index, "2.0+cpu", 2.0)
    made = python_of(workspace, environment_with(scales="2.0+cpu", lost="9.9"))  # type: ignore[arg-type]

    assert made.left_out == {"lost": "9.9"}
    code = (
        "import importlib.metadata as m, numpy, scales, snapml_jupyter.magics.extension\n"
        "print(numpy.__version__, scales.FACTOR, m.version('snapml-jupyter'))"
    )
    said = subprocess.run([made.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert said[:2] == [installed_packages()["numpy"], "2.0"]


def test_a_build_that_only_its_makers_index_has_is_replaced_by_the_plain_version(
    workspace: Workspace, index: Path
) -> None:
    make_wheel(index, "2.0", 2.0)
    made = python_of(workspace, environment_with(scales="2.0+cu129"))  # type: ignore[arg-type]

    assert made.left_out == {}
    said = subprocess.run(
        [made.executable, "-c", "import scales; print(scales.FACTOR)"], capture_output=True, text=True
    )
    assert said.stdout == "2.0\n"


def test_a_package_that_the_cell_imports_must_be_there(workspace: Workspace, index: Path) -> None:
    program = Program(run_id="r", body="%time\nimport scales\nscales.FACTOR")
    with pytest.raises(UnavailableError, match=r"the cell imports scales==1\.0, which the package index does not have"):
        python_of(workspace, environment_with(scales="1.0"), program)  # type: ignore[arg-type]


def test_the_environment_here_is_used_as_it_is_when_it_is_the_recorded_one(workspace: Workspace) -> None:
    assert python_of(workspace, current_environment()).executable == sys.executable  # type: ignore[arg-type]
