"""`@snap.run`: a function whose every call is a run."""

from __future__ import annotations

import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..domain.errors import InvalidInputError
from ..domain.run import RunSource
from ..runs.tracking import ActiveRun

_OPTIONS = ("name", "experiment", "seed", "tags", "note", "autolog")


def recorded(function: Callable[..., Any], options: Mapping[str, Any]) -> Callable[..., Any]:
    """The function, recorded. Raises InvalidInputError for options that are none, and for generators."""
    unknown = [option for option in options if option not in _OPTIONS]
    if unknown:
        raise InvalidInputError(f"@snap.run has no option '{unknown[0]}'. Its options: {', '.join(_OPTIONS)}.")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidInputError(
            f"{function.__name__} is a generator: it has no end that a run could have. Put `with snap.start_run():` in it."
        )
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def call_later(*args: Any, **kwargs: Any) -> Any:
            with _run_of(function, options, args, kwargs):
                return await function(*args, **kwargs)

        return call_later

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with _run_of(function, options, args, kwargs):
            return function(*args, **kwargs)

    return call


@contextmanager
def _run_of(
    function: Callable[..., Any], options: Mapping[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Iterator[ActiveRun]:
    from ..capture.script import autolog_run
    from ..runs.tracking import start_run
    from .current import workspace

    given = {"name": function.__name__.strip("<>"), **options}
    autolog = given.pop("autolog", True)
    with start_run(workspace(), source=RunSource(kind="function", code=_code(function)), **given) as run:
        run.log_params(_arguments(function, args, kwargs))
        run.is_autologged = autolog
        if autolog:
            autolog_run(run)
        yield run


def _arguments(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """What it is called with that can be a setting: numbers, texts and small collections of them; no data."""
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    return {name: value for name, value in bound.arguments.items() if _is_setting(value)}


def _is_setting(value: Any) -> bool:
    if value is None or isinstance(value, (bool, int, float, str)):
        return True
    if isinstance(value, dict):
        return len(value) <= 20 and all(_is_setting(each) for each in value.values())
    return isinstance(value, (list, tuple)) and len(value) <= 20 and all(_is_setting(each) for each in value)


def _code(function: Callable[..., Any]) -> str | None:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):  # made by exec, or by a class
        return None
