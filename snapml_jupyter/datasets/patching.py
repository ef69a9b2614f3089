"""Which chunks of a new version are kept as patches of its parent's chunks (see `patches`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from ..domain.errors import DamagedContentError, NotFoundError
from .chunks import chunk_digest
from .manifest import WITH_PATCHES, Manifest, Patch
from .naming import ChunkJob, size_of
from .patches import PatchPart, make_patch
from .reading import ChunkReader, in_threads
from .versions import locate_chunks

if TYPE_CHECKING:
    from ..store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A chunk to be kept, and the chunk of the parent that it may be a patch of."""

    digest: str
    job: ChunkJob
    base: str


def with_patches(
    workspace: Workspace, parent: Manifest, manifest: Manifest, writes: dict[str, ChunkJob]
) -> tuple[Manifest, dict[str, ChunkJob]]:
    """The manifest with the patches that save something, and what is to be written instead of `writes`.

    Patches that the parent has already are taken over. The caller sees to the manifest's `digest`.
    """
    patches = {
        digest: parent.patches[digest]
        for digest in dict.fromkeys(manifest.content_digests())
        if digest in parent.patches and digest not in writes
    }
    left = dict(writes)
    for candidates in _by_column(parent, manifest, writes):
        for candidate, change, figures in _made(workspace, candidates):
            patches[candidate.digest] = Patch(base=candidate.base, change=chunk_digest(change.content), figures=figures)
            del left[candidate.digest]
            left[patches[candidate.digest].change] = ChunkJob(change, 0, 0)
    if not patches:
        return manifest, writes
    return replace(manifest, format=WITH_PATCHES, patches=patches), left


def _made(workspace: Workspace, candidates: list[_Candidate]) -> Iterator[tuple[_Candidate, PatchPart, str]]:
    """The patches that are worth it, with the figures of what they make."""
    located = locate_chunks(workspace, sorted({candidate.base for candidate in candidates}))
    reader = ChunkReader(workspace.blobs, {place.digest: place for place in located})
    known = {place.digest for place in located}
    usable = [candidate for candidate in candidates if candidate.base in known]

    def attempt(candidate: _Candidate) -> tuple[_Candidate, PatchPart, str] | None:
        job = candidate.job
        try:
            base = next(reader.read([candidate.base], "the version before"))
        except (DamagedContentError, NotFoundError):
            return None  # what cannot be read is nothing to build on; the chunk is kept whole
        wanted = job.part.buffers(job.start, job.stop)
        change = make_patch(base, wanted, job.part.numbers)
        if change is None:
            return None
        figures = job.part.figures(job.stop - job.start, wanted).to_bytes().hex()
        return candidate, PatchPart(change, job.part.type), figures

    # A column that was computed anew differs everywhere: two of its chunks say so before all are read.
    probes = usable[:: max(1, len(usable) // 2)][:2]
    if any(attempt(candidate) is not None for candidate in probes):
        size = size_of(candidate.job for candidate in usable)
        yield from (made for made in in_threads(attempt, usable, size) if made is not None)


def _by_column(parent: Manifest, manifest: Manifest, writes: dict[str, ChunkJob]) -> Iterator[list[_Candidate]]:
    """For each part of each column the chunks to be written that have one of as many rows at their place in the parent."""
    segments = _segments(parent, manifest)
    columns = {column.name: column for column in parent.columns}
    taken: set[str] = set()
    for column in manifest.columns:
        earlier = columns.get(column.name)
        if earlier is None or [part.type for part in earlier.parts] != [part.type for part in column.parts]:
            continue
        for before, after in zip(earlier.parts, column.parts, strict=True):
            found = []
            for number, digest in enumerate(after.chunks):
                segment = segments[number]
                if digest in writes and digest not in taken and segment is not None:
                    base = before.chunks[segment]
                    patch = parent.patches.get(base)
                    found.append(_Candidate(digest, writes[digest], base if patch is None else patch.base))
                    taken.add(digest)
            if found:
                yield found


def _segments(parent: Manifest, manifest: Manifest) -> list[int | None]:
    """For each row of chunks that of the parent which shares a chunk with it, else the one of the same rows."""
    by_chunk: defaultdict[str, list[int]] = defaultdict(list)
    for column in parent.columns:
        for part in column.parts:
            for number, digest in enumerate(part.chunks):
                by_chunk[digest].append(number)
    by_rows = {
        (stop - n, n): number for number, (n, stop) in enumerate(zip(parent.rows, accumulate(parent.rows), strict=True))
    }
    found: list[int | None] = []
    for number, (n, stop) in enumerate(zip(manifest.rows, accumulate(manifest.rows), strict=True)):
        shared = (
            segment
            for column in manifest.columns
            for part in column.parts
            for segment in by_chunk.get(part.chunks[number], ())[:1]
            if parent.rows[segment] == n
        )
        found.append(next(shared, by_rows.get((stop - n, n))))
    return found
