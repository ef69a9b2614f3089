"""Following the journals of a run as they grow: what a live display asks for, a few times a second.

Reading must cost far less than logging did, in a loop that logs hundreds of thousands of points a second. So the places
of a metric's points are found column by column, and of their values only those are read that somebody asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import overload

from .journal_file import HEADER_BYTES, Journal, list_journals, open_journal


@dataclass(frozen=True, slots=True)
class NewValues(Sequence[float]):
    """Values of one metric in a stretch of a journal; each is read when it is asked for."""

    doubles: memoryview[float]
    places: Sequence[int]

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> list[float]: ...
    def __getitem__(self, index: int | slice) -> float | list[float]:
        if isinstance(index, slice):
            return [self.doubles[place] for place in self.places[index]]
        return self.doubles[self.places[index]]


@dataclass(slots=True)
class _Place:
    """How far one journal was read, and the names that it has numbered so far."""

    journal: Journal
    offset: int = HEADER_BYTES
    names: dict[int, str] = field(default_factory=dict)


class JournalTail:
    """What is new in a run's journals, of whatever process, from look to look. Writes nothing and locks nothing."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self._folder = folder
        self._run_id = run_id
        self._places: dict[str, _Place] = {}

    def new_values(self) -> list[tuple[str, Sequence[float]]]:
        """Stretches of values with their metric's name, those of each metric in the order they were logged."""
        paths = {path.name: path for path in list_journals(self._folder, self._run_id)}
        for name, path in paths.items():
            if name not in self._places:
                with suppress(OSError, ValueError):  # taken over and gone already, or damaged: `snapml verify` tells
                    journal = open_journal(path)
                    if journal is not None:
                        self._places[name] = _Place(journal)
        found: list[tuple[str, Sequence[float]]] = []
        for name, place in list(self._places.items()):
            while (stretch := _next_stretch(place)) is not None:
                found += stretch
            if name not in paths:  # everything in it is in the database, and now here too
                place.journal.close()
                del self._places[name]
        return found

    def close(self) -> None:
        """Give the files back."""
        for place in self._places.values():
            place.journal.close()
        self._places.clear()


def _next_stretch(place: _Place) -> list[tuple[str, Sequence[float]]] | None:
    """What stands in the next block; None at the end of what was logged."""
    journal, start = place.journal, place.offset
    full = journal.full_block(start)
    if full is not None:
        numbers, doubles, end = full
        distinct = set(numbers)
        if distinct <= place.names.keys():
            place.offset = end
            if len(distinct) == 1:
                return [(place.names[numbers[0]], NewValues(doubles, range(0, 4 * len(numbers), 4)))]
            every = range(0, 4 * len(numbers), 4)
            return [
                (place.names[number], NewValues(doubles, list(compress(every, map(number.__eq__, numbers)))))
                for number in distinct
            ]
    end = journal.end_of(start, journal.BLOCK_BYTES)
    if end == start:
        return None
    points = journal.points(start, end, place.names)  # numbers new names, and passes over what was never finished
    place.offset = end
    return [(name, columns.values) for name, columns in points.items()]
