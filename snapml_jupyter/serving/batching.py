"""Micro-batching without waiting: requests that were parsed in the same turn of the event loop run as one batch.

While one batch runs, the next requests gather in the sockets; so batches grow with load and a lone request never
waits for company. Rows were checked before they got here; should a batch fail all the same, each request is run
by itself, so that one bad request cannot fail another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import Executor

from .rows import Row
from .session import Answers

#: Rows of one run on the event loop; larger requests go to a thread so that others are answered meanwhile.
MAX_BATCH_ROWS = 256

Run = Callable[[list[Row]], Answers]


class Batcher:
    """Batches the requests of one deployment. `in_flight` are the requests the process is working on."""

    def __init__(self, run: Run, in_flight: Collection[object], executor: Executor) -> None:
        self._run = run
        self._in_flight = in_flight
        self._executor = executor
        self._waiting: list[tuple[list[Row], asyncio.Future[Answers]]] = []

    async def predict(self, rows: list[Row]) -> Answers:
        """Answers in the order of the rows. Raises what the run raises."""
        if len(rows) > MAX_BATCH_ROWS:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._run, rows)
        if len(self._in_flight) <= 1:
            return self._run(rows)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answers] = loop.create_future()
        self._waiting.append((rows, answer))
        if len(self._waiting) == 1:
            loop.call_soon(self._flush)
        return await answer

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        start = 0
        while start < len(waiting):
            stop, n_rows = start, 0
            while stop < len(waiting) and (n_rows == 0 or n_rows + len(waiting[stop][0]) <= MAX_BATCH_ROWS):
                n_rows += len(waiting[stop][0])
                stop += 1
            self._run_together(waiting[start:stop])
            start = stop

    def _run_together(self, requests: list[tuple[list[Row], asyncio.Future[Answers]]]) -> None:
        if len(requests) == 1:
            _settle(self._run, *requests[0])
            return
        try:
            answers = self._run([row for rows, _ in requests for row in rows])
        except Exception:  # found out below which request it was; the others still get their answer
            for rows, answer in requests:
                _settle(self._run, rows, answer)
            return
        start = 0
        for rows, answer in requests:
            stop = start + len(rows)
            if not answer.done():  # the client may have gone
                answer.set_result(answers.part(start, stop))
            start = stop


def _settle(run: Run, rows: list[Row], answer: asyncio.Future[Answers]) -> None:
    if answer.done():
        return
    try:
        answer.set_result(run(rows))
    except Exception as error:  # raised again where the request awaits it
        answer.set_exception(error)
