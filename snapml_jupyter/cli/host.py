"""`snapml host start|stop|status|logs`."""

from __future__ import annotations

from typing import Any

import click

from ..domain.endpoint import HostStatus
from ..serving.host_log import read_host_log
from ..serving.host_process import get_host_status, start_host, stop_host
from .output import AnyWorkspace, answers, facts


@click.group()
def host() -> None:
    """The workspace's background process: endpoints and monitors."""


@host.command("start")
@answers
def start_command(workspace: AnyWorkspace) -> tuple[Any, str]:
    """Start it, or say that it runs."""
    status = start_host(workspace)
    return status, _describe(status)


@host.command("stop")
@answers
def stop_command(workspace: AnyWorkspace) -> tuple[Any, str]:
    """Finish the requests in flight, write the last predictions, stop."""
    status = stop_host(workspace)
    return status, _describe(status)


@host.command("status")
@answers
def status_command(workspace: AnyWorkspace) -> tuple[Any, str]:
    """Whether it runs, and where it answers."""
    status = get_host_status(workspace)
    return status, _describe(status)


@host.command("logs")
@click.option("--lines", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--contains", default="", help="Only lines with every one of these words.")
@answers
def logs_command(workspace: AnyWorkspace, lines: int, contains: str) -> tuple[Any, str]:
    """The newest lines of the host's log."""
    found = read_host_log(workspace, lines, contains).lines
    nothing = f"No line has '{contains}'." if contains else "The host has written nothing yet."
    return found, "\n".join(found) or nothing


def _describe(status: HostStatus) -> str:
    if not status.running:
        return "The host is stopped." + (f" {status.problem}" if status.problem else " Start it: snapml host start")
    return facts(
        host="running", url=status.url, pid=str(status.pid), workers=status.n_workers, started=status.started_at
    )
