"""Statistics that may be looked at after every request: what they claim holds at all times at once, not at one planned time.

- A rate against a fixed bound: the beta-binomial mixture likelihood ratio. For a true rate of at most `bound` it exceeds
  1/alpha at any time with a chance of at most alpha (Ville's inequality; Robbins, "Statistical methods related to the law of the
  iterated logarithm", 1970; Howard, Ramdas, McAuliffe, Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence
  sequences", Annals of Statistics 2021).
- A difference of two arms: the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas ("Time-uniform
  central limit theory and asymptotic confidence sequences", Annals of Statistics 2024), with the variance of the difference.
- Shares of arms that should be met: a Dirichlet-multinomial mixture (Lindon, Malek, "Anytime-valid inference for multinomial
  count data", 2022).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The confidence sequence is narrowest around so many effective observations of a difference.
_TUNED_FOR = 2_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure of one arm: its value, the variance of that value as an estimate, and from how many rows."""

    value: float
    variance: float
    n_rows: int


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the ends of its confidence sequence."""

    value: float
    low: float
    high: float


def rate_evidence(n_hits: int, n_trials: int, bound: float) -> float:
    """Evidence that the true rate is above `bound`: at least 1/alpha with a chance of at most alpha when it is not.

    >>> rate_evidence(3, 100, 0.05) < 1 < 1e6 < rate_evidence(60, 400, 0.05)
    True
    """
    from scipy.special import betainc, betaln

    if n_trials == 0 or bound >= 1.0:
        return 1.0
    bound = max(bound, 1e-9)
    # A mixture of rates above the bound: Beta(a, b) around half as much again, cut off at the bound.
    centre = min(1.5 * bound, (1.0 + bound) / 2)
    weight = 20.0
    a, b = weight * centre, weight * (1.0 - centre)
    prior_above = 1.0 - betainc(a, b, bound)
    posterior_above = 1.0 - betainc(a + n_hits, b + n_trials - n_hits, bound)
    if posterior_above <= 0.0:
        return 0.0
    log_ratio = (
        betaln(a + n_hits, b + n_trials - n_hits)
        - betaln(a, b)
        + math.log(posterior_above / prior_above)
        - n_hits * math.log(bound)
        - (n_trials - n_hits) * math.log1p(-bound)
    )
    return math.exp(min(log_ratio, 700.0))


def rate_interval(n_hits: int, n_trials: int, alpha: float) -> tuple[float, float]:
    """Where the true rate lies at all times with a chance of at least 1 - alpha: the rates that a mixture does not exclude.

    >>> low, high = rate_interval(10, 1_000, 0.05)
    >>> 0.002 < low < 0.01 < high < 0.03
    True
    """
    from scipy.special import betaln

    if n_trials == 0:
        return 0.0, 1.0
    mixed = float(betaln(0.5 + n_hits, 0.5 + n_trials - n_hits) - betaln(0.5, 0.5))

    def is_excluded(rate: float) -> bool:
        hits = n_hits * math.log(rate) if n_hits else 0.0
        misses = (n_trials - n_hits) * math.log1p(-rate) if n_hits < n_trials else 0.0
        return mixed - hits - misses >= -math.log(alpha)

    ends = []
    for end, is_open in ((0.0, n_hits > 0), (1.0, n_hits < n_trials)):
        inside, outside = n_hits / n_trials, end
        for _ in range(60 if is_open else 0):
            middle = (inside + outside) / 2
            if is_excluded(middle):
                outside = middle
            else:
                inside = middle
        ends.append(outside)
    return ends[0], ends[1]


def mean_estimate(scores: NDArray[Any]) -> Estimate:
    """The mean of one score a row."""
    n_rows = len(scores)
    if n_rows < 2:
        return Estimate(float(scores.mean()) if n_rows else math.nan, math.inf, n_rows)
    return Estimate(float(scores.mean()), float(scores.var(ddof=1)) / n_rows, n_rows)


def auc_estimate(is_positive: NDArray[Any], scores: NDArray[Any]) -> Estimate:
    """The area under the ROC curve with its variance (DeLong, DeLong, Clarke-Pearson, Biometrics 1988)."""
    import numpy as np
    from scipy.stats import rankdata

    positive, negative = scores[is_positive], scores[~is_positive]
    m, n = len(positive), len(negative)
    if m < 2 or n < 2:
        return Estimate(math.nan, math.inf, m + n)
    ranks = rankdata(np.concatenate([positive, negative]))
    above = (ranks[:m] - rankdata(positive)) / n  # for each positive, the share of negatives below it
    below = 1.0 - (ranks[m:] - rankdata(negative)) / m
    value = float(above.mean())
    return Estimate(value, float(above.var(ddof=1) / m + below.var(ddof=1) / n), m + n)


def difference(challenger: Estimate, champion: Estimate, alpha: float) -> Interval:
    """Challenger minus champion, within [low, high] at all times with a chance of at least 1 - alpha.

    >>> found = difference(Estimate(0.70, 0.21 / 5000, 5000), Estimate(0.80, 0.16 / 5000, 5000), 0.05)
    >>> found.high < 0
    True
    """
    variance = challenger.variance + champion.variance
    value = challenger.value - champion.value
    if not math.isfinite(variance) or not math.isfinite(value):
        return Interval(value, -math.inf, math.inf)
    n = challenger.n_rows * champion.n_rows / (challenger.n_rows + champion.n_rows)
    if variance <= 0.0:  # every row scored the same: as if the next one did not
        variance = 1.0 / (n * n)
    rho2 = (-2.0 * math.log(alpha) + math.log(-2.0 * math.log(alpha) + 1.0)) / _TUNED_FOR
    spread = n * variance  # the variance of one effective observation
    half = math.sqrt(spread * 2.0 * (n * rho2 + 1.0) / (n * n * rho2) * math.log(math.sqrt(n * rho2 + 1.0) / alpha))
    return Interval(value, value - half, value + half)


def share_evidence(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Evidence that requests do not fall on the arms as they should: at least 1/alpha with a chance of at most alpha if they do.

    >>> share_evidence([5_020, 4_980], [0.5, 0.5]) < 1 < 20 < share_evidence([5_300, 4_700], [0.5, 0.5])
    True
    """
    total = sum(counts)
    weight = 100.0
    log_ratio = math.lgamma(weight) - math.lgamma(weight + total)
    for n, share in zip(counts, shares, strict=True):
        if share <= 0.0:
            if n:
                return math.inf
            continue
        log_ratio += math.lgamma(weight * share + n) - math.lgamma(weight * share) - n * math.log(share)
    return math.exp(min(log_ratio, 700.0))
