"""Points of a run on a remote workspace: held for a moment and sent together."""

from __future__ import annotations

import threading
from collections import deque

from ..domain.run import MetricValue
from ..store.journal_file import JournalClosedError
from ..store.points import from_microseconds


class PointBuffer:
    """Takes points as a journal does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[MetricValue] = []
        self._is_closed = False
        #: Where a display of this process hears of the points; nobody else can, before they are sent.
        self.heard: deque[tuple[str, float]] | None = None

    def append(self, name: str, value: float, step: int | None, at_ns: int) -> None:
        """Hold a point. Raises JournalClosedError when the run was ended."""
        with self._lock:
            if self._is_closed:
                raise JournalClosedError
            logged_at = from_microseconds(at_ns // 1000)
            self._waiting.append(MetricValue(name=name, value=value, step=step, logged_at=logged_at))
            if self.heard is not None:
                self.heard.append((name, value))

    def take(self) -> list[MetricValue]:
        """What is held, to be sent now."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            return waiting

    def end(self) -> None:
        """Take no more."""
        with self._lock:
            self._is_closed = True
