"""Making a version: name every chunk by its content, write those the workspace lacks, then record the version.

Nothing is written before every column is known to come back exactly, and nothing is recorded before it is durable.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..domain.errors import NotFoundError
from ..store.blobs import digest_of
from . import versions
from .chunks import Buffer
from .cutting import fit_rows, row_counts
from .manifest import Manifest, decode_manifest, encode_manifest
from .naming import ChunkJob, name_chunks, size_of
from .packs import PACK_BYTES, PackWriter, encode_chunk
from .reading import in_threads
from .sources import encode_source

if TYPE_CHECKING:
    from ..domain.dataset import ChunkFigures, DatasetVersion
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace
    from .columns import EncodedTable

#: Cuts of the version before are tried when this share of the rows would be written again.
_MOSTLY_NEW = 0.5


def take(
    workspace: Workspace | RemoteWorkspace, name: str, data: Any, *, message: str | None, run_id: str | None
) -> DatasetVersion:
    """Keep `data` as the next version of the dataset `name`; see `snapshot`."""
    table = encode_source(data)
    rows = row_counts(table)
    manifest, jobs = name_chunks(table, rows)
    content = encode_manifest(manifest)
    digest = digest_of(content)
    existing = versions.find_version_by_digest(workspace, digest, name)
    if existing is not None:
        return replace(existing, is_new=False, added_bytes=0)
    missing = versions.find_missing_chunks(workspace, list(jobs))
    if len(rows) > 1 and size_of(jobs[chunk] for chunk in missing) > _MOSTLY_NEW * size_of(jobs.values()):
        aligned = _aligned(workspace, name, table, rows, digest)
        if aligned is not None:
            manifest, jobs = aligned
            content = encode_manifest(manifest)
            missing = versions.find_missing_chunks(workspace, list(jobs))
    with ThreadPoolExecutor(1) as disk:  # beside the packs: a small frame costs one wait for the disk, not two
        kept = disk.submit(workspace.blobs.put, content)
        packs = list(write_packs(workspace, {chunk: jobs[chunk] for chunk in missing}))
        manifest_digest = kept.result()
    return versions.record_version(workspace, name, manifest_digest, packs, message, run_id)


def _aligned(
    workspace: Workspace | RemoteWorkspace, name: str, table: EncodedTable, rows: list[int], digest: str
) -> tuple[Manifest, dict[str, ChunkJob]] | None:
    """The table cut where the newest version of `name` is cut, when that lets it share that version's chunks.

    The rows are cut by one column (see `cutting`). When just that column was changed, all cuts move though all other
    columns are as they were; then the old cuts are kept, and the manifest says the digest that the content's own cuts
    give, so that equal content has one digest whatever came before it. None when nothing would be gained.
    """
    try:
        newest = versions.get_version(workspace, name)
    except NotFoundError:
        return None
    parent = decode_manifest(workspace.blobs.read(newest.manifest_digest), newest.ref)
    aligned = fit_rows(parent.rows, table.n_rows)
    if aligned == rows or not aligned:
        return None
    known = set(parent.chunk_digests())
    firsts = [ChunkJob(part, 0, aligned[0]).digest() for column in table.columns for part in column.parts]
    if not known.intersection(firsts):
        return None
    manifest, jobs = name_chunks(table, aligned)
    return replace(manifest, digest=digest), jobs


def write_packs(workspace: Workspace | RemoteWorkspace, jobs: dict[str, ChunkJob]) -> Iterator[str]:
    """Compress the chunks and put them into packs; yields the digest of each pack, which is then durable."""

    def encode(job: ChunkJob) -> tuple[list[Buffer], ChunkFigures]:
        buffers = job.part.buffers(job.start, job.stop)
        return encode_chunk(buffers, job.part.numbers), job.part.figures(job.stop - job.start, buffers)

    writer = PackWriter()
    # The next pack is compressed while the last one reaches the disk.
    with ThreadPoolExecutor(1) as disk:
        packs: list[Future[str]] = []
        encoded = in_threads(encode, list(jobs.values()), size_of(jobs.values()))
        for digest, (content, figures) in zip(jobs, encoded, strict=True):
            writer.add(digest, content, figures)
            if writer.size_bytes >= PACK_BYTES:
                packs.append(disk.submit(workspace.blobs.put, writer.finish()))
                if len(packs) > 1:
                    packs[-2].result()  # a slow disk must not fill the memory with packs that wait for it
        yield from (pack.result() for pack in packs)
    if len(writer):
        yield workspace.blobs.put(writer.finish())
