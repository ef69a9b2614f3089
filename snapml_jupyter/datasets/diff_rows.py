"""Which rows of two versions differ: by key columns, or by content as two bags of rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ..domain.dataset import ChunkPlace
from ..domain.errors import InvalidInputError
from .dataset import Dataset
from .diff_segments import Alignment, Common, Pair, align_by_content, align_by_keys
from .diff_values import Identities, add_column, identities, row_numbers
from .manifest import StoredColumn
from .readers import ColumnReader
from .reading import ChunkReader, Piece, in_threads
from .versions import locate_chunks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..store.workspace import Workspace

    Rows = NDArray[np.int64]


@dataclass(kw_only=True)
class Differences:
    """Row numbers in the earlier and in the later version, ascending in the later one; `per_column` by place."""

    removed: Rows
    added: Rows
    changed_before: Rows
    changed_after: Rows
    per_column: dict[int, int] = field(default_factory=dict)


class Side:
    """One of the two versions, read a few segments at a time; counts what it reads."""

    def __init__(self, workspace: Workspace, dataset: Dataset) -> None:
        self._workspace = workspace
        self.dataset, self.manifest = dataset, dataset.manifest
        self.starts = np.concatenate([[0], np.cumsum(self.manifest.rows)]).astype(np.int64)
        self.read: dict[str, ChunkPlace] = {}

    def pieces(self, segments: list[int]) -> list[Piece]:
        """The whole rows of those segments."""
        rows = self.manifest.rows
        return [Piece(number=number, n_rows=rows[number], first=0, last=rows[number]) for number in segments]

    def column(self, column: StoredColumn, pieces: list[Piece]) -> pa.ChunkedArray:
        """The values of those pieces of a column. Raises DamagedContentError."""
        digests = {part.chunks[piece.number] for part in column.parts for piece in pieces}
        if column.lookup is not None:
            digests.update(digest for part in column.lookup.parts for digest in part.chunks)
        kept = sorted(set(self.manifest.kept(digests)))
        places = {place.digest: place for place in locate_chunks(self._workspace, kept)}
        self.read.update(places)
        chunks = ChunkReader(self._workspace.blobs, places, self.manifest)
        return ColumnReader(chunks, self.manifest, pieces, self.dataset.version.ref).to_arrow(column)

    def rows_of(self, segments: list[int]) -> Rows:
        """The row numbers of those segments."""
        parts = [np.arange(self.starts[number], self.starts[number + 1]) for number in segments]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def compare_by_content(before: Side, after: Side, columns: list[Common]) -> Differences:
    """Rows of one version that the other has not, as often as it has them."""
    alignment = align_by_content(before.manifest, after.manifest, columns)
    pairs = _compare_pairs(before, after, columns, alignment.pairs)
    left, right = before.rows_of(alignment.before), after.rows_of(alignment.after)
    removed, added = left, right
    if len(left) and len(right) and columns:
        numbers_before, numbers_after = _row_numbers(before, after, columns, alignment)
        alone_before, alone_after = _unmatched(numbers_before, numbers_after)
        removed, added = left[alone_before], right[alone_after]
    nothing = np.empty(0, dtype=np.int64)
    return Differences(
        removed=np.sort(np.concatenate([removed, pairs.changed_before])),
        added=np.sort(np.concatenate([added, pairs.changed_after])),
        changed_before=nothing,
        changed_after=nothing,
    )


def compare_by_keys(before: Side, after: Side, columns: list[Common], keys: list[int]) -> Differences:
    """Rows by their keys. Raises InvalidInputError when a key is there twice."""
    alignment = align_by_keys(before.manifest, after.manifest, columns, keys)
    found = _compare_pairs(before, after, columns, alignment.pairs)
    left, right = before.rows_of(alignment.before), after.rows_of(alignment.after)
    values = [place for place in range(len(columns)) if place not in keys]
    one, two = _row_numbers(before, after, [columns[place] for place in keys], alignment)
    names = [columns[place].name for place in keys]
    _check_unique(before, names, one, left)
    _check_unique(after, names, two, right)
    _, in_before, in_after = np.intersect1d(one, two, assume_unique=True, return_indices=True)
    changed = np.zeros(len(in_before), dtype=np.bool_)
    if len(in_before):
        for place in values:
            a, b = _identities(before, after, columns[place], alignment)
            different = a.take(in_before).differ(b.take(in_after))
            _count(found.per_column, place, different)
            changed |= different
    order = np.argsort(np.concatenate([found.changed_after, right[in_after[changed]]]), kind="stable")
    return Differences(
        removed=np.delete(left, in_before),
        added=np.delete(right, in_after),
        changed_before=np.concatenate([found.changed_before, left[in_before[changed]]])[order],
        changed_after=np.concatenate([found.changed_after, right[in_after[changed]]])[order],
        per_column=found.per_column,
    )


def _compare_pairs(before: Side, after: Side, columns: list[Common], pairs: list[Pair]) -> Differences:
    """Rows of paired segments, one by one: those where some column differs are in `changed_*`."""
    changed = {number: np.zeros(before.manifest.rows[pair.before], np.bool_) for number, pair in enumerate(pairs)}
    per_column: dict[int, int] = {}
    jobs = [place for place in range(len(columns)) if any(place in pair.differing for pair in pairs)]

    def compare(place: int) -> tuple[int, list[int], Any]:
        chosen = [number for number, pair in enumerate(pairs) if place in pair.differing]
        column = columns[place]
        a, b = identities(
            before.column(column.before, before.pieces([pairs[number].before for number in chosen])),
            after.column(column.after, after.pieces([pairs[number].after for number in chosen])),
        )
        return place, chosen, a.differ(b)

    size = sum(len(mask) for mask in changed.values()) * 8 * len(jobs)
    for place, chosen, different in in_threads(compare, jobs, size, group=1):
        _count(per_column, place, different)
        start = 0
        for number in chosen:
            mask = changed[number]
            mask |= different[start : start + len(mask)]
            start += len(mask)
    nothing = np.empty(0, dtype=np.int64)
    starts_before = [np.flatnonzero(changed[i]) + before.starts[pair.before] for i, pair in enumerate(pairs)]
    starts_after = [np.flatnonzero(changed[i]) + after.starts[pair.after] for i, pair in enumerate(pairs)]
    return Differences(
        removed=nothing,
        added=nothing,
        changed_before=np.concatenate([nothing, *starts_before]),
        changed_after=np.concatenate([nothing, *starts_after]),
        per_column=per_column,
    )


def _identities(before: Side, after: Side, column: Common, alignment: Alignment) -> tuple[Identities, Identities]:
    return identities(
        before.column(column.before, before.pieces(alignment.before)),
        after.column(column.after, after.pieces(alignment.after)),
    )


def _row_numbers(before: Side, after: Side, columns: list[Common], alignment: Alignment) -> tuple[Any, Any]:
    one = row_numbers([], len(before.rows_of(alignment.before)))
    two = row_numbers([], len(after.rows_of(alignment.after)))
    if not len(one) and not len(two):
        return one, two
    size = (len(one) + len(two)) * 8 * len(columns)
    for a, b in in_threads(lambda column: _identities(before, after, column, alignment), columns, size, group=1):
        add_column(one, a)
        add_column(two, b)
    return one, two


def _unmatched(one: Any, two: Any) -> tuple[Any, Any]:
    """Places of the numbers of each side that the other side does not have, or not so often; the last ones of equals."""
    _, inverse = np.unique(np.concatenate([one, two]), return_inverse=True)
    left, right = inverse[: len(one)], inverse[len(one) :]
    n = int(inverse.max()) + 1
    shared = np.minimum(np.bincount(left, minlength=n), np.bincount(right, minlength=n))
    return np.flatnonzero(_rank(left) >= shared[left]), np.flatnonzero(_rank(right) >= shared[right])


def _rank(groups: Any) -> Any:
    """For each entry how many entries of its group stand before it."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.empty(0, dtype=np.int64)
    counts = np.diff(np.r_[starts, len(ordered)])
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(ordered)) - np.repeat(starts, counts)
    return rank


def _check_unique(side: Side, names: list[str], numbers: Any, rows: Rows) -> None:
    ordered = np.argsort(numbers, kind="stable")
    same = np.flatnonzero(numbers[ordered][1:] == numbers[ordered][:-1])
    if not len(same):
        return
    first, second = int(rows[ordered[same[0]]]), int(rows[ordered[same[0] + 1]])
    row = side.dataset.to_arrow(rows=slice(first, first + 1)).to_pylist()[0]
    said = ", ".join(f"{name}={row.get(name)!r}" for name in names)
    raise InvalidInputError(
        f"{side.dataset.version.ref} has the key {said} more than once: in rows {first} and {second}. Keys name one row "
        "each; add a column to them, or compare without keys."
    )


def _count(per_column: dict[int, int], place: int, different: Any) -> None:
    per_column[place] = per_column.get(place, 0) + int(np.count_nonzero(different))
