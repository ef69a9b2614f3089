"""A journal: the file in which one process keeps the metrics of one run until they are in the database.

A point is stored through a shared memory map: no system call, no lock of other processes, and what was stored is the
operating system's, so it outlives the process however that ends. Room is taken from the disk when a file is made, so a
full disk shows there and not in the middle of a store.

    header   512 bytes: magic, salt, whether others closed it, where its writer ended it, run and process as JSON
    slot     32 bytes: value, step, nanoseconds since 1970, number of the name, commit word
    name     a slot that gives a number to a name, and behind it the name's bytes in slots of their own

The commit word is the slot's place in the file mixed with the file's salt, and is stored last. A slot without it was
never finished: a reader stops there, or passes over it when a later one is finished (an interrupted call, or the bytes
of a name).
"""

from __future__ import annotations

import errno
import json
import mmap
import os
import struct
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import ClassVar

from ..domain.run import RunProcess
from .points import Columns

#: The folder in a workspace, and how the files in it end.
FOLDER_NAME = "journals"
SUFFIX = ".journal"
#: Where the first slot begins.
HEADER_BYTES = 512

_MAGIC = b"SNAPJRN1"
_SLOT_BYTES = 32
_SLOT = struct.Struct("@dqqII")
_HEAD = struct.Struct("@8sIIQQ")  # magic, salt, closed by others, ended at (0: not ended), bytes of JSON behind it
_CLOSED_AT, _ENDED_AT = 12, 16
#: Bits of a slot's name number.
_IS_NAME, _NO_STEP = 1 << 31, 1 << 30
#: Slots a reader looks ahead over unfinished ones; the longest name fills 32.
_LOOK_AHEAD = 64
#: Size of a process's first file for a run, and of those that follow when it is full.
_FIRST_BYTES, _NEXT_BYTES = 1 << 16, 1 << 20
_READ_BYTES = 1 << 16
_BINARY = getattr(os, "O_BINARY", 0)  # Windows


class JournalClosedError(Exception):
    """The run was ended, here or by another process."""


class JournalWriter:
    """Appends points of one run for this process. Safe for threads; after a fork the child goes on in a file of its own.

    The first point makes the first file; a full one is ended and followed by the next.
    """

    def __init__(self, folder: Path, run_id: str, process: Callable[[], RunProcess]) -> None:
        self.folder = folder
        self.run_id = run_id
        self._process = process
        self._is_closed = False
        self.forget()
        _writers.add(self)

    def forget(self) -> None:
        """Leave the present file to whom it belongs (the parent, after a fork) and start anew."""
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._map: mmap.mmap | None = None
        self._offset = self._end = 0
        self._salt = 0
        self._token = f"{os.getpid()}-{os.urandom(4).hex()}"
        self.n_files = 0

    @property
    def offset(self) -> int:
        """Where the next point goes; with `n_files`, whether something was logged since."""
        return self._offset

    def append(self, name: str, value: float, step: int | None, at_ns: int) -> None:
        """Keep a point. Raises OSError when there is no room, JournalClosedError when the run was ended."""
        with self._lock:
            number = self._numbers.get(name)
            if number is None or self._offset >= self._end or self._map[_CLOSED_AT]:  # type: ignore[index]  # a name is known once there is a map
                number = self._make_room(name)
            offset = self._offset
            self._offset = offset + _SLOT_BYTES  # first: a call that is interrupted leaves a slot nobody finishes
            if step is None:
                _SLOT.pack_into(self._map, offset, value, 0, at_ns, number | _NO_STEP, offset ^ self._salt)  # type: ignore[arg-type]
            else:
                _SLOT.pack_into(self._map, offset, value, step, at_ns, number, offset ^ self._salt)  # type: ignore[arg-type]

    def end(self) -> None:
        """Take no more points. What is in the file is complete."""
        with self._lock:
            self._is_closed = True
            self._end_file()

    def __del__(self) -> None:
        if getattr(self, "_map", None) is not None:
            self._end_file()

    def _make_room(self, name: str) -> int:
        """A file with room for a point of that name, and the name's number in it."""
        if self._is_closed or (self._map is not None and self._map[_CLOSED_AT]):
            raise JournalClosedError
        text = name.encode()
        n_slots = 1 + -(-len(text) // _SLOT_BYTES)
        known = self._numbers.get(name)
        needed = (1 if known is not None else n_slots + 1) * _SLOT_BYTES
        if self._map is None or self._offset + needed > self._end:
            self._end_file()
            self._begin_file()
            known = None
        if known is not None:
            return known
        assert self._map is not None
        number, offset = len(self._numbers), self._offset
        self._offset = offset + n_slots * _SLOT_BYTES
        self._map[offset + _SLOT_BYTES : offset + _SLOT_BYTES + len(text)] = text
        _SLOT.pack_into(self._map, offset, 0.0, len(text), 0, number | _IS_NAME, offset ^ self._salt)
        self._numbers[name] = number
        return number

    def _begin_file(self) -> None:
        size = _NEXT_BYTES if self.n_files else _FIRST_BYTES
        salt = int.from_bytes(os.urandom(4), "big")
        process = self._process()
        about = json.dumps(
            {
                "run_id": self.run_id,
                "host": process.host[:200],
                "pid": process.pid,
                "created_at": process.created_at,
            }
        ).encode()
        new = self.folder / f"{self.run_id}.{self._token}-{self.n_files:06}.new"
        head = _HEAD.pack(_MAGIC, salt, 0, 0, len(about)) + about
        try:
            _make_file(new, head, size)
        except FileNotFoundError:
            self.folder.mkdir(parents=True, exist_ok=True)
            _make_file(new, head, size)
        path = new.with_suffix(SUFFIX)
        os.rename(new, path)
        descriptor = os.open(path, os.O_RDWR | _BINARY)
        try:
            self._map = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)
        self._salt, self._offset, self._end = salt, HEADER_BYTES, size
        self._numbers.clear()
        self.n_files += 1

    def _end_file(self) -> None:
        if self._map is not None:
            struct.pack_into("@Q", self._map, _ENDED_AT, self._offset)
            self._map = None  # unmapped when nothing else refers to it
        self._offset = self._end = 0
        self._numbers.clear()


