"""`%snap_data`."""

from __future__ import annotations

from typing import Any

from ..domain.dataset import DatasetSource, SourceKind
from ..domain.errors import InvalidInputError
from .registration import Call, argument, line_magic


@line_magic(
    "snap_data",
    argument("name", nargs="?", metavar="NAME", help="a dataset: its versions; without it all datasets"),
    argument("df", nargs="?", metavar="DF", help="variable to keep as the next version of NAME"),
    argument("-m", "--message", metavar="TEXT", help="a sentence to keep with the new version"),
    examples=("%snap_data", "%snap_data flights", '%snap_data flights df -m "May added"'),
    completes={"name": "dataset name", "df": "variable"},
)
def snap_data(call: Call, name: str | None, df: str | None, message: str | None) -> Any:
    """Datasets, the versions of one, or a new version of it from a variable."""
    from ..datasets.snapshot import snapshot
    from ..datasets.versions import list_datasets, list_versions
    from ..public.current import workspace
    from .tables import Records, dataset_versions, datasets

    if name is None:
        return Records(list_datasets(workspace()), datasets)
    if df is not None:
        return snapshot(
            workspace(),
            name,
            call.variable(df),
            message=message,
            source=DatasetSource(kind=SourceKind.FRAME, name=df),
        )
    if message is not None:
        raise InvalidInputError(f"%snap_data {name} -m: say which variable to keep: %snap_data {name} df -m TEXT.")
    return Records(list_versions(workspace(), name), dataset_versions)
