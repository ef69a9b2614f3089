"""The guards of a rollout as they are written:

error_rate<1%                    requests that the version could not answer (5xx and 422)
p50<20ms, p95<40ms, p99<50ms     latency
agreement>95%                    rows that the champion answers alike
metrics.accuracy>=champion-0.01  over rows whose label came back; also auc, log_loss, mae, mse
drift<0.2                        share of input columns that differ from the version's training data
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from .errors import InvalidInputError
from .traffic import Guard

#: What a guard of labelled rows may be about, and whether more is better.
METRICS: dict[str, bool] = {"accuracy": True, "auc": True, "log_loss": False, "mae": False, "mse": False}
LATENCIES: dict[str, float] = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
_KNOWN = ["error_rate", *LATENCIES, "agreement", *(f"metrics.{name}" for name in METRICS), "drift"]
_GUARD = re.compile(r"^([a-z_0-9.]+)\s*(<=|>=|<|>)\s*(champion)?\s*([+-]?)\s*([0-9.]*)\s*(%|ms|s)?$")


def read_guards(text: str | Iterable[str]) -> list[Guard]:
    """Guards as they are written, separated by commas. Raises InvalidInputError naming the one that cannot be read."""
    words = text.split(",") if isinstance(text, str) else list(text)
    return [_guard(word.strip()) for word in words if word.strip()]


def _guard(text: str) -> Guard:
    match = _GUARD.match(text)
    if match is None:
        raise InvalidInputError(
            f"The guard '{text}' cannot be read. Write a figure, <, <=, > or >=, and a number: error_rate<1%, p99<50ms, "
            "agreement>95%, metrics.auc>=champion-0.01, drift<0.2."
        )
    metric, relation, champion, sign, number, unit = match.groups()
    if metric not in _KNOWN:
        near = difflib.get_close_matches(metric, _KNOWN, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise InvalidInputError(f"A guard cannot be about '{metric}'.{meant} It can be about {', '.join(_KNOWN)}.")
    try:
        threshold = float(number) if number else 0.0
    except ValueError:
        raise InvalidInputError(f"The guard '{text}' has no number: '{number}'.") from None
    if not number and not champion:
        raise InvalidInputError(f"The guard '{text}' lacks a number.")
    threshold = threshold / 100 if unit == "%" else threshold * 1000 if unit == "s" else threshold
    if sign == "-":
        threshold = -threshold
    is_latency, wants_more = metric in LATENCIES, relation in (">", ">=")
    if (unit in ("ms", "s")) != is_latency:
        raise InvalidInputError(f"The guard '{text}': a latency is in ms or s, other figures are numbers or %.")
    better = metric == "agreement" or METRICS.get(metric.removeprefix("metrics."), False)
    if wants_more != better:
        raise InvalidInputError(
            f"The guard '{text}' would be kept by a worse version: of {metric} {'more' if better else 'less'} is better."
        )
    if champion and (is_latency or metric in ("agreement", "drift")):
        raise InvalidInputError(f"The guard '{text}': {metric} is compared with a number, not with the champion.")
    if metric in ("error_rate", "agreement") and not champion and not 0.0 <= threshold <= 1.0:
        raise InvalidInputError(f"The guard '{text}': a share lies between 0% and 100%.")
    return Guard(metric=metric, relation=relation, threshold=threshold, is_relative=bool(champion), text=text)
