"""The workflow that `snapml init-ci` writes: valid, runs both commands as they are, and never overwrites by itself."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from snapml_jupyter.cli.main import main
from snapml_jupyter.gates.gates_file import read_gates


def test_it_writes_a_workflow_whose_commands_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["init-ci", "late-flights", "--endpoint", "flights"])
    assert result.exit_code == 0, result.output
    workflow = yaml.safe_load(Path(".github/workflows/snapml.yml").read_text())
    assert set(workflow[True]) == {"push", "workflow_dispatch"}  # YAML reads the key `on` as true
    commands = [step["run"] for step in workflow["jobs"]["gate"]["steps"] if "snapml " in step.get("run", "")]
    assert len(commands) == 2
    for command in commands:
        words = shlex.split(command)[1:]
        words = [word.replace("$MODEL", "late-flights").replace("$ENDPOINT", "flights") for word in words]
        group: click.Command = main
        while isinstance(group, click.Group):
            found = group.get_command(click.Context(group), words.pop(0))
            assert found is not None
            group = found
        group.make_context("snapml", words)  # raises for an option that there is not
    assert "late-flights" in str(workflow)
    assert read_gates(Path("gates.toml").read_text()).latency is not None


def test_the_commented_tables_of_the_start_can_be_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(main, ["init-ci", "m"])
    lines = Path("gates.toml").read_text().splitlines()
    body = [line[2:] if line.startswith("# ") and ("=" in line or line.startswith("# [")) else line for line in lines]
    gates = read_gates("\n".join(body))
    assert gates.champion is not None
    assert gates.validation is not None
    assert gates.metrics


def test_it_overwrites_only_when_told_and_never_the_gates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    assert runner.invoke(main, ["init-ci", "m"]).exit_code == 0
    Path("gates.toml").write_text("# mine")
    workflow = Path(".github/workflows/snapml.yml")
    workflow.write_text("# mine")
    refused = runner.invoke(main, ["init-ci", "m"])
    assert refused.exit_code == 1
    assert "--force" in refused.stderr
    assert workflow.read_text() == "# mine"
    assert runner.invoke(main, ["init-ci", "m", "--force"]).exit_code == 0
    assert workflow.read_text() != "# mine"
    assert Path("gates.toml").read_text() == "# mine"
    assert runner.invoke(main, ["init-ci", "not a name"]).exit_code == 2
