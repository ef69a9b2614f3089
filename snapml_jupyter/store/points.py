"""Points of one metric as columns: what a turn of a Python loop for each of them would cost is most of their price."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import compress

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Columns:
    """Points in the order they were logged. A step of None, and `steps` None for all, is the next one."""

    values: list[float]
    steps: Sequence[int | None] | None
    times_ns: list[int]

    def where(self, chosen: list[bool]) -> Columns:
        """Some of them."""
        return Columns(
            list(compress(self.values, chosen)),
            None if self.steps is None else list(compress(self.steps, chosen)),
            list(compress(self.times_ns, chosen)),
        )


def pack(steps: Sequence[int], values: Sequence[float], times_us: Sequence[int]) -> bytes:
    """As a chunk keeps them."""
    count = len(steps)
    return struct.pack(f"<{count}q{count}d{count}q", *steps, *values, *times_us)


def unpack(chunk: bytes) -> tuple[Sequence[int], Sequence[float], Sequence[int]]:
    """Steps, values and microseconds of a chunk."""
    count = len(chunk) // 24
    numbers = struct.unpack(f"<{count}q{count}d{count}q", chunk)
    return numbers[:count], numbers[count : 2 * count], numbers[2 * count :]


def microseconds(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def nanoseconds(at: datetime) -> int:
    """Nanoseconds since 1970."""
    return microseconds(at) * 1000


def from_microseconds(logged_us: int) -> datetime:
    """The time."""
    return _EPOCH + timedelta(microseconds=logged_us)
