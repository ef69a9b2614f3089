"""By which column a table is cut (see `grid`): the first that is nearly unique, integers and times before text, floats last.

Where every column repeats its values, the rows before a cut decide together with it, by the columns that repeat least.
Only the first rows are looked at, so that a stream of unknown length is cut as the same table in memory is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from .grid import MOST_ROWS, Keys, Spacing, cut_rows

if TYPE_CHECKING:
    from .columns import EncodedTable, PartSource

#: A column whose sampled rows are this distinct can decide alone.
_NEARLY_UNIQUE = 0.5
#: The sample: so many runs of so many rows, spread evenly over the first rows.
_RUNS, _RUN_ROWS = 16, 128
#: So many columns decide together when none can alone, by so many rows (a power of two) up to the cut.
_TOGETHER, _TOGETHER_ROWS = 4, 16
#: So many rows say how wide a row is.
WIDTH_ROWS = 64


@dataclass(frozen=True, slots=True)
class Cutting:
    """Which columns decide where a table is cut, by their places; none: at fixed distances.

    `is_alone`: by single rows, since one column hardly repeats; else by several rows together.
    """

    places: list[int]
    spacing: Spacing
    is_alone: bool = True

    @classmethod
    def of(cls, table: EncodedTable) -> Cutting:
        """How to cut the table, as its first rows say."""
        spacing = spacing_of(table)
        if table.n_rows <= spacing.least:
            return cls([], spacing)
        n_rows = min(table.n_rows, spacing.first)
        length = min(_RUN_ROWS, n_rows)
        starts = range(0, n_rows - length + 1, max(1, n_rows // _RUNS))
        judged = []
        for place, column in enumerate(table.columns):
            part = column.parts[0]
            sample = [part.keys(start, start + length) for start in starts]
            runs = [run for run in sample if run is not None]
            if runs:
                values = np.concatenate(runs)
                judged.append((len(np.unique(values)) / len(values), _rank(part), place))
        alone = [(rank, place) for distinct, rank, place in judged if distinct >= _NEARLY_UNIQUE]
        if alone:
            return cls([min(alone)[1]], spacing)
        varied = sorted((-distinct, place) for distinct, _, place in judged)
        return cls([place for _, place in varied[:_TOGETHER]], spacing, is_alone=False)

    def row_counts(self, table: EncodedTable) -> list[int]:
        """Row counts of the chunks of a table, or of a stream's next rows: then the last chunk may go on."""
        parts = [table.columns[place].parts[0] for place in self.places]
        keys: Keys | None = None
        if parts:
            # No more rows than a chunk has at least: where a stream goes on, those before its next rows are gone.
            keys = parts[0].keys if self.is_alone else _joined(parts, min(_TOGETHER_ROWS, self.spacing.least))
        return cut_rows(table.n_rows, keys, self.spacing)


def spacing_of(table: EncodedTable) -> Spacing:
    """How many rows a chunk has, by the widest column of the first `WIDTH_ROWS` rows."""
    n_rows = min(table.n_rows, WIDTH_ROWS)
    parts = [part for column in table.columns for part in column.parts]
    widths = [sum(map(len, part.buffers(0, n_rows))) / n_rows for part in parts] if n_rows else []
    return Spacing.for_width(max(widths, default=0.0))


def fit_rows(rows: list[int], n_rows: int) -> list[int]:
    """Row counts of another version, shortened to `n_rows` rows or continued at the same pace."""
    fitted = []
    left = n_rows
    most = max(rows, default=MOST_ROWS)
    for count in [*rows, *[most] * (n_rows // most + 1)]:
        if left > 0:
            fitted.append(min(count, left))
            left -= count
    return fitted


def _rank(part: PartSource) -> int:
    """Ids and times change least when a table is worked on, so cuts by them last longest."""
    if pa.types.is_integer(part.type) or pa.types.is_temporal(part.type):
        return 0
    return 2 if pa.types.is_floating(part.type) else 1


def _joined(parts: list[PartSource], n_rows: int) -> Keys:
    """The values of all parts in so many rows up to each row, as one number: equal rows, equal numbers."""
    by_value = np.uint64(0x100000001B3)  # as FNV: value and place count
    by_row = 0x9E3779B97F4A7C15

    def keys(start: int, stop: int) -> Any:
        first = max(0, start - n_rows + 1)
        joined: Any = np.zeros(stop - first, dtype=np.uint64)
        for part in parts:
            joined = joined * by_value + part.keys(first, stop)
        distance = 1
        while distance < n_rows:  # each round doubles how many rows a number stands for
            joined[distance:] = joined[distance:] + joined[:-distance] * np.uint64(pow(by_row, distance, 2**64))
            distance *= 2
        return joined[start - first :]

    return keys
