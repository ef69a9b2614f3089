"""One server of the comparison: how it is started and asked, and the process that runs while it has its turn."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from load import SERVER_CORE, Load, measure, pinned

ROOT = Path(__file__).resolve().parents[2]
#: How long a server may take to its first answer.
START_SECONDS = 60.0
#: Probabilities are float32 in some servers.
TOLERANCE = 1e-5


class ServerError(Exception):
    """A server that does not start or does not answer rightly; the message says what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`read` takes the answer's JSON and gives the probability that must be as the model's own.

    `command` gives the words that start it at a port, `note` what is worth saying of how it is set up.
    """

    name: str
    command: Callable[[int], list[str]]
    path: str
    body: bytes
    read: Callable[[Any], float]
    note: str
    headers: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningServer:
    """A server that has answered once, rightly, `start_seconds` after its command began."""

    server: Server
    process: subprocess.Popen[bytes]
    url: str
    start_seconds: float

    def measure(self, concurrency: int, seconds: float) -> Load:
        """Its answers under load."""
        headers = {"content-type": "application/json", **self.server.headers}
        return measure(self.url, headers, self.server.body, concurrency, seconds)

    def memory_mb(self) -> tuple[float, float]:
        """Resident and proportional memory of all its processes, in MiB."""
        return tree_memory_mb(self.process.pid)


def tree_memory_mb(pid: int) -> tuple[float, float]:
    """Resident and proportional memory of a process and all below it, in MiB."""
    root = psutil.Process(pid)
    resident = proportional = 0
    for each in [root, *root.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            found = each.memory_full_info()
            resident += found.rss
            proportional += getattr(found, "pss", found.uss)
    return resident / 2**20, proportional / 2**20


@contextlib.contextmanager
def running(server: Server, port: int, expected: float, folder: Path) -> Iterator[RunningServer]:
    """The server on its core until the block ends. Raises ServerError when it does not start or answers otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        **server.environment,
    }
    log = folder / f"{server.name.replace(' ', '-').replace(',', '')}.log"
    began = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*pinned(SERVER_CORE), *server.command(port)],
            env=environment,
            cwd=folder,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}{server.path}"
        answer = _first_answer(server, url, process, log)
        start_seconds = time.perf_counter() - began
        found = server.read(answer)
        if abs(found - expected) > TOLERANCE:
            raise ServerError(f"{server.name} answers {found}, the model itself {expected}.")
        yield RunningServer(server=server, process=process, url=url, start_seconds=start_seconds)
    finally:
        _end(process)


def _first_answer(server: Server, url: str, process: subprocess.Popen[bytes], log: Path) -> Any:
    """Ask until it answers. Raises ServerError with the end of its log."""
    refusal = "nothing"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        request = urllib.request.Request(
            url, server.body, {"Content-Type": "application/json", **server.headers}, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:  # it listens, but the model may still be loading
            refusal = f"{error.code} {error.read()[:300].decode(errors='replace')}"
        except OSError:
            pass
        time.sleep(0.01)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
    raise ServerError(f"{server.name} gave no answer; the last was: {refusal}. Its log ends with:\n{tail}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop the server with all the processes that it started."""
    left: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        left = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    for each in left:  # some leave children behind; psutil knows a process from a later one with its number
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    process.kill()
    process.wait()
