"""The tables among the notebook's values, told by their types without importing the libraries they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_TABLES = {
    ("pandas", "DataFrame"),
    ("pandas", "Series"),
    ("polars", "DataFrame"),
    ("polars", "Series"),
    ("pyarrow", "Table"),
}
#: Containers of more items are not looked into.
_MAX_ITEMS = 20


def is_table(value: Any) -> bool:
    """Whether the value is a frame, a series, an Arrow table or an array of one or two dimensions."""
    for base in type(value).__mro__:
        root = base.__module__.partition(".")[0]
        if (root, base.__name__) in _TABLES:
            return True
        if (root, base.__name__) == ("numpy", "ndarray"):
            return value.ndim in (1, 2) and value.size > 0 and value.dtype.kind in "biufUSMm"
    return False


def table_form(value: Any) -> tuple[str, str | None, int | None, str | None] | None:
    """How the table is given back exactly: (kind, dtype, dimensions, memory order); None when it cannot be told.

    The order of memory matters: sums over rows or columns differ in their last bits by it.
    """
    kind = type(value)
    root = kind.__module__.partition(".")[0]
    if root == "numpy" and kind.__name__ == "ndarray":
        order = "C" if value.flags.c_contiguous else ("F" if value.flags.f_contiguous else None)
        return None if order is None else ("array", value.dtype.str, value.ndim, order)
    if root == "pandas" and kind.__name__ == "Series":
        return "series", None, 1, None
    if root == "pandas" and kind.__name__ == "DataFrame":
        if value.shape[1] > 1 and len(set(map(str, value.dtypes))) == 1 and value.dtypes.iloc[0].kind in "biuf":
            inner = value.to_numpy(copy=False)
            if inner.size and not inner.flags.owndata:  # a view of the frame's one block
                return "frame", None, 2, "C" if inner.flags.c_contiguous else "F"
        return "frame", None, 2, None
    if (root, kind.__name__) in (("polars", "DataFrame"), ("pyarrow", "Table")):
        return ("polars" if root == "polars" else "arrow"), None, 2, None
    return None


def is_pandas_frame(value: Any) -> bool:
    """Whether it is a pandas DataFrame."""
    return any(b.__name__ == "DataFrame" and b.__module__.partition(".")[0] == "pandas" for b in type(value).__mro__)


def tables_in(variable: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The value itself when it is a table, else the tables directly inside a small dict, list or tuple.

    These are called by where they lie: `splits.0`, `data.train`.
    """
    if is_table(value):
        yield variable, value
    elif isinstance(value, (list, tuple)) and len(value) <= _MAX_ITEMS:
        for position, item in enumerate(value):
            if is_table(item):
                yield f"{variable}.{position}", item
    elif isinstance(value, Mapping) and len(value) <= _MAX_ITEMS:
        for key, item in value.items():
            if isinstance(key, (str, int)) and is_table(item):
                yield f"{variable}.{key}", item


def dataset_name(variable: str) -> str:
    """The variable's name as a dataset name, other characters as `_`.

    >>> dataset_name("splits.0"), dataset_name("données")
    ('splits.0', 'donn_es')
    """
    name = re.sub(r"[^A-Za-z0-9_.\-]|\.(?=\.)", "_", variable)[:128]
    return name if re.match(r"[A-Za-z0-9_]", name) else "_" + name[:127]


def unchanging(value: Any) -> Any | None:
    """A copy that later changes of the value do not reach, where that costs nothing; else None.

    pandas 3 copies on write, so a shallow copy of a frame keeps what the frame holds now.
    """
    if is_pandas_frame(value):
        import pandas as pd

        if int(pd.__version__.partition(".")[0]) >= 3:
            return value.copy(deep=False)
    return None


def holds_columns_of(frame: Any, other: Any) -> bool:
    """Whether `other`'s columns, with equal index and content, are all in `frame` (pandas frames)."""
    return bool(
        is_pandas_frame(frame)
        and is_pandas_frame(other)
        and len(frame) == len(other)
        and frame.columns.is_unique
        and other.columns.is_unique
        and set(other.columns) <= set(frame.columns)
        and frame.index.equals(other.index)
        and all(frame[column].equals(other[column]) for column in other.columns)
    )
