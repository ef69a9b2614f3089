"""Tables of a program as the very objects they were: frame, series or array, in the same order of memory."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from ..domain.errors import DamagedContentError
from ..domain.program import ProgramTable

if TYPE_CHECKING:
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace


def load_table(workspace: Workspace | RemoteWorkspace, table: ProgramTable) -> Any:
    """The value that lay at `table.place`. Raises NotFoundError or DamagedContentError."""
    from ..datasets.dataset import open_dataset

    dataset = open_dataset(workspace, table.dataset_ref)
    if table.kind == "arrow":
        return dataset.to_arrow()
    if table.kind == "polars":
        return dataset.to_polars()
    frame = dataset.to_pandas()
    if table.kind == "series":
        return frame.iloc[:, 0].rename(ast.literal_eval(table.name or "None"))
    if table.kind == "array":
        return _array(frame, table)
    if table.kind == "frame":
        return _in_order(frame, table.order)
    raise DamagedContentError(f"'{table.place}' was kept as a {table.kind}, which this version of SnapML cannot make.")


def _array(frame: Any, table: ProgramTable) -> Any:
    import numpy as np

    dtype = np.dtype(table.dtype)
    values = frame.iloc[:, 0].to_numpy() if table.n_dims == 1 else frame.to_numpy()
    return np.array(values, dtype=dtype, order="F" if table.order == "F" else "C")


def _in_order(frame: Any, order: str | None) -> Any:
    """A frame that was one block is one again, in the same order: sums over it give the same last bit."""
    import numpy as np
    import pandas as pd

    if order is None:
        return frame.copy()  # joins columns of one dtype, as in a frame that was computed
    block = np.array(frame.to_numpy(), order="F" if order == "F" else "C")
    again = pd.DataFrame(block, index=frame.index, columns=frame.columns, copy=False)
    return again if again.dtypes.equals(frame.dtypes) else frame.copy()
