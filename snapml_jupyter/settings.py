"""The one table of settings. Environment variables, `snapml status`, and docs/settings.md derive from it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .domain.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting; `variable` is its environment variable."""

    name: str
    default: str
    help: str

    @property
    def variable(self) -> str:
        """`SNAPML_` and the name in capitals."""
        return f"SNAPML_{self.name.upper()}"


SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="workspace",
        default="",
        help="Folder or URL of the workspace. Empty: the nearest `.snapml/` upward, else one per user.",
    ),
    Setting(
        name="actor",
        default="",
        help="Who acts, in runs and in the audit log. Empty: the Hub user, else the login name.",
    ),
    Setting(name="port", default="8917", help="Port on which the host answers endpoint requests. 0: any free port."),
    Setting(name="address", default="127.0.0.1", help="Address the endpoint port is bound to."),
    Setting(name="workers", default="1", help="Worker processes that the host keeps alive."),
    Setting(
        name="worker_memory_mb",
        default="2048",
        help="A worker that holds more memory is replaced by a new one, in MiB, once that one answers.",
    ),
    Setting(name="max_body_mb", default="16", help="Largest request body an endpoint accepts, in MiB."),
    Setting(name="max_rows", default="100000", help="Most rows in one request."),
    Setting(
        name="log_seconds",
        default="1.0",
        help="Predictions are written for the monitors at least this often, in seconds.",
    ),
    Setting(name="window_rows", default="5000", help="Rows of one monitoring window."),
    Setting(
        name="parity_rows", default="20000", help="Training rows on which an export must answer like the model. 0: all."
    ),
    Setting(
        name="parity_tolerance",
        default="1e-5",
        help="Largest difference of a probability, or relative difference of a prediction.",
    ),
    Setting(
        name="gc_grace_seconds",
        default="3600",
        help="While snapshots are being taken `snapml gc` leaves alone what was written in the last so many seconds.",
    ),
    Setting(
        name="card_buttons",
        default="auto",
        help="Buttons below a run's card by ipywidgets: `on`, `off`, or `auto`: where there is no lab extension to draw "
        "them (VS Code, Colab).",
    ),
)

_BY_NAME = {setting.name: setting for setting in SETTINGS}


def get(name: str, environ: Mapping[str, str] | None = None) -> str:
    """The setting's text from the environment, else its default. Raises KeyError for a name not in the table."""
    setting = _BY_NAME[name]
    return (environ if environ is not None else os.environ).get(setting.variable) or setting.default


def get_int(name: str) -> int:
    """The setting as a whole number, zero or more. Raises InvalidInputError naming the variable."""
    text = get(name)
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise InvalidInputError(
            f"{_BY_NAME[name].variable}={text!r} is not a whole number. Example: {_BY_NAME[name].default}."
        )
    return value


def get_float(name: str) -> float:
    """The setting as a number above zero. Raises InvalidInputError naming the variable."""
    text = get(name)
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise InvalidInputError(
            f"{_BY_NAME[name].variable}={text!r} is not a number above 0. Example: {_BY_NAME[name].default}."
        )
    return value
