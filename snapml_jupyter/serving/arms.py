"""Which version answers a request, and how the versions' answers compare where two saw the same rows."""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..domain.traffic import Agreement, WorstRow

if TYPE_CHECKING:
    from .routing import Served
    from .rows import Row
    from .session import Answers

#: Requests that may wait to be answered a second time; more are left out of the comparison and counted.
MAX_WAITING = 256
#: Numbers that differ by no more than this, relative, are the same answer.
TOLERANCE = 1e-6
_MOST_WORST = 5


class Split:
    """A champion and the challenger that answers `share` of the requests."""

    __slots__ = ("challenger", "champion", "salt", "share")

    def __init__(self, name: str, champion: Served, challenger: Served | None, share: float) -> None:
        self.champion = champion
        self.challenger = challenger
        self.share = share if challenger is not None else 0.0
        self.salt = name.encode()

    def choose(self, client: bytes | None) -> Served:
        """The version for one request. The same `client` always gets the same one; as the share grows, clients only move over.

        Without a client (None) each request is drawn for itself.
        """
        if self.challenger is None or not self.share:
            return self.champion
        drawn = random.random() if client is None else fraction_of(self.salt, client)
        return self.challenger if drawn < self.share else self.champion


def fraction_of(salt: bytes, client: bytes) -> float:
    """A number in [0, 1) that belongs to the client, evenly spread over clients.

    >>> fraction_of(b"flights", b"client-1") == fraction_of(b"flights", b"client-1")
    True
    """
    digest = hashlib.blake2b(client, digest_size=8, key=salt[:64]).digest()
    return int.from_bytes(digest, "little") / 2**64


class Comparison:
    """Counts of the rows that another version answered as well as the champion. Only the event loop writes."""

    def __init__(self, endpoint: str, model_ref: str) -> None:
        self.endpoint = endpoint
        self.model_ref = model_ref
        self.n_rows = self.n_equal = self.n_dropped = self.n_runs = 0
        self.n_waiting = 0
        self.seconds = 0.0
        self.largest = 0.0
        self._worst: list[tuple[float, int, WorstRow]] = []
        self._numbers = count()

    def add(self, request_id: str, champion: Answers, other: Answers, seconds: float) -> None:
        """Compare the answers to one request's rows."""
        self.n_runs += 1
        self.seconds += seconds
        for row, (said, also_said) in enumerate(zip(champion.values, other.values, strict=True)):
            is_equal, difference = compare(said, also_said, _row(champion, row), _row(other, row))
            self.n_rows += 1
            self.n_equal += is_equal
            self.largest = max(self.largest, difference)
            full = len(self._worst) == _MOST_WORST
            if difference > 0 and not (full and difference <= self._worst[0][0]):
                worst = WorstRow(
                    request_id=request_id, row=row, champion=str(said), other=str(also_said), difference=difference
                )
                entry = (difference, next(self._numbers), worst)
                (heapq.heappushpop if full else heapq.heappush)(self._worst, entry)

    def report(self) -> Agreement:
        """The counts as a record."""
        return Agreement(
            model_ref=self.model_ref,
            n_rows=self.n_rows,
            n_equal=self.n_equal,
            n_dropped=self.n_dropped,
            largest_difference=self.largest,
            mean_ms=1000.0 * self.seconds / self.n_runs if self.n_runs else None,
            worst=[entry[2] for entry in sorted(self._worst, reverse=True)],
        )


def compare(
    said: Any, also_said: Any, probabilities: Sequence[float] | None, also: Sequence[float] | None
) -> tuple[bool, float]:
    """(whether two answers to one row agree, how far they are apart).

    Labels are apart by the largest difference of a probability, or 1; numbers by their difference, relative from 1 on.

    >>> compare("late", "late", [0.25, 0.75], [0.5, 0.5]), compare(2.0, 1.0, None, None)
    ((True, 0.25), (False, 0.5))
    """
    if probabilities is not None and also is not None and len(probabilities) == len(also):
        return said == also_said, max((abs(a - b) for a, b in zip(probabilities, also, strict=True)), default=0.0)
    if isinstance(said, float) and isinstance(also_said, float):
        if math.isnan(said) and math.isnan(also_said):
            return True, 0.0
        difference = abs(said - also_said) / max(1.0, abs(said))
        return difference <= TOLERANCE, math.inf if math.isnan(difference) else difference
    return said == also_said, float(said != also_said)


def add_up(agreements: Sequence[Agreement]) -> list[Agreement]:
    """Sum what several workers counted, by version."""
    sums: dict[str, list[Agreement]] = {}
    for agreement in agreements:
        sums.setdefault(agreement.model_ref, []).append(agreement)
    return [
        Agreement(
            model_ref=model_ref,
            n_rows=sum(part.n_rows for part in parts),
            n_equal=sum(part.n_equal for part in parts),
            n_dropped=sum(part.n_dropped for part in parts),
            largest_difference=max(part.largest_difference for part in parts),
            mean_ms=_mean([part.mean_ms for part in parts], [part.n_rows for part in parts]),
            worst=heapq.nlargest(
                _MOST_WORST, (row for part in parts for row in part.worst), key=lambda row: row.difference
            ),
        )
        for model_ref, parts in sorted(sums.items())
    ]


@dataclass(frozen=True, slots=True)
class Copies:
    """Where copies of the requests that `of` answered go: to the version `to`, whose answers are compared and dropped.

    `places` says where in a row of `of` each column of `to` is.
    """

    of: Served
    to: Served
    comparison: Comparison
    places: list[int]
    is_to_champion: bool

    def take(self, request_id: str, rows: list[Row], answers: Answers) -> None:
        """Have the rows answered a second time, after the client has its answer, unless too many wait for that already."""
        if self.comparison.n_waiting >= MAX_WAITING:
            self.comparison.n_dropped += len(rows)
            return
        self.comparison.n_waiting += 1
        task = asyncio.get_running_loop().create_task(self._answer(request_id, rows, answers))
        _running.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(_running.discard)

    async def _answer(self, request_id: str, rows: list[Row], answers: Answers) -> None:
        await asyncio.sleep(0)
        started_at = perf_counter()
        try:
            again = await self.to.batcher.predict([tuple([row[place] for place in self.places]) for row in rows])
        except Exception:  # a failing copy must not be heard; its rows count as different
            self.comparison.n_rows += len(rows)
            return
        finally:
            self.comparison.n_waiting -= 1
        pair = (again, answers) if self.is_to_champion else (answers, again)
        self.comparison.add(request_id, *pair, perf_counter() - started_at)


#: Copies under way.
_running: set[asyncio.Task[None]] = set()


def column_places(of: Served, to: Served) -> list[int] | None:
    """Where the columns of one version are in rows of another; None when it has columns that the other lacks."""
    places = {(column.name, column.kind): place for place, column in enumerate(of.decoder.columns)}
    found = [places.get((column.name, column.kind)) for column in to.decoder.columns]
    return None if None in found else [place for place in found if place is not None]


def _row(answers: Answers, row: int) -> Sequence[float] | None:
    return answers.probabilities[row] if answers.probabilities is not None else None


def _mean(means: Sequence[float | None], weights: Sequence[int]) -> float | None:
    held = [(mean, weight) for mean, weight in zip(means, weights, strict=True) if mean is not None and weight]
    total = sum(weight for _, weight in held)
    return sum(mean * weight for mean, weight in held) / total if total else None
