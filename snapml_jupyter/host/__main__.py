"""`python -m snapml_jupyter.host FOLDER`: run the host of a workspace until it is told to stop."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from .. import settings
from ..domain.endpoint import Deployment, DeploymentStatus
from ..domain.errors import SnapMLError
from ..serving.host_process import EXIT_ALREADY_RUNNING, child_environment
from ..serving.ports import bind_shared
from ..serving.reports import (
    BACKGROUND_MODULE,
    WORKER_MODULE,
    HostState,
    WorkerReport,
    inbox_folder,
    is_ours,
    list_workers,
    read_report,
    say,
    state_path,
    workers_folder,
    write_report,
)
from ..serving.traffic import quarantine
from ..store import endpoints
from ..store.workspace import Workspace
from ..version import __version__
from .fleet import Fleet
from .port import hold_port
from .rollout import judge
from .supervisor import Child, stop_on_signal

#: Pause between two looks at the children and the deployments, in seconds.
TICK_SECONDS = 0.05
HEARTBEAT_SECONDS = 2.0
#: A deployment that so many workers ran when they ended, within that time, is taken away.
QUARANTINE_DEATHS, QUARANTINE_SECONDS = 3, 300.0
#: How often the host asks how many workers the endpoints want.
ASK_SECONDS = 2.0
#: Workers get so long to finish what is in flight.
DRAIN_SECONDS = 25.0

_LOOPBACK = ("127.0.0.1", "localhost")


class Host:
    """The supervisor of one workspace. `run` returns when it was told to stop or the workspace is gone."""

    def __init__(self, folder: Path) -> None:
        self.workspace = Workspace(folder, actor="host")
        self.folder = self.workspace.folder
        self.stopping = threading.Event()
        now = self.workspace.now().isoformat()
        before = read_report(state_path(self.folder), HostState)
        self.orphans = list_workers(self.folder)
        self.state = HostState(
            pid=os.getpid(),
            port=_wanted_port(before, self.orphans),
            address=settings.get("address"),
            version=__version__,
            started_at=now,
            heartbeat_at=now,
        )
        self._least = max(1, settings.get_int("workers"))
        self._range = (self._least, self._least)
        self._asked_at = -ASK_SECONDS
        self.fleet = Fleet(
            self._spawn_worker,
            lambda: bind_shared(self.state.address, self.state.port),
            workers_folder(self.folder),
            self._least,
            settings.get_int("worker_memory_mb") * 2**20,
        )
        self.background = Child("inbox and monitors", lambda pulse: self._spawn((pulse,), BACKGROUND_MODULE))
        self._kills: dict[str, int] = {}
        self._deaths: dict[str, list[float]] = {}
        self._first_seen: dict[tuple[str, int], float] = {}
        self._heartbeat_at = 0.0

    def run(self) -> None:
        """Serve until told to stop. Raises UnavailableError when the port cannot be had."""
        self._write_state()
        port = self.state.port
        is_shared = any(orphan.port == port for orphan in self.orphans) and port != 0
        try:
            try:
                held = hold_port(self.state.address, port, is_shared=is_shared)
            except SnapMLError:
                if settings.get("port") != "0":
                    raise
                held = hold_port(self.state.address, 0, is_shared=False)
        except SnapMLError as error:
            self._write_state(problem=str(error))
            raise
        with held:
            self._write_state(port=held.getsockname()[1])
            say(f"host {os.getpid()}: serving {self.folder} on port {self.state.port}")
            with self.workspace.transaction() as tx:
                tx.event("host.started", "host", pid=os.getpid(), port=self.state.port)
            try:
                while not self.stopping.wait(TICK_SECONDS):
                    self._tick(time.monotonic())
            finally:
                self._stop()

    def _tick(self, now: float) -> None:
        if not (self.folder / "snapml.db").exists():
            say("host: the workspace is gone")
            self.stopping.set()
            return
        reports = self._look_at_workers(now)
        if ended := self.background.look(now):
            say(f"host: {ended}")
        serving = [report for report in reports if report.is_serving]
        if self.orphans and serving:
            self._drain_orphans()
        try:
            self._scale(reports, now)
            self._roll_out(serving, now)
        except (SnapMLError, sqlite3.Error) as error:
            say(f"host: deployments wait: {error}")
        if bool(serving) != self.state.is_ready or now - self._heartbeat_at > HEARTBEAT_SECONDS:
            self._heartbeat_at = now
            self._write_state(is_ready=bool(serving))

    def _look_at_workers(self, now: float) -> list[WorkerReport]:
        """The reports of the workers that run. What a dead one loaded or computed for is remembered, and blamed in the end."""
        reports, losses = self.fleet.look(now)
        for loss in losses:
            if loss.is_loading:
                self._kills[loss.label] = self._kills.get(loss.label, 0) + 1
                continue
            deaths = [at for at in self._deaths.get(loss.label, []) if now - at < QUARANTINE_SECONDS] + [now]
            self._deaths[loss.label] = deaths
            if len(deaths) >= QUARANTINE_DEATHS:
                del self._deaths[loss.label]
                self._quarantine(loss.label, len(deaths))
        return reports

    def _quarantine(self, label: str, n_deaths: int) -> None:
        name, _, number = label.rpartition("/")
        reason = f"{n_deaths} workers ended while they ran it, within {QUARANTINE_SECONDS / 60:.0f} minutes."
        try:
            quarantine(self.workspace, name, int(number), reason)
            say(f"host: deployment {number} of {name} is quarantined: {reason}")
        except (SnapMLError, sqlite3.Error) as error:
            say(f"host: deployment {number} of {name} is not quarantined: {error}")

    def _scale(self, reports: list[WorkerReport], now: float) -> None:
        if now - self._asked_at > ASK_SECONDS:
            self._asked_at = now
            wishes = [endpoint.settings for endpoint in endpoints.list_endpoints(self.workspace.database)]
            least = max([self._least, *(each.min_workers or 1 for each in wishes)])
            self._range = (least, max([least, *(each.max_workers or 1 for each in wishes)]))
            address = self._address(any(each.is_public for each in wishes))
            if address != self.state.address:
                say(f"host: listening on {address}")
                self._write_state(address=address)
                self.fleet.replace_all(now)
        self.fleet.scale(reports, *self._range, now)

    def _address(self, is_public: bool) -> str:
        """Where the workers listen: what the setting says, and everywhere when that is this machine and an endpoint is public."""
        said = settings.get("address")
        return "0.0.0.0" if is_public and said in _LOOPBACK else said

    def _drain_orphans(self) -> None:
        """Our own workers answer: those that an earlier host left behind may finish and go."""
        for orphan in self.orphans:
            if is_ours(orphan.pid, WORKER_MODULE, self.folder):
                say(f"host: draining worker {orphan.pid} of an earlier host")
                os.kill(orphan.pid, signal.SIGTERM)
        self.orphans = []

    def _roll_out(self, serving: list[WorkerReport], now: float) -> None:
        starting = endpoints.list_starting(self.workspace.database)
        for deployment in starting:
            key = (deployment.endpoint, deployment.number)
            verdict = judge(
                deployment,
                serving,
                live_number=self._live_number(deployment),
                n_kills=self._kills.get(f"{deployment.endpoint}/{deployment.number}", 0),
                waited_seconds=now - self._first_seen.setdefault(key, now),
            )
            if verdict is not None:
                self._first_seen.pop(key, None)
                with self.workspace.transaction() as tx:
                    endpoints.move_deployment(tx, *key, verdict.status, verdict.failure)
                say(f"host: deployment {key[1]} of {key[0]} is {verdict.status.value}")

    def _live_number(self, deployment: Deployment) -> int | None:
        endpoint = endpoints.find_endpoint(self.workspace.database, deployment.endpoint)
        live = [d.number for d in endpoint.deployments if d.status is DeploymentStatus.live] if endpoint else []
        return max(live, default=None)

    def _stop(self) -> None:
        say(f"host {os.getpid()}: stopping")
        if not self.folder.exists():
            self.fleet.end(DRAIN_SECONDS)
            self.background.end(DRAIN_SECONDS)
            return
        self._write_state(is_stopping=True)
        self.fleet.end(DRAIN_SECONDS)
        self._drain_orphans()
        self.background.end(DRAIN_SECONDS)  # after the workers, whose last predictions it takes in
        with self.workspace.transaction() as tx:
            tx.event("host.stopped", "host", pid=os.getpid())

    def _write_state(self, **changes: object) -> None:
        self.state = replace(self.state, heartbeat_at=self.workspace.now().isoformat(), **changes)  # type: ignore[arg-type]  # field names checked by the tests
        with contextlib.suppress(OSError):  # a full disk must not end the serving
            write_report(state_path(self.folder), self.state)

    def _spawn_worker(self, pulse: int, listener: int) -> subprocess.Popen[bytes]:
        where = ["--address", self.state.address, "--port", str(self.state.port)]
        guarded = ["--guarded"] if settings.get("address") in _LOOPBACK else []
        descriptors = ["--pulse", str(pulse), "--listener", str(listener)]
        return self._spawn((pulse, listener), WORKER_MODULE, *where, *descriptors, *guarded)

    def _spawn(self, descriptors: tuple[int, ...], module: str, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", module, str(self.folder), *arguments],
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env=child_environment(self.folder),
            pass_fds=descriptors,
        )


def _wanted_port(before: HostState | None, orphans: list[WorkerReport]) -> int:
    """The port of the setting; for 0 that of last time, so that URLs stay what they were."""
    port = settings.get_int("port")
    if port == 0 and orphans:
        return orphans[0].port
    return before.port if port == 0 and before is not None else port


def main(arguments: list[str] | None = None) -> int:
    """Take the lock and run. Exit status 0: stopped, 1: cannot serve, 3: another host runs."""
    parser = argparse.ArgumentParser(prog="python -m snapml_jupyter.host", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args(arguments).folder.resolve()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal or Jupyter server that started us may go
    for each in (workers_folder(folder), inbox_folder(folder)):
        each.mkdir(parents=True, exist_ok=True)
    with (folder / "host" / "lock").open("w") as lock:
        try:
            # The lock is the process's: it goes with it, however it dies, and is not inherited by the workers.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"host {os.getpid()}: another host runs already")
            return EXIT_ALREADY_RUNNING
        try:
            host = Host(folder)
            for number in (signal.SIGTERM, signal.SIGINT):
                stop_on_signal(number, host.stopping)
            host.run()
        except SnapMLError as error:
            say(f"host {os.getpid()}: {error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
