"""uvicorn's server as a worker needs it: no signal handling of its own, and a stop that loses no request.

uvicorn closes its socket and every connection that has no request in progress at once. What had connected but was not yet
accepted, and what was just being sent, ends in a reset. Here what waits is accepted first, and each connection may have
one request more, whose answer says `Connection: close`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn

from .one_write import OneWriteProtocol


class WorkerServer(uvicorn.Server):
    """Listens on the given sockets until `should_exit`; `on_listening` is called once it does."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_listening = on_listening

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn's handling would end the process before the log is written out."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self._on_listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, answer what has come or comes in a moment, and close everything."""
        waiting = [connection for listener in sockets or [] for connection in _accept_waiting(listener)]
        for server in self.servers:  # with no turn of the loop in between, which connections could use
            server.close()
        loop = asyncio.get_running_loop()
        for connection in waiting:
            with contextlib.suppress(OSError):  # its client has gone
                await loop.connect_accepted_socket(self._last_protocol, connection)
        await super().shutdown(sockets)

    def _last_protocol(self) -> OneWriteProtocol:
        protocol = OneWriteProtocol(self.config, self.server_state, self.lifespan.state)
        protocol.is_leaving = True
        return protocol


def _accept_waiting(listener: socket.socket) -> Iterator[socket.socket]:
    """The connections that nobody has accepted yet."""
    listener.setblocking(False)
    while True:
        try:
            connection, _ = listener.accept()
        except ConnectionAbortedError:
            continue
        except OSError:  # none is left, or no file is free for it
            return
        connection.setblocking(False)
        yield connection
