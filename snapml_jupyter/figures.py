"""Numbers, times and values as people read them, the same in the notebook and in the terminal. Standard library only."""

from __future__ import annotations

from datetime import datetime, timezone
from enum import Enum
from typing import Any


def show(value: Any) -> str:
    """A value in a cell: metrics to 4 significant digits, times as age, counts with thousands separated by a thin space."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return age(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u2009")
    if isinstance(value, dict):
        return "  ".join(f"{key} {show(item)}" for key, item in value.items()) or "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(show(item) for item in value) or "-"
    return str(value)


def age(then: datetime, now: datetime | None = None) -> str:
    """`12 min`, `3 h`, `5 d`: how long ago."""
    seconds = max(0.0, ((now or datetime.now(timezone.utc)) - then).total_seconds())
    for limit, unit, divisor in ((60, "s", 1), (3600, "min", 60), (86_400, "h", 3600)):
        if seconds < limit:
            return f"{int(seconds / divisor)} {unit}"
    return f"{int(seconds / 86_400)} d"


def size(n_bytes: int) -> str:
    """`1.4 MB`; powers of 1000."""
    amount = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def duration(seconds: float | None) -> str:
    """`14 s`, `340 ms`, `2 min 5 s`."""
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
