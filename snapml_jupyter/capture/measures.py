"""Seeing what the cell measures with `sklearn.metrics`, whatever name the function is called by.

The public functions stay the same objects (a notebook may have imported them cells ago, keep them in dicts, or pickle
them): only what their parameter-checking wrapper calls is exchanged for the duration of the cell.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from typing import Any

_ENDINGS = ("_score", "_loss", "_error", "_deviance")
_OTHERS = ("auc", "matthews_corrcoef")

#: Called with the function's name, its result and the frame that called it.
Listener = Callable[[str, Any, types.FrameType], None]


class MeasureWatch:
    """Tells the listener of every call of a `sklearn.metrics` function that gives a number, between `start` and `stop`."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._undo: list[Callable[[], None]] = []

    def start(self) -> None:
        """Begin. Needs `sklearn.metrics` to be loaded."""
        metrics = sys.modules["sklearn.metrics"]
        for name in metrics.__all__:
            function = getattr(metrics, name, None)
            if (name.endswith(_ENDINGS) or name in _OTHERS) and isinstance(function, types.FunctionType):
                self._watch(name, function)

    def stop(self) -> None:
        """Give every function its own inside back."""
        for undo in self._undo:
            undo()
        self._undo.clear()

    def _watch(self, name: str, function: types.FunctionType) -> None:
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        inner = cells.get("func")  # as `sklearn.utils._param_validation.validate_params` calls it, 1.5 to 1.9
        if inner is None or not callable(inner.cell_contents):
            return
        original, listener = inner.cell_contents, self._listener

        @functools.wraps(original)
        def measured(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            caller = sys._getframe(1).f_back
            if caller is not None:
                listener(name, result, caller)
            return result

        def undo() -> None:
            if inner.cell_contents is measured:
                inner.cell_contents = original

        inner.cell_contents = measured
        self._undo.append(undo)
