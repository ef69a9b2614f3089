"""Doing something as soon as a module has been imported, for libraries that a cell imports while it is recorded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class WhenImported(MetaPathFinder):
    """Between `start` and `stop`, calls each module's action once: at once when it is loaded, else after its import."""

    def __init__(self, actions: Mapping[str, Callable[[], None]]) -> None:
        self._waiting = dict(actions)
        self._wrapped: list[Loader] = []

    def start(self) -> None:
        """Act on what is loaded, watch for the rest."""
        for name in list(self._waiting):
            if name in sys.modules:
                self._waiting.pop(name)()
        if self._waiting:
            sys.meta_path.insert(0, self)

    def stop(self) -> None:
        """Leave the import system as it was."""
        self._waiting.clear()
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for loader in self._wrapped:
            vars(loader).pop("exec_module", None)
        self._wrapped.clear()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the other finders give, with the action after its execution."""
        action = self._waiting.pop(fullname, None)
        if action is None:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec: ModuleSpec | None = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "__dict__"):
                    self._act_after(spec.loader, action)
                return spec
        return None

    def _act_after(self, loader: Loader, action: Callable[[], None]) -> None:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            action()

        loader.exec_module = exec_module  # type: ignore[method-assign]  # on this one loader, until `stop`
        self._wrapped.append(loader)
