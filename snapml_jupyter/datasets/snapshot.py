"""`snapshot`: keep a table as a version of a dataset. The work is in `taking`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..domain.names import check_name

if TYPE_CHECKING:
    from ..domain.dataset import DatasetSource, DatasetVersion
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace


def snapshot(
    workspace: Workspace | RemoteWorkspace,
    name: str,
    data: Any,
    *,
    message: str | None = None,
    run_id: str | None = None,
    source: DatasetSource | None = None,
    derived_from: list[str] | None = None,
) -> DatasetVersion:
    """Keep `data` as the next version of the dataset `name`; content it already has gives that version again.

    `data`: pandas, polars or Arrow table, Arrow stream (kept a part at a time), dict of arrays, numpy array,
    `datasets.Dataset`, `Query`, or the path of a CSV, Parquet or Arrow file or of a folder. `source` says where it came
    from when `data` does not; `derived_from` are references of the versions that it was made of.
    Raises CannotKeepError, before anything is written, when some value would not come back exactly.
    """
    check_name("dataset", name)
    # Inside, because who imports this module (a magic, the command line) may never take a snapshot.
    from .taking import Taking, take

    taking = Taking(
        workspace=workspace, name=name, message=message, run_id=run_id, source=source, derived_from=derived_from
    )
    return take(taking, data)
