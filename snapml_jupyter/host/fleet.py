"""The workers of a host: started, watched, replaced when they die, hang or grow, and as many as the load needs."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from ..serving.reports import WorkerReport, read_report, say
from ..serving.running import ran_last, running_path
from .port import Door
from .scaling import could_do_with_fewer, wanted_workers
from .supervisor import Child, end_all

#: A worker whose event loop has not turned for so long is replaced.
HANG_SECONDS = 10.0
#: A worker may take so long to load everything before it listens.
WORKER_START_SECONDS = 120.0
#: Connections wait so long at most for the next worker of a place before they are left to the others.
DOOR_SECONDS = 1.0
#: How busy workers are is measured over this time, and their number changed at most so often.
MEASURE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Loss:
    """A worker that died while it worked on a deployment (`endpoint/number`), perhaps because of it."""

    label: str
    is_loading: bool


@dataclass(slots=True)
class _Busy:
    """What is known of one worker's computing: at the last measurement, and the share since the one before."""

    at: float
    cpu_seconds: float
    share: float | None = None


class Fleet:
    """`start(pulse, listener)` makes a worker, given the pipe for its signs of life and the socket to listen on.

    `bind` makes such a socket; `folder` is where workers report.
    """

    def __init__(
        self,
        start: Callable[[int, int], subprocess.Popen[bytes]],
        bind: Callable[[], socket.socket],
        folder: Path,
        n_workers: int,
        max_memory_bytes: int,
    ) -> None:
        self._start = start
        self._bind = bind
        self._doors: dict[str, Door] = {}
        self._folder = folder
        self._numbers = count(1)
        self._max_memory_bytes = max_memory_bytes
        self.workers = [self._child() for _ in range(n_workers)]
        self.leaving: list[Child] = []
        self._replaced: list[Child] = []
        self._outdated: list[Child] = []
        self._busy: dict[int, _Busy] = {}
        self._quiet_since: float | None = None
        self._changed_at = 0.0

    def look(self, now: float) -> tuple[list[WorkerReport], list[Loss]]:
        """Start what is due, kill what hangs; the reports of the workers that run, and what dead ones worked on."""
        reports: list[WorkerReport] = []
        losses: list[Loss] = []
        for child in self.workers:
            pid = child.pid
            report = read_report(self._folder / f"{pid}.json", WorkerReport) if pid else None
            if ended := child.look(now):
                say(f"host: {ended}")
                if child.start_again_at - now > DOOR_SECONDS:
                    self._doors[child.name].close()
                if pid is not None and (loss := self._loss(pid, report)):
                    losses.append(loss)
                continue
            if pid is None:
                continue
            is_serving = report is not None and report.is_serving
            if child.silent_seconds(now) > (HANG_SECONDS if is_serving else WORKER_START_SECONDS):
                say(f"host: {child.name} (process {pid}) hangs and is replaced")
                child.send(signal.SIGKILL)
            elif report is not None:
                reports.append(report)
                self._measure(report, now)
        self.leaving = [child for child in self.leaving if child.is_running()]
        return reports, losses

    def scale(self, reports: list[WorkerReport], least: int, most: int, now: float) -> None:
        """Have one worker more or fewer when the load asks for it, and another in the place of one that has grown too large."""
        serving = {report.pid: report for report in reports if report.is_serving}
        for child in [child for child in self._replaced if child.pid in serving]:
            self._replaced.remove(child)  # the new one answers: the old one may finish and go
            if self._outdated:
                self._let_go(self._outdated.pop())
            else:
                self._let_go(max(self.workers, key=lambda each: self._memory(each, serving)))
        busy = [self._busy[pid].share for pid in serving if pid in self._busy]
        known = [share for share in busy if share is not None]
        if len(known) < len(self.workers) or now - self._changed_at < MEASURE_SECONDS or self._replaced:
            if len(self.workers) < least and not self._replaced:
                self._add(now)
            return
        if not could_do_with_fewer(known):
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = now
        quiet = now - self._quiet_since if self._quiet_since is not None else 0.0
        wanted = wanted_workers(known, least, most, quiet)
        if wanted > len(self.workers):
            say(f"host: workers compute {max(known):.0%} of the time; there will be {wanted}")
            self._add(now)
        elif wanted < len(self.workers):
            say(f"host: little to do; there will be {wanted} workers")
            self._let_go(self.workers[-1])
            self._changed_at = now
        elif any(self._memory(child, serving) > self._max_memory_bytes for child in self.workers):
            say("host: a worker has grown beyond its memory and is replaced")
            self._replaced.append(self._add(now))

    def replace_all(self, now: float) -> None:
        """Another worker for each, with what `start` gives now; the old ones go as the new ones answer."""
        self._outdated = list(self.workers)
        for _ in self._outdated:
            self._replaced.append(self._add(now))

    def end(self, seconds: float) -> None:
        """Let all finish what is in flight and go."""
        for door in self._doors.values():
            door.close()
        end_all([*self.workers, *self.leaving], seconds)

    def _child(self) -> Child:
        name = f"worker {next(self._numbers)}"
        door = self._doors[name] = Door(self._bind)
        return Child(name, lambda pulse: self._start(pulse, door.fileno()))

    def _add(self, now: float) -> Child:
        child = self._child()
        self.workers.append(child)
        self._changed_at = now
        return child

    def _let_go(self, child: Child) -> None:
        self.workers.remove(child)
        self._doors.pop(child.name).close()
        child.send(signal.SIGTERM)
        self.leaving.append(child)

    def _memory(self, child: Child, serving: dict[int, WorkerReport]) -> int:
        report = serving.get(child.pid or 0)
        return report.memory_bytes if report else 0

    def _measure(self, report: WorkerReport, now: float) -> None:
        before = self._busy.get(report.pid)
        if before is None:
            self._busy[report.pid] = _Busy(now, report.cpu_seconds)
        elif now - before.at >= MEASURE_SECONDS:
            share = (report.cpu_seconds - before.cpu_seconds) / (now - before.at)
            self._busy[report.pid] = _Busy(now, report.cpu_seconds, share)

    def _loss(self, pid: int, report: WorkerReport | None) -> Loss | None:
        self._busy.pop(pid, None)
        labels = list(report.loaded) if report is not None else []
        ran = ran_last(running_path(self._folder, pid), labels)
        if report is not None and report.loading:
            return Loss(report.loading, True)
        return Loss(ran, False) if ran else None
