"""Z-test of two proportions with pooled variance, for small references with two categories."""

from __future__ import annotations

import numpy as np

from .measure import Array, Measure, Measured, Takes, tested

ALPHA = 0.05


def proportions(reference: Array, current: Array) -> Measured:
    """Counts (k,) and (k,), k at most 2, to |z| of the first category's shares, with its two-sided p-value."""
    from scipy.special import ndtr, ndtri

    z = z_of_shares(float(reference[0]), float(reference.sum()), float(current[0]), float(current.sum()))
    return tested(abs(z), float(2 * ndtr(-abs(z))), float(-ndtri(ALPHA / 2)), ALPHA)


def z_of_shares(n_first: float, n: float, m_first: float, m: float) -> float:
    """The z value of m_first / m against n_first / n; 0 when both are none or all."""
    pooled = (n_first + m_first) / (n + m)
    variance = pooled * (1 - pooled) * (1 / n + 1 / m)
    return float((m_first / m - n_first / n) / np.sqrt(variance)) if variance > 0 else 0.0


PROPORTIONS = Measure(name="z", takes=Takes.counts, base=ALPHA, is_test=True, function=proportions)
