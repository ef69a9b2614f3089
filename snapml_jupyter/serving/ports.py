"""Sockets that share a port: the system spreads new connections over those that listen."""

from __future__ import annotations

import socket


def bind_shared(address: str, port: int) -> socket.socket:
    """A socket that shares its port with the other workers, not yet listening. Raises OSError when another program has the port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((address, port))
    except BaseException:
        listener.close()
        raise
    return listener
