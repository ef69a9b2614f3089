"""The audit chain: written by audited operations, and any tampering shows."""

from __future__ import annotations

import sqlite3

import pytest

from snapml_jupyter.operations import operation
from snapml_jupyter.store import audit
from snapml_jupyter.store.workspace import Workspace


@operation(permission="tests:write", audited=True)
def audited_change(workspace: Workspace, subject: str) -> None:
    """A change that must be provable."""
    with workspace.transaction() as tx:
        tx.event("model.stage_changed", subject, before="none", after="production")


@operation(permission="tests:write")
def plain_change(workspace: Workspace, subject: str) -> None:
    """A change that only those who watch need."""
    with workspace.transaction() as tx:
        tx.event("run.updated", subject)


@pytest.fixture
def chained(workspace: Workspace) -> Workspace:
    for number in range(5):
        audited_change(workspace, f"churn:{number}")
    return workspace


def tamper(workspace: Workspace, *statements: str) -> None:
    """Change the file as someone with SQL access would: without the triggers."""
    connection = sqlite3.connect(workspace.folder / "snapml.db")
    connection.execute("DROP TRIGGER audit_log_is_append_only")
    connection.execute("DROP TRIGGER audit_log_keeps_rows")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_only_audited_operations_leave_entries(chained: Workspace) -> None:
    plain_change(chained, "r")
    entries = audit.list_entries(chained.database)
    assert [entry.subject for entry in entries] == [f"churn:{n}" for n in (4, 3, 2, 1, 0)]
    assert entries[0].operation.endswith(".audited_change")
    assert entries[0].details == {"event": "model.stage_changed", "before": "none", "after": "production"}
    assert audit.verify_chain(chained.database) == (5, [])


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE audit_log SET actor = 'eve' WHERE number = 3", "entry 3: its content was changed"),
        ("UPDATE audit_log SET details = '{}' WHERE number = 5", "entry 5: its content was changed"),
        ("DELETE FROM audit_log WHERE number = 2", "entries 2 to 2 are missing"),
        ("DELETE FROM audit_log WHERE number = 1", "entries 1 to 1 are missing"),
    ],
)
def test_tampering_is_named_by_entry(chained: Workspace, statement: str, message: str) -> None:
    tamper(chained, statement)
    _, problems = audit.verify_chain(chained.database)
    assert any(message in problem.message for problem in problems)


def test_swapped_entries_are_found(chained: Workspace) -> None:
    tamper(
        chained,
        "UPDATE audit_log SET number = 99 WHERE number = 2",
        "UPDATE audit_log SET number = 2 WHERE number = 3",
        "UPDATE audit_log SET number = 3 WHERE number = 99",
    )
    _, problems = audit.verify_chain(chained.database)
    assert {problem.subject for problem in problems} >= {"entry 2", "entry 3"}


def test_sql_by_hand_is_refused_by_the_database(chained: Workspace) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"), chained.transaction() as tx:
        tx.execute("UPDATE audit_log SET actor = 'eve'")
