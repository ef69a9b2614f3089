"""Which workspace `snap.*` calls and magics act on. The only module state, and only in this face."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ..domain.event import WorkspaceStatus
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace

_lock = threading.Lock()
_current: Workspace | RemoteWorkspace | None = None
_asked: str | None = None


def workspace(path_or_url: str | Path | None = None) -> Workspace | RemoteWorkspace:
    """The current workspace; with an argument, make that one current.

    Without one it is SNAPML_WORKSPACE, else the nearest `.snapml/` folder upward, else a folder of the user's.
    Raises UnavailableError when it cannot be opened.
    """
    from ..store.workspace import open_workspace

    global _current, _asked
    with _lock:
        named = os.environ.get("SNAPML_WORKSPACE")
        if path_or_url is not None:
            _current = open_workspace(path_or_url)
            os.environ["SNAPML_WORKSPACE"] = _asked = _current.location
        elif _current is None or named != _asked:
            _current, _asked = open_workspace(), named
        return _current


def status() -> WorkspaceStatus:
    """Where am I: the workspace and how much is in it."""
    from ..governance.status import get_status

    return get_status(workspace())
