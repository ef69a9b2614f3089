"""Making a version: name every chunk by its content, write those the workspace lacks, then record the version.

Nothing is written before every column is known to come back exactly, and nothing is recorded before it is durable.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..domain.errors import ConflictError, NotFoundError
from ..store.blobs import digest_of
from ..store.retention import discard
from ..store.workspace import Workspace
from ..store.write_lock import writing
from . import versions
from .chunk_format import encode_chunk
from .columns import FEW_ROWS
from .cutting import Cutting, fit_rows
from .dataset import Dataset
from .manifest import WITH_CHUNKS, Manifest, encode_manifest
from .naming import ChunkJob, name_chunks, size_of
from .pack_writing import write_packs
from .patching import with_patches
from .reading import threads
from .sources import Stream, read_source
from .streaming import keep_stream

if TYPE_CHECKING:
    from ..domain.dataset import DatasetSource, DatasetVersion
    from ..store.remote import RemoteWorkspace
    from .columns import EncodedTable

#: Cuts of the version before are tried when this share of the rows would be written again.
_MOSTLY_NEW = 0.5
#: Tables of fewer bytes are kept without looking at the version before: that would cost more than it saves.
_WORTH_COMPARING = 64 * 1024
#: Tables of few rows and bytes are kept in their manifest, in the database: a file costs more than they are worth.
_SMALL_BYTES = 16 * 1024
#: How often content is kept again when what it shares with others is collected as garbage meanwhile.
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What is asked for: the dataset's name and all that is recorded beside the content."""

    workspace: Workspace | RemoteWorkspace
    name: str
    message: str | None = None
    run_id: str | None = None
    source: DatasetSource | None = None
    derived_from: list[str] | None = None

    def record(self, manifest_digest: str, packs: list[str], text: str | None = None) -> DatasetVersion:
        """Make the version of content that is kept; `text` is the manifest when that is not."""
        return versions.record_version(
            self.workspace,
            self.name,
            manifest_digest,
            packs,
            self.message,
            self.run_id,
            self.source,
            self.derived_from,
            text,
        )


def take(taking: Taking, data: Any) -> DatasetVersion:
    """Keep `data` as the next version; see `snapshot`."""
    source = read_source(data)
    if taking.source is None:
        taking = replace(taking, source=source.source)
    content = source.content
    if isinstance(content, Stream):
        return _persistently(taking, lambda _: _take_stream(taking, content), 1 if content.is_read_once else _ATTEMPTS)
    return _persistently(taking, lambda is_first: _take_table(taking, content, trusting=is_first), _ATTEMPTS)


def _persistently(taking: Taking, attempt: Callable[[bool], DatasetVersion], attempts: int) -> DatasetVersion:
    """What the attempt gives, which is told whether it is the first."""
    workspace = taking.workspace
    for left in reversed(range(attempts)):
        try:
            with writing(workspace.folder) if isinstance(workspace, Workspace) else nullcontext():
                return attempt(left == attempts - 1)
        except (ConflictError, NotFoundError):
            if not left:
                raise
    raise AssertionError("unreachable")  # the last attempt returns or raises


