"""Jensen-Shannon distance of two categorical samples.

The square root of the Jensen-Shannon divergence in nats (Lin 1991, https://doi.org/10.1109/18.61115; Endres and
Schindelin 2003). Same number as `scipy.spatial.distance.jensenshannon`. 0 is equal, 0.83 nothing in common.

Between unmoved samples the divergence is not 0. Near its minimum it is an eighth of Pearson's statistic, so with k
categories and samples of n and m rows it is about (k - 1) / 8 (1/n + 1/m). That holds for categories seen often; how much
a rare one adds is computed here from the Poisson distribution of its count.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .measure import CHANCE, Array, Measure, Measured, Takes

BASE = 0.1


def jensen_shannon(reference: Array, current: Array) -> Measured:
    """Counts (k,) and (k,) of the same categories to the distance. New and vanished categories count fully.

    The divergence must exceed what chance makes of it by 0.1 squared, and reach what chance does once in a hundred; for
    few categories and many rows that is a distance of 0.1.
    """
    n, m = float(reference.sum()), float(current.sum())
    first, second = reference / n, current / m
    middle = (first + second) / 2
    divergence = (_relative_entropy(first, middle) + _relative_entropy(second, middle)) / 2
    expected, by_chance = _chance((reference + current) / (n + m), n, m)
    allowed = max(BASE**2 + expected, by_chance)
    return Measured(score=float(np.sqrt(max(divergence, 0.0))), threshold=float(np.sqrt(allowed)))


def _relative_entropy(shares: Array, middle: Array) -> float:
    seen = shares > 0
    return float((shares[seen] * np.log(shares[seen] / middle[seen])).sum())


def _chance(shares: Array, n: float, m: float) -> tuple[float, float]:
    """Mean and 99 % quantile of the divergence of two samples of n and m rows with the given true shares (k,)."""
    from scipy.special import chdtri

    shares = shares[shares > 0]
    if len(shares) < 2:
        return 0.0, 0.0
    grid, means, deviations = _rare_counts()
    mean = deviation = np.zeros(len(shares))
    for rows in (n, m):
        at = np.log(np.clip(shares * rows, grid[0], grid[-1]))
        scale = np.minimum(shares * rows / grid[0], 1.0) / rows  # below the grid both fall in proportion
        mean = mean + np.interp(at, np.log(grid), means) * scale
        deviation = deviation + np.interp(at, np.log(grid), deviations) * scale
    total = float(mean.sum()) * (1 - 1 / len(shares))  # the shares add up to 1, which takes one degree of freedom
    variance = float((deviation**2).sum()) * (1 - 1 / len(shares))
    degrees = 2 * total**2 / variance  # the chi-square with that mean and variance (Satterthwaite 1946)
    return total, float(chdtri(degrees, CHANCE)) * total / degrees


@lru_cache(maxsize=1)
def _rare_counts() -> tuple[Array, Array, Array]:
    """What a category adds to the divergence times the rows, by its expected count: counts, mean, standard deviation.

    With X of Poisson(c) rows seen where c were expected it adds (c ln(2c / (c + X)) + X ln(2X / (c + X))) / 2, whose mean
    tends to 1/8 and whose standard deviation to sqrt(2)/8 for large c.
    """
    from scipy.special import gammaln

    expected = np.geomspace(0.01, 100, 60)[:, None]
    seen = np.arange(0, 400)[None, :]
    chances = np.exp(seen * np.log(expected) - expected - gammaln(seen + 1))
    logs = np.log(np.where(seen > 0, 2 * seen / (expected + seen), 1.0))
    added = (expected * np.log(2 * expected / (expected + seen)) + seen * logs) / 2
    mean = (chances * added).sum(axis=1)
    deviation = np.sqrt((chances * (added - mean[:, None]) ** 2).sum(axis=1))
    return expected[:, 0], mean, deviation


JENSEN_SHANNON = Measure(name="jensenshannon", takes=Takes.counts, base=BASE, is_test=False, function=jensen_shannon)
