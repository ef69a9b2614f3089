"""Tells Jupyter what changed in the workspace, whichever process changed it.

SQLite's data_version is a number in shared memory that any commit moves. Asking for it costs microseconds, so a thread
asks several times a second, reads the new event rows when it moved, and hands them to the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable

from ..domain.errors import SnapMLError
from ..domain.event import Event
from ..governance.status import get_status, list_events
from ..store.remote import RemoteWorkspace
from ..store.workspace import Workspace
from .served import ServedWorkspace

#: Pause after a failure, and between looks at a workspace that is not there yet, in seconds.
_RETRY_SECONDS = 2.0
_BATCH = 500


class Watcher:
    """`announce` is called on the event loop with each batch of new events, oldest first."""

    def __init__(
        self,
        served: ServedWorkspace,
        *,
        poll_seconds: float,
        announce: Callable[[list[Event]], None],
        log: logging.Logger,
    ) -> None:
        self._served = served
        self._poll_seconds = max(poll_seconds, 2.0) if served.is_remote else poll_seconds
        self._announce = announce
        self._log = log
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        #: Id of the last event told; None until the workspace is followed.
        self.cursor: int | None = None
        self._identity: tuple[int, int] | None = None

    def start(self) -> None:
        """Begin, from the event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._watch, name="snapml-watcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; whoever waits for changes is woken once more."""
        self._stop.set()
        self._changed.set()

    @property
    def is_stopped(self) -> bool:
        """Whether nothing will be announced any more."""
        return self._stop.is_set()

    async def wait_for_change(self, timeout_seconds: float) -> None:
        """Return when something changed, or after the timeout."""
        try:
            await asyncio.wait_for(self._changed.wait(), timeout_seconds)
        except asyncio.TimeoutError:
            return

    def _watch(self) -> None:
        complained = False
        while not self._stop.is_set():
            try:
                if self._served.exists:
                    self._follow()
                complained = False
            except (SnapMLError, sqlite3.Error) as error:
                if not complained:
                    self._log.warning("SnapML cannot follow the workspace %s: %s", self._served.location, error)
                complained = True
            # Nothing is there yet, it was replaced, or the last look failed.
            self._stop.wait(_RETRY_SECONDS if complained else min(_RETRY_SECONDS, 2 * self._poll_seconds))

    def _follow(self) -> None:
        """Until stopped, failed, or the workspace was replaced by another one."""
        workspace, identity = self._served.open(), self._served.identity()
        if self.cursor is None:
            self.cursor = get_status(workspace).last_event_id
        elif identity != self._identity:
            self.cursor = 0  # all of what came in its place is new
        self._identity = identity
        if isinstance(workspace, RemoteWorkspace):
            while not self._stop.is_set():
                self._tell_new(workspace)
                self._stop.wait(self._poll_seconds)
            return
        seen = -1
        try:
            while not self._stop.is_set() and self._served.identity() == identity:
                version = workspace.database.data_version()
                if version != seen:
                    self._tell_new(workspace)
                    seen = version  # read before the events: a commit in between moves it again
                self._stop.wait(self._poll_seconds)
        finally:
            workspace.database.close()

    def _tell_new(self, workspace: Workspace | RemoteWorkspace) -> None:
        assert self.cursor is not None and self._loop is not None
        while batch := list_events(workspace, after=self.cursor, limit=_BATCH):
            try:
                self._loop.call_soon_threadsafe(self._tell, batch)
            except RuntimeError:  # the loop was closed before we were stopped
                self._stop.set()
                return
            self.cursor = batch[-1].event_id

    def _tell(self, batch: list[Event]) -> None:
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()
        self._announce(batch)


def distinct(batch: list[Event]) -> list[Event]:
    """One event for each (kind, subject), the newest: a thousand metrics of one run are one signal."""
    return sorted({(event.kind, event.subject): event for event in batch}.values(), key=lambda event: event.event_id)
