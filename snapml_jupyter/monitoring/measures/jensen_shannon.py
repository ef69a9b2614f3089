"""Jensen-Shannon distance of two categorical samples.

The square root of the Jensen-Shannon divergence in nats (Lin 1991, https://doi.org/10.1109/18.61115; Endres and
Schindelin 2003). Same number as `scipy.spatial.distance.jensenshannon`. 0 is equal, 0.83 nothing in common.
"""

from __future__ import annotations

import numpy as np

from .measure import CHANCE, Array, Measure, Measured, Takes

BASE = 0.1


def jensen_shannon(reference: Array, current: Array) -> Measured:
    """Counts (k,) and (k,) of the same categories to the distance. New and vanished categories count fully.

    Between unmoved samples of n and m rows the divergence is not 0 but about (k - 1) / 8 (1/n + 1/m), because
    8 / (1/n + 1/m) times it is close to a chi-square of k - 1 degrees of freedom. The threshold is 0.1 beyond that
    expectation, and beyond what chance reaches once in a hundred; for few categories and many rows that is 0.1.
    """
    from scipy.special import chdtri

    n, m = float(reference.sum()), float(current.sum())
    first, second = reference / n, current / m
    middle = (first + second) / 2
    divergence = (_relative_entropy(first, middle) + _relative_entropy(second, middle)) / 2
    n_categories = int((middle > 0).sum())
    noise = (1 / n + 1 / m) / 8
    by_chance = float(chdtri(n_categories - 1, CHANCE)) if n_categories > 1 else 0.0
    allowed = max(BASE**2 + (n_categories - 1) * noise, by_chance * noise)
    return Measured(score=float(np.sqrt(max(divergence, 0.0))), threshold=float(np.sqrt(allowed)))


def _relative_entropy(shares: Array, middle: Array) -> float:
    seen = shares > 0
    return float((shares[seen] * np.log(shares[seen] / middle[seen])).sum())


JENSEN_SHANNON = Measure(name="jensenshannon", takes=Takes.counts, base=BASE, is_test=False, function=jensen_shannon)
