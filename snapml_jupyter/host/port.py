"""The endpoint port: held by the host so that no stranger joins it, shared by the workers."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

from ..domain.errors import UnavailableError
from ..serving.ports import bind_shared


class Door:
    """The socket on which the worker of one place listens, and the one after it.

    The host keeps it open: when a worker dies, new connections wait for the next one instead of being refused. `bind` makes
    it; it is the worker that listens, once it has loaded everything.
    """

    def __init__(self, bind: Callable[[], socket.socket]) -> None:
        self._bind = bind
        self._socket: socket.socket | None = None

    def fileno(self) -> int:
        """The socket for a new worker. Raises OSError when it cannot be made."""
        if self._socket is None:
            self._socket = self._bind()
        return self._socket.fileno()

    def close(self) -> None:
        """Leave connections to the other workers: this place will be empty for a while, or its worker is to go."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def hold_port(address: str, port: int, *, is_shared: bool) -> socket.socket:
    """Bind the port without listening, so that connections go to the workers only.

    SO_REUSEPORT would let a host of another workspace bind the same port and steal every second request. So it is
    bound exclusively first, which fails when anyone has it, and opened to our own workers after that. `is_shared`
    says that our own workers of an earlier host still listen on it. Port 0 means any free one.
    Raises UnavailableError that names SNAPML_PORT.
    """
    try:
        return bind_shared(address, port, is_first=not is_shared)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UnavailableError(
                f"Port {port} is taken by another program. Free it, or choose another with SNAPML_PORT (0: any free port)."
            ) from None
        raise UnavailableError(
            f"Port {port} of {address} cannot be used: {error.strerror}. Set SNAPML_PORT and SNAPML_ADDRESS."
        ) from None
