"""Making a version: name every chunk by its content, write those the workspace lacks, then record the version.

Nothing is written before every column is known to come back exactly, and nothing is recorded before it is durable.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    packs = list(write_packs(workspace, [jobs[digest] for digest in missing], missing))
    manifest_digest = workspace.blobs.put(content)
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
    from .cutting import row_counts
    from .manifest import Lookup, Manifest, Part, StoredColumn

    rows = row_counts(table)
    jobs: dict[str, ChunkJob] = {}

    def named(part: PartSource, counts: list[int]) -> Part:
        return Part(type=type_to_json(part.type), chunks=_digests(part, counts, jobs))

    columns = [
        StoredColumn(
            name=column.name,
            type=column.type,
            dtype=column.dtype,
            codec=column.codec,
            parts=[named(part, rows) for part in column.parts],
            is_index=column.is_index,
            lookup=None
            if column.lookup is None
            else Lookup(
                n_values=column.lookup.n_values,
                codec=column.lookup.codec,
                parts=[named(part, [column.lookup.n_values]) for part in column.lookup.parts],
            ),
        )
        for column in table.columns
    ]
    return Manifest(rows=rows, columns=columns, frame=table.frame), jobs


def _digests(part: PartSource, counts: list[int], jobs: dict[str, ChunkJob]) -> list[str]:
    from .chunks import chunk_digest
    from .reading import in_threads

    ranges = []
    start = 0
    for count in counts:
        ranges.append((start, start + count))
        start += count
    digests = list(in_threads(lambda rows: chunk_digest(part.buffers(*rows)), ranges, start * 8))
    for digest, (first, last) in zip(digests, ranges, strict=True):
        jobs.setdefault(digest, ChunkJob(part, first, last))
    return digests


def write_packs(workspace: Workspace | RemoteWorkspace, jobs: list[ChunkJob], digests: list[str]) -> Iterator[str]:
    """Compress the chunks and put them into packs; yields the digest of each pack, which is then durable."""
    from .packs import PACK_BYTES, PackWriter, encode_chunk
    from .reading import in_threads

    writer = PackWriter()
    size = sum(job.stop - job.start for job in jobs) * 8
    stored = in_threads(lambda job: encode_chunk(job.part.buffers(job.start, job.stop)), jobs, size)
    for digest, content in zip(digests, stored, strict=True):
        writer.add(digest, content)
        if writer.size_bytes >= PACK_BYTES:
            yield workspace.blobs.put(writer.finish())
    if len(writer):
        yield workspace.blobs.put(writer.finish())
