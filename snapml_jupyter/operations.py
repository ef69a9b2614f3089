"""The one list of what the outside may call.

A service function declared with `@operation` is called the same way everywhere: locally it runs, on a remote
workspace its arguments travel as JSON and the record comes back, and every face (HTTP, CLI, TypeScript) derives
its routes and types from the same declaration. The permission check is made here; the audit entry is written by
the workspace in the transaction of the change itself, under the operation's name.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, get_type_hints

from .domain.errors import InvalidInputError, NotFoundError

P = ParamSpec("P")
R = TypeVar("R")

#: Modules that declare operations, below `snapml_jupyter`. A test finds every `@operation` and holds this list to it.
MODULES: tuple[str, ...] = (
    "governance.lineage",
    "governance.retention",
    "governance.status",
    "governance.verify",
    "runs.comparing",
    "runs.curves",
    "runs.recording",
    "runs.queries",
    "registry.exporting",
    "registry.stages",
    "registry.versions",
    "runs.models",
    "runs.programs",
    "datasets.aliases",
    "datasets.diff",
    "datasets.versions",
    "validation.checking",
    "monitoring.ab_tests",
    "monitoring.monitors",
    "serving.api_keys",
    "serving.deploying",
    "serving.host_log",
    "serving.host_process",
    "serving.traffic",
    "serving.traffic_history",
    "gates.endpoint_checks",
    "gates.judging",
)


class Dispatcher(Protocol):
    """What an operation needs of a workspace; the workspaces themselves live in `store`."""

    @property
    def is_remote(self) -> bool:
        """Whether calls travel to another process."""

    def call(self, operation: Operation, arguments: dict[str, Any]) -> Any:
        """Run the operation on the other side (remote workspaces only)."""

    def check_permission(self, permission: str, operation: str) -> None:
        """Raise PermissionDeniedError when the actor may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One declared operation. `name` is `<package>.<function>`."""

    name: str
    permission: str
    audited: bool
    function: Callable[..., Any]
    hints: dict[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """Parameters after `workspace`, in order."""
        return dict(list(inspect.signature(self.function).parameters.items())[1:])

    def types(self) -> dict[str, Any]:
        """Resolved annotations of the parameters and of `return`."""
        if not self.hints:
            self.hints.update(get_type_hints(self.function))
        return self.hints


_OPERATIONS: dict[str, Operation] = {}
_CURRENT: ContextVar[Operation | None] = ContextVar("snapml_operation", default=None)


def operation(
    *, permission: str, audited: bool = False
) -> Callable[[Callable[Concatenate[Any, P], R]], Callable[Concatenate[Dispatcher, P], R]]:
    """Declare a service function whose first parameter is the workspace as an operation.

    `permission` is `<noun>:<verb>`. `audited` operations leave an entry in the audit log for every event they append.
    """

    def declare(function: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Dispatcher, P], R]:
        package = function.__module__.split(".")[1]
        declared = Operation(
            name=f"{package}.{function.__name__}", permission=permission, audited=audited, function=function
        )
        _OPERATIONS[declared.name] = declared

        @functools.wraps(function)
        def call(workspace: Dispatcher, *args: P.args, **kwargs: P.kwargs) -> R:
            if workspace.is_remote:
                bound = inspect.signature(function).bind(workspace, *args, **kwargs)
                arguments = dict(list(bound.arguments.items())[1:])
                answer: R = workspace.call(declared, arguments)
                return answer
            workspace.check_permission(permission, declared.name)
            with _running(declared):
                return function(workspace, *args, **kwargs)

        call.__snapml_operation__ = declared  # type: ignore[attr-defined]  # lets faces find the declaration from the function
        return cast("Callable[Concatenate[Dispatcher, P], R]", call)

    return declare


def current_operation() -> Operation | None:
    """The operation this thread is running, for the audit entry."""
    return _CURRENT.get()


def list_operations() -> list[Operation]:
    """Every declared operation, by name."""
    listed = {importlib.import_module(f"snapml_jupyter.{module}").__name__ for module in MODULES}
    # Whoever declares one elsewhere (a test, an extension) can call it, but does not offer it to the outside.
    return [found for _, found in sorted(_OPERATIONS.items()) if found.function.__module__ in listed]


def get_operation(name: str) -> Operation:
    """The operation of that name. Raises NotFoundError with the closest names."""
    known = {declared.name: declared for declared in list_operations()}
    if name not in known:
        raise NotFoundError.of("operation", name, known)
    return known[name]


def run_operation(workspace: Dispatcher, declared: Operation, arguments: dict[str, Any]) -> Any:
    """Run on this side with arguments that came over the wire, converted to the declared types.

    Raises InvalidInputError naming an argument that is unknown, missing or of the wrong type.
    """
    from . import wire

    parameters = declared.parameters
    unknown = [name for name in arguments if name not in parameters]
    if unknown:
        raise InvalidInputError(
            f"{declared.name} has no argument '{unknown[0]}'. Its arguments: {', '.join(parameters) or 'none'}."
        )
    missing = [n for n, p in parameters.items() if p.default is inspect.Parameter.empty and n not in arguments]
    if missing:
        raise InvalidInputError(f"{declared.name} needs the argument '{missing[0]}'.")
    types = declared.types()
    converted = {
        name: wire.decode(value, types[name], f"argument '{name}' of {declared.name}")
        for name, value in arguments.items()
    }
    workspace.check_permission(declared.permission, declared.name)
    with _running(declared):
        return declared.function(workspace, **converted)


@contextmanager
def _running(declared: Operation) -> Iterator[None]:
    token = _CURRENT.set(declared)
    try:
        yield
    finally:
        _CURRENT.reset(token)
