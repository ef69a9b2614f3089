"""What a cell left, taken apart; and compared."""

from __future__ import annotations

import functools
import tempfile
import time
from datetime import datetime, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest

from snapml_jupyter.capture.clock import clock_metrics, clock_names, clock_readings, reads_clock
from snapml_jupyter.capture.now import is_now, without_now
from snapml_jupyter.capture.outcome import Outcome
from snapml_jupyter.capture.taking_apart import take_outcome
from snapml_jupyter.replay.comparing import Comparison, compare_outcomes, compare_texts
from snapml_jupyter.replay.judging import verdict_of


def verdict(one: Any, other: Any, tolerance: float = 1e-9) -> str:
    sides = [Outcome.from_bytes(take_outcome({"x": value}, set()).to_bytes()) for value in (one, other)]
    comparison = Comparison()
    compare_outcomes(comparison, sides[0], sides[1], tolerance)
    return verdict_of(comparison).value


class Holder:
    def __init__(self, value: Any) -> None:
        self.value = value


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1.0, 1.0, "identical"),
        (float("nan"), float("nan"), "identical"),
        (1.0, 1.0 + 1e-12, "equivalent"),
        (1.0, 1.0 + 1e-6, "different"),
        (1, 1.0, "equivalent"),
        (True, 1, "different"),
        ("a", "b", "different"),
        ([1, 2], [1, 2, 3], "different"),
        ([1, 2], (1, 2), "different"),
        ({"a": 1}, {"b": 1}, "different"),
        ({1, 2, 3}, {3, 2, 1}, "identical"),
        (np.arange(5.0), np.arange(5.0), "identical"),
        (np.arange(5.0), np.arange(5.0) + 1e-13, "equivalent"),
        (np.array([1.0, 1e-17]), np.array([1.0, 3e-17]), "equivalent"),
        (np.arange(5.0), np.arange(5.0)[::-1], "different"),
        (np.arange(5), np.arange(5) + 1, "different"),
        (np.zeros((2, 3)), np.zeros((3, 2)), "different"),
        (np.arange(3.0), np.arange(3, dtype="float32"), "different"),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 2]}), "identical"),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 3]}), "different"),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 2]}, index=[1, 2]), "different"),
        (pd.Series(["x", None]), pd.Series(["x", "y"]), "different"),
        (Holder([1, {"k": np.ones(3)}]), Holder([1, {"k": np.ones(3)}]), "identical"),
        (Holder([1, {"k": np.ones(3)}]), Holder([1, {"k": np.ones(3) * 2}]), "different"),
    ],
)
def test_two_values_are_judged_by_what_they_are_made_of(one: Any, other: Any, expected: str) -> None:
    assert verdict(one, other) == expected


def test_a_fitted_model_is_compared_in_all_its_parts() -> None:
    from sklearn.ensemble import RandomForestClassifier

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.integers(0, 2, 60)
    fits = [RandomForestClassifier(5, random_state=seed).fit(X, y) for seed in (0, 0, 1)]
    assert verdict(fits[0], fits[1]) == "identical"
    assert verdict(fits[0], fits[2]) == "different"


def test_objects_that_hold_one_another_end() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    one, other = Holder(1), Holder(2)
    one.value, other.value = other, one
    assert verdict(loop, loop) == "identical"
    assert verdict(one, one) == "identical"


def test_that_an_array_is_shared_is_no_difference() -> None:
    array = np.arange(4.0)
    assert verdict([array, array], [array, array.copy()]) == "identical"
    shared = {"a": 1}
    assert verdict([shared, shared], [shared, {"a": 1}]) == "identical"
    assert verdict([shared, shared], [shared, {"a": 2}]) == "different"


def test_what_cannot_be_taken_apart_is_listed_and_not_counted_as_equal() -> None:
    outcome = take_outcome({"g": (v for v in range(3)), "n": 1}, set())
    assert outcome.not_compared == ["g: generator"]
    assert list(outcome.leaves) == ["n"]


def test_nothing_compared_is_no_verdict() -> None:
    assert verdict_of(Comparison()).value == "not_replayable"


@pytest.mark.parametrize(
    ("one", "other", "masks", "expected"),
    [
        ("auc 0.5\n", "auc 0.5\n", False, "identical"),
        ("auc 0.5", "auc 0.6", False, "different"),
        ("took 0.5 s, auc 0.7", "took 0.9 s, auc 0.7", True, "identical"),
        ("took 0.5 s, auc 0.7", "took 0.9 s, auc 0.8", True, "different"),
        ("took 0.5 s", "took 0.9 s", False, "different"),
        ("<A at 0x7f0011223344>", "<A at 0x7f9911223344>", False, "identical"),
        ("Wall time: 12 ms", "Wall time: 1.5 s", True, "identical"),
        ("a\nb", "a", False, "different"),
        ("w [0.1 0.2]", "w [0.1 0.20000000000000001]", False, "equivalent"),
    ],
)
def test_printed_text_is_compared_without_addresses_and_times(one: str, other: str, masks: bool, expected: str) -> None:
    comparison = Comparison()
    compare_texts(comparison, "output", one, other, 1e-9, masks)
    assert verdict_of(comparison).value == expected