def _make_file(path: Path, head: bytes, size: int) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
    try:
        _take_room(descriptor, size)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, head)
    except BaseException:
        os.close(descriptor)
        os.unlink(path)
        raise
    os.close(descriptor)


def _take_room(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, 0, size)
            return
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):  # else a file system that knows no such call
                raise
    written = 0
    while written < size:
        written += os.write(descriptor, bytes(size - written))


def _read_at(descriptor: int, n_bytes: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, n_bytes, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)  # Windows
    return os.read(descriptor, n_bytes)


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal that is read: which run, whose. Close it after use."""

    path: Path
    descriptor: int
    run_id: str
    process: RunProcess
    salt: int
    size_bytes: int

    #: What `full_block` looks at.
    BLOCK_BYTES: ClassVar[int] = _READ_BYTES

    @property
    def name(self) -> str:
        """By which the database knows it."""
        return self.path.name

    @property
    def is_ended(self) -> bool:
        """Whether its writer said that nothing more comes."""
        return any(_read_at(self.descriptor, 8, _ENDED_AT))

    def close(self) -> None:
        """Give the file back."""
        os.close(self.descriptor)

    def shut(self) -> None:
        """Tell the writer, whatever process it is, that the run was ended: its next point is refused."""
        descriptor = os.open(self.path, os.O_WRONLY | _BINARY)
        try:
            os.lseek(descriptor, _CLOSED_AT, os.SEEK_SET)
            os.write(descriptor, b"\x01")
        finally:
            os.close(descriptor)

    def end_of(self, start: int, most_bytes: int | None = None) -> int:
        """The place behind the last finished slot at or after `start`, not looking further than about `most_bytes`."""
        end = position = start
        n_bytes = _LOOK_AHEAD * _SLOT_BYTES  # often there is nothing new
        stop = self.size_bytes if most_bytes is None else min(self.size_bytes, start + most_bytes)
        while position < stop and position - end <= _LOOK_AHEAD * _SLOT_BYTES:
            block = _read_at(self.descriptor, min(n_bytes, self.size_bytes - position), position)
            n_bytes = min(4 * n_bytes, _READ_BYTES)
            commits = memoryview(block[: len(block) // _SLOT_BYTES * _SLOT_BYTES]).cast("I")[7::8].tolist()
            if not commits:
                break
            wanted = [offset ^ self.salt for offset in range(position, position + len(commits) * 32, _SLOT_BYTES)]
            if commits == wanted:
                end = position + len(commits) * _SLOT_BYTES
            else:
                for index, commit in enumerate(commits):
                    here = position + index * _SLOT_BYTES
                    if commit == wanted[index]:
                        end = here + _SLOT_BYTES
                    elif here - end > _LOOK_AHEAD * _SLOT_BYTES:
                        break
            position += len(commits) * _SLOT_BYTES
        return end

    def full_block(self, start: int) -> tuple[list[int], memoryview[float], int] | None:
        """The name number of each point of a whole block, the block as doubles (every fourth is a value), and its end.

        None when it is not full yet. A quick look: names and unfinished slots in it are for the caller to notice.
        """
        end = start + self.BLOCK_BYTES
        if end > self.size_bytes:
            return None
        last = int.from_bytes(_read_at(self.descriptor, 4, end - 4), sys.byteorder)
        if last != (end - _SLOT_BYTES) ^ self.salt:
            return None
        block = memoryview(_read_at(self.descriptor, self.BLOCK_BYTES, start))
        words = block.cast("I")
        if words[7] != start ^ self.salt:  # the bytes of a name, of which the slot stands in the block before
            return None
        numbers = words[6::8].tolist()
        if max(numbers) >= _NO_STEP and max(numbers) < _IS_NAME:
            numbers = [number & ~_NO_STEP for number in numbers]
        return numbers, block.cast("d"), end

    def points(self, start: int, end: int, names: dict[int, str] | None = None) -> dict[str, Columns]:
        """Finished points between two places, in order, by name.

        `names` are those numbered before `start`, for one who reads on; what is numbered in between is added.
        """
        if names is None:
            names = dict(self._names(HEADER_BYTES, start))
        data = memoryview(_read_at(self.descriptor, end - start, start))
        # Columns of many points at once: a turn of a Python loop for each would cost as much as logging it did.
        numbers = data.cast("I")[6::8].tolist()
        commits = data.cast("I")[7::8].tolist()
        wanted = [offset ^ self.salt for offset in range(start, end, _SLOT_BYTES)]
        values: list[float] = data.cast("d")[0::4].tolist()  # type: ignore[assignment]  # its type knows only bytes
        steps: list[int] = data.cast("q")[1::4].tolist()
        columns = Columns(values=values, steps=steps, times_ns=data.cast("q")[2::4].tolist())
        if commits != wanted or max(numbers, default=0) >= _IS_NAME:
            for offset, number, commit, n_bytes in zip(
                range(start, end, _SLOT_BYTES), numbers, commits, steps, strict=True
            ):
                if number >= _IS_NAME and commit == offset ^ self.salt:
                    names[number ^ _IS_NAME] = self._text(offset, n_bytes)
            is_point = [
                commit == want and number < _IS_NAME
                for commit, want, number in zip(commits, wanted, numbers, strict=True)
            ]
            numbers = list(compress(numbers, is_point))
            columns = columns.where(is_point)
        distinct = set(numbers)
        if any(number ^ _NO_STEP in distinct for number in distinct):  # one metric with and without steps
            given = [
                None if number & _NO_STEP else step for number, step in zip(numbers, columns.steps or (), strict=True)
            ]
            columns = Columns(columns.values, given, columns.times_ns)
            numbers = [number & ~_NO_STEP for number in numbers]
        return {
            # A power cut may take the page with a name and leave the points.
            names.get(number & ~_NO_STEP, f"unnamed {number & ~_NO_STEP}"): Columns(
                points.values, None if number & _NO_STEP else points.steps, points.times_ns
            )
            for number, points in _by_number(numbers, columns).items()
        }

    def _names(self, start: int, end: int) -> Iterator[tuple[int, str]]:
        data = _read_at(self.descriptor, max(0, end - start), start)
        words = memoryview(data).cast("I")
        for index, number in enumerate(words[6::8].tolist()):
            offset = start + index * _SLOT_BYTES
            if number & _IS_NAME and words[index * 8 + 7] == offset ^ self.salt:
                yield number ^ _IS_NAME, self._text(offset, _SLOT.unpack_from(data, offset - start)[1])

    def _text(self, offset: int, n_bytes: int) -> str:
        return _read_at(self.descriptor, n_bytes, offset + _SLOT_BYTES).decode()


def _by_number(numbers: list[int], columns: Columns) -> dict[int, Columns]:
    distinct = list(dict.fromkeys(numbers))
    if len(distinct) == 1:
        return {distinct[0]: columns}
    if len(distinct) <= 8:
        return {number: columns.where([each == number for each in numbers]) for number in distinct}
    places: dict[int, list[int]] = {number: [] for number in distinct}
    for place, number in enumerate(numbers):
        places[number].append(place)
    values, steps, times = columns.values, columns.steps or [], columns.times_ns
    return {
        number: Columns([values[i] for i in at], [steps[i] for i in at], [times[i] for i in at])
        for number, at in places.items()
    }


def open_journal(path: Path) -> Journal | None:
    """The journal at that path; None when it is gone. Raises ValueError when it is none of ours, or damaged."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _BINARY)
    except FileNotFoundError:
        return None
    try:
        head = _read_at(descriptor, HEADER_BYTES, 0)
        if len(head) < HEADER_BYTES or not head.startswith(_MAGIC):
            raise ValueError("it does not begin as a journal does")
        _, salt, _, _, length = _HEAD.unpack_from(head)
        about = json.loads(head[_HEAD.size : _HEAD.size + length])
        run_id = str(about.pop("run_id"))
        size = os.fstat(descriptor).st_size
        return Journal(path, descriptor, run_id, RunProcess(**about), salt, size // _SLOT_BYTES * _SLOT_BYTES)
    except (ValueError, KeyError, TypeError) as error:
        os.close(descriptor)
        raise ValueError(f"{error}") from None


def list_journals(folder: Path, run_id: str | None = None) -> list[Path]:
    """The journals of a workspace, of one run only when that is given; those of one writer in the order of its points."""
    place = folder / FOLDER_NAME
    try:
        found = [
            name
            for name in os.listdir(place)
            if name.endswith(SUFFIX) and (run_id is None or name.startswith(f"{run_id}."))
        ]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [place / name for name in sorted(found)]


_writers: weakref.WeakSet[JournalWriter] = weakref.WeakSet()


def _forget_all() -> None:
    for writer in list(_writers):
        writer.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
