"""Two-sample Kolmogorov-Smirnov test, for small references (Hodges 1958; `scipy.stats.ks_2samp`)."""

from __future__ import annotations

import warnings

import numpy as np

from .measure import Array, Measure, Measured, Takes, tested

ALPHA = 0.05


def kolmogorov_smirnov(reference: Array, current: Array) -> Measured:
    """Float64 (n,) and (m,) to the largest distance of the distribution functions, with its p-value."""
    from scipy.special import kolmogi
    from scipy.stats import ks_2samp

    with warnings.catch_warnings():
        # Where the exact p-value overflows scipy takes the asymptotic one and says so; the difference is below 1e-3.
        warnings.simplefilter("ignore", RuntimeWarning)
        result = ks_2samp(reference, current)
    n, m = len(reference), len(current)
    critical = float(kolmogi(ALPHA) * np.sqrt((n + m) / (n * m)))
    return tested(float(result.statistic), float(result.pvalue), critical, ALPHA)


KOLMOGOROV_SMIRNOV = Measure(name="ks", takes=Takes.numbers, base=ALPHA, is_test=True, function=kolmogorov_smirnov)
