"""Fetching the chunks of a version: only the columns and row ranges that are asked for, checked as they are read."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BufferedReader
from itertools import groupby
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import pyarrow as pa

from ..domain.dataset import ChunkPlace
from ..domain.errors import DamagedContentError, NotFoundError
from .chunk_format import PLAIN_HEAD_BYTES, Room, Target, decode_chunk, decode_chunks, is_plain
from .chunks import Buffer
from .patches import apply_patch

if TYPE_CHECKING:
    from ..store.blobs import BlobStore
    from .manifest import Manifest, Patch

T = TypeVar("T")
U = TypeVar("U")

#: Below this many bytes the threads cost more than they bring.
WORTH_THREADS = 256 * 1024
#: Chunks that a thread takes at once: enough for each thread to come by several times, no more than are held at once.
_LEAST_GROUP, _MOST_GROUP = 8, 64
#: Most chunks, and bytes of them, that are read at once: what they are made into is then still in the processor's cache.
_RUN, _RUN_BYTES = 32, 4 * 2**20
#: Whether one call reads a range of a file into many buffers; not on Windows.
_SCATTERS = hasattr(os, "preadv")

_POOLS: dict[int, ThreadPoolExecutor] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The rows [first, last) of one chunk that a reader wants; `number` is the chunk's place in the version."""

    number: int
    n_rows: int
    first: int
    last: int


def pieces_of(rows: list[int], start: int, stop: int) -> list[Piece]:
    """The chunks that hold the rows [start, stop), and which of their rows are meant."""
    found: list[Piece] = []
    place = 0
    for number, n_rows in enumerate(rows):
        if place + n_rows > start and place < stop:
            found.append(
                Piece(number=number, n_rows=n_rows, first=max(0, start - place), last=min(n_rows, stop - place))
            )
        place += n_rows
    return found


class ChunkReader:
    """Reads chunks by digest from the packs that hold them, or from the manifest where that has them or patches for them.

    Safe to use from several threads.
    """

    def __init__(self, blobs: BlobStore, places: dict[str, ChunkPlace], manifest: Manifest | None = None) -> None:
        self._blobs = blobs
        self._places = places
        self._patches: dict[str, Patch] = {} if manifest is None else manifest.patches
        self._inline: dict[str, bytes] = {} if manifest is None else manifest.chunks

    def read(self, digests: list[str], what: str, target: Target | None = None) -> Iterator[list[Buffer]]:
        """The canonical buffers of each chunk, in order. Raises DamagedContentError naming `what` (version and column).

        Chunks that lie side by side, as those of a column do, are read together. `target`: room for their second and third
        buffers. What fits it and is not patched is written there, the last of it when all have been taken, and is None; the
        third buffer of any other is for the caller to put there before the next is taken.
        """
        advice = "Restore the workspace's blobs from a backup; `snapml verify` lists all that is damaged."
        done = 0
        try:
            for is_patched, group in groupby(digests, self._patches.__contains__):
                some = list(group)
                if is_patched:
                    yield from self._read_patched(some)
                elif self._inline:
                    yield from self._read_inline(some)
                else:
                    yield from self._read_whole(some, target, done)
                done += len(some)
        except (DamagedContentError, NotFoundError) as error:
            raise DamagedContentError(f"{what} is damaged. {error} {advice}") from error

    def lengths(self, digests: list[str]) -> tuple[int | None, int | None]:
        """By the figures of chunks of texts: how many characters they have, and how many each text has.

        None for the first where a chunk has no figures, for the second where texts have different lengths or are missing.
        """
        total, ends = 0, set[float | None]()
        for digest in digests:
            patch, place = self._patches.get(digest), self._places.get(digest)
            figures = place.figures if place is not None else None
            if patch is not None:
                figures = patch.figures_made()
            if figures is None or not figures.n_values:
                return None, None
            if figures.total is None and figures.n_nulls < figures.n_values:
                return None, None
            total += int(figures.total or 0)
            ends |= {figures.least, figures.greatest, None if figures.n_nulls else figures.least}
        same = ends.pop() if len(ends) == 1 else None
        return total, None if same is None else int(same)

    def _read_patched(self, digests: list[str]) -> Iterator[list[Buffer]]:
        patches = [self._patches[digest] for digest in digests]
        bases = self._read_whole([patch.base for patch in patches])
        changes = self._read_whole([patch.change for patch in patches])
        for digest, base, change in zip(digests, bases, changes, strict=True):
            yield apply_patch(base, change, digest)

    def _read_inline(self, digests: list[str]) -> Iterator[list[Buffer]]:
        for digest in digests:
            content = self._inline.get(digest)
            if content is None:
                raise DamagedContentError(f"Its manifest lacks the chunk {digest}.")
            yield decode_chunk(content, digest)

    def _read_whole(self, digests: list[str], target: Target | None = None, done: int = 0) -> Iterator[list[Buffer]]:
        for run in self._runs(digests):
            if target is not None and self._seem_plain(run, target.numbers, done):
                yield from self._read_plain(run, target, done)
            else:
                yield from self._read_run(run, target, done)
            done += len(run)

    def _read_run(self, run: list[ChunkPlace], target: Target | None, first: int) -> Iterator[list[Buffer]]:
        begin, last = run[0].offset, run[-1]
        content = memoryview(pa.allocate_buffer(last.offset + last.length - begin))  # Arrow's memory is used again
        self._fill(run[0], [content])
        stored = [content[place.offset - begin : place.offset - begin + place.length] for place in run]
        digests = [place.digest for place in run]
        if target is None:
            yield from map(decode_chunk, stored, digests)
        else:
            yield from decode_chunks(stored, digests, target, first)

    def _seem_plain(self, run: list[ChunkPlace], room: Room, first: int) -> bool:
        """Whether all have room, and the size of numbers stored as they are."""
        return room.content is not None and all(
            place.length == PLAIN_HEAD_BYTES + room.size(number) for number, place in enumerate(run, first)
        )

    def _read_plain(self, run: list[ChunkPlace], target: Target, first: int) -> Iterator[list[Buffer]]:
        """Chunks that have the size of numbers stored as they are: straight into their places, without a copy."""
        heads = [bytearray(PLAIN_HEAD_BYTES) for _ in run]
        rooms = [target.numbers.of(number, number + 1) for number in range(first, first + len(run))]
        self._fill(run[0], [buffer for both in zip(heads, rooms, strict=True) for buffer in both])
        for number, (place, head, room) in enumerate(zip(run, heads, rooms, strict=True), first):
            if is_plain(head, room, place.digest):
                yield [b"", None]
            else:
                yield from decode_chunks([memoryview(b"".join((head, room)))], [place.digest], target, number)

    def _fill(self, place: ChunkPlace, buffers: list[Any]) -> None:
        """Read what begins there in a pack into one buffer after the other."""
        with self._blobs.open(place.pack_digest) as pack:
            is_file = _SCATTERS and isinstance(pack, BufferedReader)
            if is_file and os.preadv(pack.fileno(), buffers, place.offset) == sum(map(len, buffers)):
                return
            pack.seek(place.offset)
            for buffer in buffers:
                _read_into(pack, memoryview(buffer))

    def _runs(self, digests: list[str]) -> Iterator[list[ChunkPlace]]:
        run: list[ChunkPlace] = []
        for digest in digests:
            place = self._places.get(digest)
            if place is None:
                raise DamagedContentError(f"The workspace no longer has its chunk {digest}.")
            if run:
                first, last = run[0], run[-1]
                follows = last.pack_digest == place.pack_digest and last.offset + last.length == place.offset
                if not follows or len(run) == _RUN or place.offset + place.length - first.offset > _RUN_BYTES:
                    yield run
                    run = []
            run.append(place)
        if run:
            yield run


