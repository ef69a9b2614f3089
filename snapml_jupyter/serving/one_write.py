"""Answers in one packet: uvicorn writes head and body by themselves, which costs two system calls and wakes the client twice."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class OneWriteTransport:
    """A transport that holds an answer's head until its body follows, which happens in the same turn of the loop.

    Everything else is the inner transport's. An answer without a body write (to HEAD) must close the connection, which
    lets go of the head.
    """

    __slots__ = ("_held", "_inner", "is_closing", "pause_reading", "resume_reading")

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._held = b""
        self.is_closing = inner.is_closing
        self.pause_reading = inner.pause_reading
        self.resume_reading = inner.resume_reading

    def write(self, data: bytes) -> None:
        """Write, or keep the head of an answer for the next write."""
        if self._held:
            data, self._held = self._held + data, b""
        elif data.startswith(b"HTTP/1.1 ") and data[9:10] != b"1" and data.endswith(b"\r\n\r\n"):
            self._held = data
            return
        self._inner.write(data)

    def close(self) -> None:
        """Write what is held, and close."""
        if self._held:
            data, self._held = self._held, b""
            self._inner.write(data)
        self._inner.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class OneWriteProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol over a OneWriteTransport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Wrap the transport of a new connection."""
        super().connection_made(OneWriteTransport(transport))  # type: ignore[arg-type]  # it delegates what it lacks
