"""`snap.snapshot`, `snap.dataset`, `snap.datasets`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .current import workspace

if TYPE_CHECKING:
    from ..datasets.dataset import Dataset
    from ..domain.dataset import DatasetSummary, DatasetVersion


def snapshot(name: str, data: Any, *, message: str | None = None) -> DatasetVersion:
    """Keep `data` as the next version of the dataset `name`; unchanged content gives the version it already has."""
    from ..datasets.snapshot import snapshot as take

    return take(workspace(), name, data, message=message)


def dataset(ref: str) -> Dataset:
    """Open a dataset version: `flights`, `flights@v3`, `flights@latest`, `flights@2026-11-01`."""
    from ..datasets.dataset import open_dataset

    return open_dataset(workspace(), ref)


def datasets() -> list[DatasetSummary]:
    """Every dataset with its newest version."""
    from ..datasets.versions import list_datasets

    return list_datasets(workspace())
