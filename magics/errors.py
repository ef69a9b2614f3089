"""How our errors look in a cell: the user's own lines, then the sentence. What lies inside SnapML helps nobody there."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from ..domain import errors
from ..domain.errors import SnapMLError

_HERE = Path(__file__).resolve().parent
_CORE = Path(errors.__file__).resolve().parents[1]


def show_users_part(shell: Any) -> None:
    """Let IPython show every SnapMLError without our frames; it asks exceptions for `_render_traceback_`."""

    def render(error: SnapMLError) -> list[str]:
        lines: list[str] = shell.InteractiveTB.structured_traceback(
            type(error), error, users_part(error.__traceback__), tb_offset=shell.InteractiveTB.tb_offset
        )
        return lines

    SnapMLError._render_traceback_ = render  # type: ignore[attr-defined]  # IPython's name, set only while it is there


def show_everything() -> None:
    """Back to full tracebacks."""
    if "_render_traceback_" in vars(SnapMLError):
        del SnapMLError._render_traceback_  # type: ignore[attr-defined]  # see above


def users_part(entry: TracebackType | None) -> TracebackType | None:
    """The traceback without the entries that lie inside SnapML."""
    kept = []
    while entry is not None:
        folders = Path(entry.tb_frame.f_code.co_filename).parents
        if _HERE not in folders and _CORE not in folders:
            kept.append(entry)
        entry = entry.tb_next
    rest: TracebackType | None = None
    for entry in reversed(kept):
        rest = TracebackType(rest, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return rest
