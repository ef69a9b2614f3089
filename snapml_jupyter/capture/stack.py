"""Who is calling, and which traceback entries are ours: so that only the user's own calls count, and only theirs show."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_OURS = str(Path(__file__).resolve().parent)
_RECORDED_FIT = str(Path(__file__).resolve().parent / "estimators.py")
#: Parts of scikit-learn that only pass a user's call on (mixins and wrappers of `fit_transform`).
_PASSING_ON = {
    "sklearn.base",
    "sklearn.utils._set_output",
    "sklearn.utils._available_if",
    "sklearn.utils._param_validation",
}


def is_ours(code: types.CodeType) -> bool:
    """Whether the code is a recording wrapper of this package."""
    return code.co_filename.startswith(_OURS)


def is_inside_a_library_call(frame: types.FrameType | None) -> bool:
    """Whether scikit-learn or joblib is at work above `frame`, or another recorded `fit`."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        root = module.partition(".")[0]
        if root == "joblib" or (root == "sklearn" and module not in _PASSING_ON):
            return True
        if frame.f_code.co_filename == _RECORDED_FIT:
            return True
        frame = frame.f_back
    return False


def is_users_code(frame: types.FrameType, namespace: Mapping[str, Any]) -> bool:
    """Whether the frame runs a cell, a function of the notebook, or a module beside it (not an installed library)."""
    if frame.f_globals is namespace:
        return True
    path = Path(frame.f_code.co_filename)
    return (
        path.is_absolute() and Path.cwd() in path.parents and not {"site-packages", "dist-packages"} & set(path.parts)
    )


#: Where a call stands: the code objects of the notebook that lead to it, with the place in each.
CallSite = tuple[tuple[types.CodeType, int], ...]


def call_site(frame: types.FrameType | None, namespace: Mapping[str, Any]) -> CallSite:
    """Where in the notebook's code a call stands: the same in every turn of a loop, another for another line or caller.

    The code objects themselves, not their addresses: IPython compiles a cell statement by statement, and the next
    statement's code may lie where the one before it lay.
    """
    site = []
    while frame is not None:
        if frame.f_globals is namespace:
            site.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(site)


def unlink_our_entries(error: BaseException) -> None:
    """Take this package's entries out of the tracebacks of an error and of those it came from, in place."""
    for each in _chain(error):
        entry = each.__traceback__
        while entry is not None and is_ours(entry.tb_frame.f_code):
            entry = entry.tb_next
        each.__traceback__ = entry
        while entry is not None:
            following = entry.tb_next
            while following is not None and is_ours(following.tb_frame.f_code):
                following = following.tb_next
            entry.tb_next = following
            entry = following


def users_traceback(error: BaseException, namespace: Mapping[str, Any]) -> types.TracebackType | None:
    """The traceback from the cell's own first entry on; None when the cell is not in it."""
    entry = error.__traceback__
    while entry is not None and entry.tb_frame.f_globals is not namespace:
        entry = entry.tb_next
    return entry


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__]
