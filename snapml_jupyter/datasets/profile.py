"""The profile of a version: computed once, kept as a blob, read from there ever after."""

from __future__ import annotations

from ..domain.dataset import DatasetProfile, DatasetVersion
from ..store import datasets as kept
from ..store.workspace import Workspace
from .dataset import open_dataset


def profile_content(workspace: Workspace, version: DatasetVersion) -> bytes:
    """The serialised, mergeable profile of a version; the reference that monitors compare with."""
    if version.profile_digest is not None:
        return workspace.blobs.read(version.profile_digest)
    from ..profiles import profile_table

    content: bytes = profile_table(open_dataset(workspace, version.ref).to_arrow())
    digest = workspace.blobs.put(content)
    with workspace.transaction() as tx:
        kept.set_profile(tx, version.name, version.number, digest)
    return content


def get_profile(workspace: Workspace, version: DatasetVersion) -> DatasetProfile:
    """The statistics of every column, from the kept profile."""
    from ..profiles import summarise_profile

    content = profile_content(workspace, version)
    summary: DatasetProfile = summarise_profile(content, dataset_ref=version.ref, n_rows=version.n_rows)
    return summary
