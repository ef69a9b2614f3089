"""Keep child processes alive: start them, notice when they die or hang, start them again with growing patience."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

#: Deaths older than this no longer count for the patience.
_FORGET_SECONDS = 60.0
_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 10.0
#: A process that ran for so long has shown that it can: whatever ended it, the next one starts at once.
_PROVED_SECONDS = 3.0


def restart_delay_seconds(n_recent_deaths: int) -> float:
    """How long to wait before the next start: at once after one death, doubling while they go on one after the other.

    >>> restart_delay_seconds(1), restart_delay_seconds(4), restart_delay_seconds(40)
    (0.1, 0.8, 10.0)
    """
    return min(_FIRST_DELAY_SECONDS * 2.0 ** min(n_recent_deaths - 1, 20), _LONGEST_DELAY_SECONDS)


@dataclass(slots=True)
class Child:
    """One process that should always run; `name` is for the log.

    `start` makes it and is given the writing end of a pipe: whatever the process writes there is a sign of life. A pipe,
    because files cannot be written on a full disk, which is no reason to replace a process.
    """

    name: str
    start: Callable[[int], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None
    start_again_at: float = -math.inf
    deaths: list[float] = field(default_factory=list)
    started_at: float = math.inf
    #: When it last gave a sign of life, on the monotonic clock.
    heard_at: float = 0.0
    pulse: int | None = None

    @property
    def pid(self) -> int | None:
        """The running process's id."""
        return self.process.pid if self.process is not None else None

    def look(self, now: float) -> str | None:
        """Start the process when it is due; returns how it ended when it has just died."""
        if self.process is None:
            if now >= self.start_again_at:
                try:
                    self._start()
                except OSError as error:  # no memory or no process number left, for the moment
                    return f"{self.name} could not start ({error}); {self._wait(now, 0.0)}"
                self.heard_at = self.started_at = now
            return None
        code = self.process.poll()
        if code is None:
            return None
        self.process = None
        return f"{self.name} ended ({how_it_ended(code)}); {self._wait(now, now - self.started_at)}"

    def _wait(self, now: float, lived_seconds: float) -> str:
        is_proved = lived_seconds >= _PROVED_SECONDS
        self.deaths = [at for at in self.deaths if now - at < _FORGET_SECONDS and not is_proved] + [now]
        delay = restart_delay_seconds(len(self.deaths))
        self.start_again_at = now + delay
        return f"the next one starts in {delay:.1f} seconds"

    def silent_seconds(self, now: float) -> float:
        """For how long it has given no sign of life."""
        if self.pulse is not None:
            with contextlib.suppress(BlockingIOError):
                if os.read(self.pulse, 4096):
                    self.heard_at = now
        return now - self.heard_at

    def _start(self) -> None:
        if self.pulse is not None:
            os.close(self.pulse)
        self.pulse, writing_end = os.pipe()
        os.set_blocking(self.pulse, False)
        try:
            self.process = self.start(writing_end)
        finally:
            os.close(writing_end)

    def is_running(self) -> bool:
        """Whether the process still runs; it is not started again here."""
        return self.process is not None and self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if there is still anybody to get it."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)

    def end(self, seconds: float) -> None:
        """SIGTERM, wait, and SIGKILL when that was not heard."""
        if self.process is None:
            return
        self.send(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            self.process.wait()
        self.process = None


def stop_on_signal(number: signal.Signals, stopping: threading.Event) -> None:
    """Set the event when the signal comes.

    By a thread: the signal may come while the main thread holds the event's own lock, and waiting for that would be for ever.
    """
    signal.signal(number, lambda *_: threading.Thread(target=stopping.set, daemon=True).start())


def end_all(children: list[Child], seconds: float) -> None:
    """SIGTERM to all at once, then wait for each."""
    for child in children:
        child.send(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    for child in children:
        child.end(max(0.1, deadline - time.monotonic()))


def how_it_ended(code: int) -> str:
    """An exit status in words."""
    if code >= 0:
        return f"exit status {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
