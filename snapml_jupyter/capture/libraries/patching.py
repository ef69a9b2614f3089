"""Exchanging a method of a library's class for a while."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


class Patches:
    """Methods that were exchanged, to be given back."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def replace(self, owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """`owner.name` becomes `make(original)` until `undo`."""
        original = vars(owner).get(name)
        if not callable(original):
            return
        changed = functools.wraps(original)(make(original))
        setattr(owner, name, changed)

        def give_back() -> None:
            if vars(owner).get(name) is changed:  # else someone replaced it meanwhile, and it is theirs
                setattr(owner, name, original)

        self._undo.append(give_back)

    def on_undo(self, action: Callable[[], None]) -> None:
        """Something else to take back."""
        self._undo.append(action)

    def undo(self) -> None:
        """Give everything back."""
        while self._undo:
            self._undo.pop()()
