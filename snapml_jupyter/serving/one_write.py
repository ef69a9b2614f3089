"""Answers in one packet: uvicorn writes head and body by themselves, which costs two system calls and wakes the client twice.

And the bound that uvicorn's parser lacks: of what is neither body nor a complete head, little is held in memory.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Bytes of a request's head, or of anything else that is no body, after which the connection is closed.
MAX_HEAD_BYTES = 65_536
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


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

    #: Bytes since the last that had a meaning: the end of a head, or body.
    n_unfinished = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Wrap the transport of a new connection."""
        super().connection_made(OneWriteTransport(transport))  # type: ignore[arg-type]  # it delegates what it lacks

    def data_received(self, data: bytes) -> None:
        """Parse, unless the client sends head without end."""
        self.n_unfinished += len(data)
        super().data_received(data)
        if self.n_unfinished > MAX_HEAD_BYTES and not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """Start counting anew."""
        self.n_unfinished = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Start counting anew."""
        self.n_unfinished = 0
        super().on_body(body)
