"""Keeping the matplotlib figures that a cell shows, as they are shown."""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Callable
from typing import Any

from .libraries.patching import Patches

#: Figures of one cell that are kept, and the bytes of one.
MAX_FIGURES, MAX_BYTES = 50, 10_000_000
_ENDINGS = {"png": "png", "jpg": "jpg", "jpeg": "jpg", "svg": "svg", "pdf": "pdf"}


class FigureWatch:
    """Hears of every figure that IPython draws to show it, between `start` and `stop`: the same bytes, drawn once."""

    def __init__(self) -> None:
        self.figures: list[tuple[str, bytes]] = []
        self.n_left_out = 0
        self._patches = Patches()
        self._known: set[bytes] = set()

    def start(self) -> None:
        """Begin. Needs `matplotlib.backend_bases` to be loaded."""
        self._patches.replace(sys.modules["matplotlib.backend_bases"].FigureCanvasBase, "print_figure", self._watched)

    def stop(self) -> None:
        """Give the method back."""
        self._patches.undo()

    def _watched(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def print_figure(canvas: Any, filename: Any, *args: Any, **kwargs: Any) -> Any:
            answer = original(canvas, filename, *args, **kwargs)
            caller = sys._getframe(1)
            is_shown = caller.f_globals.get("__name__") == "IPython.core.pylabtools"  # not saved to a file by the user
            if is_shown and isinstance(filename, io.BytesIO):
                self._keep(filename.getvalue(), str(kwargs.get("format", "png")).lower())
            return answer

        return print_figure

    def _keep(self, content: bytes, format: str) -> None:
        digest = hashlib.sha256(content).digest()
        if digest in self._known:
            return
        self._known.add(digest)
        if len(self.figures) >= MAX_FIGURES or len(content) > MAX_BYTES:
            self.n_left_out += 1
            return
        self.figures.append((f"figures/figure-{len(self.figures) + 1}.{_ENDINGS.get(format, 'png')}", content))
