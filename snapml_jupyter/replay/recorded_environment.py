"""A Python with the package versions that a run recorded, for `--env recorded`: made once for each environment.

Packages that are installed here in the recorded version, SnapML itself and local projects among them, are linked from
here; the others come from the package index. What the index does not have is left out and named, unless the cell
imports it: then there is no such environment.
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.errors import InvalidInputError, UnavailableError
from ..runs.environment import installed_packages

if TYPE_CHECKING:
    from ..domain.program import Program
    from ..domain.run import Environment
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace

#: SnapML under its distribution's name: what records and judges is what is installed here, of whatever version.
_OWN = "snapml-jupyter"
_INSTALL_SECONDS = 3_600.0
#: What pip says of a version that the index does not have, and of an index that it cannot reach.
_ABSENT = re.compile(r"No matching distribution found for ([\w.\-]+)==(\S+)")
_UNREACHABLE = re.compile(r"NewConnectionError|Max retries exceeded|Temporary failure|timed out|ProxyError|SSLError")


@dataclass(frozen=True, slots=True)
class RecordedPython:
    """The interpreter, and the recorded packages that it lacks, with their versions."""

    executable: str
    left_out: dict[str, str] = field(default_factory=dict)


def python_of(
    workspace: Workspace | RemoteWorkspace, environment: Environment | None, program: Program | None = None
) -> RecordedPython:
    """The interpreter of a virtual environment with the recorded versions; this one when they are the same here.

    Raises InvalidInputError when nothing was recorded or the Python is not installed, UnavailableError, with pip's words,
    when a version cannot be installed.
    """
    if environment is None:
        raise InvalidInputError(
            "The run recorded no environment, so there is none to build. Replay it with --env current."
        )
    wanted = {name: version for name, version in environment.packages.items() if name not in (_OWN, "pip")}
    is_same_python = _minor(environment.python_version) == _minor(sys.version.split()[0])
    here = installed_packages() if is_same_python else {}
    if is_same_python and all(here.get(name) == version for name, version in wanted.items()):
        return RecordedPython(sys.executable)
    folder = _folder(workspace) / environment.digest[:16]
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    complete = folder / "complete.json"
    if not complete.exists():
        if folder.exists():
            shutil.rmtree(folder)
        try:
            left_out = _build(folder, python, environment.python_version, wanted, here)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        complete.write_text(json.dumps(left_out))
    lacking: dict[str, str] = json.loads(complete.read_text())
    _check_not_needed(lacking, program)
    return RecordedPython(str(python), lacking)


def _build(
    folder: Path, python: Path, version: str, wanted: Mapping[str, str], here: Mapping[str, str]
) -> dict[str, str]:
    """Make the environment; gives the packages that it lacks."""
    base = _interpreter(_minor(version))
    own_pip = (
        importlib.util.find_spec("pip") is not None
    )  # it can install for another Python, which spares a copy of it
    _run(
        [base, "-m", "venv", *(["--without-pip"] if own_pip else []), str(folder)],
        "The virtual environment cannot be made",
    )
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(_run(asked, "The new Python does not start").strip())
    linked = _link(site, {name for name, version in wanted.items() if here.get(name) == version})
    _link_own(site)
    return _install(folder, python, {name: version for name, version in wanted.items() if name not in linked})


def _link(site: Path, names: set[str], only: str = "") -> set[str]:
    """Give the new environment these packages (of them, what lies in folders named `only`) as they are installed here;
    those for which that worked.
    """
    linked = set()
    for distribution in importlib.metadata.distributions():
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"] or "").lower()
        root = Path(str(distribution.locate_file("")))
        if name not in names or name in linked or distribution.files is None:
            continue
        if any(".egg-link" in str(file) or str(file).endswith(".egg-info") for file in distribution.files):
            continue
        for file in distribution.files:
            if file.parts[0] == ".." or file.suffix == ".pyc" or Path(file).is_absolute() or only not in file.parts[0]:
                continue  # scripts and shared data are not imported
            source, target = root / file, site / file
            if source.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                _link_file(source, target)
        linked.add(name)
    return linked


def _link_file(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)


def _link_own(site: Path) -> None:
    """SnapML as it is imported here (it finds the rest of a checkout itself), under its name and version."""
    package = Path(__file__).resolve().parent.parent
    (site / package.name).symlink_to(package, target_is_directory=True)
    _link(site, {_OWN}, only=".dist-info")


def _install(folder: Path, python: Path, wanted: dict[str, str]) -> dict[str, str]:
    """Install the versions with pip; gives those that the index does not have."""
    left_out: dict[str, str] = {}
    listed = folder / "requirements.txt"
    plain: set[str] = set()
    while wanted:
        listed.write_text("".join(f"{name}=={version}\n" for name, version in sorted(wanted.items())))
        # Each version was recorded; what they ask of one another was settled then.
        pip = (
            [sys.executable, "-m", "pip", "--python", str(python)]
            if importlib.util.find_spec("pip")
            else [str(python), "-m", "pip"]
        )
        command = [*pip, "install", "--no-deps", "--prefer-binary", "-q", "-r", str(listed)]
        said = _pip(command)
        if said is None:
            break
        absent = [each for each in _ABSENT.findall(said) if each[0].lower() in wanted]
        if not absent or _UNREACHABLE.search(said):
            lines = [line for line in said.splitlines() if line.lower().startswith("error")] or said.splitlines()
            raise UnavailableError(
                f"A recorded version cannot be installed: {' '.join(lines[:3])[:500] or 'no reason was given'}. "
                "Replay it with --env current, or point pip (PIP_FIND_LINKS, PIP_INDEX_URL) to where the package is."
            )
        for name, version in absent:
            key = name.lower()
            if "+" in version and key not in plain:  # 2.13.0+cpu: a build of 2.13.0 that only its maker's index has
                plain.add(key)
                wanted[key] = version.partition("+")[0]
            else:
                left_out[key] = wanted.pop(key)
    return left_out


def _pip(command: list[str]) -> str | None:
    """Run pip; what it said when it failed, else None."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"The recorded versions cannot be installed: {error}.") from error
    return None if done.returncode == 0 else done.stderr or done.stdout


def _check_not_needed(left_out: Mapping[str, str], program: Program | None) -> None:
    """Raise UnavailableError when the cell imports what the environment lacks."""
    if not left_out or program is None:
        return
    imported = _imported(program)
    provided = importlib.metadata.packages_distributions()
    needed = []
    for name, version in left_out.items():
        modules = {name.replace("-", "_")} | {
            module for module, of in provided.items() if name in (each.lower().replace("_", "-") for each in of)
        }
        if modules & imported:
            needed.append(f"{name}=={version}")
    if needed:
        raise UnavailableError(
            f"The recorded environment cannot be built: the cell imports {', '.join(sorted(needed))}, which the package "
            "index does not have. Point pip to it (PIP_FIND_LINKS, PIP_INDEX_URL), or replay with --env current."
        )


def _imported(program: Program) -> set[str]:
    """Top-level names of the modules that the program's source imports."""
    found: set[str] = set()
    for code in [*(part.code for part in program.parts), program.body]:
        try:
            tree = ast.parse(code)
        except SyntaxError:  # magics in the body
            found |= set(re.findall(r"(?m)^\s*(?:import|from)\s+(\w+)", code))
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found


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
