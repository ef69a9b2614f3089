"""The workspace as a server holds it: opened on first use, off the event loop, for whoever asks."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from ..store.remote import RemoteWorkspace
from ..store.workspace import FOLDER_NAME, Workspace, open_workspace

T = TypeVar("T")

#: Calls that may run at the same time; others wait. SQLite has one writer anyway.
_N_THREADS = 8


class ServedWorkspace:
    """Knows where the workspace is from the start, but touches it only when somebody needs it."""

    def __init__(self, location: str) -> None:
        if not location.startswith(("http://", "https://")):
            folder = Path(location).expanduser().resolve()
            # The same rule as open_workspace: a project's folder means the .snapml/ inside it.
            if (folder / FOLDER_NAME).is_dir() and not (folder / "snapml.db").exists():
                folder = folder / FOLDER_NAME
            location = str(folder)
        self.location = location
        self._lock = threading.Lock()
        self._opened: Workspace | RemoteWorkspace | None = None
        self._opened_identity: tuple[int, int] | None = None
        self._threads = ThreadPoolExecutor(max_workers=_N_THREADS, thread_name_prefix="snapml")

    @property
    def is_remote(self) -> bool:
        """Whether it is behind a URL."""
        return self.location.startswith(("http://", "https://"))

    @property
    def exists(self) -> bool:
        """Whether there is something to open without making it."""
        return self.is_remote or (Path(self.location) / "snapml.db").exists()

    def identity(self) -> tuple[int, int] | None:
        """Which database file lies there now. Somebody may have removed or replaced the folder; what is open would
        then be a file without a name, in which everything written is lost."""
        if self.is_remote:
            return None
        try:
            found = os.stat(Path(self.location) / "snapml.db")
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def open(self, actor: str | None = None) -> Workspace | RemoteWorkspace:
        """The workspace, acting as `actor` when that is known. Call from a thread.

        Raises UnavailableError when it cannot be opened; the next call tries again.
        """
        with self._lock:
            if self._opened is None or self.identity() != self._opened_identity:
                self._opened = open_workspace(self.location)
                self._opened_identity = self.identity()
            opened = self._opened
        if actor is not None and isinstance(opened, Workspace):
            return opened.acting_as(actor, opened.permissions)
        return opened

    async def in_thread(self, function: Callable[..., T], *args: object) -> T:
        """Run something that may block, so that the event loop does not."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)

    def close(self) -> None:
        """Take no more calls; those under way may end."""
        self._threads.shutdown(wait=False, cancel_futures=True)
