"""Profiles of large new dataset versions, made before anybody asks for them: one at a time, in a process of low priority."""

from __future__ import annotations

import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress

import psutil

from ..domain.event import Event
from .served import ServedWorkspace

#: Versions of fewer rows are profiled when they are looked at, which takes less than a second.
LARGE_ROWS = 200_000
#: Added to the priority of the process, as `nice` has it: it works when nothing else wants to.
_NICENESS = 15


class BackgroundProfiler:
    """`note` is told of every event; a thread of its own profiles the large versions among them, oldest first."""

    def __init__(self, served: ServedWorkspace, log: logging.Logger) -> None:
        self._served = served
        self._log = log
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    def note(self, events: Iterable[Event]) -> None:
        """Remember what is to be profiled. Returns at once."""
        if self._served.is_remote:
            return  # the server at the other end does it
        for event in events:
            if event.kind == "dataset.version_created" and event.details.get("n_rows", 0) >= LARGE_ROWS:
                self._waiting.put(event.subject)
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, name="snapml-profiler", daemon=True)
                    self._thread.start()

    def stop(self) -> None:
        """End with the server; what is not profiled yet is profiled when it is looked at."""
        self._is_stopped = True
        self._waiting.put(None)
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    def _work(self) -> None:
        while (ref := self._waiting.get()) is not None and not self._is_stopped:
            command = [sys.executable, "-m", "snapml_jupyter.cli", "data", "profile", ref, "--json"]
            environment = {**os.environ, "SNAPML_WORKSPACE": self._served.location}
            self._process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            with suppress(psutil.Error, ValueError):  # it may be over already; another system has other priorities
                psutil.Process(self._process.pid).nice(_NICENESS)
            _, said = self._process.communicate()
            if self._process.returncode != 0 and not self._is_stopped:
                self._log.warning("SnapML: %s is not profiled yet. %s", ref, said.decode(errors="replace").strip())
