"""Who writes content that no row names yet holds this lock shared; who takes content away holds it alone, for a moment.

Locks of the operating system go with their process, however it ends. Where there are none (some network disks, Windows)
`alone` says so, and only content that has been old for long is taken away.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_NAME = "writing.lock"
_PAUSE_SECONDS = 0.02


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the lock with other writers, from before the first blob until the row that names it."""
    if fcntl is None:
        yield
        return
    with (folder / _NAME).open("a") as file:
        with suppress(OSError):  # no locks here: `alone` will find the same
            fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def alone(folder: Path, wait_seconds: float = 2.0) -> Iterator[bool]:
    """Hold the lock without any writer; false when one is at work for longer than that."""
    if fcntl is None:
        yield False
        return
    with (folder / _NAME).open("a") as file:
        yield _locked(file, time.monotonic() + wait_seconds)


def _locked(file: object, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE_SECONDS)
        except OSError:
            return False
