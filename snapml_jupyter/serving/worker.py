"""A worker: `python -m snapml_jupyter.serving.worker FOLDER --port N --address A`.

One of N identical processes that share the port (SO_REUSEPORT). It loads the live deployments, then listens, and only
ever imports numpy, onnxruntime, msgspec, uvicorn and sqlite3, which keeps it small.

On SIGTERM it stops accepting, finishes what is in flight, writes out the prediction log and exits. When its host dies
it goes on serving, so that a crash of the host costs no request, and starts a new host, which takes over.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections import deque
from pathlib import Path

import uvicorn
import uvloop

from .. import settings
from ..domain.errors import SnapMLError
from ..domain.traffic import Agreement
from .application import EndpointApplication, Limits
from .arms import Comparison
from .metrics import add_up
from .one_write import OneWriteProtocol
from .ports import bind_shared
from .prediction_log import PredictionLog
from .reports import TrafficReport, WorkerReport, inbox_folder, read_report, say, workers_folder, write_report
from .routing import RoutingTable
from .running import running_path
from .server import WorkerServer
from .slow_clients import SWEEP_SECONDS, SlowClients

#: How often a worker reports, in seconds.
REPORT_SECONDS = 0.5
#: How long requests in flight may take after SIGTERM.
DRAIN_SECONDS = 20
#: How long a worker serves without a host before it gives up.
ORPHAN_SECONDS = 120.0
#: How long the threads that write the log and report may hold up a request, in seconds.
_SWITCH_SECONDS = 0.001
#: Requests a second are measured over this time.
_RATE_SECONDS = 10.0


class Worker:
    """The composition root: routing, log, application, server, and the thread that reports."""

    def __init__(
        self,
        folder: Path,
        address: str,
        port: int,
        pulse: int | None = None,
        *,
        listener: int | None = None,
        is_guarded: bool = False,
    ) -> None:
        self.folder = folder
        self._pulse = pulse
        self._listener = listener
        self.address = address
        self.port = port
        self.host_pid = os.getppid()
        self.is_serving = False
        max_rows = settings.get_int("max_rows")
        config = uvicorn.Config(
            self._answer,
            http=OneWriteProtocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            access_log=False,
            log_config=None,
            log_level="critical",
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
        self.server = WorkerServer(config, self._listening)
        in_flight = self.server.server_state.tasks
        self.log = PredictionLog(inbox_folder(folder), settings.get_float("log_seconds"))
        self.routing = RoutingTable(folder, in_flight, max_rows, self.report)
        limits = Limits(settings.get_int("max_body_mb") * 2**20, max_rows, is_guarded)
        self.application = EndpointApplication(self.routing, self.log, in_flight, limits)
        config.app = self.application
        self._report_lock = threading.Lock()
        self._report_path = workers_folder(folder) / f"{os.getpid()}.json"
        #: When, what was computed by then in seconds, and the requests by endpoint and version.
        self._rates: deque[tuple[float, float, dict[tuple[str, str], int]]] = deque()
        self._stopping = threading.Event()
        self._orphaned_at: float | None = None

    async def _answer(self, *_: object) -> None:
        raise NotImplementedError  # replaced by the application, which needs the server first

    def run(self) -> None:
        """Serve until SIGTERM. Raises OSError when the port cannot be bound."""
        self._report_path.parent.mkdir(parents=True, exist_ok=True)
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # every client's connection is a file
        sys.setswitchinterval(_SWITCH_SECONDS)
        self.log.start()
        self.routing.start()
        reporter = threading.Thread(target=self._report_forever, name="reporter", daemon=True)
        reporter.start()
        try:
            loop = uvloop.new_event_loop()
            given = self._listener
            listener = socket.socket(fileno=given) if given is not None else bind_shared(self.address, self.port)
            loop.run_until_complete(self._serve(listener))
            loop.close()
        finally:
            self.is_serving = False
            self._stopping.set()
            reporter.join()
            self.routing.stop()
            self.log.stop()
            self._report_path.unlink(missing_ok=True)
            running_path(self._report_path.parent, os.getpid()).unlink(missing_ok=True)

    async def _serve(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._drain)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is for the host, which then drains us
        ticking = loop.create_task(self._tick())
        await self.server.serve(sockets=[listener])
        ticking.cancel()

    def _listening(self) -> None:
        # What is loaded by now stays: collections that went through it would make requests wait 40 ms.
        gc.collect()
        gc.freeze()
        self.is_serving = True
        self.report()

    def _drain(self) -> None:
        self.application.is_draining = True
        self.server.should_exit = True

    async def _tick(self) -> None:
        """Show the host that the event loop turns (its pipe may be full while it is busy, or gone), and close slow clients."""
        if self._pulse is not None:
            os.set_blocking(self._pulse, False)
        slow_clients = SlowClients(self.server.server_state.connections)
        swept_at = time.monotonic()
        while True:
            if self._pulse is not None:
                with contextlib.suppress(OSError):
                    os.write(self._pulse, b".")
            if time.monotonic() - swept_at > SWEEP_SECONDS:
                slow_clients.sweep()
                swept_at = time.monotonic()
            await asyncio.sleep(0.25)

    def report(self) -> None:
        """Write this worker's report now."""
        counters = list(self.routing.counters.values())
        report = WorkerReport(
            pid=os.getpid(),
            port=self.port,
            host_pid=os.getppid(),
            is_serving=self.is_serving,
            event_id=self.routing.routes.event_id,
            loaded=dict(self.routing.loaded),
            routed={
                name: endpoint.served.deployment.number
                for name, endpoint in self.routing.routes.endpoints.items()
                if endpoint.served is not None
            },
            loading=self.routing.loading,
            cpu_seconds=time.process_time(),
            busy_fraction=self._busy_fraction(),
            memory_bytes=_resident_bytes(),
            n_dropped=dict(self.log.n_dropped),
            agreements=_by_endpoint(list(self.routing.comparisons.values())),
            traffic=[counter.report(self._rate(counter.endpoint, counter.version)) for counter in counters],
        )
        with self._report_lock, contextlib.suppress(OSError):  # a full disk must not stop the serving
            write_report(self._report_path, report)

    def _rate(self, endpoint: str, version: str) -> float:
        if len(self._rates) < 2:
            return 0.0
        (first_at, _, first), (last_at, _, last) = self._rates[0], self._rates[-1]
        key = (endpoint, version)
        return (last.get(key, 0) - first.get(key, 0)) / max(last_at - first_at, 1e-3)

    def _busy_fraction(self) -> float:
        if len(self._rates) < 2:
            return 0.0
        (first_at, first, _), (last_at, last, _) = self._rates[0], self._rates[-1]
        return (last - first) / max(last_at - first_at, 1e-3)

    def _report_forever(self) -> None:
        while not self._stopping.wait(REPORT_SECONDS):
            now = time.monotonic()
            counts = {key: sum(counter.codes.values()) for key, counter in list(self.routing.counters.items())}
            self._rates.append((now, time.process_time(), counts))
            while now - self._rates[0][0] > _RATE_SECONDS:
                self._rates.popleft()
            self.report()
            self._read_other_workers()
            self._watch_host(now)

    def _read_other_workers(self) -> None:
        """Sum what the other workers report, so that any worker can answer /metrics for all of them."""
        traffic: list[TrafficReport] = []
        dropped: dict[str, int] = {}
        for path in workers_folder(self.folder).glob("*.json"):
            other = read_report(path, WorkerReport)
            if path != self._report_path and other is not None:
                traffic += other.traffic
                for endpoint, n_rows in other.n_dropped.items():
                    dropped[endpoint] = dropped.get(endpoint, 0) + n_rows
        self.application.other_traffic = add_up(traffic)
        self.application.other_dropped = dropped

    def _watch_host(self, now: float) -> None:
        """Exit when the workspace is gone; when only the host is, start another, which will replace this worker."""
        if not (self.folder / "snapml.db").exists():
            self.server.should_exit = True
        if os.getppid() == self.host_pid or self.server.should_exit:
            return
        if self._orphaned_at is None:
            self._orphaned_at = now
            say(f"worker {os.getpid()}: the host has died; starting another")
            from .host_process import spawn_host

            try:
                spawn_host(self.folder)
            except (OSError, SnapMLError) as error:
                say(f"worker {os.getpid()}: no new host: {error}")
        elif now - self._orphaned_at > ORPHAN_SECONDS:
            self.server.should_exit = True


def _resident_bytes() -> int:
    """Memory that this process holds; on systems without /proc the most that it ever held."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _by_endpoint(comparisons: list[Comparison]) -> dict[str, list[Agreement]]:
    found: dict[str, list[Agreement]] = {}
    for comparison in comparisons:
        found.setdefault(comparison.endpoint, []).append(comparison.report())
    return found


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m snapml_jupyter.serving.worker", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--listener", type=int, help="file descriptor of the socket to listen on, instead of a new one")
    parser.add_argument("--guarded", action="store_true", help="other machines reach only public endpoints")
    parser.add_argument("--pulse", type=int, help="file descriptor to write signs of life to")
    given = parser.parse_args(arguments)
    Worker(
        given.folder, given.address, given.port, given.pulse, listener=given.listener, is_guarded=given.guarded
    ).run()


if __name__ == "__main__":
    main()
