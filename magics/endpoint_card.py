"""What `%snap_deploy` shows: the endpoint, how to ask it from a shell and from Python, and its key, once.

The key is never part of an output: outputs are saved with the notebook. A button shows it, by a widget whose content lives
only as long as the kernel; in a terminal, which saves nothing, it is printed.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from .display import Shown, folded_code

if TYPE_CHECKING:
    from ..domain.endpoint import EndpointInfo

#: The variable that the snippets take the key from, so that they can be copied into a file that others see.
KEY_VARIABLE = "SNAPML_API_KEY"


@dataclass(frozen=True, repr=False)
class Snippet(Shown):
    """Lines to copy."""

    title: str
    code: str

    def to_html(self) -> str:
        return folded_code(self.title, escape(self.code))

    def to_plain(self) -> str:
        return f"{self.title}\n{self.code}"


def snippets(info: EndpointInfo) -> list[Shown]:
    """The signature's example row as a request by curl and from Python; none while nothing answers."""
    if info.url is None or info.live is None:
        return []
    from ..serving.rows import example_value

    row = {column.name: example_value(column) for column in info.live.signature.inputs}
    body = json.dumps({"rows": [row]}, ensure_ascii=False)
    curl = [
        f"curl {info.url} \\",
        f'  -H "Authorization: Bearer ${KEY_VARIABLE}" \\',
        "  -H 'Content-Type: application/json' \\",
        f"  -d {shlex.quote(body)}",
    ]
    python = [
        "import os, pandas as pd, snapml_jupyter as snap",
        f'endpoint = snap.endpoint({info.name!r}, api_key=os.environ["{KEY_VARIABLE}"])',
        f"endpoint.predict(pd.DataFrame([{row!r}]))",
    ]
    return [Snippet("curl", "\n".join(curl)), Snippet("Python", "\n".join(python))]


def show_key(shell: Any, api_key: str) -> None:
    """Let the user see a key that was just made."""
    if not hasattr(shell, "kernel"):
        print(f"API key, shown this once: {api_key}")
        return
    try:
        import ipywidgets
    except ImportError:  # `.api_key` of the endpoint has it
        return
    from .card_buttons import display_widget

    shown = ipywidgets.HTML()
    button = ipywidgets.Button(description="Show API key", tooltip="Show the new key, this once")

    def press(pressed: Any) -> None:
        if shown.value:
            shown.value, pressed.disabled, pressed.description = "", True, "Shown"
        else:
            shown.value, pressed.description = f"<code>{escape(api_key)}</code>", "Hide"

    button.on_click(press)
    display_widget(ipywidgets.HBox([button, shown]))
