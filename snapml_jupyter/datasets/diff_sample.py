"""The values of a few rows of a version, for display."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ..domain.errors import DamagedContentError
from .diff_segments import unique_names
from .display import json_rows
from .reading import Piece

if TYPE_CHECKING:
    from .diff_rows import Side


class ValuesOf:
    """Rows of one version as JSON values."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self.names = unique_names(side.manifest)

    def rows(self, numbers: list[int], columns: list[str]) -> dict[int, list[Any]]:
        """The values of those rows by row number; null in a column that the version lacks or whose chunk is damaged."""
        if not numbers:
            return {}
        starts = self._side.starts
        pieces: list[Piece] = []
        picks: list[int] = []
        place = 0
        segments = np.searchsorted(starts, numbers, side="right") - 1
        for segment, group in groupby(zip(segments.tolist(), numbers, strict=True), key=lambda pair: pair[0]):
            inside = [number - int(starts[segment]) for _, number in group]
            piece = Piece(
                number=segment, n_rows=self._side.manifest.rows[segment], first=inside[0], last=inside[-1] + 1
            )
            pieces.append(piece)
            picks.extend(place + row - piece.first for row in inside)
            place += piece.last - piece.first
        found = {name: self._values(name, pieces, picks) for name in columns if name in self.names}
        nothing = [None] * len(numbers)
        return {number: [found.get(name, nothing)[at] for name in columns] for at, number in enumerate(numbers)}

    def _values(self, name: str, pieces: list[Piece], picks: list[int]) -> list[Any]:
        column = self._side.manifest.columns[self.names.index(name)]
        try:
            values = self._side.column(column, pieces)
        except DamagedContentError:  # a chunk that both versions share: the rows still differ, only this stays unsaid
            return [None] * len(picks)
        taken = values.take(pa.array(picks))
        if pa.types.is_dictionary(taken.type):
            taken = taken.cast(taken.type.value_type)
        return [row[0] for row in json_rows(pa.table({"": taken}))]
