"""A frame as suites see it: columns and named index levels by their text names, rows numbered from 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def plain_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The same values, none copied; of columns with the same text the first."""
    import pandas as pd

    levels = enumerate(frame.index.names)
    columns = {str(name): frame.index.get_level_values(level) for level, name in levels if name is not None}
    index = pd.RangeIndex(len(frame))
    found = {name: pd.Series(values, index=index, copy=False) for name, values in columns.items()}
    for label, values in frame.items():
        found.setdefault(str(label), pd.Series(values.array, index=index, dtype=values.dtype, copy=False))
    plain: pd.DataFrame = pd.DataFrame(found, index=index, copy=False)
    return plain
