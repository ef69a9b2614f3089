"""`%snap_validate` and `%%snap_suite`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..domain.errors import InvalidInputError, NotFoundError
from .registration import Call, Magic, add_magic, argument, line_magic


@line_magic(
    "snap_validate",
    argument("ref", metavar="REF", help="a dataset version, or a variable together with --suite"),
    argument("--propose", action="store_true", help="infer a suite from REF and put it into the next cell"),
    argument("--save", action="store_true", help="with --propose or --suite: keep the suite at once"),
    argument("--suite", metavar="FILE", help="check by the suite in this YAML file instead of the kept one"),
    examples=("%snap_validate flights --propose", "%snap_validate flights", "%snap_validate df --suite flights.yaml"),
    completes={"ref": "variable or dataset"},
)
def snap_validate(call: Call, ref: str, propose: bool, save: bool, suite: str | None) -> Any:
    """Check a dataset version by the expectations of its dataset, or propose them."""
    from ..public import validation
    from ..public.current import workspace
    from ..validation.checking import propose_suite, save_suite

    if propose:
        found = propose_suite(workspace(), ref)
        if save:
            return save_suite(workspace(), found.dataset, found.content, found.proposed_from)
        call.shell.set_next_input(f"%%snap_suite {found.dataset}\n{found.content}")
        return found
    content = None if suite is None else _read(suite)
    if save:
        if content is None:
            raise InvalidInputError("%snap_validate --save: give --propose or --suite FILE.")
        return save_suite(workspace(), ref.partition("@")[0], content)
    value = call.namespace.get(ref)
    if value is not None and content is not None:
        return validation.validate(value, content)
    return validation.validate(ref, content)


def _save_cell(call: Call, cell: str, name: str) -> Any:
    from ..public.current import workspace
    from ..validation.checking import save_suite, validate_version
    from ..validation.report import report_of

    saved = save_suite(workspace(), name, cell)
    return report_of(workspace(), validate_version(workspace(), saved.dataset))


add_magic(
    Magic(
        name="snap_suite",
        summary="Keep the YAML below as the expectations of a dataset, and check its newest version by them.",
        function=_save_cell,
        is_cell=True,
        adds=(argument("name", metavar="NAME", help="the dataset"),),
        examples=("%%snap_suite flights",),
        completes={"name": "dataset name"},
    )
)


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text()
    except OSError as error:
        raise NotFoundError(f"The suite '{path}' cannot be read: {error.strerror}.") from error
