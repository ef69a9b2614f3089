"""Numbers, times and values as people read them, the same in the notebook and in the terminal. Standard library only."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from enum import Enum
from typing import Any

from .domain.checks import GateSummary
from .domain.errors import InvalidInputError


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


def gate_word(gate: GateSummary | None) -> str | None:
    """`passed`, `failed 2 of 9`, or None for a version that no gate has judged."""
    if gate is None:
        return None
    return "passed" if gate.passed else f"failed {gate.n_failed} of {gate.n_checks}"


_SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_AMOUNT = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([a-z]*)\s*", re.IGNORECASE)


def parse_duration(text: str) -> float:
    """Seconds of a duration as people write it. Raises InvalidInputError.

    >>> parse_duration("90s"), parse_duration("1.5h"), parse_duration("30d"), parse_duration("50ms")
    (90.0, 5400.0, 2592000.0, 0.05)
    """
    match = _AMOUNT.fullmatch(text)
    unit = match.group(2).lower() if match else ""
    if match is None or unit not in _SECONDS or float(match.group(1)) >= 1e9:
        raise InvalidInputError(f"'{text}' is not a duration. Write 50ms, 90s, 10m, 2h, 30d or 2w.")
    return float(match.group(1)) * _SECONDS[unit]


def parse_size(text: str) -> int:
    """Bytes of a size as people write it. Raises InvalidInputError.

    >>> parse_size("64MB"), parse_size("1.5 GiB"), parse_size("800")
    (64000000, 1610612736, 800)
    """
    match = _AMOUNT.fullmatch(text)
    if match is None or match.group(2).lower() not in _BYTES:
        raise InvalidInputError(f"'{text}' is not a size. Write 800, 64kB, 200MB, 1.5GB or 512MiB.")
    return round(float(match.group(1)) * _BYTES[match.group(2).lower()])
