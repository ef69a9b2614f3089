"""`snapml`: the root command. Each noun's commands are in the module of that name."""

from __future__ import annotations

import importlib
from typing import Any

import click

from ..version import __version__

#: Command -> module below `snapml_jupyter.cli` that defines it; loaded when it is used, so `snapml --help` is instant.
_COMMANDS = {
    "init": "workspaces",
    "status": "workspaces",
    "verify": "workspaces",
    "gc": "workspaces",
    "audit": "workspaces",
    "run": "runs",
    "replay": "replays",
    "export": "replays",
    "data": "datasets",
    "model": "models",
    "endpoint": "endpoints",
    "host": "host",
    "monitor": "monitors",
    "drift": "monitors",
    "alert": "monitors",
    "gate": "gates",
    "test": "gates",
    "init-ci": "gates",
    "export-deployment": "packaging",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module: Any = importlib.import_module(f".{_COMMANDS[cmd_name]}", __package__)
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="snapml")
def main() -> None:
    """Train, version, deploy and watch models. Every command takes --json and --workspace."""
