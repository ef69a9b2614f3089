"""Fixtures every test may use: a workspace in a fresh folder and a clock that moves only when told."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from snapml_jupyter.store.workspace import Workspace


class Clock:
    """A clock for tests: `clock()` is now, `clock.advance(seconds)` moves it."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 1, 12, 0, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        self.time += timedelta(microseconds=1)
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(tmp_path: Path, clock: Clock) -> Workspace:
    return Workspace(tmp_path / "workspace", actor="ada", clock=clock)
