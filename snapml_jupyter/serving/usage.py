"""What was used of limits, counted by all workers in memory that they share: no lock, no file access in a request.

`<workspace>/host/usage` is mapped by every worker. Each worker has a block of its own (a lock on one byte of the file says
which; the system drops it with the process) and writes nowhere else; it adds up the blocks of all to know what was used in
total. A block has a cell of four numbers for each slot, that is for each key or endpoint with limits:

    owner of the cell (a digest of the key's id) | requests let through, ever | day (since 1970, UTC) | requests on that day

After the blocks stands how many were ever taken, so that only those are added up. The file outlives the workers, so quotas
hold over restarts. Two workers that look at the same moment can both let a request through: a limit can be exceeded by as
many requests as there are workers, once, not over and over.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from ..store.limit_slots import MAX_SLOTS

#: Workers that can share a file, those of an earlier host that still drain included.
MAX_WORKERS = 32
_CELL = 4
_OWNER, _TOTAL, _DAY, _COUNT = range(_CELL)
_BLOCK = MAX_SLOTS * _CELL
#: In the file, where it stands how many blocks were ever taken, and the file's length; both in numbers of 8 bytes.
_TAKEN = MAX_WORKERS * _BLOCK
_LENGTH = _TAKEN + 512


def usage_path(folder: Path) -> Path:
    """The file that the workers of a workspace share."""
    return folder / "host" / "usage"


class Usage:
    """This worker's view of the shared counts. Used from the event loop only."""

    def __init__(self, path: Path | None) -> None:
        """Map the file, or count alone when there is none (`path` is None) or it cannot be had (a full disk)."""
        self._descriptor: int | None = None
        block = 0
        memory: mmap.mmap | bytearray = bytearray((_BLOCK + 1) * 8)
        self.is_shared = False
        if path is not None:
            try:
                memory, block = self._share(path)
                self.is_shared = True
            except OSError:
                pass
        self._numbers = memoryview(memory).cast("Q")
        #: Where it stands how many blocks were taken.
        self._taken_at = _TAKEN if self.is_shared else _BLOCK
        self._use(block)

    def _share(self, path: Path) -> tuple[mmap.mmap, int]:
        path.parent.mkdir(parents=True, exist_ok=True)
        size = _LENGTH * 8
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._descriptor = descriptor
        if os.fstat(descriptor).st_size != size:
            _allocate(descriptor, size)
        for block in range(MAX_WORKERS):
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, block)
            except OSError:  # another worker's
                continue
            return mmap.mmap(descriptor, size), block
        raise OSError("all blocks are taken")

    def _use(self, block: int) -> None:
        """Count in that block from now on, and count it among those that were taken."""
        self._start = block * _BLOCK
        numbers = self._numbers
        if self._descriptor is not None:  # two workers may start at once
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX, 1, MAX_WORKERS)
        if numbers[self._taken_at] == 0:  # a file of a version that did not count them may hold more
            used = (n for n in range(MAX_WORKERS, 0, -1) if any(numbers[(n - 1) * _BLOCK : n * _BLOCK]))
            numbers[self._taken_at] = next(used, 1)
        numbers[self._taken_at] = max(numbers[self._taken_at], block + 1)
        if self._descriptor is not None:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, MAX_WORKERS)

    def total(self, slot: int) -> int:
        """Requests that all workers have let through, ever; only differences mean something."""
        numbers = self._numbers
        n_taken = numbers[self._taken_at]
        if n_taken == 1:
            return numbers[slot * _CELL + _TOTAL]
        return sum(numbers[slot * _CELL + _TOTAL : n_taken * _BLOCK : _BLOCK])

    def today(self, slot: int, owner: int, day: int) -> int:
        """Requests that all workers have let through on that day for that owner."""
        numbers = self._numbers
        count = 0
        for base in range(slot * _CELL, numbers[self._taken_at] * _BLOCK, _BLOCK):
            if numbers[base + _DAY] == day and numbers[base + _OWNER] == owner:
                count += numbers[base + _COUNT]
        return count

    def add(self, slot: int, owner: int, day: int) -> None:
        """Count one request that was let through."""
        base = self._start + slot * _CELL
        numbers = self._numbers
        if numbers[base + _OWNER] != owner or numbers[base + _DAY] != day:
            numbers[base + _COUNT] = 0  # first, so that no other worker reads an old count under the new owner
            numbers[base + _OWNER] = owner
            numbers[base + _DAY] = day
        numbers[base + _TOTAL] += 1
        numbers[base + _COUNT] += 1

    def close(self) -> None:
        """Give the block back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def read_today(path: Path, slots: Mapping[str, int], day: int) -> dict[str, int]:
    """Requests that all workers have let through on that day, by owner in its slot; for those who only look."""
    try:
        content = path.read_bytes()
    except OSError:  # no worker has counted yet
        content = b""
    numbers = memoryview(content[: len(content) // 8 * 8]).cast("Q")
    found = {}
    for name, slot in slots.items():
        owner = owner_number(name)
        found[name] = sum(
            numbers[base + _COUNT]
            for base in range(slot * _CELL, min(len(numbers) - _COUNT, _TAKEN), _BLOCK)
            if numbers[base + _DAY] == day and numbers[base + _OWNER] == owner
        )
    return found


def owner_number(name: str) -> int:
    """A number for a key's id or an endpoint's name, never 0."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little") | 1


def _allocate(descriptor: int, size: int) -> None:
    """Really reserve the bytes: writing to a hole in a mapped file on a full disk would end the process."""
    if sys.platform == "darwin":
        os.pwrite(descriptor, b"\0" * size, 0)
    else:
        os.posix_fallocate(descriptor, 0, size)
    if os.fstat(descriptor).st_size > size:
        os.truncate(descriptor, size)
