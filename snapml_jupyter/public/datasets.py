"""`snap.snapshot`, `snap.query`, `snap.dataset`, `snap.datasets`, `snap.diff`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .current import workspace

if TYPE_CHECKING:
    from ..datasets.dataset import Dataset
    from ..datasets.queries import Query
    from ..domain.dataset import DatasetDiff, DatasetSummary, DatasetVersion


def snapshot(
    name: str, data: Any, *, message: str | None = None, derived_from: str | list[str] | None = None
) -> DatasetVersion:
    """Keep `data` as the next version of the dataset `name`; unchanged content gives the version it already has.

    `data`: a table of pandas, polars or Arrow, an Arrow stream, a `datasets.Dataset`, arrays, a `snap.query(...)`, the
    path of a file or folder. `derived_from`: the versions that it was made of, by reference. When the dataset has a suite
    the version is checked by it; `.validity` says "passed" or "failed".
    """
    from ..datasets.snapshot import snapshot as take
    from ..runs.tracking import active_run
    from ..validation.checking import check_new_version

    origins = [derived_from] if isinstance(derived_from, str) else derived_from
    active = active_run()
    run_id = None if active is None else active.run_id
    version = take(workspace(), name, data, message=message, run_id=run_id, derived_from=origins)
    found = check_new_version(workspace(), version)
    return version if found is None else replace(version, validity="passed" if found.passed else "failed")


def query(sql: str, connection: Any, parameters: Any = None) -> Query:
    """What `snap.snapshot` keeps the rows of: an SQL query on a DBAPI, ADBC, DuckDB or SQLAlchemy connection."""
    from ..datasets.queries import Query

    return Query(sql, connection, parameters)


def dataset(ref: str) -> Dataset:
    """Open a dataset version: `flights`, `flights@v3`, `flights@latest`, `flights@2026-11-01`, `flights@approved`.

    Within a run the version is recorded as one of its inputs.
    """
    from ..datasets.dataset import open_dataset
    from ..runs.recording import record_input
    from ..runs.tracking import active_run

    found = open_dataset(workspace(), ref)
    active = active_run()
    if active is not None:
        record_input(workspace(), active.run_id, found.version.ref, found.version.ref)
    return found


def datasets() -> list[DatasetSummary]:
    """Every dataset with its newest version."""
    from ..datasets.versions import list_datasets

    return list_datasets(workspace())


def diff(a: str, b: str, *, keys: str | list[str] | None = None) -> DatasetDiff:
    """What differs between two versions: columns, rows by `keys` or by content, figures of every column, first rows."""
    from ..datasets.diff import diff_versions

    return diff_versions(workspace(), a, b, [keys] if isinstance(keys, str) else keys)
