"""Chunks on their way to the disk: compressed by all processors, collected into packs, each pack durable when it is named."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from ..store.retention import discard
from ..store.workspace import Workspace
from .chunks import Buffer
from .naming import ChunkJob, size_of
from .packs import PACK_BYTES, PackWriter, encode_chunk
from .reading import in_threads

if TYPE_CHECKING:
    from types import TracebackType

    from ..domain.dataset import ChunkFigures
    from ..store.remote import RemoteWorkspace


#: How often the packs of a stream are touched.
_REFRESH_SECONDS = 600.0


class PackStream:
    """Takes chunks as they come and writes full packs beside the work on the next; a context manager."""

    def __init__(self, workspace: Workspace | RemoteWorkspace) -> None:
        self._workspace = workspace
        self._writer = PackWriter()
        self._disk = ThreadPoolExecutor(1)
        self._packs: list[Future[str]] = []
        self._refreshed = time.monotonic()

    def __enter__(self) -> PackStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._disk.shutdown(cancel_futures=kind is not None)
        if kind is not None:
            self._forget()

    def add(self, jobs: dict[str, ChunkJob]) -> None:
        """Compress the chunks and put them into packs."""
        encoded = in_threads(_encode, list(jobs.items()), size_of(jobs.values()))
        for digest, (content, figures) in zip(jobs, encoded, strict=True):
            self._writer.add(digest, content, figures)
            if time.monotonic() - self._refreshed > _REFRESH_SECONDS:
                self._refresh()
            if self._writer.size_bytes >= PACK_BYTES:
                self._packs.append(
                    self._disk.submit(self._workspace.blobs.put_pieces, self._writer.finish(), locked=True)
                )
                if len(self._packs) > 1:
                    self._packs[-2].result()  # a slow disk must not fill the memory with packs that wait for it

    def _refresh(self) -> None:
        """Keep the packs of a long stream young, so that no collection of garbage takes them before they are recorded."""
        self._refreshed = time.monotonic()
        if isinstance(self._workspace, Workspace):
            for pack in self._packs:
                if pack.done():
                    self._workspace.blobs.touch(pack.result(), locked=True)

    def _forget(self) -> None:
        """Take away what was written for nothing, so that a full disk has room again."""
        if isinstance(self._workspace, Workspace):
            done = [pack for pack in self._packs if not pack.cancelled() and pack.exception() is None]
            discard(self._workspace, [pack.result() for pack in done])

    def finish(self) -> list[str]:
        """The digests of all packs, which are durable now."""
        if len(self._writer):
            last = self._workspace.blobs.put_pieces(self._writer.finish(), locked=True)
            return [*(pack.result() for pack in self._packs), last]
        return [pack.result() for pack in self._packs]


def write_packs(workspace: Workspace | RemoteWorkspace, jobs: dict[str, ChunkJob]) -> Iterator[str]:
    """Write the chunks in packs; yields the digest of each pack, which is then durable."""
    if jobs:
        with PackStream(workspace) as stream:
            stream.add(jobs)
            yield from stream.finish()


def _encode(named: tuple[str, ChunkJob]) -> tuple[list[Buffer], ChunkFigures]:
    digest, job = named
    buffers = job.part.buffers(job.start, job.stop)
    return encode_chunk(digest, buffers, job.part.numbers), job.part.figures(job.stop - job.start, buffers)
