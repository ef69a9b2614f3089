"""The metrics of a live run as they come, for a display of its own process: newest values, and thinned curves."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..store.journal_tail import JournalTail
from .point_buffer import PointBuffer

if TYPE_CHECKING:
    from .tracking import ActiveRun

#: A curve is thinned to half of this when it gets longer.
MAX_POINTS = 120


@dataclass(slots=True)
class LiveCurve:
    """One metric so far: every `stride`-th value, and the newest."""

    newest: float = float("nan")
    n_points: int = 0
    stride: int = 1
    kept: list[float] = field(default_factory=list)

    def add(self, values: Sequence[float]) -> None:
        """Take what was logged since."""
        first = -self.n_points % self.stride
        self.kept += values[first :: self.stride]
        self.n_points += len(values)
        self.newest = values[-1]
        while len(self.kept) > MAX_POINTS:
            self.kept = self.kept[::2]
            self.stride *= 2

    def points(self) -> list[float]:
        """The curve up to the newest value; nothing to draw of a single one."""
        if self.n_points < 2:
            return []
        is_kept = (self.n_points - 1) % self.stride == 0
        return self.kept if is_kept else [*self.kept, self.newest]


class MetricFollower:
    """Follows a run's metrics from where they are kept; logging them costs nothing more for it."""

    def __init__(self, active: ActiveRun) -> None:
        self.curves: dict[str, LiveCurve] = {}
        self._tail: JournalTail | None = None
        self._heard: deque[tuple[str, float]] = deque()
        if active.workspace.is_remote:
            points = active._points
            assert isinstance(points, PointBuffer)
            points.heard = self._heard
        else:
            self._tail = JournalTail(active.workspace.folder, active.run_id)  # type: ignore[union-attr]  # local

    def look(self) -> bool:
        """Take what was logged since the last look; whether there was anything."""
        new = self._tail.new_values() if self._tail is not None else self._new_heard()
        for name, values in new:
            self.curves.setdefault(name, LiveCurve()).add(values)
        return bool(new)

    def close(self) -> None:
        """Follow no more."""
        if self._tail is not None:
            self._tail.close()

    def _new_heard(self) -> list[tuple[str, Sequence[float]]]:
        new: dict[str, list[float]] = {}
        for _ in range(len(self._heard)):
            name, value = self._heard.popleft()
            new.setdefault(name, []).append(value)
        return list(new.items())
