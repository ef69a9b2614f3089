"""A Python with the package versions that a run recorded, for `--env recorded`: made once for each environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.errors import InvalidInputError, UnavailableError
from ..domain.run import Environment
from ..runs.environment import installed_packages

if TYPE_CHECKING:
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace

#: Distributions that come with the interpreter or with SnapML itself: what records must be what is installed here.
_OWN = {"snapml-jupyter", "pip", "setuptools", "wheel"}
_INSTALL_SECONDS = 3_600.0


def python_of(workspace: Workspace | RemoteWorkspace, environment: Environment | None) -> str:
    """The interpreter of a virtual environment with the recorded versions; this one when they are the same here.

    Raises InvalidInputError when nothing was recorded or the Python is not installed, UnavailableError, with pip's words,
    when a version cannot be installed.
    """
    if environment is None:
        raise InvalidInputError(
            "The run recorded no environment, so there is none to build. Replay it with --env current."
        )
    if _is_here(environment):
        return sys.executable
    folder = _folder(workspace) / environment.digest[:16]
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if (folder / "complete").exists():
        return str(python)
    if folder.exists():
        shutil.rmtree(folder)
    try:
        _build(folder, python, environment)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    (folder / "complete").touch()
    return str(python)


def _is_here(environment: Environment) -> bool:
    here = installed_packages()
    wanted = {name: version for name, version in environment.packages.items() if name not in _OWN}
    return _minor(environment.python_version) == _minor(sys.version.split()[0]) and all(
        here.get(name) == version for name, version in wanted.items()
    )


def _build(folder: Path, python: Path, environment: Environment) -> None:
    base = _interpreter(_minor(environment.python_version))
    _run([base, "-m", "venv", str(folder)], "The virtual environment cannot be made")
    listed = folder / "requirements.txt"
    wanted = [f"{name}=={version}" for name, version in environment.packages.items() if name not in _OWN]
    listed.write_text("\n".join(wanted) + "\n")
    # Each version was recorded; what they ask of one another was settled then.
    _run(
        [str(python), "-m", "pip", "install", "--no-deps", "-q", "-r", str(listed)],
        "A recorded version cannot be installed",
    )
    site = _run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], "The new Python does not start"
    )
    package = Path(__file__).resolve().parent.parent
    (Path(site.strip()) / "snapml_jupyter").symlink_to(package, target_is_directory=True)


def _interpreter(minor: str) -> str:
    if _minor(sys.version.split()[0]) == minor:
        return sys.executable
    found = shutil.which(f"python{minor}")
    if found is None:
        raise InvalidInputError(
            f"The run was recorded with Python {minor}, which is not installed here as python{minor}. Install it, or replay "
            "with --env current."
        )
    return found


def _run(command: list[str], what: str) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{what}: {error}.") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()] or done.stderr.splitlines()
        raise UnavailableError(f"{what}: {' '.join(lines[:3])[:500] or 'no reason was given'}.")
    return done.stdout


def _folder(workspace: Workspace | RemoteWorkspace) -> Path:
    folder = getattr(workspace, "folder", None)
    if folder is None:
        from platformdirs import user_cache_dir

        folder = Path(user_cache_dir("snapml", appauthor=False))
    made = Path(folder) / "environments"
    made.mkdir(parents=True, exist_ok=True)
    return made


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
