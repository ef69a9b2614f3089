"""Chunks on their way to the disk: made small, collected into packs, each pack durable when it is named.

Numbers are made small by some twenty numpy calls of a few microseconds for each chunk. Two threads that do that spend more
time on handing Python's lock to each other than on the numbers, so all of them are the calling thread's work. Text goes
through codecs that need the lock only between chunks: that is other threads' work meanwhile, and everyone's afterwards.
Measured with `benchmarks/snapshot`. Numbers and text go into packs of their own, so that each column lies together.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from ..domain.dataset import ChunkFigures
from ..store.retention import discard
from ..store.workspace import Workspace
from .chunk_format import encode_chunk
from .chunks import Buffer
from .naming import ChunkJob, size_of
from .packs import PACK_BYTES, PackWriter
from .reading import WORTH_THREADS

if TYPE_CHECKING:
    from types import TracebackType

    from ..store.remote import RemoteWorkspace


#: How often the packs of a stream are touched.
_REFRESH_SECONDS = 600.0
#: Packs that are written at once: one is hashed while the other waits for the disk.
_WRITERS = 2
#: Chunks that are made small at once.
_GROUP = 8

_Named = tuple[str, ChunkJob]
_Encoded = list[tuple[str, list[Buffer], ChunkFigures]]


class PackStream:
    """Takes chunks as they come and writes full packs beside the work on the next; a context manager."""

    def __init__(self, workspace: Workspace | RemoteWorkspace) -> None:
        self._workspace = workspace
        self._spare: list[bytearray] = []
        self._numbers, self._texts = PackWriter(self._spare), PackWriter(self._spare)
        self._disk = ThreadPoolExecutor(_WRITERS)
        self._n_helpers = (os.cpu_count() or 1) - 1
        self._helpers = ThreadPoolExecutor(max(1, self._n_helpers), thread_name_prefix="snapml-texts")
        self._packs: list[Future[str]] = []
        self._refreshed = time.monotonic()

    def __enter__(self) -> PackStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._helpers.shutdown(cancel_futures=True)
        self._disk.shutdown(cancel_futures=kind is not None)
        if kind is not None:
            self._forget()

    def add(self, jobs: dict[str, ChunkJob]) -> None:
        """Make the chunks small and put them into packs."""
        numbers = [named for named in jobs.items() if not named[1].part.is_text]
        texts = [named for named in jobs.items() if named[1].part.is_text]
        if not self._n_helpers or size_of(job for _, job in texts) < WORTH_THREADS:
            for group in _groups(numbers + texts):
                self._put(self._numbers, _encode(group))
            return
        waiting = _groups(texts)
        under_way: deque[Future[_Encoded] | _Encoded] = deque()

        def go_on(*, wait: bool) -> bool:
            """Put what is done into packs, and keep the helpers busy; whether anything was under way."""
            while under_way and (isinstance(under_way[0], list) or wait or under_way[0].done()):
                first = under_way.popleft()
                self._put(self._texts, first if isinstance(first, list) else first.result())
                wait = False
            while len(under_way) <= 2 * self._n_helpers and (group := next(waiting, None)):
                under_way.append(self._helpers.submit(_encode, group))
            return bool(under_way)

        go_on(wait=False)
        for group in _groups(numbers):
            self._put(self._numbers, _encode(group))
            go_on(wait=False)
        for group in waiting:
            under_way.append(_encode(group))
            go_on(wait=len(under_way) > 4 * self._n_helpers + 1)
        while go_on(wait=True):
            pass

    def _put(self, writer: PackWriter, encoded: _Encoded) -> None:
        for digest, content, figures in encoded:
            writer.add(digest, content, figures)
            if time.monotonic() - self._refreshed > _REFRESH_SECONDS:
                self._refresh()
            if writer.size_bytes >= PACK_BYTES:
                if len(self._packs) >= _WRITERS:  # a slow disk must not fill the memory with packs that wait for it
                    self._packs[-_WRITERS].result()
                self._write(writer)

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
        if self._numbers.size_bytes + self._texts.size_bytes <= PACK_BYTES:  # one wait for the disk instead of two
            self._numbers.take_over(self._texts)
        left = [writer for writer in (self._numbers, self._texts) if len(writer)]
        for writer in left[1:]:
            self._write(writer)
        if left:  # here: for the only pack of a small table a thread would cost as much as its compression
            here: Future[str] = Future()
            here.set_result(self._keep(left[0].finish()))
            self._packs.append(here)
        return [pack.result() for pack in self._packs]

    def _write(self, writer: PackWriter) -> None:
        self._packs.append(self._disk.submit(self._keep, writer.finish()))

    def _keep(self, pack: memoryview) -> str:
        digest = self._workspace.blobs.put(pack, locked=True)
        buffer = pack.obj
        pack.release()
        if isinstance(buffer, bytearray):
            self._spare.append(buffer)
        return digest


def write_packs(workspace: Workspace | RemoteWorkspace, jobs: dict[str, ChunkJob]) -> Iterator[str]:
    """Write the chunks in packs; yields the digest of each pack, which is then durable."""
    if jobs:
        with PackStream(workspace) as stream:
            stream.add(jobs)
            yield from stream.finish()


def _groups(jobs: list[_Named]) -> Iterator[list[_Named]]:
    return (jobs[start : start + _GROUP] for start in range(0, len(jobs), _GROUP))


def _encode(group: list[_Named]) -> _Encoded:
    encoded = []
    for digest, job in group:
        buffers = job.part.buffers(job.start, job.stop)
        pieces, known = encode_chunk(digest, buffers, job.part.numbers)
        encoded.append((digest, pieces, job.part.figures(job.stop - job.start, buffers, known)))
    return encoded
