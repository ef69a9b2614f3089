"""By which column a table is cut (see `grid`): the first that is nearly unique, integers and times before text, floats last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from .grid import LEAST_ROWS, MOST_ROWS, Keys, cut_rows

if TYPE_CHECKING:
    from .columns import EncodedTable, PartSource

#: A column whose sampled rows are this distinct can decide alone.
_NEARLY_UNIQUE = 0.5
#: The sample: so many runs of so many rows, spread evenly.
_RUNS, _RUN_ROWS = 16, 128
#: So many columns decide together when none can alone.
_TOGETHER = 4


def row_counts(table: EncodedTable) -> list[int]:
    """Row counts of the chunks of a table."""
    if table.n_rows <= LEAST_ROWS:
        return [table.n_rows] if table.n_rows else []
    return cut_rows(table.n_rows, _keys(table))


def fit_rows(rows: list[int], n_rows: int) -> list[int]:
    """Row counts of another version, shortened to `n_rows` rows or continued at the same pace."""
    fitted = []
    left = n_rows
    for count in [*rows, *[MOST_ROWS] * (n_rows // MOST_ROWS + 1)]:
        if left > 0:
            fitted.append(min(count, left))
            left -= count
    return fitted


def _keys(table: EncodedTable) -> Keys | None:
    starts = range(0, table.n_rows - _RUN_ROWS, table.n_rows // _RUNS)
    judged = []
    for place, column in enumerate(table.columns):
        part = column.parts[0]
        sample = [part.keys(start, start + _RUN_ROWS) for start in starts]
        runs = [run for run in sample if run is not None]
        if runs:
            values = np.concatenate(runs)
            repeats = len(np.unique(values)) < _NEARLY_UNIQUE * len(values)
            judged.append(((repeats, _rank(part), place), part))
    judged.sort(key=lambda entry: entry[0])
    if not judged:
        return None
    if not judged[0][0][0]:
        return judged[0][1].keys
    return _joined([part for _, part in judged[:_TOGETHER]])


def _rank(part: PartSource) -> int:
    """Ids and times change least when a table is worked on, so cuts by them last longest."""
    if pa.types.is_integer(part.type) or pa.types.is_temporal(part.type):
        return 0
    return 2 if pa.types.is_floating(part.type) else 1


def _joined(parts: list[PartSource]) -> Keys:
    def keys(start: int, stop: int) -> Any:
        joined: Any = np.zeros(stop - start, dtype=np.uint64)
        for part in parts:
            joined = joined * np.uint64(0x100000001B3) + part.keys(start, stop)  # as FNV: value and place count
        return joined

    return keys
