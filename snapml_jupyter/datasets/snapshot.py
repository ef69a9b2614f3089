"""Making a version: name every chunk by its content, write those the workspace lacks, then record the version.

Nothing is written before every column is known to come back exactly, and nothing is recorded before it is durable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..domain.names import check_name
from ..store.blobs import digest_of
from . import versions

if TYPE_CHECKING:
    from ..domain.dataset import DatasetVersion
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace
    from .columns import EncodedTable, PartSource
    from .manifest import Manifest


def snapshot(
    workspace: Workspace | RemoteWorkspace,
    name: str,
    data: Any,
    *,
    message: str | None = None,
    run_id: str | None = None,
) -> DatasetVersion:
    """Keep `data` as the next version of the dataset `name`; content it already has gives that version again.

    `data`: pandas, polars or Arrow table, dict of arrays, numpy array, path of a CSV, Parquet or Arrow file.
    Raises CannotKeepError, before anything is written, when some value would not come back exactly.
    """
    from .manifest import encode_manifest
    from .sources import encode_source

    check_name("dataset", name)
    table = encode_source(data)
    manifest, jobs = name_chunks(table)
    content = encode_manifest(manifest)
    existing = versions.find_version_by_digest(workspace, digest_of(content), name)
    if existing is not None:
        return replace(existing, is_new=False, added_bytes=0)
    missing = versions.find_missing_chunks(workspace, list(jobs))
    with ThreadPoolExecutor(1) as disk:  # beside the packs: a small frame costs one wait for the disk, not two
        kept = disk.submit(workspace.blobs.put, content)
        packs = list(write_packs(workspace, {digest: jobs[digest] for digest in missing}))
        manifest_digest = kept.result()
    return versions.record_version(workspace, name, manifest_digest, packs, message, run_id)


@dataclass(frozen=True, slots=True)
class ChunkJob:
    """Rows of a part that make one chunk."""

    part: PartSource
    start: int
    stop: int


def name_chunks(table: EncodedTable) -> tuple[Manifest, dict[str, ChunkJob]]:
    """The manifest of a table, and for each chunk digest where its content comes from."""
    from .arrow_types import type_to_json
    from .chunks import chunk_digest
    from .cutting import row_counts
    from .manifest import Lookup, Manifest, Part, StoredColumn
    from .reading import in_threads

    rows = row_counts(table)
    jobs: list[ChunkJob] = []
    for column in table.columns:
        for part in column.parts:
            jobs.extend(_jobs(part, rows))
        if column.lookup is not None:
            jobs.extend(job for part in column.lookup.parts for job in _jobs(part, [column.lookup.n_values]))
    digests = list(in_threads(lambda job: chunk_digest(job.part.buffers(job.start, job.stop)), jobs, _size(jobs)))
    named = iter(digests)

    def take(part: PartSource, n_chunks: int) -> Part:
        return Part(type=type_to_json(part.type), chunks=[next(named) for _ in range(n_chunks)])

    columns = [
        StoredColumn(
            name=column.name,
            type=column.type,
            dtype=column.dtype,
            codec=column.codec,
            parts=[take(part, len(rows)) for part in column.parts],
            is_index=column.is_index,
            lookup=None
            if column.lookup is None
            else Lookup(
                n_values=column.lookup.n_values,
                codec=column.lookup.codec,
                parts=[take(part, 1) for part in column.lookup.parts],
            ),
        )
        for column in table.columns
    ]
    return Manifest(rows=rows, columns=columns, frame=table.frame), dict(zip(digests, jobs, strict=True))


def write_packs(workspace: Workspace | RemoteWorkspace, jobs: dict[str, ChunkJob]) -> Iterator[str]:
    """Compress the chunks and put them into packs; yields the digest of each pack, which is then durable."""
    from .packs import PACK_BYTES, PackWriter, encode_chunk
    from .reading import in_threads

    def encode(job: ChunkJob) -> bytes:
        return encode_chunk(job.part.buffers(job.start, job.stop), job.part.width)

    writer = PackWriter()
    # The next pack is compressed while the last one reaches the disk.
    with ThreadPoolExecutor(1) as disk:
        packs: list[Future[str]] = []
        for digest, content in zip(jobs, in_threads(encode, list(jobs.values()), _size(jobs.values())), strict=True):
            writer.add(digest, content)
            if writer.size_bytes >= PACK_BYTES:
                packs.append(disk.submit(workspace.blobs.put, writer.finish()))
        yield from (pack.result() for pack in packs)
    if len(writer):
        yield workspace.blobs.put(writer.finish())


def _jobs(part: PartSource, counts: list[int]) -> Iterator[ChunkJob]:
    start = 0
    for count in counts:
        yield ChunkJob(part, start, start + count)
        start += count


def _size(jobs: Iterable[ChunkJob]) -> int:
    """Roughly the bytes of those chunks."""
    return sum(job.stop - job.start for job in jobs) * 8
