"""Buttons below a card by ipywidgets, for front ends that show widgets but do not have the lab extension.

JupyterLab with the lab extension draws buttons on the card itself. Here they are a display of their own: the card above
stays what it is when the notebook is opened again, in nbconvert and on GitHub, where a widget has nobody behind it.
"""

from __future__ import annotations

import sys
from html import escape
from typing import TYPE_CHECKING, Any

from .. import settings
from ..domain.errors import SnapMLError
from .replay_button import start_replay

if TYPE_CHECKING:
    from ..domain.run_card import RunCard
    from .display import Shown


def wanted(shell: Any) -> bool:
    """Whether somebody could press them: as `SNAPML_CARD_BUTTONS` says, else in the front ends that say who they are."""
    if not hasattr(shell, "kernel"):
        return False
    chosen = settings.get("card_buttons").strip().lower()
    if chosen in ("on", "off"):
        return chosen == "on"
    return "__vsc_ipynb_file__" in shell.user_ns or "google.colab" in sys.modules


def show_buttons(workspace: Any, shown: RunCard) -> None:
    """Display the buttons of a card that ended; nothing where ipywidgets is not installed."""
    try:
        import ipywidgets
    except ImportError:
        return
    buttons: list[Any] = []
    said = ipywidgets.HTML()

    def add(label: str, tooltip: str, press: Any) -> None:
        button = ipywidgets.Button(description=label, tooltip=tooltip, layout={"width": "auto"})
        button.on_click(lambda pressed: _safely(press, pressed, said))
        buttons.append(button)

    if shown.can_be_replayed:
        add(
            "Replay",
            "Run the recorded cell again in a process of its own, and judge what comes out",
            lambda pressed: _replay(workspace, shown.run_id, pressed, said),
        )
    add(
        "Compare",
        "Compare with the run of this name before it",
        lambda _: _say(said, _comparison(workspace, shown)),
    )
    display_widget(ipywidgets.VBox([ipywidgets.HBox(buttons), said]))


def display_widget(widget: Any) -> None:
    """Display it without a text form: where there are no widgets, nothing is the better fallback for buttons."""
    from IPython.display import display

    display({**widget._repr_mimebundle_(), "text/plain": ""}, raw=True)  # type: ignore[no-untyped-call]  # IPython's has no types


def _replay(workspace: Any, run_id: str, pressed: Any, said: Any) -> None:
    pressed.disabled = True
    said.value = "Replaying…"

    def answered(answer: dict[str, str | None]) -> None:
        pressed.disabled = False
        words = answer.get("error") or ": ".join(w for w in (answer["verdict"], answer["because"]) if w)
        said.value = f"<b>Replay</b> {escape(words.replace('_', ' '))}"

    start_replay(workspace, run_id, answered)


def _comparison(workspace: Any, shown: RunCard) -> Shown | str:
    from ..runs.comparing import compare_runs
    from ..runs.queries import list_runs
    from .comparison_tables import run_comparison

    named = [run.run_id for run in list_runs(workspace, name=shown.name, limit=1000)]
    earlier = named[named.index(shown.run_id) + 1 :] if shown.run_id in named else []
    if not earlier:
        return f"There is no earlier run named '{shown.name}' to compare with."
    return run_comparison(compare_runs(workspace, [earlier[0], shown.run_id]))


def _say(said: Any, words: Shown | str) -> None:
    said.value = escape(words) if isinstance(words, str) else words.to_html()


def _safely(press: Any, pressed: Any, said: Any) -> None:
    """A press tells what is wrong beside the buttons: an error has no cell to be shown in."""
    try:
        press(pressed)
    except (SnapMLError, OSError) as error:
        pressed.disabled = False
        _say(said, str(error))
