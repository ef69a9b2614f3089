"""By which columns a table is cut (see `grid`): the first that hardly repeats, integers and times before text, floats last.

One row in so many is cut, by its value: a column of few values would be cut as often as chance makes one of them a cut, or
never. Where every column is such, a few decide together, and where even their rows repeat, the rows before a cut do too.
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

#: So many distinct values for each value that makes a cut decide well: then so many values do, give or take a third.
_VALUES_PER_CUT = 12
#: The sample: so many runs of so many rows, spread evenly over the first rows.
_RUNS, _RUN_ROWS = 16, 128
#: So many columns decide together when none can alone, at last by so many rows (a power of two) up to the cut.
_TOGETHER, _TOGETHER_ROWS = 4, 16
#: A column is worth deciding with others when it lets so many more of the sampled rows be told apart.
_WORTH_JOINING = 1.02
#: So many rows say how wide a row is.
WIDTH_ROWS = 64

_BY_VALUE = np.uint64(0x100000001B3)  # as FNV: value and place count


@dataclass(frozen=True, slots=True)
class Cutting:
    """Which columns decide where a table is cut, by their places; none: at fixed distances. `n_rows`: up to the cut."""

    places: list[int]
    spacing: Spacing
    n_rows: int = 1

    @classmethod
    def of(cls, table: EncodedTable) -> Cutting:
        """How to cut the table, as its first rows say."""
        spacing = spacing_of(table)
        if table.n_rows <= spacing.least:
            return cls([], spacing)
        columns = _sampled(table, spacing.first)
        if not columns:
            return cls([], spacing)
        # Drawn from so many values, two rows are equal as often as this.
        n_rows = len(columns[0].values)
        enough = 1 - n_rows / (2 * _VALUES_PER_CUT * spacing.every)
        alone = [(column.rank, column.place) for column in columns if column.distinct >= enough]
        if alone:
            return cls([min(alone)[1]], spacing)
        together = _together(columns, enough)
        if together:
            return cls(together, spacing)
        varied = sorted(columns, key=lambda column: (-column.distinct, column.place))
        # No more rows than a chunk has at least: where a stream goes on, those before its next rows are gone.
        return cls([column.place for column in varied[:_TOGETHER]], spacing, min(_TOGETHER_ROWS, spacing.least))

    def row_counts(self, table: EncodedTable, first: int = 0) -> list[int]:
        """Row counts of the chunks of a table, or of a stream's rows from `first` on: then the last chunk may go on."""
        parts = [table.columns[place].parts[0] for place in self.places]
        keys: Keys | None = None
        if parts:
            keys = parts[0].keys if len(parts) == self.n_rows == 1 else _joined(parts, self.n_rows)
        return cut_rows(table.n_rows, keys, self.spacing, first)


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


@dataclass(frozen=True, slots=True)
class _Sampled:
    """A column as some of its rows show it: their values, the share of these that is distinct, and how fit it is to decide.

    Ids and times change least when a table is worked on, so cuts by them last longest (rank 0); floats change most (2).
    """

    place: int
    rank: int
    values: Any
    distinct: float


def _sampled(table: EncodedTable, n_rows: int) -> list[_Sampled]:
    """The columns whose values can decide, by rows among the first `n_rows`."""
    n_rows = min(table.n_rows, n_rows)
    length = min(_RUN_ROWS, n_rows)
    starts = range(0, n_rows - length + 1, max(1, n_rows // _RUNS))
    columns = []
    for place, column in enumerate(table.columns):
        part = column.parts[0]
        runs = [run for run in (part.keys(start, start + length) for start in starts) if run is not None]
        if runs:
            values = np.concatenate(runs)
            columns.append(_Sampled(place, _rank(part), values, _distinct(values)))
    return columns


def _rank(part: PartSource) -> int:
    if pa.types.is_integer(part.type) or pa.types.is_temporal(part.type):
        return 0
    return 2 if pa.types.is_floating(part.type) else 1


def _distinct(values: Any) -> float:
    return len(np.unique(values)) / len(values)


def _together(columns: list[_Sampled], enough: float) -> list[int]:
    """Places of a few columns whose rows hardly repeat, of as low a rank as will do; none when there are none."""
    varied = sorted(columns, key=lambda column: (-round(column.distinct, 1), column.place))
    for worst in sorted({column.rank for column in columns}):
        places: list[int] = []
        joined: Any = np.uint64(0)
        distinct = 1 / len(columns[0].values)
        for column in varied:
            if column.rank > worst or len(places) == _TOGETHER:
                continue
            more: Any = joined * _BY_VALUE + column.values
            told = _distinct(more)
            if told >= min(enough, _WORTH_JOINING * distinct):
                places.append(column.place)
                joined, distinct = more, told
            if distinct >= enough:
                return places
    return []


def _joined(parts: list[PartSource], n_rows: int) -> Keys:
    """The values of all parts in so many rows up to each row, as one number: equal rows, equal numbers."""
    by_row = 0x9E3779B97F4A7C15

    def keys(start: int, stop: int) -> Any:
        first = max(0, start - n_rows + 1)
        joined: Any = np.zeros(stop - first, dtype=np.uint64)
        for part in parts:
            joined = joined * _BY_VALUE + part.keys(first, stop)
        distance = 1
        while distance < n_rows:  # each round doubles how many rows a number stands for
            joined[distance:] = joined[distance:] + joined[:-distance] * np.uint64(pow(by_row, distance, 2**64))
            distance *= 2
        return joined[start - first :]

    return keys
