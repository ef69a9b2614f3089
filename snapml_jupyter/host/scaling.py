"""How many workers there should be: a pure decision on how busy they are."""

from __future__ import annotations

from collections.abc import Sequence

#: Workers that compute for more than this share of the time want help; below the other one, one of them can go.
BUSY, IDLE = 0.75, 0.35
#: One is added at once, and taken away only after so long without need, in seconds.
QUIET_SECONDS = 30.0


def wanted_workers(busy: Sequence[float], least: int, most: int, quiet_seconds: float) -> int:
    """The number of workers to have, one more or less than there are at most.

    `busy` is the share of the last seconds that each worker has computed, `quiet_seconds` how long they have been busy so
    little that one fewer would do.

    >>> wanted_workers([0.9, 0.8], 1, 4, 0), wanted_workers([0.1, 0.2], 1, 4, 60), wanted_workers([0.5, 0.5], 1, 4, 60)
    (3, 1, 2)
    """
    n = len(busy)
    if n < least:
        return n + 1
    if n > most:
        return n - 1
    if n < most and busy and sum(busy) / n > BUSY:
        return n + 1
    if n > least and could_do_with_fewer(busy) and quiet_seconds >= QUIET_SECONDS:
        return n - 1
    return n


def could_do_with_fewer(busy: Sequence[float]) -> bool:
    """Whether one worker fewer would still be little busy."""
    return len(busy) > 1 and sum(busy) / (len(busy) - 1) < IDLE
