"""Judging the guards of a rollout on what both versions did, at any time and as often as one likes.

A guard is broken when the evidence against it is such as a version that keeps it shows at any time with a chance of at most
alpha (see `sequential`), alpha being shared by all guards of the plan. Until then it holds, or too little is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..domain.traffic import Guard, GuardJudgement
from .sequential import Estimate, difference, rate_evidence, rate_interval

#: Labelled rows of a version below which a metric is not called holding.
MIN_LABELS = 30

BROKEN, HOLDS, UNKNOWN = "broken", "holds", "unknown"


def judge_rate(
    guard: Guard,
    n_bad: int,
    n: int,
    alpha: float,
    *,
    bound: float,
    shown: float | None,
    beside: float | None = None,
    n_beside: int = 0,
) -> GuardJudgement:
    """A guard that at most `bound` of the challenger's requests or rows are bad.

    `shown` is the figure people know, `beside` the champion's of `n_beside` requests.
    """
    evidence = rate_evidence(n_bad, n, bound)
    broken = evidence >= 1.0 / alpha
    rate = n_bad / n if n else None
    state = BROKEN if broken else HOLDS if rate is not None and rate <= bound else UNKNOWN
    said = "nothing yet" if rate is None else f"{n_bad:,} of {n:,} ({rate:.2%}), allowed are {bound:.2%}"
    words = {BROKEN: "more than chance explains", HOLDS: "within", UNKNOWN: "not enough to tell"}[state]
    low, high = rate_interval(n_bad, n, alpha)
    tested = _Tested(rate, low if n else None, high if n else None, bound, evidence, 1.0 / alpha)
    return _judgement(guard, state, shown, beside, n, n_beside, f"{said}: {words}", tested)


def judge_estimates(guard: Guard, challenger: Estimate, champion: Estimate, alpha: float) -> GuardJudgement:
    """A guard on a figure of both versions, or of one against a fixed number."""
    if not guard.is_relative:
        champion = Estimate(0.0, 0.0, 10**12)
    wants_more = guard.relation in (">", ">=")
    found = difference(challenger, champion, 2.0 * alpha)  # one side of it
    broken = found.high < guard.threshold if wants_more else found.low > guard.threshold
    few = min(challenger.n_rows, champion.n_rows) < MIN_LABELS or not math.isfinite(found.value)
    keeps = found.value >= guard.threshold if wants_more else found.value <= guard.threshold
    state = BROKEN if broken else HOLDS if keeps and not few else UNKNOWN
    if few:
        words = f"{challenger.n_rows:,} rows of it have labels so far, {MIN_LABELS} are needed"
    else:
        words = f"{challenger.value:.4g}" + (f" against {champion.value:.4g}" if guard.is_relative else "")
        words += f": between {found.low:+.4g} and {found.high:+.4g}, allowed from {guard.threshold:+.4g}"
        words += {BROKEN: ", so it is worse", HOLDS: "", UNKNOWN: ", not enough to tell"}[state]
    n_champion = champion.n_rows if guard.is_relative else 0
    shown = champion.value if guard.is_relative else None
    tested = (
        _Tested(found.value, found.low, found.high, guard.threshold) if not few else _Tested(allowed=guard.threshold)
    )
    return _judgement(guard, state, challenger.value, shown, challenger.n_rows, n_champion, words, tested)


def judge_drift(guard: Guard, share: float | None, n_rows: int, columns: list[str]) -> GuardJudgement:
    """A guard on the share of input columns that drifted; each column's own test already allows for chance."""
    tested = _Tested(share, allowed=guard.threshold)
    if share is None:
        return _judgement(
            guard, UNKNOWN, None, None, n_rows, 0, f"{n_rows:,} logged rows are too few to compare", tested
        )
    state = HOLDS if share < guard.threshold or (share == guard.threshold and "=" in guard.relation) else BROKEN
    named = f" ({', '.join(columns[:4])})" if columns else ""
    return _judgement(guard, state, share, None, n_rows, 0, f"{share:.0%} of the input columns moved{named}", tested)


def rate_estimate(n_hits: int, n: int) -> Estimate:
    """A share of requests or rows as an estimate."""
    if n < 2:
        return Estimate(n_hits / n if n else math.nan, math.inf, n)
    rate = n_hits / n
    return Estimate(rate, max(rate * (1.0 - rate), 1.0 / n) / (n - 1), n)


@dataclass(frozen=True, slots=True)
class _Tested:
    """What the state rests on, as in `GuardJudgement`."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    allowed: float | None = None
    evidence: float | None = None
    needed: float | None = None


def _judgement(
    guard: Guard,
    state: str,
    challenger: float | None,
    champion: float | None,
    n: int,
    n_champion: int,
    words: str,
    tested: _Tested,
) -> GuardJudgement:
    return GuardJudgement(
        guard=guard.text,
        state=state,
        challenger=_finite(challenger),
        champion=_finite(champion),
        n_challenger=n,
        n_champion=n_champion,
        words=words,
        tested=_finite(tested.value),
        low=_finite(tested.low),
        high=_finite(tested.high),
        allowed=_finite(tested.allowed),
        evidence=_finite(tested.evidence),
        evidence_needed=_finite(tested.needed),
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
