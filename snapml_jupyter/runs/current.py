"""Which run is active here: the one that `snap.log_metric` and autologging write to."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tracking import ActiveRun

_here: ContextVar[tuple[ActiveRun, ...]] = ContextVar("snapml_active_runs", default=())
_everywhere: list[ActiveRun] = []


def active_run() -> ActiveRun | None:
    """The run to log to here: the newest unfinished one of this thread or task, else of the whole process.

    The second rule lets worker threads, and cells after the one that called `start_run`, find it.
    """
    for active in reversed(_here.get()):
        if active._ended is None:
            return active
    for active in reversed(_everywhere):
        if active._ended is None:
            return active
    return None


def enclosing_run() -> ActiveRun | None:
    """The unfinished run whose `with` block, decorated function or recorded cell this code is in."""
    return next((active for active in reversed(_here.get()) if active.is_active and active.encloses), None)


def list_active() -> list[ActiveRun]:
    """Every unfinished run of the process, oldest first."""
    return list(_everywhere)


def enter(active: ActiveRun) -> None:
    """Make it the active one of this thread or task."""
    unfinished = tuple(other for other in _here.get() if other.is_active and other is not active)
    _here.set((*unfinished, active))
    if active not in _everywhere:
        _everywhere.append(active)


def leave(active: ActiveRun) -> None:
    """It has ended."""
    _here.set(tuple(other for other in _here.get() if other is not active))
    if active in _everywhere:
        _everywhere.remove(active)
