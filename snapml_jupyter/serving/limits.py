"""Rate limits and quotas: whether one more request may pass, and if not, when the next one may.

A rate is a token bucket (Turner, "New directions in communications", 1986): it fills with `rate` tokens a second up to one
second's worth, at least one, and a request takes one. Every worker keeps the level for itself and takes off what the others
let through since it last looked (`usage`), so the rate holds over all workers however the system spreads connections.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from .usage import Usage, owner_number

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request may not pass, and after how many seconds it may be sent again."""

    reason: str
    retry_seconds: int


class Limiter:
    """The limits of one key or endpoint in this worker."""

    def __init__(
        self,
        usage: Usage,
        name: str,
        slot: int,
        rate_per_second: float | None,
        quota_per_day: int | None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.rate_per_second = rate_per_second
        self.quota_per_day = quota_per_day
        self._usage = usage
        self._slot = slot
        self._owner = owner_number(name)
        self._clock, self._wall_clock = clock, wall_clock
        self._burst = max(1.0, rate_per_second or 0.0)
        self._level = self._burst
        self._looked_at = clock()
        self._seen = usage.total(slot)

    def refuses(self) -> Refusal | None:
        """None when one more request may pass; it is counted by `take`."""
        if self.rate_per_second is not None:
            now = self._clock()
            total = self._usage.total(self._slot)
            self._level = min(self._burst, self._level + self.rate_per_second * (now - self._looked_at))
            self._level -= total - self._seen
            self._looked_at, self._seen = now, total
            if self._level < 1.0:
                wait = (1.0 - self._level) / self.rate_per_second
                return Refusal(f"at most {self.rate_per_second:g} requests a second", max(1, math.ceil(wait)))
        if self.quota_per_day is not None:
            now = self._wall_clock()
            used = self._usage.today(self._slot, self._owner, int(now // _DAY_SECONDS))
            if used >= self.quota_per_day:
                left = _DAY_SECONDS - now % _DAY_SECONDS
                return Refusal(f"at most {self.quota_per_day:,} requests a day (UTC)", max(1, math.ceil(left)))
        return None

    def take(self) -> None:
        """Count one request that passes."""
        self._usage.add(self._slot, self._owner, int(self._wall_clock() // _DAY_SECONDS))
