"""The small files by which host, workers and callers know of each other; never read or written inside a request.

`<workspace>/host/state.json` is the host's, `<workspace>/host/workers/<pid>.json` one per worker. A file may outlive
its process, so a reader asks `is_ours` before it believes one.
"""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

import msgspec

from ..domain.traffic import Agreement

T = TypeVar("T")

#: Modules that are started with the workspace folder as their first argument.
HOST_MODULE = "snapml_jupyter.host"
WORKER_MODULE = "snapml_jupyter.serving.worker"
BACKGROUND_MODULE = "snapml_jupyter.host.background"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """What the host says of itself. `is_ready` once a worker answers; `problem` is why it cannot serve."""

    pid: int
    port: int
    address: str
    version: str
    started_at: str
    heartbeat_at: str
    is_ready: bool = False
    is_stopping: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficReport:
    """One worker's counts for one endpoint and model version since the worker started.

    `buckets` are latency counts for `metrics.EDGES_SECONDS`, the last one for everything slower.
    """

    endpoint: str
    version: str
    n_rows: int
    codes: dict[int, int]
    buckets: list[int]
    seconds: float
    requests_per_second: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReport:
    """What one worker says of itself.

    `event_id` is the newest event its routing knows;
    `cpu_seconds` is what it has computed since it started, `busy_fraction` the share of the last seconds in which it computed,
    `memory_bytes` what it holds (resident);
    `loaded` says per `endpoint/number` "ready", or why the deployment cannot be served; `loading` is being tried now.
    """

    pid: int
    port: int
    host_pid: int
    is_serving: bool
    event_id: int
    loaded: dict[str, str] = field(default_factory=dict)
    routed: dict[str, int] = field(default_factory=dict)
    loading: str | None = None
    cpu_seconds: float = 0.0
    busy_fraction: float = 0.0
    memory_bytes: int = 0
    n_dropped: dict[str, int] = field(default_factory=dict)
    traffic: list[TrafficReport] = field(default_factory=list)
    agreements: dict[str, list[Agreement]] = field(default_factory=dict)


def say(text: str) -> None:
    """Print for the host's log, with the time. A log on a full disk must not end what is being reported on."""
    with contextlib.suppress(OSError):
        print(f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ} {text}", flush=True)


def state_path(folder: Path) -> Path:
    """The host's state file."""
    return folder / "host" / "state.json"


def workers_folder(folder: Path) -> Path:
    """Where workers report."""
    return folder / "host" / "workers"


def log_path(folder: Path) -> Path:
    """What the host and its workers print."""
    return folder / "logs" / "host.log"


def inbox_folder(folder: Path) -> Path:
    """Where workers leave predictions and feedback for the host to take in."""
    return folder / "inbox"


def write_report(path: Path, report: object) -> None:
    """Replace the file in one step, so that a reader sees the old or the new report, never half of one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    temporary.write_bytes(msgspec.json.encode(report))
    os.replace(temporary, path)


def read_report(path: Path, expected: type[T]) -> T | None:
    """The report, or None when there is no readable one (absent, or of another version of SnapML)."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=expected, strict=False)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def list_workers(folder: Path) -> list[WorkerReport]:
    """Reports of the workers of this workspace that are alive, by process id. Removes files of dead ones."""
    found = []
    for path in sorted(workers_folder(folder).glob("*.json")):
        report = read_report(path, WorkerReport)
        if report is not None and is_ours(report.pid, WORKER_MODULE, folder):
            found.append(report)
        elif not path.stem.isdigit() or not is_ours(int(path.stem), WORKER_MODULE, folder):
            with contextlib.suppress(OSError):
                path.unlink()
    return found


def is_ours(pid: int, module: str, folder: Path) -> bool:
    """Whether that process is alive and is `python -m module folder`, not a stranger that got its number."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        words = process.cmdline()
    except psutil.Error:
        return False
    return module in words and str(folder) in words


def list_processes(module: str, folder: Path) -> list[int]:
    """Ids of all processes that are `python -m module folder`. Looks at every process of the machine."""
    import psutil

    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if module in words and str(folder) in words and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


def live_host(folder: Path) -> HostState | None:
    """The state of the running host of this workspace, or None."""
    state = read_report(state_path(folder), HostState)
    return state if state is not None and is_ours(state.pid, HOST_MODULE, folder) else None