def test_what_helpers_measured_is_known_by_the_place_where_it_is_kept() -> None:
    helper = "def bench(m):\n    t = time.time()\n    m.fit()\n    return m.score(), time.time() - t"
    code = "s, took = bench(a)\nrows.append((s, took))\nres = {'score': s, 'secs': took}\npair = bench(b)\nboth = (s, s)\ntimes[i] = took"
    found = clock_readings(code, [helper])
    assert found.names == {"took", "times"}
    assert found.places == {"rows[*][1]", "pair[1]"}
    assert found.keys == {"secs"}
    outcome = take_outcome({"rows": [(0.5, 1.25)], "res": {"score": 1, "secs": 3.5}}, set(), found)
    assert [path for path in outcome.leaves if not path.endswith("#")] == ["rows[0][0]", "res['score']"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Date: Thu, 01 Jan 1970, Time: 00:01:10", "Date: <date>, Time: <time>"),
        ("Thu, 01 Jan 1970 00:01:10.123456", "<date> <time>"),
        ("best lap 00:01:45, at 12:30:00", "best lap 00:01:45, at 12:30:00"),
        ("since 1970-01-02", "since 1970-01-02"),
        ("no digits", "no digits"),
        ("saved model_19700101-000110.pkl", "saved model_<time>.pkl"),
        ("at 1970-01-01T00:01:10.25, not 1971-01-01T07:01:10", "at <time>, not 1971-01-01T07:01:10"),
        ("run_19700101_000110 of 19700101000110", "run_<time> of <time>"),
        ("19990101-000110", "19990101-000110"),
        ("at=datetime.datetime(1970, 1, 1, 0, 1, 10, 250)", "at=<time>"),
        ("datetime.datetime(1970, 1, 1, 0, 1), datetime.datetime(1999, 1, 1)", "<time>, datetime.datetime(1999, 1, 1)"),
    ],
)
def test_only_the_time_of_the_run_itself_is_left_out_of_texts(text: str, left: str) -> None:
    assert without_now(text, [(65.0, 75.0)]) == left


def test_rows_named_by_several_levels_are_all_compared() -> None:
    rows = pd.MultiIndex.from_product([[f"firm {n}" for n in range(400)], range(2000, 2100)])
    frame = pd.DataFrame({"x": np.arange(40_000.0)}, index=rows)
    outcome = take_outcome({"x": frame}, set())
    assert not outcome.is_cut
    assert len(outcome.leaves) < 10
    other = frame.rename({2099: 2100}, level=1)
    assert verdict(frame, frame.copy()) == "identical"
    assert verdict(frame, other) == "different"


def test_names_that_were_made_up_and_what_an_import_gives_are_no_result() -> None:
    made_up = [f"no-name-321f917d-2c56-4790-aee8-{tail}" for tail in ("b7eb8a4bf39f", "da25705c180d")]
    assert verdict({made_up[0]: made_up[0]}, {made_up[1]: made_up[1]}) == "identical"
    assert verdict({"no-name-1": 1}, {"no-name-2": 1}) == "different"
    made = [f"{tempfile.gettempdir()}/tmp{tail}/model.pkl" for tail in ("wikhd6__", "hkspbhrp")]
    assert verdict(made[0], made[1]) == "identical"
    assert verdict(made[0], made[0].replace("model", "other")) == "different"
    parts = [functools.partial(max, 3, key=abs) for _ in range(2)]
    assert vars(parts[0]) == {}  # asking for it makes it
    assert verdict(*parts) == "identical"
    assert verdict(parts[0], functools.partial(max, 4, key=abs)) == "different"
    outcome = take_outcome({"tqdm": Holder, "other": Holder}, set(), imported={"tqdm": "tqdm.auto.tqdm"})
    assert outcome.leaves["tqdm"] == ["module", "tqdm.auto.tqdm"]
    assert outcome.leaves["other"][1].startswith("class ")


class Hooked:
    def __init__(self, hooks: dict[int, str]) -> None:
        self._forward_hooks = self._forward_hooks_with_kwargs = hooks


def test_the_numbers_of_hooks_are_those_of_the_process() -> None:
    assert verdict(Hooked({3: "a", 4: "b"}), Hooked({11: "a", 12: "b"})) == "identical"
    assert verdict(Hooked({3: "a"}), Hooked({3: "b"})) == "different"


def test_a_result_that_notes_when_it_was_made_is_the_same_result() -> None:
    span = (time.time(), time.time())
    moments = [datetime.now(), datetime.now(timezone.utc), pd.Timestamp.now(), datetime(2013, 1, 1)]
    outcome = take_outcome({"x": [Holder(moment) for moment in moments]}, set(), spans=[span])
    said = [outcome.leaves[f"x[{place}].value"][1] for place in range(len(moments))]
    assert said[:2] == ["datetime.datetime of the run"] * 2
    assert said[2].endswith("Timestamp of the run")
    assert said[3] == "datetime.datetime(2013, 1, 1, 0, 0)"
    assert verdict(datetime(2013, 1, 1), datetime(2013, 1, 2)) == "different"
    assert not is_now(datetime.min, [span]) and not is_now(datetime.max, [span])
    trials = pd.DataFrame({"score": [0.5, 0.7], "began": [datetime.now()] * 2, "took": pd.to_timedelta([1, 2])})
    outcome = take_outcome({"trials": trials}, set(), spans=[span])
    assert sorted(outcome.leaves) == ["trials#", "trials.index", "trials['score']"]
    assert outcome.not_compared == ["trials['began']: times of the run", "trials['took']: times of the run"]
    outcome = take_outcome({"trials": trials.assign(began=datetime(2013, 1, 1))}, set(), spans=[span])
    assert {"trials['began']", "trials['took']"} <= set(outcome.leaves)


def test_what_comes_from_a_clock_is_known() -> None:
    code = "t0 = time.time()\nm = fit(X, t0)\nseconds = round(time.time() - t0, 2)\nrun.log_metric('s', seconds)\nn = 1"
    assert clock_names(code) == {"t0", "seconds"}
    assert clock_metrics(code) == {"s"}
    assert reads_clock(code)
    assert not reads_clock("n = times(3)\nprint(time_of(n))")
