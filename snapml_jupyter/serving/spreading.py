"""Waiting until a change has reached the workers."""

from __future__ import annotations

import time

from ..store import events
from ..store.workspace import Workspace
from .reports import list_workers

#: How long a change waits until every worker knows of it.
SPREAD_SECONDS = 3.0


def spread(workspace: Workspace) -> None:
    """Wait, but not for ever, until every worker has seen all that is recorded now."""
    event_id = events.last_event_id(workspace.database)
    deadline = time.monotonic() + SPREAD_SECONDS
    while time.monotonic() < deadline:
        if all(worker.event_id >= event_id for worker in list_workers(workspace.folder)):
            return
        time.sleep(0.01)
