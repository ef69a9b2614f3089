"""What a magic is, the list of them, and the one place where their errors become a sentence in the cell."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..domain.errors import SnapMLError
from .arguments import MagicParser

_ADD = tuple[tuple[str, ...], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Magic:
    """One magic: its name without `%`, the first line of its help, its arguments, and what it does."""

    name: str
    summary: str
    function: Callable[..., Any]
    adds: tuple[_ADD, ...] = ()
    examples: tuple[str, ...] = ()
    is_cell: bool = False
    completes: dict[str, str] = field(default_factory=dict)

    @property
    def written(self) -> str:
        """As it is typed."""
        return ("%%" if self.is_cell else "%") + self.name

    def parser(self) -> MagicParser:
        """A parser of its line."""
        parser = MagicParser(self.written, self.summary)
        for names, settings in self.adds:
            parser.add_argument(*names, **settings)
        return parser

    def help(self) -> str:
        """What `%name?` shows."""
        parser = self.parser()
        parts = [self.summary, f"Usage:\n    {parser.usage_line()}"]
        if self.adds:
            parts.append(f"Arguments:\n{parser.explain()}")
        if self.examples:
            parts.append("Examples:\n" + "\n".join(f"    {example}" for example in self.examples))
        return "\n\n".join(parts)


_MAGICS: dict[str, Magic] = {}


def argument(*names: str, **settings: Any) -> _ADD:
    """One argument of a magic, as `argparse` describes it."""
    return names, settings


def line_magic(
    name: str, *adds: _ADD, examples: tuple[str, ...] = (), completes: dict[str, str] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare `function(call, **arguments)` as a line magic; its docstring's first line is the summary.

    `completes` says for an argument what Tab offers: `model` and `dataset` (names and references), `model name`,
    `dataset name`, `endpoint`, `run`, `stage` or `variable`.
    """

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        summary = (function.__doc__ or "").strip().partition("\n")[0]
        _MAGICS[name] = Magic(
            name=name, summary=summary, function=function, adds=adds, examples=examples, completes=completes or {}
        )
        return function

    return declare


def add_magic(magic: Magic) -> None:
    """Declare a magic that is not a plain function of its arguments."""
    _MAGICS[magic.name] = magic


def all_magics() -> list[Magic]:
    """Every magic, in the order of the work."""
    from . import (  # declares them
        data_magics,
        endpoint_magics,
        lineage_magics,
        model_magics,
        monitor_magics,
        replay_magics,
        run_magics,
        train_magic,
        validation_magics,
    )

    declaring = (data_magics, endpoint_magics, lineage_magics, model_magics, monitor_magics, run_magics, train_magic)
    assert all((*declaring, replay_magics, validation_magics))
    order = [
        "snap",
        "snap_train",
        "snap_runs",
        "snap_replay",
        "snap_compare",
        "snap_data",
        "snap_validate",
        "snap_suite",
        "snap_lineage",
    ]
    order += ["snap_models", "snap_register", "snap_promote"]
    return sorted(_MAGICS.values(), key=lambda m: order.index(m.name) if m.name in order else len(order))


def get_magic(name: str) -> Magic:
    """The declared magic of that name."""
    return _MAGICS[name]


@dataclass(frozen=True, slots=True)
class Call:
    """What a magic may use: the shell it was typed into."""

    shell: Any
    magic: Magic

    @property
    def namespace(self) -> dict[str, Any]:
        """The notebook's variables."""
        names: dict[str, Any] = self.shell.user_ns
        return names

    def variable(self, name: str) -> Any:
        """The notebook's variable of that name. Raises InvalidInputError when there is none."""
        from .arguments import variable

        return variable(name, self.namespace, self.magic.written)


def bound(magic: Magic, shell: Any) -> Callable[[str], Any]:
    """The magic as IPython calls it, with its help as docstring."""

    @plainly
    def call(line: str = "") -> Any:
        arguments = magic.parser().read(line, shell.user_ns)
        return magic.function(Call(shell, magic), **vars(arguments))

    call.__name__ = magic.name
    call.__doc__ = magic.help()
    # Expressions are replaced argument by argument here; IPython's own way is all or nothing.
    call._ipython_magic_no_var_expand = True  # type: ignore[attr-defined]  # how IPython is told
    return call


def bound_cell(magic: Magic, shell: Any) -> Callable[[str, str], Any]:
    """A cell magic as IPython calls it: its function gets the cell's text besides."""

    @plainly
    def call(line: str, cell: str) -> Any:
        arguments = magic.parser().read(line, shell.user_ns)
        return magic.function(Call(shell, magic), cell=cell, **vars(arguments))

    call.__name__ = magic.name
    call.__doc__ = magic.help()
    call._ipython_magic_no_var_expand = True  # type: ignore[attr-defined]  # a suite may have braces
    return call


def plainly(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let our own errors show as one sentence, without a traceback into this package."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except SnapMLError as error:
            raise shown_plainly(error) from None

    return call


def shown_plainly(error: SnapMLError) -> SnapMLError:
    """The same error, which IPython shows as `NotFoundError: There is no model 'chrun'. Did you mean 'churn'?`."""
    sentence = [f"\x1b[31m{type(error).__name__}\x1b[39m: {error}"]
    error._render_traceback_ = lambda: sentence  # type: ignore[attr-defined]  # IPython asks exceptions for it
    return error
