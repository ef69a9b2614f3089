"""Putting the magics into a shell, and taking them out again."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Any

from . import train_magic
from .display import Shown
from .registration import all_magics, bound
from .session import Session
from .transformer import transform


class Extension:
    """What `%load_ext snapml_jupyter` did to one shell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.session = Session(shell)
        self._matcher: Any = None
        self._displayed: list[type] = []

    def load(self) -> None:
        """Register everything."""
        shell = self.shell
        for magic in all_magics():
            if magic is train_magic.TRAIN:
                shell.register_magic_function(train_magic.bound(self.session, shell), "line_cell", magic.name)
            else:
                shell.register_magic_function(bound(magic, shell), "line", magic.name)
        # Before IPython's own handling of cell magics, which comes after the cleanup transforms.
        shell.input_transformers_cleanup.append(transform)
        shell.events.register("pre_run_cell", self.session.before_cell)
        shell.events.register("post_run_cell", self.session.after_cell)
        atexit.register(self.session.at_exit)
        self._show_records()
        self._complete()

    def unload(self) -> None:
        """Take everything out."""
        from .tables import LIVE_RENDERERS

        shell = self.shell
        for magic in all_magics():
            for kind in ("line", "cell"):
                shell.magics_manager.magics[kind].pop(magic.name, None)
        if transform in shell.input_transformers_cleanup:
            shell.input_transformers_cleanup.remove(transform)
        for event, heard in (("pre_run_cell", self.session.before_cell), ("post_run_cell", self.session.after_cell)):
            if heard in shell.events.callbacks[event]:
                shell.events.unregister(event, heard)
        atexit.unregister(self.session.at_exit)
        for record in self._displayed:
            shell.display_formatter.mimebundle_formatter.pop(record, None)
            shell.display_formatter.formatters["text/plain"].pop(record, None)
        for module, name in LIVE_RENDERERS:
            shell.display_formatter.mimebundle_formatter.pop(f"{module}.{name}", None)
        matchers = getattr(getattr(shell, "Completer", None), "custom_matchers", [])
        if self._matcher in matchers:
            matchers.remove(self._matcher)

    def _show_records(self) -> None:
        """Records show themselves as cards wherever they are a cell's result."""
        from .tables import LIVE_RENDERERS, RENDERERS

        formatter = self.shell.display_formatter
        for record, render in RENDERERS.items():
            formatter.mimebundle_formatter.for_type(record, _bundle(render))
            self._displayed.append(record)
            if issubclass(record, list):  # IPython's own printer of lists would go before the bundle's text
                formatter.formatters["text/plain"].for_type(record, _text(render))
        for (module, name), render in LIVE_RENDERERS.items():
            formatter.mimebundle_formatter.for_type_by_name(module, name, _bundle(render))

    def _complete(self) -> None:
        from .completion import make_matcher

        self._matcher = make_matcher(self.shell)
        if self._matcher is not None:
            self.shell.Completer.custom_matchers.append(self._matcher)


def _bundle(render: Callable[[Any], Shown]) -> Callable[..., dict[str, str]]:
    return lambda value, include=None, exclude=None: render(value)._repr_mimebundle_(include, exclude)


def _text(render: Callable[[Any], Shown]) -> Callable[[Any, Any, bool], None]:
    return lambda value, printer, cycle: printer.text(render(value).to_plain())
