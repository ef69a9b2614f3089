"""Where a table is cut into chunks: at rows whose own content says so, the same rows for all columns.

A cut depends only on the row it falls on (and on how far away the last cut is), so rows inserted or deleted elsewhere
leave the other chunks as they are: content-defined chunking, as rsync and restic do on bytes, here on rows.
The rows are judged by one column, the first that is nearly unique (an id, a time), since judging by all of them would
move every cut when any column changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Rows of a chunk: at least, wanted, at most. Small enough that a change costs few bytes, large enough that hashing and
#: finding a chunk costs little beside its bytes.
LEAST_ROWS, WANTED_ROWS, MOST_ROWS = 8_192, 24_576, 65_536
#: One row in so many may be cut before the wanted size is reached, and after: as in FastCDC (Xia et al., USENIX ATC
#: 2016), which keeps sizes close to the wanted one, so that a change reaches few rows beyond itself.
_RARE, _FREQUENT = 65_536, 4_096

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Fibonacci hashing spreads neighbours apart
_MULTIPLIER_2 = np.uint64(0xBF58476D1CE4E5B9)  # of splitmix64's finaliser
_BLOCK = 65_536


def cut_rows(n_rows: int, keys: NDArray[Any] | None) -> list[int]:
    """Row counts of the chunks, in order; they sum to `n_rows`.

    `keys` are unsigned 64-bit values, one a row, that say where a row may be cut; None cuts at fixed distances.
    """
    if n_rows == 0:
        return []
    if n_rows <= LEAST_ROWS:
        return [n_rows]
    rare, frequent = _candidates(keys) if keys is not None else (np.empty(0, dtype=np.int64),) * 2
    rows: list[int] = []
    start = 0
    while n_rows - start > LEAST_ROWS:
        stop = _first(rare, start + LEAST_ROWS, start + WANTED_ROWS)
        if stop is None:
            stop = _first(frequent, start + WANTED_ROWS, start + MOST_ROWS)
        if stop is None:
            stop = start + (MOST_ROWS if keys is not None else WANTED_ROWS)
        stop = min(stop, n_rows)
        rows.append(stop - start)
        start = stop
    if start < n_rows:
        rows.append(n_rows - start)
    return rows


def _first(candidates: NDArray[np.int64], least: int, limit: int) -> int | None:
    """The first candidate in [least, limit)."""
    at = int(np.searchsorted(candidates, least))
    return int(candidates[at]) if at < len(candidates) and candidates[at] < limit else None


def _candidates(keys: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows before which a cut may fall, ascending: the rare ones, and the frequent ones with the rare among them."""
    frequent, rare = [], []
    for start in range(0, len(keys), _BLOCK):  # a block stays in the processor's cache
        block = keys[start : start + _BLOCK] * _MULTIPLIER
        block ^= block >> np.uint64(32)
        block *= _MULTIPLIER_2
        block ^= block >> np.uint64(29)
        found = np.flatnonzero(block < np.uint64(2**64 // _FREQUENT))
        frequent.append(found + start)
        rare.append(found[block[found] < np.uint64(2**64 // _RARE)] + start)
    return np.concatenate(rare), np.concatenate(frequent)
