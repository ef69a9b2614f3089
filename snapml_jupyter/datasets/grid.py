"""Where a table is cut into chunks: at rows whose own content says so, the same rows for all columns.

A cut depends only on the row it falls on (and on how far away the last cut is), so rows inserted or deleted elsewhere
leave the other chunks as they are: content-defined chunking, as rsync and restic do on bytes, here on rows.
The rows are judged by one column, the first that is nearly unique (an id, a time), since judging by all of them would
move every cut when any column changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Rows of a chunk: at least, at most, and one row in so many may be cut. Small enough that a change costs few bytes, large
#: enough that hashing and finding a chunk costs little beside its bytes. The first row that may be cut after the least
#: size is cut: evener sizes (two thresholds, as in FastCDC) take several chunks to fall in step again after a deletion.
LEAST_ROWS, MOST_ROWS, SPACING_ROWS = 4_096, 98_304, 16_384

#: Values of the rows [start, stop), as unsigned 64-bit numbers.
Keys = Callable[[int, int], Any]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Fibonacci hashing spreads neighbours apart
_MULTIPLIER_2 = np.uint64(0xBF58476D1CE4E5B9)  # of splitmix64's finaliser
_BLOCK = 16_384


def cut_rows(n_rows: int, keys: Keys | None) -> list[int]:
    """Row counts of the chunks, in order; they sum to `n_rows`.

    `keys(start, stop)` are unsigned 64-bit values, one a row, that say where may be cut; None cuts at fixed distances.
    """
    if n_rows == 0:
        return []
    if n_rows <= LEAST_ROWS:
        return [n_rows]
    candidates = _candidates(n_rows, keys) if keys is not None else np.empty(0, dtype=np.int64)
    longest = MOST_ROWS if keys is not None else SPACING_ROWS
    rows: list[int] = []
    start = 0
    while n_rows - start > LEAST_ROWS:
        at = int(np.searchsorted(candidates, start + LEAST_ROWS))
        stop = int(candidates[at]) if at < len(candidates) else n_rows
        stop = min(stop, start + longest, n_rows)
        rows.append(stop - start)
        start = stop
    if start < n_rows:
        rows.append(n_rows - start)
    return rows


def _candidates(n_rows: int, keys: Keys) -> NDArray[np.int64]:
    """Rows before which a cut may fall, ascending."""
    limit = np.uint64(2**64 // SPACING_ROWS)
    shift_32, shift_29 = np.uint64(32), np.uint64(29)
    found = []
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
        found.append(np.flatnonzero(mixed < limit) + start)
    return np.concatenate(found)
