"""Is the candidate not worse than the champion? Both answer the same held-out rows, so the tests are paired.

Two rules, because they put the burden of proof on different sides:

- `bootstrap`, for any metric: rows are drawn with replacement, both models are scored on each draw, and the candidate
  passes when the lower confidence bound of the difference is above minus the margin. This is a test of
  non-inferiority: the candidate has to show that it is at most `margin` worse, so too few rows fail it. Drawing rows
  keeps the pairs together, which is what makes the difference of two correlated scores sharp; it needs no formula for
  the variance of a metric such as the AUC. Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters 13
  and 16; Koehn, Statistical Significance Tests for Machine Translation Evaluation (EMNLP 2004), for paired use on test
  sets; Walker and Nowacki, Understanding Equivalence and Noninferiority Testing (J Gen Intern Med 26, 2011), for the
  margin.
- `mcnemar`, for labels: only rows that exactly one of the two gets right say anything. If neither were better, each such
  row would be a fair coin, so the exact binomial tail of them is the p-value, one-sided: the candidate fails when it is
  significantly worse, and passes when too few rows differ to say. McNemar, Note on the Sampling Error of the Difference
  Between Correlated Proportions (Psychometrika 12, 1947); Dietterich, Approximate Statistical Tests for Comparing
  Supervised Classification Learning Algorithms (Neural Computation 10, 1998), which recommends it for one test set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .scores import Answered, is_larger_better, scorer

#: The same rows and models give the same verdict.
_SEED = 20_040_725


@dataclass(frozen=True, slots=True)
class Difference:
    """Candidate against champion; `difference` and `lower_bound` are above 0 where the candidate is better."""

    candidate: float
    champion: float
    difference: float
    lower_bound: float


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Rows that exactly one of the two gets right, and the p-value of the candidate being worse."""

    n_only_candidate_wrong: int
    n_only_champion_wrong: int
    p_value: float


def bootstrap(metric: str, candidate: Answered, champion: Answered, *, confidence: float, resamples: int) -> Difference:
    """The difference of the metric and its one-sided lower confidence bound by the paired percentile bootstrap.

    Resamples in which the metric is undefined (no row of a class) count for neither side. Raises InvalidInputError when
    the metric does not fit the answers.
    """
    ours, theirs = scorer(metric, candidate), scorer(metric, champion)
    sign = 1.0 if is_larger_better(metric) else -1.0
    n_rows = len(candidate.truth)
    random = np.random.default_rng(_SEED)
    differences = np.empty(resamples)
    for number in range(resamples):
        weights = np.bincount(random.integers(0, n_rows, n_rows), minlength=n_rows).astype(np.float64)
        differences[number] = sign * (ours(weights) - theirs(weights))
    differences = differences[np.isfinite(differences)]
    once = np.ones(n_rows)
    a, b = ours(once), theirs(once)
    bound = float(np.quantile(differences, 1 - confidence)) if len(differences) else float("nan")
    return Difference(a, b, sign * (a - b), bound)


def mcnemar(candidate: Answered, champion: Answered) -> Disagreement:
    """The exact one-sided test of McNemar that the candidate gets more rows wrong."""
    from scipy.stats import binom

    ours, theirs = candidate.predicted == candidate.truth, champion.predicted == champion.truth
    worse, better = int((~ours & theirs).sum()), int((ours & ~theirs).sum())
    return Disagreement(worse, better, float(binom.sf(worse - 1, worse + better, 0.5)) if worse + better else 1.0)
