"""By which column a table is cut (see `grid`): the first that is nearly unique, integers and times before floats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .grid import LEAST_ROWS, cut_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .columns import EncodedTable

#: A column whose sampled rows are this distinct can decide alone.
_NEARLY_UNIQUE = 0.5
_SAMPLE = 2_048
#: So many columns decide together when none can alone.
_TOGETHER = 4


def row_counts(table: EncodedTable) -> list[int]:
    """Row counts of the chunks of a table."""
    if table.n_rows <= LEAST_ROWS:
        return [table.n_rows] if table.n_rows else []
    return cut_rows(table.n_rows, _keys(table))


def _keys(table: EncodedTable) -> NDArray[Any] | None:
    sample = slice(0, table.n_rows, max(1, table.n_rows // _SAMPLE))
    judged = []
    for place, column in enumerate(table.columns):
        part = column.parts[0]
        values = part.sort_key(sample)
        if values is None:
            continue
        distinct = len(np.unique(values)) / len(values)
        is_float = "float" in str(part.type) or "double" in str(part.type)
        judged.append((distinct < _NEARLY_UNIQUE, is_float, place, part))
    judged.sort(key=lambda entry: entry[:3])
    if not judged:
        return None
    if not judged[0][0]:
        return judged[0][3].sort_key(slice(None))
    keys: Any = np.zeros(table.n_rows, dtype=np.uint64)
    for *_, part in judged[:_TOGETHER]:
        values = part.sort_key(slice(None))
        keys = keys * np.uint64(0x100000001B3) + values  # as FNV does: order and value both count
    return keys
