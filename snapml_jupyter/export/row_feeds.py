"""The input arrays of a graph for one row, made once and filled anew for each request.

Most requests are one row, and for one row making arrays is most of the conversion's time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from .inputs import MISSING_TEXT, GraphInputs


class RowFeeds:
    """For one caller at a time: `if feeds.take(): ... session.run(names, feeds.fill(row)) ... feeds.release()`."""

    def __init__(self, inputs: GraphInputs) -> None:
        self._inputs = inputs
        self._arrays: dict[str, Any] = {}
        #: For each input: where its value stands in a row, the array as a vector, whether it is text, lower-cased, of these.
        self._places: list[tuple[int, Any, bool, bool, frozenset[Any] | None]] = []
        for group in inputs.groups:
            categories = dict(group.categories)
            for position, (column, name) in enumerate(zip(group.columns, group.inputs, strict=True)):
                array = np.empty((1, 1), group.dtype)
                self._arrays[name] = array
                place = list(inputs.columns).index(column.name)
                is_text = group.dtype is np.object_
                self._places.append((place, array.reshape(-1), is_text, group.lowered, categories.get(position)))
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether the arrays are free and now the caller's, who gives them back with `release`."""
        return self._lock.acquire(blocking=False)

    def release(self) -> None:
        """Give the arrays back."""
        self._lock.release()

    def fill(self, row: Sequence[Any]) -> dict[str, Any]:
        """The arrays, each of shape [1, 1], with the values of a row that a worker's decoder gave.

        As `GraphInputs.tuples_to_feeds([row], has_types=True)`, whose errors it raises.
        """
        for place, vector, is_text, is_lowered, known in self._places:
            value = row[place]
            if known is not None and value is not None and value not in known:
                return self._inputs.tuples_to_feeds([row], has_types=True)  # raises what is wrong
            if is_text:
                if value is None:
                    value = MISSING_TEXT
                elif is_lowered:
                    value = value.lower()
            vector[0] = value
        return self._arrays
