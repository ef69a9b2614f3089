"""`snapml gate`, `snapml test endpoint`, `snapml init-ci`: what CI runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ..domain.errors import InvalidInputError
from ..figures import parse_duration, parse_size
from ..gates import endpoint_checks, reporting
from ..gates.judging import gate as judge
from ..gates.workflow import write_ci
from .output import FAILED, AnyWorkspace, answers, fail

_JUNIT = click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Also write JUnit XML."
)


@click.command()
@click.argument("model")
@click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("gates.toml"),
    show_default=True,
    help="What the version must be like.",
)
@_JUNIT
@answers
def gate(workspace: AnyWorkspace, model: str, path: Path, junit: Path | None) -> tuple[Any, str]:
    """Judge MODEL (NAME, NAME:4, NAME@champion) by a gates.toml; leave with status 1 when it fails."""
    outcome = judge(workspace, model, gates=_read(path))
    if junit is not None:
        reporting.write_junit(junit, reporting.gate_junit(outcome))
    _leave(outcome.passed)
    return outcome, reporting.gate_text(outcome)


@click.group()
def test() -> None:
    """Tests of what is deployed."""


@test.command("endpoint")
@click.argument("name")
@click.option("--p99", metavar="TIME", help="Latency budget of single rows, as in 50ms.")
@click.option("--memory", metavar="SIZE", help="Memory budget of each worker, as in 200MB.")
@_JUNIT
@answers
def endpoint_command(
    workspace: AnyWorkspace, name: str, p99: str | None, memory: str | None, junit: Path | None
) -> tuple[Any, str]:
    """Try what the signature of endpoint NAME promises, with good and bad requests; status 1 when something fails."""
    found = endpoint_checks.check_endpoint(
        workspace,
        name,
        p99_ms=None if p99 is None else parse_duration(p99) * 1000,
        memory_bytes=None if memory is None else parse_size(memory),
    )
    if junit is not None:
        reporting.write_junit(junit, reporting.endpoint_junit(found))
    _leave(found.passed)
    return found, reporting.endpoint_text(found)


@click.command("init-ci")
@click.argument("model")
@click.option("--endpoint", help="Endpoint to test; without it none.")
@click.option("--force", is_flag=True, help="Overwrite the workflow that is there.")
def init_ci(model: str, endpoint: str | None, force: bool) -> None:
    """Write a GitHub Actions workflow that judges MODEL, and a gates.toml to start from, below this folder."""
    from ..domain.errors import SnapMLError

    try:
        written = write_ci(Path(), model, endpoint, force=force)
    except SnapMLError as error:
        fail(error, as_json=False)
    click.echo("\n".join(f"Wrote {path}" for path in written))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidInputError(f"{path} cannot be read: {reason}. Write a start: snapml init-ci MODEL") from None


def _leave(passed: bool) -> None:
    if not passed:
        click.get_current_context().call_on_close(lambda: sys.exit(FAILED))
