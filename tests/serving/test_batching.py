"""Micro-batching: what arrives together runs together, and nobody pays for another's mistake."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from snapml_jupyter.domain.errors import InvalidInputError
from snapml_jupyter.serving.batching import MAX_BATCH_ROWS, Batcher
from snapml_jupyter.serving.rows import Row
from snapml_jupyter.serving.session import Answers


class Model:
    """Doubles its rows; refuses the value 13. Remembers the size and the thread of every run."""

    def __init__(self) -> None:
        self.runs: list[int] = []
        self.threads: set[str] = set()

    def run(self, rows: list[Row]) -> Answers:
        self.runs.append(len(rows))
        self.threads.add(threading.current_thread().name)
        if any(row[0] == 13 for row in rows):
            raise InvalidInputError("13 is not taken")
        return Answers([row[0] * 2 for row in rows], [[row[0], -row[0]] for row in rows])


async def ask(batcher: Batcher, requests: list[list[Row]]) -> list[Any]:
    return await asyncio.gather(*[batcher.predict(rows) for rows in requests], return_exceptions=True)


def serve(requests: list[list[Row]], n_in_flight: int | None = None) -> tuple[Model, list[Any]]:
    model = Model()
    in_flight = range(n_in_flight if n_in_flight is not None else len(requests))
    with ThreadPoolExecutor(1, thread_name_prefix="large") as pool:
        return model, asyncio.run(ask(Batcher(model.run, in_flight, pool), requests))


def test_requests_of_one_turn_run_as_one_batch_and_get_their_own_rows() -> None:
    model, answers = serve([[(1,)], [(2,), (3,)], [(4,)]])
    assert model.runs == [4]
    assert [answer.values for answer in answers] == [[2], [4, 6], [8]]
    assert [answer.probabilities for answer in answers] == [[[1, -1]], [[2, -2], [3, -3]], [[4, -4]]]


def test_a_lone_request_does_not_wait_for_a_turn() -> None:
    model = Model()
    with ThreadPoolExecutor(1) as pool:
        coroutine = Batcher(model.run, [object()], pool).predict([(1,)])
        with pytest.raises(StopIteration) as finished:  # it never gave the loop a chance
            coroutine.send(None)
    assert finished.value.value.values == [2]


def test_one_bad_request_fails_alone() -> None:
    _, answers = serve([[(1,)], [(13,)], [(2,)]])
    assert [getattr(answer, "values", None) for answer in answers] == [[2], None, [4]]
    assert isinstance(answers[1], InvalidInputError)


def test_batches_are_bounded_and_keep_their_order() -> None:
    requests: list[list[Row]] = [[(i,)] * 20 for i in range(100, 140)]
    model, answers = serve(requests)
    assert max(model.runs) <= MAX_BATCH_ROWS
    assert sum(model.runs) == 800
    assert len(model.runs) < 10
    assert [answer.values for answer in answers] == [[2 * i] * 20 for i in range(100, 140)]


def test_a_large_request_leaves_the_loop_to_others() -> None:
    model, answers = serve([[(i,) for i in range(14, MAX_BATCH_ROWS + 15)], [(1,)]])
    assert len(answers[0].values) == MAX_BATCH_ROWS + 1
    assert any(name.startswith("large") for name in model.threads)


def test_a_client_that_left_does_not_disturb_the_batch() -> None:
    model = Model()

    async def go() -> list[Any]:
        with ThreadPoolExecutor(1) as pool:
            batcher = Batcher(model.run, [1, 2, 3], pool)
            tasks = [asyncio.ensure_future(batcher.predict([(i,)])) for i in range(3)]
            await asyncio.sleep(0)
            tasks[1].cancel()
            return await asyncio.gather(*tasks, return_exceptions=True)

    answers = asyncio.run(go())
    assert [getattr(answer, "values", None) for answer in answers] == [[0], None, [4]]
