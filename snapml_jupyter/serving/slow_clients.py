"""Clients that stop half-way: connections that wait too long for the rest of a request, or for their answer to be read.

uvicorn closes connections that are idle between requests; it waits for ever within one. A sweep every few seconds
costs a request nothing, where a timer for each would.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

#: How often connections are looked at, in seconds.
SWEEP_SECONDS = 2.0
#: How long a head may take from its first byte or the connection's beginning, or the rest of a refused body to come.
HEAD_SECONDS = 30.0
#: How long a body may take in all; a pause within it has a shorter limit, see `application.py`.
BODY_SECONDS = 300.0
#: How long an answer may wait to be read.
READ_SECONDS = 60.0

_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_ALLOWED = {"head": HEAD_SECONDS, "body": BODY_SECONDS, "reading": READ_SECONDS, "closing": READ_SECONDS}


class SlowClients:
    """Watches uvicorn's connections. `sweep` is for the event loop."""

    def __init__(self, connections: Collection[Any]) -> None:
        self._connections = connections
        #: What each connection waits for, within which request, since when.
        self._waiting: dict[Any, tuple[str, Any, float]] = {}

    def sweep(self, now: float | None = None) -> int:
        """Close the connections that have waited too long for one thing; how many there were."""
        now = time.monotonic() if now is None else now
        waiting: dict[Any, tuple[str, Any, float]] = {}
        n_closed = 0
        for connection in list(self._connections):
            what = _waits_for(connection)
            if what is None:
                continue
            before = self._waiting.get(connection)
            is_same = before is not None and before[0] == what and before[1] is connection.cycle
            since = before[2] if before is not None and is_same else now
            if now - since > _ALLOWED[what]:
                _close(connection, what)
                n_closed += 1
            waiting[connection] = (what, connection.cycle, since)
        self._waiting = waiting
        return n_closed


def _waits_for(connection: Any) -> str | None:
    """What the connection waits for its client to do; None when it is idle or the server's turn."""
    cycle = connection.cycle
    if connection.transport.is_closing():
        return "closing"
    if cycle is None or cycle.response_complete:
        return "head" if connection.timeout_keep_alive_task is None else None
    if connection.flow.write_paused:
        return "reading"
    return "body" if cycle.more_body else None


def _close(connection: Any, what: str) -> None:
    if what in ("closing", "reading"):
        connection.transport.abort()  # nobody reads what is still to be written
        return
    if what == "head" or not connection.cycle.response_started:
        connection.transport.write(_TIMEOUT)
    connection.transport.close()