def _read_into(pack: BinaryIO, content: memoryview) -> None:
    place = 0
    while place < len(content):
        read = pack.readinto(content[place:])  # type: ignore[attr-defined]  # binary files have it
        if not read:
            raise DamagedContentError("A pack of it is cut short.")
        place += read


def in_threads(function: Callable[[T], U], items: list[T], size_bytes: int, group: int | None = None) -> Iterator[U]:
    """Map over all processors when the work is worth it. Hashing and decompressing release the GIL.

    Items go to the threads in groups: handing them over one by one would cost as much as hashing them.
    At most a few groups are under way at once, so results that the caller drops take no memory.
    """
    workers = min(len(items), os.cpu_count() or 1)
    if workers < 2 or size_bytes < WORTH_THREADS:
        yield from map(function, items)
        return
    if group is None:
        group = min(max(_LEAST_GROUP, len(items) // (8 * workers)), _MOST_GROUP)
    groups = [items[start : start + group] for start in range(0, len(items), group)]
    under_way: deque[Future[list[U]]] = deque()
    for some in groups:
        under_way.append(threads().submit(_each, function, some))
        if len(under_way) > 2 * workers:
            yield from under_way.popleft().result()
    while under_way:
        yield from under_way.popleft().result()


def in_threads_beside(
    function: Callable[[T], U], items: list[T], is_text: Callable[[T], bool], size_bytes: int
) -> list[U]:
    """Map over all processors when the work is worth it: text first in other threads while this one works on numbers.

    Numbers take many short calls, for which threads hand Python's lock to each other (see `pack_writing`); so one other joins
    in when no text is left, which is still faster than one alone.
    """
    helpers = (os.cpu_count() or 1) - 1
    if len(items) < 2 or not helpers or size_bytes < WORTH_THREADS:
        return [function(item) for item in items]
    results: dict[int, U] = {}
    texts = deque(place for place, item in enumerate(items) if is_text(item))
    numbers = deque(place for place in range(len(items)) if place not in texts)

    def work_off(places: deque[int]) -> None:
        while True:
            try:
                place = places.popleft()
            except IndexError:  # none is left
                return
            results[place] = function(items[place])

    def help_out(joins_in: bool) -> None:
        work_off(texts)
        if joins_in:
            work_off(numbers)

    helping = [threads().submit(help_out, number == 0) for number in range(min(helpers, max(1, len(texts))))]
    try:
        work_off(numbers)
        work_off(texts)
    except BaseException:
        texts.clear()  # the helpers stop at the next column
        numbers.clear()
        raise
    for helper in helping:
        if not helper.cancel():  # cancelled when it did not come to begin
            helper.result()
    return [results[place] for place in range(len(items))]


def threads() -> ThreadPoolExecutor:
    """Threads that stay: new ones start with an empty heap, and filling it costs as much as reading the data.

    By process, because a forked child has the executor but not its threads. The work must not call `in_threads` itself.
    """
    pid = os.getpid()
    if pid not in _POOLS:
        _POOLS.setdefault(pid, ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="snapml-datasets"))
    return _POOLS[pid]


def _each(function: Callable[[T], U], items: list[T]) -> list[U]:
    return [function(item) for item in items]
