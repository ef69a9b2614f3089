"""Keeping what a cell prints while it is still shown where it always is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

#: Kept of each stream, in characters; what follows is shown but not kept.
MAX_CHARACTERS = 1_000_000


class OutputCopy:
    """Copies what is written to stdout and stderr between `start` and `stop`.

    The stream objects stay the same, so loggers that took hold of one cells ago are heard too.
    """

    def __init__(self, limit: int = MAX_CHARACTERS) -> None:
        self._limit = limit
        self._texts: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self._lengths = {"stdout": 0, "stderr": 0}
        self._undo: list[Callable[[], None]] = []

    def start(self) -> None:
        """Begin to copy."""
        for name in self._texts:
            stream = getattr(sys, name)
            if stream is not None:
                self._copy(name, stream)

    def stop(self) -> None:
        """Leave the streams as they were."""
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()

    def text(self, name: str) -> str:
        """What was written to `stdout` or `stderr`, cut at the limit with a last line that says so."""
        text = "".join(self._texts[name])
        cut = self._lengths[name] - len(text)
        return text + (f"\n[cut here: {cut:,} more characters were printed]\n" if cut else "")

    def was_cut(self, name: str) -> bool:
        """Whether more was printed than is kept."""
        return self._lengths[name] > self._limit

    def _copy(self, name: str, stream: Any) -> None:
        write, texts, lengths, limit = stream.write, self._texts[name], self._lengths, self._limit

        def copying(text: str) -> Any:
            written = write(text)
            room = limit - lengths[name]
            if room > 0:
                texts.append(text[:room])
            lengths[name] += len(text)
            return written

        try:
            stream.write = copying
        except AttributeError:  # a stream without room for it, such as one written in C: shown, not kept
            return

        def undo() -> None:
            if vars(stream).get("write") is copying:
                del stream.write

        self._undo.append(undo)
