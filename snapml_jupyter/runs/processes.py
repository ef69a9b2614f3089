"""Which process a run lives in, and whether it still does."""

from __future__ import annotations

import functools
import os
import socket

from ..domain.run import RunProcess

#: Two readings of one process's start may differ by this much when the clock was set in between.
_TOLERANCE_SECONDS = 5.0


def this_process() -> RunProcess:
    """The running process, with the start time that tells it from a later one of the same pid."""
    return _process(os.getpid())


def is_gone(process: RunProcess) -> bool:
    """Whether the process certainly ended. One of another machine cannot be judged from here: False."""
    import psutil

    if process.host != socket.gethostname():
        return False
    try:
        found = psutil.Process(process.pid)
        if abs(found.create_time() - process.created_at) > _TOLERANCE_SECONDS:
            return True
        return bool(found.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


@functools.lru_cache(maxsize=1)
def _process(pid: int) -> RunProcess:
    import psutil

    return RunProcess(host=socket.gethostname(), pid=pid, created_at=psutil.Process(pid).create_time())
