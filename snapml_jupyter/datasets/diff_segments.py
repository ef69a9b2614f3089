"""Which rows of two versions can be compared without reading them, and which columns of the others must be read.

A segment is a row of chunks: the same rows of every column. Segments of both versions with the same chunks hold the same
rows, whatever they are; they cancel out. Nothing here reads any data.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass

from .manifest import Manifest, StoredColumn

#: So many rows of segments that are partly shared are compared whole: small tables are then compared as sets of rows.
EXACT_ROWS = 8_192


@dataclass(frozen=True, slots=True)
class Common:
    """A column that both versions have; `is_alike` when equal chunks mean equal values."""

    name: str
    before: StoredColumn
    after: StoredColumn
    is_alike: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """A segment of each version whose rows belong together one by one; `differing` are places of columns to compare."""

    before: int
    after: int
    differing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Segments that belong together, and those of each version that are alone."""

    pairs: list[Pair]
    before: list[int]
    after: list[int]


def common_columns(before: Manifest, after: Manifest) -> list[Common]:
    """The columns of both, in the order of the later version; index columns are columns here."""
    earlier = dict(zip(unique_names(before), before.columns, strict=True))
    found = []
    for name, column in zip(unique_names(after), after.columns, strict=True):
        if name in earlier:
            found.append(Common(name, earlier[name], column, _means_the_same(earlier[name], column)))
    return found


def unique_names(manifest: Manifest) -> list[str]:
    """The columns' names; one that is there already gets a suffix."""
    seen: set[str] = set()
    names = []
    for column in manifest.columns:
        name = column.name
        while name in seen:
            name += "_"
        seen.add(name)
        names.append(name)
    return names


def align_by_content(before: Manifest, after: Manifest, columns: list[Common]) -> Alignment:
    """Pairs of segments with the same chunks; then of those at the same place that share at least half of their columns.

    Of the second kind only the differing columns need be read. Where all of them together are few rows they are left
    alone instead, since a row may have moved within a segment.
    """
    signed = [place for place, column in enumerate(columns) if column.is_alike]
    others = tuple(place for place, column in enumerate(columns) if not column.is_alike)
    alignment = _align(before, after, columns, signed)
    pairs = [Pair(one, two, others) for one, two in alignment.matched]
    left, right = alignment.before, alignment.after
    n_rows = sum(before.rows[i] for i in left) + sum(after.rows[j] for j in right)
    if n_rows <= 2 * EXACT_ROWS:
        return Alignment(pairs, left, right)
    partial, left, right = _partly_shared(before, after, columns, left, right)
    return Alignment([*pairs, *partial], left, right)


def align_by_keys(before: Manifest, after: Manifest, columns: list[Common], keys: list[int]) -> Alignment:
    """Pairs of segments with the same key chunks; the other columns of a pair are compared where their chunks differ."""
    if not all(columns[place].is_alike for place in keys):
        return Alignment([], list(range(len(before.rows))), list(range(len(after.rows))))
    alignment = _align(before, after, columns, keys)
    values = [place for place in range(len(columns)) if place not in keys]
    pairs = [
        Pair(one, two, tuple(place for place in values if not _shares(columns[place], one, two)))
        for one, two in alignment.matched
    ]
    return Alignment(pairs, alignment.before, alignment.after)


@dataclass(frozen=True, slots=True)
class _Aligned:
    matched: list[tuple[int, int]]
    before: list[int]
    after: list[int]


def _align(before: Manifest, after: Manifest, columns: list[Common], places: list[int]) -> _Aligned:
    """Segments whose chunks of those columns are the same, as multisets, in order."""
    if not places:
        return _Aligned([], list(range(len(before.rows))), list(range(len(after.rows))))
    waiting: defaultdict[tuple[str, ...], deque[int]] = defaultdict(deque)
    for number in range(len(before.rows)):
        waiting[_signature([columns[place].before for place in places], number)].append(number)
    matched, alone = [], []
    for number in range(len(after.rows)):
        found = waiting[_signature([columns[place].after for place in places], number)]
        if found:
            matched.append((found.popleft(), number))
        else:
            alone.append(number)
    return _Aligned(matched, sorted(number for rest in waiting.values() for number in rest), alone)


def _partly_shared(
    before: Manifest, after: Manifest, columns: list[Common], left: list[int], right: list[int]
) -> tuple[list[Pair], list[int], list[int]]:
    by_chunk: dict[tuple[int, str], int] = {}
    for number in left:
        for place, column in enumerate(columns):
            if column.is_alike:
                by_chunk.setdefault((place, column.before.parts[0].chunks[number]), number)
    pairs: list[Pair] = []
    taken: set[int] = set()
    alone = []
    for number in right:
        votes: defaultdict[int, int] = defaultdict(int)
        for place, column in enumerate(columns):
            if column.is_alike:
                earlier = by_chunk.get((place, column.after.parts[0].chunks[number]))
                if earlier is not None and earlier not in taken:
                    votes[earlier] += 1
        best = max(votes, key=lambda earlier: votes[earlier], default=None)
        if best is None or before.rows[best] != after.rows[number]:
            alone.append(number)
            continue
        differing = tuple(place for place, column in enumerate(columns) if not _shares(column, best, number))
        if len(differing) * 2 > len(columns):
            alone.append(number)
            continue
        taken.add(best)
        pairs.append(Pair(best, number, differing))
    return pairs, [number for number in left if number not in taken], alone


def _signature(columns: list[StoredColumn], number: int) -> tuple[str, ...]:
    return tuple(part.chunks[number] for column in columns for part in column.parts)


def _shares(column: Common, one: int, two: int) -> bool:
    return column.is_alike and _signature([column.before], one) == _signature([column.after], two)


def _means_the_same(one: StoredColumn, two: StoredColumn) -> bool:
    return (one.codec, [part.type for part in one.parts], one.lookup) == (
        two.codec,
        [part.type for part in two.parts],
        two.lookup,
    )
