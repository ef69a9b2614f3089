"""Answers in one packet: ASGI's two messages would be two system calls, and wake the client twice.

A request's scope offers it as the extension `snapml.answer` (ASGI has extensions for what a server can do better):

    write = scope["extensions"]["snapml.answer"]["write"]
    if not write(status, headers, body): ...  # nothing was written; ASGI's messages must do it

And the bound that uvicorn's parser lacks: of what is neither body nor a complete head, little is held in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

#: Name of the extension in a request's scope.
ANSWER = "snapml.answer"
#: `write(status, headers, body)`: whether it was written. The headers say the body's length and hold no line breaks.
WriteAnswer = Callable[[int, Iterable[tuple[bytes, bytes]], bytes], bool]

#: Bytes of a request's head, or of anything else that is no body, after which the connection is closed.
MAX_HEAD_BYTES = 65_536
#: When the server stops, how long a connection without a request may still send one, in seconds.
LEAVE_SECONDS = 0.5
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class OneWriteProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with the extension and the bound."""

    #: Bytes since the last that had a meaning: the end of a head, or body.
    n_unfinished = 0
    #: The server stops: the next answer is the connection's last.
    is_leaving = False

    def data_received(self, data: bytes) -> None:
        """Parse, unless the client sends head without end."""
        self.n_unfinished += len(data)
        super().data_received(data)
        if self.n_unfinished > MAX_HEAD_BYTES and not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """Start counting anew, and offer the request its extension."""
        self.n_unfinished = 0
        super().on_headers_complete()
        if self.is_leaving:
            self.cycle.keep_alive = False
        self.scope["extensions"] = {ANSWER: {"write": partial(self._write, self.cycle)}}

    def _write(self, cycle: Any, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bool:
        """What `cycle.send` does with the two messages of a whole answer, for a connection that stays open."""
        if not cycle.keep_alive or cycle.disconnected or cycle.response_started or self.flow.write_paused:
            return False
        parts = [STATUS_LINE[status]]
        for name, value in headers:
            parts += (name, b": ", value, b"\r\n")
        parts += (b"\r\n", body)
        self.transport.write(b"".join(parts))
        cycle.waiting_for_100_continue = False
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        cycle.on_response()
        return True

    def shutdown(self) -> None:
        """Answer what has come or comes within `LEAVE_SECONDS`, then close."""
        self.is_leaving = True
        if self.cycle is None or self.cycle.response_complete:
            self.loop.call_later(LEAVE_SECONDS, super().shutdown)
        else:
            super().shutdown()

    def on_body(self, body: bytes) -> None:
        """Start counting anew."""
        self.n_unfinished = 0
        super().on_body(body)
