"""Wasserstein distance of two samples, in standard deviations of the reference.

The first Wasserstein (earth mover's) distance: the area between the two distribution functions
(Ramdas, Garcia and Cuturi 2015, https://arxiv.org/abs/1509.02237). Same number as
`scipy.stats.wasserstein_distance(reference, current) / max(numpy.std(reference), 0.001)`, seven times faster on
sorted input.
"""

from __future__ import annotations

import numpy as np

from .measure import Array, Measure, Measured, Takes

BASE = 0.1

#: The 99 % quantile of the distance between unmoved samples is 1.4 to 2.0 times its scale (below) for uniform, normal,
#: exponential, log-normal and t(3) values; 1.91 for uniform ones (Johnson and Killeen 1983). benchmarks/drift measures it.
CHANCE_FACTOR = 2.0


def wasserstein(reference: Array, current: Array) -> Measured:
    """Sorted float64 (n,) and (m,) to the normalised distance.

    The threshold is 0.1, or more for samples so small that chance alone reaches more than 0.1 once in a hundred.
    """
    deviation = max(float(reference.std()), 0.001)
    score = _distance(reference, current) / deviation
    scale = _bridge_area(reference) * float(np.sqrt(1 / len(reference) + 1 / len(current)))
    return Measured(score=score, threshold=max(BASE, CHANCE_FACTOR * scale / deviation))


def _distance(first: Array, second: Array) -> float:
    """The integral over p in [0, 1] of the difference of the two quantile functions, which are step functions."""
    n, m = len(first), len(second)
    if n == m:
        return float(np.abs(first - second).mean())
    # Steps of both functions in units of 1 / (n m), so that whole numbers decide which value holds where.
    steps = np.concatenate((np.arange(1, n + 1, dtype=np.int64) * m, np.arange(1, m + 1, dtype=np.int64) * n))
    steps.sort(kind="stable")  # two sorted runs: one merge
    widths = np.diff(steps, prepend=0)
    gaps = np.abs(first[(steps - 1) // m] - second[(steps - 1) // n])
    return float((gaps * widths).sum() / (n * m))


def _bridge_area(values: Array) -> float:
    """Integral of sqrt(F (1 - F)): the distance of unmoved samples is this times sqrt(1/n + 1/m), up to a factor.

    sqrt(n m / (n + m)) times the difference of the distribution functions tends to a Brownian bridge at F, whose
    standard deviation is sqrt(F (1 - F)).
    """
    n = len(values)
    share = np.arange(1, n) / n
    return float((np.sqrt(share * (1 - share)) * np.diff(values)).sum())


WASSERSTEIN = Measure(name="wasserstein", takes=Takes.numbers, base=BASE, is_test=False, function=wasserstein)
