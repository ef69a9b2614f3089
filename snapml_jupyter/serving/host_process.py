"""Start, stop and look at the host: the one background process of a workspace that keeps endpoints answering."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path

from .. import settings
from ..domain.endpoint import HostStatus
from ..domain.errors import UnavailableError
from ..operations import operation
from ..store.workspace import Workspace
from .reports import (
    HOST_MODULE,
    WORKER_MODULE,
    HostState,
    is_ours,
    list_processes,
    list_workers,
    live_host,
    log_path,
    read_report,
    state_path,
)

#: How long a host may take until its port answers.
START_SECONDS = 30.0
#: How long a host may take to drain its workers and stop.
STOP_SECONDS = 40.0
#: A heartbeat older than this means that the host hangs.
STALE_SECONDS = 15.0
#: A log larger than this is put aside when a host starts.
_MAX_LOG_BYTES = 10 * 2**20
#: Exit status of a host that found another one running, which is fine.
EXIT_ALREADY_RUNNING = 3


@operation(permission="host:manage")
def start_host(workspace: Workspace) -> HostStatus:
    """Start the host unless it runs, and wait until its port answers.

    Raises UnavailableError with the host's own words when it cannot start.
    """
    return await_host(workspace, begin_host(workspace))


def begin_host(workspace: Workspace) -> subprocess.Popen[bytes] | None:
    """Start the host unless it runs, and return at once: its process, for `await_host`, or None when it runs."""
    return None if live_host(workspace.folder) else spawn_host(workspace.folder)


def await_host(workspace: Workspace, process: subprocess.Popen[bytes] | None) -> HostStatus:
    """Wait until the port answers, of the host that was begun or of the one that runs. Raises as `start_host` does."""
    folder = workspace.folder
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        state = live_host(folder)
        if state is not None and state.problem:
            _await_end(state.pid, folder)
            if process is not None:
                raise UnavailableError(f"The host cannot serve: {state.problem}")
            process = spawn_host(folder)  # that was an earlier attempt, on its way out; this one counts
        elif state is not None and state.is_stopping:
            process = None  # it is on its way out; the next turn starts a new one
        elif state is not None and state.is_ready and _answers(state):
            return get_host_status(workspace)
        elif state is None and (process is None or process.poll() is not None):
            if process is not None and process.returncode != EXIT_ALREADY_RUNNING:
                raise UnavailableError(_failure(folder))
            process = spawn_host(folder)
        time.sleep(0.03)
    raise UnavailableError(f"The host did not answer within {START_SECONDS:.0f} seconds. {_log_tail(folder)}")


@operation(permission="host:manage")
def stop_host(workspace: Workspace) -> HostStatus:
    """Drain the workers and stop the host; when it is already gone, stop workers it left behind."""
    folder = workspace.folder
    deadline = time.monotonic() + STOP_SECONDS
    told: set[int] = set()
    while time.monotonic() < deadline:
        # By their command lines: a host that is just starting has not written its state yet.
        hosts = list_processes(HOST_MODULE, folder)
        left = hosts or list_processes(WORKER_MODULE, folder)  # a host drains its own workers
        if not left:
            return get_host_status(workspace)
        for pid in left:
            if pid not in told:
                _terminate(pid)
                told.add(pid)
        time.sleep(0.05)
    raise UnavailableError(f"The host did not stop within {STOP_SECONDS:.0f} seconds. {_log_tail(folder)}")


@operation(permission="host:read")
def get_host_status(workspace: Workspace) -> HostStatus:
    """Whether the host runs, where its port is, and what is wrong with it if anything is."""
    folder = workspace.folder
    state = read_report(state_path(folder), HostState)
    if state is None:
        return HostStatus(running=False)
    if not is_ours(state.pid, HOST_MODULE, folder):
        return HostStatus(running=False, port=state.port, problem=state.problem)
    heartbeat_at = datetime.fromisoformat(state.heartbeat_at)
    problem = state.problem
    age = (datetime.now(heartbeat_at.tzinfo) - heartbeat_at).total_seconds()
    if problem is None and age > STALE_SECONDS:
        problem = (
            f"The host has not said anything for {age:.0f} seconds. Restart it: snapml host stop, snapml host start."
        )
    return HostStatus(
        running=True,
        pid=state.pid,
        port=state.port,
        url=base_url(state.address, state.port),
        started_at=datetime.fromisoformat(state.started_at),
        heartbeat_at=heartbeat_at,
        n_workers=sum(worker.is_serving and worker.host_pid == state.pid for worker in list_workers(folder)),
        version=state.version,
        problem=problem,
    )


def base_url(address: str, port: int) -> str:
    """Where a client on this machine reaches the port."""
    if address in ("0.0.0.0", "", "::"):
        address = "127.0.0.1"
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def spawn_host(folder: Path) -> subprocess.Popen[bytes]:
    """Start the host in a session of its own, so that it outlives the kernel or server that asked for it.

    Returns at once; two of them may be started, the lock lets one live. Raises OSError.
    """
    if os.name != "posix":
        raise UnavailableError("Endpoints need Linux or macOS: workers share their port with SO_REUSEPORT.")
    log = log_path(folder)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _MAX_LOG_BYTES:
        os.replace(log, log.with_suffix(".log.1"))
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", HOST_MODULE, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env=child_environment(folder),
            start_new_session=True,
        )
    # Reaps it should it end before we do; the host itself does not need us.
    threading.Thread(target=process.wait, name="host-reaper", daemon=True).start()
    return process


def child_environment(folder: Path) -> dict[str, str]:
    """The environment of the host and its children: this workspace, this package, one thread per library."""
    environment = dict(os.environ)
    environment["SNAPML_WORKSPACE"] = str(folder)
    environment["PYTHONUNBUFFERED"] = "1"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        environment[name] = "1"
    # Each thread's arena of its own costs tens of megabytes in a worker.
    environment.setdefault("MALLOC_ARENA_MAX", "2")
    root = Path(__file__).resolve().parents[2]
    if root.name not in ("site-packages", "dist-packages"):
        # A checkout that is importable only because of this process's working directory or path.
        others = [str(Path(part).resolve()) for part in environment.get("PYTHONPATH", "").split(os.pathsep) if part]
        environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(root), *others]))
    return environment


def _answers(state: HostState) -> bool:
    try:
        with urllib.request.urlopen(base_url(state.address, state.port) + "/v2/health/ready", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _await_end(pid: int, folder: Path, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while is_ours(pid, HOST_MODULE, folder) and time.monotonic() < deadline:
        time.sleep(0.02)


def _terminate(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


def _failure(folder: Path) -> str:
    state = read_report(state_path(folder), HostState)
    if state is not None and state.problem:
        return f"The host cannot serve: {state.problem}"
    return f"The host ended at its start. {_log_tail(folder)}"


def _log_tail(folder: Path, n_lines: int = 15) -> str:
    """The last lines of the log, for an error message."""
    path = log_path(folder)
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 8192))
            lines = file.read().decode(errors="replace").splitlines()[-n_lines:]
    except OSError:
        lines = []
    if not lines:
        return f"It wrote nothing to {path}. Port: {settings.get('port')} (SNAPML_PORT)."
    return f"The last lines of {path}:\n" + "\n".join(lines)
