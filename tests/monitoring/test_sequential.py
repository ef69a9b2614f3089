"""What the statistics of rollouts promise: rarely wrong for versions that are equal, soon sure of one that is worse."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from snapml_jupyter.domain.errors import InvalidInputError
from snapml_jupyter.domain.guards import read_guards
from snapml_jupyter.monitoring.guards import BROKEN, HOLDS, UNKNOWN, judge_estimates, judge_rate
from snapml_jupyter.monitoring.sequential import (
    Estimate,
    auc_estimate,
    difference,
    mean_estimate,
    rate_evidence,
    rate_interval,
    share_evidence,
)


def rolled_back_at(champion: float, challenger: float, guard: str, share: float, n: int, seed: int) -> int | None:
    """After how many labelled requests the accuracy guard is broken, looked at every 200."""
    random = np.random.default_rng(seed)
    (rule,) = read_guards(guard)
    is_challenger = random.random(n) < share
    right = random.random(n) < np.where(is_challenger, challenger, champion)
    counts = {
        arm: (np.cumsum(right & mask), np.cumsum(mask)) for arm, mask in ((1, is_challenger), (0, ~is_challenger))
    }
    for place in range(400, n, 200):
        estimates = []
        for arm in (1, 0):
            hits, total = (int(column[place]) for column in counts[arm])
            rate = hits / total
            estimates.append(Estimate(rate, rate * (1 - rate) / (total - 1), total))
        if judge_estimates(rule, estimates[0], estimates[1], 0.05).state == BROKEN:
            return place
    return None


def test_equal_versions_are_rolled_back_in_less_than_5_percent_of_rollouts() -> None:
    found = [rolled_back_at(0.8, 0.8, "metrics.accuracy>=champion", 0.5, 20_000, seed) for seed in range(200)]
    assert sum(at is not None for at in found) <= 10


@pytest.mark.parametrize(("share", "most"), [(0.5, 20_000), (0.1, 45_000)])
def test_three_points_less_accuracy_are_found_within_the_stated_requests(share: float, most: int) -> None:
    """The figures of docs/serving.md: 19 of 20 rollouts."""
    found = [rolled_back_at(0.80, 0.77, "metrics.accuracy>=champion", share, most, seed) for seed in range(40)]
    assert sum(at is not None for at in found) >= 38


def test_a_rate_at_its_bound_is_rarely_called_above_it_and_a_threefold_one_soon() -> None:
    random = np.random.default_rng(1)
    wrong = 0
    for _ in range(100):
        hits = np.cumsum(random.random(10_000) < 0.01)
        wrong += any(rate_evidence(int(hits[n - 1]), n, 0.01) >= 20 for n in range(50, 10_001, 50))
    assert wrong <= 5
    hits = np.cumsum(random.random(2_000) < 0.03)
    assert any(rate_evidence(int(hits[n - 1]), n, 0.01) >= 20 for n in range(50, 2_001, 50))


def test_the_area_under_the_curve_is_scikit_learns_and_its_variance_that_of_repeated_samples() -> None:
    random = np.random.default_rng(2)
    values = []
    for _ in range(300):
        labels = random.random(300) < 0.4
        scores = random.normal(size=300) + labels
        found = auc_estimate(labels, scores)
        values.append(found.value)
    assert found.value == pytest.approx(roc_auc_score(labels, scores))
    assert found.variance == pytest.approx(np.var(values), rel=0.3)


def test_without_rows_nothing_is_claimed() -> None:
    assert rate_evidence(0, 0, 0.01) == 1.0
    nothing = mean_estimate(np.empty(0))
    assert difference(nothing, nothing, 0.05).low == -np.inf
    (guard,) = read_guards("metrics.accuracy>=champion-0.01")
    assert judge_estimates(guard, nothing, nothing, 0.05).state == UNKNOWN


def test_a_guard_holds_while_the_rate_is_within_and_says_how_many() -> None:
    (guard,) = read_guards("error_rate<1%")
    found = judge_rate(guard, 1, 500, 0.05, bound=0.01, shown=0.002)
    assert (found.state, found.words) == (HOLDS, "1 of 500 (0.20%), allowed are 1.00%: within")
    assert judge_rate(guard, 30, 500, 0.05, bound=0.01, shown=0.06).state == BROKEN


def test_a_judgement_tells_both_figures_and_what_it_rests_on() -> None:
    guard = read_guards("error_rate<1%")[0]
    found = judge_rate(guard, 1, 500, 0.05, bound=0.01, shown=0.002, beside=0.001, n_beside=4_500)
    assert (found.challenger, found.champion, found.n_champion) == (0.002, 0.001, 4_500)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.002 < found.high < 0.03
    assert (found.tested, found.allowed, found.evidence_needed) == (0.002, 0.01, pytest.approx(20.0))
    worse = judge_rate(guard, 30, 500, 0.05, bound=0.01, shown=0.06)
    assert worse.evidence is not None
    assert worse.evidence > 20.0 > (found.evidence or 0.0)
    nothing = judge_rate(guard, 0, 0, 0.05, bound=0.01, shown=None)
    assert (nothing.tested, nothing.low, nothing.allowed) == (None, None, 0.01)
    relative = read_guards("metrics.accuracy>=champion-0.01")[0]
    both = judge_estimates(relative, Estimate(0.80, 1e-4, 900), Estimate(0.79, 1e-4, 900), 0.05)
    assert (both.tested, both.allowed, both.evidence) == (pytest.approx(0.01), -0.01, None)
    assert (both.low or 0.0) < 0.01 < (both.high or 0.0)


def test_the_bounds_of_a_rate_hold_at_all_times() -> None:
    draw = np.random.default_rng(5)
    n_left = 0
    for _ in range(300):
        hits = np.cumsum(draw.random(1_500) < 0.05)
        n_left += any(
            not low <= 0.05 <= high
            for low, high in (rate_interval(int(hits[n - 1]), n, 0.05) for n in (1, 5, 20, 80, 300, 700, 1_500))
        )
    assert n_left <= 15
    assert rate_interval(0, 0, 0.05) == (0.0, 1.0)
    assert rate_interval(0, 50, 0.05)[0] == 0.0
    assert rate_interval(50, 50, 0.05)[1] == 1.0


def test_shares_that_are_met_and_shares_that_are_not() -> None:
    random = np.random.default_rng(3)
    assert share_evidence(random.multinomial(10_000, [0.9, 0.1]).tolist(), [0.9, 0.1]) < 20
    assert share_evidence([9_300, 700], [0.9, 0.1]) > 20
    assert share_evidence([10, 1], [1.0, 0.0]) == np.inf


def test_guards_are_read_with_their_units() -> None:
    found = read_guards("error_rate<1%, p99<50ms, p50 < 0.2s, agreement>95%, metrics.auc>=champion-0.01, drift<0.2")
    assert [(each.metric, each.threshold, each.is_relative) for each in found] == [
        ("error_rate", 0.01, False),
        ("p99", 50.0, False),
        ("p50", 200.0, False),
        ("agreement", 0.95, False),
        ("metrics.auc", -0.01, True),
        ("drift", 0.2, False),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("error_rate", "cannot be read"),
        ("eror_rate<1%", "Did you mean error_rate?"),
        ("metrics.f1>0.5", "can be about"),
        ("p99<50", "in ms or s"),
        ("error_rate>1%", "kept by a worse version"),
        ("metrics.accuracy<0.5", "more is better"),
        ("agreement>champion", "compared with a number"),
        ("error_rate<300%", "between 0% and 100%"),
        ("error_rate<", "lacks a number"),
        ("drift<1.2.3", "no number"),
    ],
)
def test_a_guard_that_makes_no_sense_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says.replace("?", r"\?")):
        read_guards(f"p99<50ms, {text}")
