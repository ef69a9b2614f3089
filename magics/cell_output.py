"""The output area of one cell, which any thread can write to, whatever cell the kernel is at meanwhile."""

from __future__ import annotations

import sys
from typing import Any


class CellOutput:
    """Sends displays as answers to the request that runs the cell."""

    def __init__(self, publisher: Any, parent: dict[str, Any]) -> None:
        self._publisher = publisher
        self._parent = parent
        self._session = publisher.session
        self._request_id = parent["header"]["msg_id"]

    @classmethod
    def of(cls, shell: Any) -> CellOutput | None:
        """That of the cell which runs now; None where nobody would see it change.

        That is so in terminals, below `%%capture`, and where a client executes cells without being a notebook (it sends
        no cell id): such clients may not know how to change a display that they were sent.
        """
        publisher = getattr(shell, "display_pub", None)
        if not hasattr(publisher, "pub_socket") or not hasattr(shell, "get_parent"):
            return None
        parent = shell.get_parent() or {}
        if "cellId" not in (parent.get("metadata") or {}) or "msg_id" not in (parent.get("header") or {}):
            return None
        return cls(publisher, parent)

    def show(self, bundle: dict[str, Any], display_id: str) -> None:
        """Add a display at the end."""
        self._send("display_data", bundle, display_id)

    def update(self, bundle: dict[str, Any], display_id: str) -> None:
        """Change a display where it stands."""
        self._send("update_display_data", bundle, display_id)

    def is_redirected(self) -> bool:
        """Whether an ipywidgets `Output` takes what the cell shows, into an area that we could not write to later."""
        module = sys.modules.get("ipywidgets.widgets.widget_output")
        widgets = sys.modules.get("ipywidgets.widgets.widget")
        if module is None or widgets is None:
            return False
        return any(
            isinstance(each, module.Output) and each.msg_id == self._request_id
            for each in list(getattr(widgets, "_instances", {}).values())
        )

    def _send(self, kind: str, bundle: dict[str, Any], display_id: str) -> None:
        content = {"data": bundle, "metadata": {}, "transient": {"display_id": display_id}}
        # The publisher's own way would take the parent of the thread, or of the cell that came last.
        self._session.send(self._publisher.pub_socket, kind, content, parent=self._parent, ident=self._publisher.topic)
