"""Which deployment a worker is computing for, so that its host can tell what killed it.

`<workspace>/host/workers/<pid>.running` is mapped by the worker, which writes a number before each run and zero after it: a
store to memory, no system call. The file stays when the process dies, however it dies.
"""

from __future__ import annotations

import mmap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from .usage import owner_number

T = TypeVar("T")
U = TypeVar("U")


class Running:
    """The worker's side. Runs on the event loop and in the thread for large requests have a place each."""

    def __init__(self, path: Path) -> None:
        memory: mmap.mmap | bytearray = bytearray(16)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(16))
            with path.open("r+b") as file:
                memory = mmap.mmap(file.fileno(), 16)
        except OSError:  # a full disk: then nobody knows
            pass
        self._numbers = memoryview(memory).cast("Q")

    def marked(self, label: str, run: Callable[[T], U]) -> Callable[[T], U]:
        """`run`, marked as being for that deployment (`endpoint/number`)."""
        numbers, number = self._numbers, owner_number(label)

        def marked(argument: T) -> U:
            place = 0 if threading.current_thread() is threading.main_thread() else 1
            numbers[place] = number
            try:
                return run(argument)
            finally:
                numbers[place] = 0

        return marked


def running_path(workers: Path, pid: int) -> Path:
    """The file of one worker."""
    return workers / f"{pid}.running"


def ran_last(path: Path, labels: list[str]) -> str | None:
    """Which of the deployments (`endpoint/number`) a dead worker was computing for; None when for none. Removes the file."""
    try:
        content = path.read_bytes()
        path.unlink()
    except OSError:
        return None
    numbers = {int.from_bytes(content[start : start + 8], "little") for start in (0, 8)}
    return next((label for label in labels if owner_number(label) in numbers), None)
