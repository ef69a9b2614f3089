"""Which version a request meets, and how two versions' answers compare."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

from snapml_jupyter.serving.arms import Comparison, Split, add_up, compare
from snapml_jupyter.serving.session import Answers

A: Any = SimpleNamespace(name="champion")
B: Any = SimpleNamespace(name="challenger")


def test_requests_without_a_client_are_drawn_by_the_share() -> None:
    split = Split("flights", A, B, 0.2)
    n = sum(split.choose(None) is B for _ in range(20_000))
    assert 3_700 < n < 4_300


def test_a_client_stays_with_its_version_and_only_moves_over_as_the_share_grows() -> None:
    clients = [f"client-{number}".encode() for number in range(4_000)]
    before = {client for client in clients if Split("flights", A, B, 0.1).choose(client) is B}
    after = {client for client in clients if Split("flights", A, B, 0.5).choose(client) is B}
    assert before < after
    assert 300 < len(before) < 500 and 1_850 < len(after) < 2_150
    other = {client for client in clients if Split("other", A, B, 0.1).choose(client) is B}
    assert len(before & other) < 100  # another endpoint takes others


def test_without_a_challenger_the_champion_answers() -> None:
    assert Split("flights", A, None, 0.5).choose(None) is A


def test_labels_and_numbers_are_compared() -> None:
    assert compare("a", "a", None, None) == (True, 0.0)
    assert compare("a", "b", None, None) == (False, 1.0)
    assert compare(1e9, 1e9 + 1, None, None) == (True, 1e-9)
    assert compare(math.nan, math.nan, None, None) == (True, 0.0)
    assert compare(1.0, math.nan, None, None) == (False, math.inf)


def test_the_worst_rows_are_kept_and_workers_added_up() -> None:
    reports = []
    for worker in range(2):
        comparison = Comparison("flights", "flights:2")
        for number in range(20):
            champion = Answers([float(number)], None)
            comparison.add(f"{worker}-{number}", champion, Answers([float(number) + number / 100], None), 0.002)
        reports.append(comparison.report())
    (found,) = add_up(reports)
    assert (found.n_rows, found.n_equal) == (40, 2)
    assert found.mean_ms is not None and abs(found.mean_ms - 2.0) < 1e-9
    assert len(found.worst) == 5
    assert found.worst[0].difference == found.largest_difference
