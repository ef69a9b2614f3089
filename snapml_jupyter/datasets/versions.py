"""Dataset versions as the outside asks for them: the records, a page of rows, the profile; and recording one."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

from ..domain.dataset import ChunkPlace, DatasetProfile, DatasetSource, DatasetSummary, DatasetVersion, TablePage
from ..domain.errors import ConflictError, InvalidInputError, NotFoundError
from ..domain.names import check_name
from ..operations import operation
from ..store import datasets as kept
from ..store.blobs import check_digest, digest_of
from ..store.manifests import keep_manifest, read_manifest
from ..store.workspace import Workspace

#: Most rows of one page.
MOST_ROWS = 10_000
#: Longest manifest that is kept in the database.
MOST_MANIFEST_BYTES = 128 * 1024


@operation(permission="datasets:read")
def get_version(workspace: Workspace, ref: str) -> DatasetVersion:
    """The version that a reference names (`flights`, `flights@v3`, `flights@latest`, `flights@2026-11-01`)."""
    return kept.get_version(workspace.database, ref)


@operation(permission="datasets:read")
def find_version_by_digest(workspace: Workspace, digest: str, name: str | None = None) -> DatasetVersion | None:
    """The version with that content, of one dataset or of any; None when there is none."""
    return kept.find_version_by_digest(workspace.database, check_digest(digest), name)


@operation(permission="datasets:read")
def list_datasets(workspace: Workspace) -> list[DatasetSummary]:
    """Every dataset with its newest version, the most recently changed first."""
    return kept.list_datasets(workspace.database)


@operation(permission="datasets:read")
def list_versions(workspace: Workspace, name: str) -> list[DatasetVersion]:
    """The versions of one dataset, newest first."""
    return kept.list_versions(workspace.database, check_name("dataset", name))


@operation(permission="datasets:read")
def find_missing_chunks(workspace: Workspace, digests: list[str]) -> list[str]:
    """Those of the chunks that the workspace does not keep yet, in the order given."""
    found = kept.chunk_sizes(workspace.database, digests)
    return [digest for digest in digests if digest not in found]


@operation(permission="datasets:read")
def locate_chunks(workspace: Workspace, digests: list[str]) -> list[ChunkPlace]:
    """Where those chunks lie. Chunks that are not kept are left out."""
    return list(kept.locate_chunks(workspace.database, digests).values())


@operation(permission="datasets:read")
def get_manifest(workspace: Workspace, manifest_digest: str) -> str:
    """What a version consists of and where that lies, as JSON. Raises NotFoundError, DamagedContentError."""
    return read_manifest(workspace, check_digest(manifest_digest)).decode()


@operation(permission="datasets:write", audited=True)
def record_version(
    workspace: Workspace,
    name: str,
    manifest_digest: str,
    pack_digests: list[str],
    message: str | None = None,
    run_id: str | None = None,
    source: DatasetSource | None = None,
    derived_from: list[str] | None = None,
    manifest_text: str | None = None,
) -> DatasetVersion:
    """Make a version of content whose blobs are kept: index the new packs, give the manifest the next number.

    The manifest is a blob; that of a small table is `manifest_text` instead, and kept with the version.
    Content that the dataset already has is returned as it is, with `is_new` false and no added bytes.
    Raises NotFoundError when a blob or a version of `derived_from` is missing, ConflictError when a chunk of the
    manifest is in no pack, InvalidInputError for a text that is too long or not of that digest.
    """
    from .manifest import decode_manifest
    from .packs import read_index

    check_name("dataset", name)
    if manifest_text is None:
        content = workspace.blobs.read(check_digest(manifest_digest))
        blobs = [manifest_digest, *pack_digests]
    else:
        content, blobs = _small_manifest(manifest_text, manifest_digest), pack_digests
    manifest = decode_manifest(content, f"a new version of '{name}'")
    digest = manifest.digest or manifest_digest
    packs = []
    for pack_digest in pack_digests:
        with workspace.blobs.open(check_digest(pack_digest)) as pack:
            packs.append((pack_digest, pack.seek(0, 2), list(read_index(pack, pack_digest))))
    origins = [kept.get_version(workspace.database, ref) for ref in derived_from or []]
    wanted = set(manifest.chunk_digests())
    with workspace.transaction() as tx:
        # Inside, where no collection of garbage can come between: what is there now stays there.
        for blob in blobs:
            if not workspace.blobs.exists(blob):
                raise ConflictError(
                    f"A blob of the new version of '{name}' was collected as garbage. Snapshot it again."
                )
        added = sum(kept.add_pack(tx, pack_digest, size, places) for pack_digest, size, places in packs)
        sizes = kept.chunk_sizes(workspace.database, wanted)
        if len(sizes) < len(wanted):
            raise ConflictError(
                f"{len(wanted) - len(sizes)} chunks of the new version of '{name}' are not kept any more. Snapshot it again."
            )
        existing = kept.find_version_by_digest(workspace.database, digest, name)
        if existing is not None:
            return replace(existing, is_new=False, added_bytes=0)
        if run_id is not None and not kept.has_run(workspace.database, run_id):
            raise NotFoundError(f"There is no run '{run_id}' that this version of '{name}' could belong to.")
        if not kept.is_manifest_known(workspace.database, manifest_digest):
            added += len(content)
        if manifest_text is not None:
            keep_manifest(tx, manifest_digest, content)
        version = kept.add_version(
            tx,
            {
                "name": name,
                "digest": digest,
                "manifest_digest": manifest_digest,
                "n_rows": manifest.n_rows,
                "n_columns": sum(not column.is_index for column in manifest.columns),
                "size_bytes": len(content) + sum(sizes.values()),
                "added_bytes": added,
                "message": message,
                "run_id": run_id,
                "source": None if source is None else json.dumps(asdict(source)),
            },
            manifest.described_columns(),
            origins,
        )
        tx.event("dataset.version_created", version.ref, name=name, digest=digest, n_rows=version.n_rows)
    return version


def _small_manifest(text: str, digest: str) -> bytes:
    content = text.encode()
    if len(content) > MOST_MANIFEST_BYTES:
        raise InvalidInputError(f"A manifest of more than {MOST_MANIFEST_BYTES:,} bytes is kept as a blob.")
    if digest_of(content) != digest:
        raise InvalidInputError(f"The manifest's digest is {digest_of(content)}, not {digest[:80]!r}.")
    return content


@operation(permission="datasets:read")
def get_rows(workspace: Workspace, ref: str, offset: int = 0, limit: int = 200) -> TablePage:
    """Some rows for display, as JSON values: times in ISO 8601, bytes as Python writes them, missing as null."""
    from .dataset import open_dataset
    from .display import json_rows

    if offset < 0 or not 0 <= limit <= MOST_ROWS:
        raise InvalidInputError(f"A page starts at row 0 or later and has at most {MOST_ROWS} rows.")
    dataset = open_dataset(workspace, ref)
    table = dataset.to_arrow(rows=slice(offset, offset + limit))
    return TablePage(
        dataset_ref=dataset.version.ref,
        columns=table.column_names,
        rows=json_rows(table),
        offset=offset,
        n_rows=dataset.version.n_rows,
    )


@operation(permission="datasets:read")
def get_profile(workspace: Workspace, ref: str) -> DatasetProfile:
    """Statistics of every column of a version: computed on first use and kept."""
    from .profile import get_profile as computed_or_kept

    return computed_or_kept(workspace, kept.get_version(workspace.database, ref))
