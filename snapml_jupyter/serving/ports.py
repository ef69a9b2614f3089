"""Sockets that share a port: the system spreads new connections over those that listen."""

from __future__ import annotations

import socket


def bind_shared(address: str, port: int, *, is_first: bool = False) -> socket.socket:
    """A socket that shares its port, not yet listening. Raises OSError when another program has the port.

    `is_first` binds it alone, which fails when anyone has the port, and shares it after that.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not is_first:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((address, port))
        if is_first:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except BaseException:
        bound.close()
        raise
    return bound
