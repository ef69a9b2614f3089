"""How every command answers: a table or key-value lines for people, one JSON value with `--json`."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

import click

from .. import wire
from ..domain.errors import InvalidInputError, SnapMLError
from ..figures import show
from ..store.remote import RemoteWorkspace
from ..store.workspace import Workspace, open_workspace

F = TypeVar("F", bound=Callable[..., Any])

#: Exit codes: 1 when something failed, 2 when the command was used wrongly.
FAILED, WRONG_USE = 1, 2


def answers(function: F) -> F:
    """Give a command `--workspace` and `--json`; print what it returns; turn our errors into a sentence and a status.

    The command is called with the opened workspace first and returns (records, text for people).
    """

    @click.option(
        "--workspace", "location", metavar="PATH_OR_URL", help="Workspace to use instead of the one found here."
    )
    @click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON value.")
    @functools.wraps(function)
    def call(location: str | None, as_json: bool, **options: Any) -> None:
        try:
            value, text = function(open_workspace(location), **options)
        except SnapMLError as error:
            fail(error, as_json)
        click.echo(json.dumps(wire.encode(value), indent=2) if as_json else text)

    return call  # type: ignore[return-value]  # click replaces the signature


def fail(error: SnapMLError, as_json: bool) -> NoReturn:
    """Print the error to stderr and leave with its status."""
    click.echo(json.dumps(wire.encode_error(error)) if as_json else f"Error: {error}", err=True)
    sys.exit(WRONG_USE if isinstance(error, InvalidInputError) else FAILED)


AnyWorkspace = Workspace | RemoteWorkspace


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]], empty: str) -> str:
    """Aligned columns; numbers to the right. `empty` is the sentence for no rows."""
    if not rows:
        return empty
    cells = [[show(value) for value in row] for row in rows]
    widths = [max(len(header), *(len(row[i]) for row in cells)) for i, header in enumerate(headers)]
    right = [all(isinstance(row[i], (int, float)) or row[i] is None for row in rows) for i in range(len(headers))]

    def line(values: Sequence[str]) -> str:
        return "  ".join(
            v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True)
        ).rstrip()

    return "\n".join([line([header.upper() for header in headers]), *(line(row) for row in cells)])


def facts(**values: Any) -> str:
    """One `name  value` line per fact that has a value."""
    shown = {name.replace("_", " "): show(value) for name, value in values.items() if value is not None}
    width = max((len(name) for name in shown), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in shown.items())
