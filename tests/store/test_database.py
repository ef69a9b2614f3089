"""The database under several writers, and what users are told when it cannot be used."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from snapml_jupyter.domain.errors import UnavailableError
from snapml_jupyter.store import events
from snapml_jupyter.store.workspace import Workspace

WRITER = """
import sys
from snapml_jupyter.store.workspace import Workspace
workspace = Workspace(sys.argv[1], actor=sys.argv[2])
for number in range(100):
    with workspace.transaction() as tx:
        tx.event("run.updated", "r", number=number)
"""


def test_eight_processes_write_at_once_and_none_loses_a_row(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"  # not made yet: the first writers race for the migrations too
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(folder), f"actor-{n}"], stderr=subprocess.PIPE)
        for n in range(8)
    ]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors.decode()
    found = events.list_events(Workspace(folder).database, limit=10_000)
    assert len(found) == 800
    for n in range(8):
        assert [e.details["number"] for e in found if e.actor == f"actor-{n}"] == list(range(100))


def test_a_failed_transaction_leaves_nothing(workspace: Workspace) -> None:
    with pytest.raises(RuntimeError, match="half-way"), workspace.transaction() as tx:
        tx.event("run.started", "r")
        raise RuntimeError("half-way")
    assert events.list_events(workspace.database) == []


def test_a_nested_transaction_joins_the_outer_one(workspace: Workspace) -> None:
    with pytest.raises(RuntimeError), workspace.transaction():
        with workspace.transaction() as inner:
            inner.event("run.started", "r")
        raise RuntimeError("the outer one fails")
    assert events.list_events(workspace.database) == []


def test_another_connections_commit_changes_the_data_version(workspace: Workspace) -> None:
    before = workspace.database.data_version()
    other = Workspace(workspace.folder)
    with other.transaction() as tx:
        tx.event("run.started", "r")
    assert workspace.database.data_version() != before


def test_a_file_that_is_not_a_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "snapml.db").write_text("not a database, but long enough to be read as one " * 10)
    with pytest.raises(UnavailableError, match=r"snapml\.db cannot be opened"):
        Workspace(tmp_path)


def test_a_database_of_a_newer_version_is_refused_with_what_to_do(workspace: Workspace) -> None:
    connection = sqlite3.connect(workspace.folder / "snapml.db")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(UnavailableError, match="pip install -U snapml-jupyter"):
        Workspace(workspace.folder)


def test_a_workspace_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnavailableError, match="cannot be made"):
        Workspace(tmp_path / "file" / "workspace")
