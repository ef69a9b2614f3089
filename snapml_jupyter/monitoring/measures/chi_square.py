"""Chi-square tests of categorical samples, for small references (Pearson 1900).

Two of them, because they answer different questions. `chisquare` compares two samples, as they are. `chisquare_of_fit`
takes the reference for the exact truth, as Evidently does: with samples of equal size it calls every fifth unmoved
column of three categories drifted, and any column with one row of a new category.
"""

from __future__ import annotations

from .measure import Array, Measure, Measured, Takes, tested

ALPHA = 0.05


def chi_square(reference: Array, current: Array) -> Measured:
    """Counts (k,) and (k,) to the statistic of homogeneity; `scipy.stats.chi2_contingency` without correction."""
    n, m = float(reference.sum()), float(current.sum())
    together = reference + current
    seen = together > 0
    reference, current, together = reference[seen], current[seen], together[seen]
    # With expected counts e1 = n t / (n + m) and e2 = m t / (n + m), both squared deviations are equal.
    deviation = (reference - n * together / (n + m)) ** 2
    statistic = float((deviation / together).sum() * (n + m) * (1 / n + 1 / m))
    return _judged(statistic, len(together) - 1)


def chi_square_of_fit(reference: Array, current: Array) -> Measured:
    """Counts (k,) and (k,) to the statistic of fit; `scipy.stats.chisquare(current, reference * m / n)`."""
    expected = reference * (current.sum() / reference.sum())
    seen = expected > 0
    statistic = float(((current[seen] - expected[seen]) ** 2 / expected[seen]).sum())
    if current[~seen].any():
        statistic = float("inf")
    return _judged(statistic, len(reference) - 1)


def _judged(statistic: float, degrees: int) -> Measured:
    from scipy.special import chdtrc, chdtri

    if degrees < 1:
        return tested(0.0, 1.0, 0.0, ALPHA)
    return tested(statistic, float(chdtrc(degrees, statistic)), float(chdtri(degrees, ALPHA)), ALPHA)


CHI_SQUARE = Measure(name="chisquare", takes=Takes.counts, base=ALPHA, is_test=True, function=chi_square)
CHI_SQUARE_OF_FIT = Measure(
    name="chisquare_of_fit", takes=Takes.counts, base=ALPHA, is_test=True, function=chi_square_of_fit
)
