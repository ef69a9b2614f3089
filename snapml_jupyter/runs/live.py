"""The thread that writes, about once a second, what the runs of this process logged: so that others see them live."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol

#: How often, and how long it waits for a new run before it ends.
EVERY_SECONDS = 1.0
_IDLE_ROUNDS = 10


class Flushable(Protocol):
    """A live run."""

    @property
    def is_active(self) -> bool:
        """Whether it is still logged to."""

    def flush_points(self) -> None:
        """Write what was logged since the last time. Must not raise."""


_runs: weakref.WeakSet[Flushable] = weakref.WeakSet()
_lock = threading.Lock()
_thread: threading.Thread | None = None


def keep_live(run: Flushable) -> None:
    """Flush the run regularly until it ends."""
    global _thread
    with _lock:
        _runs.add(run)
        if _thread is None:
            thread = threading.Thread(target=_flush_regularly, name="snapml-live-runs", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter is ending: the run writes everything as it ends
                return
            _thread = thread


def _flush_regularly() -> None:
    global _thread
    idle = 0
    while True:
        _pause.wait(EVERY_SECONDS)
        runs = [run for run in list(_runs) if run.is_active]
        for run in runs:
            run.flush_points()
        idle = 0 if runs else idle + 1
        with _lock:
            for run in list(_runs):
                if not run.is_active:
                    _runs.discard(run)
            if idle >= _IDLE_ROUNDS and not _runs:
                _thread = None
                return


_pause = threading.Event()  # never set: a wait that is not `time.sleep`, which tests and users replace


def _forget() -> None:
    global _thread, _lock
    _thread, _lock = None, threading.Lock()
    _runs.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
