"""Where a table is cut into chunks: at rows whose own content says so, the same rows for all columns.

A cut depends only on the row it falls on (and on how far away the last cut is), so rows inserted or deleted elsewhere
leave the other chunks as they are: content-defined chunking, as rsync and restic do on bytes, here on rows.
The rows are judged by one column, the first that is nearly unique (an id, a time), since judging by all of them would
move every cut when any column changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Rows of a chunk: at least, at most, and one row in so many may be cut. Small enough that a change costs few bytes, large
#: enough that hashing and finding a chunk costs little beside its bytes. The first row that may be cut after the least
#: size is cut: evener sizes (two thresholds, as in FastCDC) take several chunks to fall in step again after a deletion.
LEAST_ROWS, MOST_ROWS, SPACING_ROWS = 4_096, 98_304, 16_384
#: With so many rows a table is large: from there on chunks are twice as long, half as many, and still few per cent of it.
LARGE_ROWS = 524_288

#: A row that no table has.
_NEVER = 2**63

#: Bytes that the rows of a chunk may take in a column, on average; wider rows are cut into fewer rows at a time.
_WIDEST = 256


@dataclass(frozen=True, slots=True)
class Spacing:
    """How many rows a chunk has: at least, at most, and one row in `every` may be cut; twice as many from row `large` on."""

    least: int = LEAST_ROWS
    most: int = MOST_ROWS
    every: int = SPACING_ROWS
    large: int = LARGE_ROWS

    @property
    def first(self) -> int:
        """Rows that are looked at to decide where to cut."""
        return max(64, 4 * self.every)

    @classmethod
    def for_width(cls, row_bytes: float) -> Spacing:
        """For rows of that many bytes in their widest column: pictures and long texts are cut every few rows."""
        finer = min(max(0, math.ceil(math.log2(max(row_bytes, 1) / _WIDEST))), 12)
        return cls(LEAST_ROWS >> finer, MOST_ROWS >> finer, SPACING_ROWS >> finer, _NEVER if finer else LARGE_ROWS)


_USUAL = Spacing()

#: Values of the rows [start, stop), as unsigned 64-bit numbers.
Keys = Callable[[int, int], Any]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Fibonacci hashing spreads neighbours apart
_MULTIPLIER_2 = np.uint64(0xBF58476D1CE4E5B9)  # of splitmix64's finaliser
_BLOCK = 16_384


def cut_rows(n_rows: int, keys: Keys | None, spacing: Spacing = _USUAL, first: int = 0) -> list[int]:
    """Row counts of the chunks, in order; they sum to `n_rows`.

    `keys(start, stop)` are unsigned 64-bit values, one a row, that say where may be cut; None cuts at fixed distances.
    `first`: how many rows of the table come before. Every count but the last stays the same when rows follow.
    """
    if n_rows == 0:
        return []
    if n_rows <= spacing.least:
        return [n_rows]
    cuts = None if keys is None else _Cuts.of(n_rows, keys, spacing.every)
    rows: list[int] = []
    start = 0
    while start < n_rows:
        is_large = first + start >= spacing.large
        if cuts is None:
            stop = start + spacing.every * (1 + is_large)
        else:
            stop = min(cuts.next(start + spacing.least * (1 + is_large), is_large), start + spacing.most)
        stop = min(stop, n_rows)
        rows.append(stop - start)
        start = stop
    return rows


@dataclass(frozen=True, slots=True)
class _Cuts:
    """Rows before which may be cut, ascending; half of them, which are those of `rare`, also where a table is large."""

    usual: NDArray[np.int64]
    rare: NDArray[np.int64]

    @classmethod
    def of(cls, n_rows: int, keys: Keys, every: int) -> _Cuts:
        limit = np.uint64(2**64 // every) if every > 1 else np.uint64(2**64 - 1)
        shift_32, shift_29 = np.uint64(32), np.uint64(29)
        usual, rare = [], []
        scratch = np.empty(_BLOCK, dtype=np.uint64)
        shifted = np.empty(_BLOCK, dtype=np.uint64)
        for start in range(0, n_rows, _BLOCK):  # a block stays in the processor's cache
            block = keys(start, min(start + _BLOCK, n_rows))
            mixed, other = scratch[: len(block)], shifted[: len(block)]
            np.multiply(block, _MULTIPLIER, out=mixed)
            np.right_shift(mixed, shift_32, out=other)
            np.bitwise_xor(mixed, other, out=mixed)
            np.multiply(mixed, _MULTIPLIER_2, out=mixed)
            np.right_shift(mixed, shift_29, out=other)
            np.bitwise_xor(mixed, other, out=mixed)
            found = np.flatnonzero(mixed < limit)
            usual.append(found + start)
            rare.append(found[mixed[found] < limit // np.uint64(2)] + start)
        return cls(np.concatenate(usual), np.concatenate(rare))

    def next(self, row: int, is_large: bool) -> int:
        """The first one from that row on."""
        rows = self.rare if is_large else self.usual
        at = int(np.searchsorted(rows, row))
        return int(rows[at]) if at < len(rows) else _NEVER
