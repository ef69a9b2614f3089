"""Naming every chunk of a table by its content: the manifest, and where the content of each chunk comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .arrow_types import type_to_json
from .chunks import chunk_digest
from .columns import EncodedTable, PartSource
from .manifest import Lookup, Manifest, Part, StoredColumn
from .reading import in_threads


@dataclass(frozen=True, slots=True)
class ChunkJob:
    """Rows of a part that make one chunk."""

    part: PartSource
    start: int
    stop: int

    def digest(self) -> str:
        """The chunk's name."""
        return chunk_digest(self.part.buffers(self.start, self.stop))


def name_chunks(table: EncodedTable, rows: list[int]) -> tuple[Manifest, dict[str, ChunkJob]]:
    """The manifest of a table cut into chunks of so many rows, and for each chunk digest its content's place."""
    jobs: list[ChunkJob] = []
    for column in table.columns:
        for part in column.parts:
            jobs.extend(_jobs(part, rows))
        if column.lookup is not None:
            jobs.extend(job for part in column.lookup.parts for job in _jobs(part, [column.lookup.n_values]))
    digests = list(in_threads(ChunkJob.digest, jobs, size_of(jobs)))
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


def _jobs(part: PartSource, counts: list[int]) -> Iterator[ChunkJob]:
    start = 0
    for count in counts:
        yield ChunkJob(part, start, start + count)
        start += count


def size_of(jobs: Iterable[ChunkJob]) -> int:
    """Roughly the bytes of those chunks."""
    return sum(job.stop - job.start for job in jobs) * 8