def _take_table(taking: Taking, table: EncodedTable, *, trusting: bool) -> DatasetVersion:
    """`trusting`: what the version before has is there, and need not be looked up."""
    workspace = taking.workspace
    rows = Cutting.of(table).row_counts(table)
    manifest, jobs = name_chunks(table, rows)
    content = encode_manifest(manifest)
    digest = digest_of(content)
    existing = versions.find_version_by_digest(workspace, digest, taking.name)
    if existing is not None:
        return replace(existing, is_new=False, added_bytes=0)
    chunks = _few_chunks(jobs) if table.n_rows <= FEW_ROWS else None
    if chunks is not None:
        content = encode_manifest(replace(manifest, format=WITH_CHUNKS, digest=digest, chunks=chunks))
        if len(content) <= versions.MOST_MANIFEST_BYTES:
            return taking.record(digest_of(content), [], content.decode())
    parent = _parent(taking) if size_of(jobs.values()) >= _WORTH_COMPARING else None
    writes = _new_chunks(workspace, jobs, parent, trusting)
    if parent is not None:
        if len(rows) > 1 and size_of(writes.values()) > _MOSTLY_NEW * size_of(jobs.values()):
            aligned = _aligned(parent, table, rows)
            if aligned is not None:
                manifest, jobs = aligned
                writes = _new_chunks(workspace, jobs, parent, trusting)
        if isinstance(workspace, Workspace):
            manifest, writes = with_patches(workspace, parent, manifest, writes)
        content = encode_manifest(manifest)
        if digest_of(content) != digest:  # not cut or not kept as the content alone says
            content = encode_manifest(replace(manifest, digest=digest))
    # Beside the packs: a frame of few chunks costs one wait for the disk, not two.
    kept = threads().submit(workspace.blobs.put, content, locked=True)
    try:
        packs = list(write_packs(workspace, writes))
        manifest_digest = kept.result()
    except BaseException:
        if isinstance(workspace, Workspace) and kept.exception() is None:
            discard(workspace, [kept.result()])
        raise
    return taking.record(manifest_digest, packs)


def _few_chunks(jobs: dict[str, ChunkJob]) -> dict[str, bytes] | None:
    """The chunks of a table so small that its manifest can hold them; None when it is not."""
    content = {digest: (job.part.buffers(job.start, job.stop), job.part.numbers) for digest, job in jobs.items()}
    if sum(len(buffer) for buffers, _ in content.values() for buffer in buffers) > _SMALL_BYTES:
        return None
    return {digest: b"".join(encode_chunk(digest, *said)[0]) for digest, said in content.items()}


def _parent(taking: Taking) -> Manifest | None:
    """The manifest of the newest version; None without one."""
    try:
        newest = versions.get_version(taking.workspace, taking.name)
    except NotFoundError:
        return None
    return Dataset(taking.workspace, newest).manifest


def _new_chunks(
    workspace: Workspace | RemoteWorkspace, jobs: dict[str, ChunkJob], parent: Manifest | None, trusting: bool
) -> dict[str, ChunkJob]:
    """The chunks that neither are kept nor come out of a patch of the parent."""
    held: set[str] = set()
    if parent is not None:
        patched = parent.patches if isinstance(workspace, Workspace) else {}
        held.update(patched)
        if trusting:  # recording the version looks whether they are there in the end
            held.update(parent.chunk_digests())
    asked = [digest for digest in jobs if digest not in held]
    return {digest: jobs[digest] for digest in versions.find_missing_chunks(workspace, asked)}


def _take_stream(taking: Taking, stream: Stream) -> DatasetVersion:
    manifest, packs = keep_stream(taking.workspace, stream.open())
    content = encode_manifest(manifest)
    existing = versions.find_version_by_digest(taking.workspace, digest_of(content), taking.name)
    if existing is not None:
        return replace(existing, is_new=False, added_bytes=0)
    return taking.record(taking.workspace.blobs.put(content, locked=True), packs)


def _aligned(parent: Manifest, table: EncodedTable, rows: list[int]) -> tuple[Manifest, dict[str, ChunkJob]] | None:
    """The table cut where the newest version is cut, when that lets it share that version's chunks.

    The rows are cut by one column (see `cutting`). When just that column was changed, all cuts move though all other
    columns are as they were; then the old cuts are kept, and the manifest says the digest that the content's own cuts
    give, so that equal content has one digest whatever came before it. None when nothing would be gained.
    """
    aligned = fit_rows(parent.rows, table.n_rows)
    if aligned == rows or not aligned:
        return None
    known = set(parent.content_digests())
    firsts = [ChunkJob(part, 0, aligned[0]).digest() for column in table.columns for part in column.parts]
    if not known.intersection(firsts):
        return None
    return name_chunks(table, aligned)
