"""Where no lab extension draws them, a card's buttons are widgets of their own below it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

WIDGET = "application/vnd.jupyter.widget-view+json"

_PRESS = """
import ipywidgets
shown = [w for w in ipywidgets.widgets.widget._instances.values() if isinstance(w, ipywidgets.HTML)][-1]
buttons = {w.description: w for w in ipywidgets.widgets.widget._instances.values() if isinstance(w, ipywidgets.Button)}
"""


def test_buttons_are_shown_where_they_are_wanted(kernel: Any) -> None:
    assert not any(WIDGET in shown for shown in kernel.run("%%snap_train quiet\nx = 1").displays)
    kernel.run("__vsc_ipynb_file__ = '/home/ada/flights.ipynb'")
    try:
        card, buttons = kernel.run("%%snap_train in_code\nx = 1").displays
    finally:
        kernel.run("del __vsc_ipynb_file__")
    assert "in_code" in card["text/html"]
    assert buttons[WIDGET]["model_id"]
    assert buttons["text/plain"] == ""


def test_pressed_buttons_say_what_they_found(kernel: Any, eventually: Callable[..., None]) -> None:
    kernel.run("%env SNAPML_CARD_BUTTONS=on")
    try:
        kernel.run("%%snap_train pressed\nrun.log_metric('value', 1.5)")
    finally:
        kernel.run("%env SNAPML_CARD_BUTTONS=off")
    kernel.run(_PRESS)
    kernel.run("buttons['Compare'].click()")
    assert kernel.value("shown.value") == "There is no earlier run named &#x27;pressed&#x27; to compare with."
    kernel.run("buttons['Replay'].click()")
    assert kernel.value("buttons['Replay'].disabled") is True
    eventually(lambda: kernel.value("shown.value") == "<b>Replay</b> identical", 60)
    assert kernel.value("buttons['Replay'].disabled") is False
