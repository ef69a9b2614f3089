"""What a run runs on: interpreter, machine, packages, git state. Cheap enough to record with every run."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..domain.run import Environment
from ..store import environments

#: Environment variables that change results or speed; nothing that may hold a secret.
VARIABLES = (
    "PYTHONHASHSEED",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
    "CUBLAS_WORKSPACE_CONFIG",
    "TOKENIZERS_PARALLELISM",
    "TZ",
    "LANG",
    "LC_ALL",
)
_GIT_TIMEOUT_SECONDS = 1.0
#: Longer patches are not kept.
MAX_DIFF_BYTES = 5_000_000
#: How long git's answer is believed, in seconds: a search of many short runs asks once.
_GIT_FRESH_SECONDS = 2.0
_DISTRIBUTION = re.compile(r"(?P<name>.+?)-(?P<version>\d[^-]*)(?:-py\d[\w.]*)?\.(?:dist-info|egg-info)")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitState:
    """Where the working folder stands; all None outside of a repository or when git is absent or too slow."""

    commit: str | None = None
    branch: str | None = None
    dirty: bool | None = None


def current_environment() -> Environment:
    """What this process runs on now. Below 100 ms the first time, a few afterwards (a change on disk is noticed)."""
    git = git_state(Path.cwd()) if _has_working_folder() else GitState()
    found = Environment(
        digest="",
        python_version=platform.python_version(),
        platform=_platform(),
        cpu=_cpu(),
        n_cpus=_n_cpus(),
        packages=installed_packages(),
        variables={name: os.environ[name] for name in VARIABLES if name in os.environ},
        git_commit=git.commit,
        git_branch=git.branch,
        git_dirty=git.dirty,
        threads=thread_counts(),
        kernel=_kernel(),
        hub_user=os.environ.get("JUPYTERHUB_USER"),
    )
    return environments.with_digest(found)


def thread_counts() -> dict[str, int]:
    """Threads of the loaded BLAS and OpenMP libraries, by kind (`blas`, `openmp`); empty where nobody loaded any."""
    if "threadpoolctl" not in sys.modules:
        return {}
    pools = _thread_pools(len(sys.modules)).info()
    return {str(pool.get("user_api")): int(pool.get("num_threads", 1)) for pool in pools}


@functools.lru_cache(maxsize=1)
def _thread_pools(n_modules: int) -> Any:
    """The libraries found in the process; looked for again when a module was imported, which may have loaded one."""
    import threadpoolctl  # type: ignore[import-untyped]  # it publishes no type information

    return threadpoolctl.ThreadpoolController()


def _kernel() -> str | None:
    """The kernel's class (`ipykernel.zmqshell`), `terminal` for IPython without one, None outside of IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return None if shell is None else type(shell).__module__


def installed_packages() -> dict[str, str]:
    """Versions of the installed distributions by normalised name, as `sys.path` would find them.

    Read again when a folder on the path changed, such as after `%pip install`.
    """
    folders = []
    for entry in sys.path:
        try:
            folders.append((entry or ".", os.stat(entry or ".").st_mtime_ns))
        except (OSError, ValueError):  # zip files of the standard library that do not exist, removed folders
            continue
    return dict(_packages(tuple(folders)))


def git_state(folder: Path) -> GitState:
    """Commit, branch and whether tracked files changed. At most one second; its answer is kept for two."""
    with _git_lock:
        known = _git_known.get(folder)
        if known is not None and time.monotonic() - known[0] < _GIT_FRESH_SECONDS:
            return known[1]
        state = _ask_git(folder)
        _git_known.clear()
        _git_known[folder] = (time.monotonic(), state)
        return state


_git_lock = threading.Lock()
_git_known: dict[Path, tuple[float, GitState]] = {}


def git_diff(folder: Path) -> bytes | None:
    """The changes of tracked files against the commit, as a patch; None when there are none, too many, or no answer."""
    said = _git(folder, "diff", "HEAD", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all")
    if not said or len(said) > MAX_DIFF_BYTES:
        return None
    return said.encode("utf-8", "replace")


def _ask_git(folder: Path) -> GitState:
    if not any((parent / ".git").exists() for parent in (folder, *folder.parents)):
        return GitState()
    said = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no", "--ignore-submodules=all")
    if said is None:
        return GitState()
    headers: dict[str, str] = {}
    dirty = False
    for line in said.splitlines():
        if line.startswith("# "):
            name, _, value = line[2:].partition(" ")
            headers[name] = value
        else:
            dirty = True
    commit, branch = headers.get("branch.oid"), headers.get("branch.head")
    return GitState(
        commit=None if commit == "(initial)" else commit,
        branch=None if branch == "(detached)" else branch,
        dirty=dirty,
    )


def _git(folder: Path, *arguments: str) -> str | None:
    """What git answers within a second; None when it is absent, fails or is too slow."""
    # No optional locks: a status that refreshes the index would get in the way of the user's own git commands.
    # No fsmonitor: a repository's settings must not start programs because a run was recorded.
    try:
        answer = subprocess.run(
            ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_GIT_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout if answer.returncode == 0 else None


@functools.lru_cache(maxsize=4)
def _packages(folders: tuple[tuple[str, int], ...]) -> dict[str, str]:
    # The names of the metadata folders say it all; parsing every METADATA file takes ten times as long.
    found: dict[str, str] = {}
    for folder, _ in folders:
        try:
            names = os.listdir(folder)
        except OSError:  # not a folder
            continue
        for name in names:
            if not name.endswith((".dist-info", ".egg-info")):
                continue
            match = _DISTRIBUTION.fullmatch(name)
            if match:
                found.setdefault(_normalised(match["name"]), match["version"])
            else:  # `name.egg-info` of a development install: its version stands inside
                path = Path(folder) / name
                metadata = importlib.metadata.Distribution.at(path).metadata if path.is_dir() else None
                if metadata and metadata["Name"]:
                    found.setdefault(_normalised(metadata["Name"]), metadata["Version"])
    return dict(sorted(found.items()))


def _normalised(name: str) -> str:
    """As PEP 503 says."""
    return re.sub(r"[-_.]+", "-", name).lower()


@functools.lru_cache(maxsize=1)
def _platform() -> str:
    return platform.platform()


@functools.lru_cache(maxsize=1)
def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine()


def _n_cpus() -> int:
    """CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _has_working_folder() -> bool:
    try:
        os.getcwd()
    except OSError:  # it was removed under us
        return False
    return True
