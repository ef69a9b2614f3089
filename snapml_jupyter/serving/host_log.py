"""The log of the host and its workers, read from its end."""

from __future__ import annotations

import os

from ..domain.endpoint import HostLog
from ..domain.errors import InvalidInputError
from ..operations import operation
from ..store.workspace import Workspace
from .reports import log_path

#: Older lines than in so many bytes are not looked for.
_MAX_BYTES = 4 * 2**20


@operation(permission="host:read")
def read_host_log(workspace: Workspace, n_lines: int = 200, contains: str = "") -> HostLog:
    """The newest lines of the host's log, all or those with every word of `contains` (whatever their case).

    Raises InvalidInputError.
    """
    if not 1 <= n_lines <= 10_000:
        raise InvalidInputError(f"n_lines lies between 1 and 10,000; it is {n_lines}.")
    path = log_path(workspace.folder)
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - _MAX_BYTES)
            file.seek(start)
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:  # no host has written yet
        return HostLog(path=str(path), lines=[], has_more=False)
    if start:
        lines = lines[1:]  # the first one is cut off
    words = contains.lower().split()
    found = [line for line in lines if all(word in line.lower() for word in words)] if words else lines
    return HostLog(path=str(path), lines=found[-n_lines:], has_more=start > 0 or len(found) > n_lines)
