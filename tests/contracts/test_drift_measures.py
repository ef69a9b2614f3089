"""What holds for every drift measure, whichever it is."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from snapml_jupyter.monitoring.measures import MEASURES, Measure, Takes
from snapml_jupyter.monitoring.measures.measure import Array

measures = pytest.mark.parametrize("measure", MEASURES.values(), ids=list(MEASURES))


def as_taken(measure: Measure, first: Array, second: Array) -> tuple[Array, Array]:
    """Samples of whole numbers as the measure takes them."""
    if measure.takes is Takes.numbers:
        return np.sort(first.astype(float)), np.sort(second.astype(float))
    highest = int(max(first.max(), second.max())) + 1
    both = np.vstack([np.bincount(first, minlength=highest), np.bincount(second, minlength=highest)]).astype(float)
    both = both[:, both.sum(axis=0) > 0]
    return both[0], both[1]


def draw(measure: Measure, seed: int, n: int, moved: bool) -> Array:
    """Rows of two categories for the test of two shares, of six for the others."""
    rng = np.random.default_rng(seed)
    n_values = 2 if measure.name == "z" else 6
    shares = np.full(n_values, 1 / n_values)
    if moved:
        shares[0] += 0.3 * (1 - shares[0])
        shares /= shares.sum()
    return rng.choice(n_values, n, p=shares)


@measures
def test_a_sample_has_not_moved_from_itself(measure: Measure) -> None:
    sample = draw(measure, 0, 800, moved=False)
    measured = measure(*as_taken(measure, sample, sample))
    assert measured.score == 0
    assert not measured.exceeds
    assert measured.p_value in (None, 1.0)


@measures
def test_a_moved_sample_exceeds_the_threshold(measure: Measure) -> None:
    measured = measure(*as_taken(measure, draw(measure, 0, 900, moved=False), draw(measure, 1, 900, moved=True)))
    assert measured.exceeds
    assert measured.score >= measured.threshold


@measures
def test_unmoved_samples_rarely_exceed_it(measure: Measure) -> None:
    if measure.name == "chisquare_of_fit":
        pytest.skip("takes the reference for the exact truth, as Evidently does; its module says at what price")
    found = [
        measure(
            *as_taken(measure, draw(measure, seed, 900, moved=False), draw(measure, 1000 + seed, 500, moved=False))
        ).exceeds
        for seed in range(400)
    ]
    assert np.mean(found) < (0.08 if measure.is_test else 0.03)


@measures
@settings(max_examples=60, deadline=None)
@given(
    first=st.lists(st.integers(0, 1), min_size=1, max_size=60),
    second=st.lists(st.integers(0, 1), min_size=1, max_size=60),
)
def test_any_sample_gives_a_finite_threshold_and_a_consistent_verdict(
    measure: Measure, first: list[int], second: list[int]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measured = measure(*as_taken(measure, np.array(first), np.array(second)))
    assert measured.score >= 0
    assert np.isfinite(measured.threshold)
    assert measured.exceeds == (measured.score >= measured.threshold)
    if measure.is_test:
        assert measured.p_value is not None
        assert 0 <= measured.p_value <= 1
        assert measured.exceeds == (measured.p_value <= measure.base)


def _numbers(seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return np.sort(rng.gamma(2, 3, 700)), np.sort(rng.gamma(2, 3.4, 450))


def _counts(seed: int, n_categories: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    first, second = rng.dirichlet(np.ones(n_categories)), rng.dirichlet(np.ones(n_categories))
    return rng.multinomial(900, first).astype(float) + 1, rng.multinomial(400, second).astype(float)


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_scipy(seed: int) -> None:
    first, second = _numbers(seed)
    assert MEASURES["wasserstein"](first, second).score == pytest.approx(
        stats.wasserstein_distance(first, second) / max(np.std(first), 0.001)
    )
    ks = stats.ks_2samp(first, second)
    assert MEASURES["ks"](first, second).p_value == pytest.approx(ks.pvalue)
    before, now = _counts(seed, 6)
    assert MEASURES["jensenshannon"](before, now).score == pytest.approx(
        distance.jensenshannon(before / before.sum(), now / now.sum())
    )
    homogeneity = stats.chi2_contingency(np.vstack([before, now]), correction=False)
    assert MEASURES["chisquare"](before, now).score == pytest.approx(homogeneity.statistic)
    assert MEASURES["chisquare"](before, now).p_value == pytest.approx(homogeneity.pvalue)
    fit = stats.chisquare(now, before * now.sum() / before.sum())
    assert MEASURES["chisquare_of_fit"](before, now).p_value == pytest.approx(fit.pvalue)


@pytest.mark.parametrize("size", [(5, 5), (7, 5), (1, 1), (1, 9), (1000, 999)])
def test_the_distance_of_any_sizes_is_that_of_scipy(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    first, second = np.sort(rng.integers(0, 9, size[0]) * 1.0), np.sort(rng.integers(0, 9, size[1]) * 1.0)
    expected = stats.wasserstein_distance(first, second) / max(np.std(first), 0.001)
    assert MEASURES["wasserstein"](first, second).score == pytest.approx(expected)


@pytest.mark.parametrize(
    "draw_values",
    [
        lambda rng, n: rng.random(n),
        lambda rng, n: rng.normal(size=n),
        lambda rng, n: rng.exponential(size=n),
        lambda rng, n: rng.lognormal(size=n),
    ],
    ids=["uniform", "normal", "exponential", "lognormal"],
)
def test_a_small_window_is_not_called_drifted_for_being_small(
    draw_values: Callable[[np.random.Generator, int], Array],
) -> None:
    """At 0.1 alone, as is usual, a third of unmoved windows of 200 rows would be."""
    rng = np.random.default_rng(0)
    found = [
        MEASURES["wasserstein"](np.sort(draw_values(rng, 2000)), np.sort(draw_values(rng, 200))) for _ in range(300)
    ]
    assert np.mean([measured.exceeds for measured in found]) < 0.03
    assert np.mean([measured.score >= 0.1 for measured in found]) > 0.1


def test_many_categories_are_not_called_drifted_for_being_many() -> None:
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, 4001)
    shares /= shares.sum()
    found = [
        MEASURES["jensenshannon"](rng.multinomial(50_000, shares), rng.multinomial(5_000, shares)) for _ in range(50)
    ]
    assert not any(measured.exceeds for measured in found)
    assert all(measured.score >= 0.1 for measured in found)
