"""How expectation suites and the checks by them are kept."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ..domain.errors import NotFoundError
from ..domain.validation import ExpectationResult, SuiteVersion, ValidationRecord
from .database import Database
from .datasets import list_names
from .workspace import Transaction


def add_suite(tx: Transaction, name: str, content: str, proposed_from: str | None) -> SuiteVersion:
    """Keep a suite as the next of its dataset; the text of the newest one again is that one. Raises NotFoundError."""
    database = tx.workspace.database
    if name not in (names := list_names(database)):
        raise NotFoundError.of("dataset", name, names, "A suite belongs to a dataset.")
    newest = get_suite(database, name)
    if newest is not None and newest.content == content:
        return newest
    tx.insert(
        "suites",
        name=name,
        number=(newest.number if newest else 0) + 1,
        content=content,
        proposed_from=proposed_from,
        created_at=tx.workspace.now().isoformat(),
        created_by=tx.workspace.actor,
    )
    added = get_suite(database, name)
    assert added is not None
    tx.event("suite.saved", name, number=added.number)
    return added


def get_suite(database: Database, name: str, number: int | None = None) -> SuiteVersion | None:
    """A suite of a dataset, the newest without a number."""
    row = database.row(
        """SELECT * FROM suites WHERE name = :name AND (:number IS NULL OR number = :number)
           ORDER BY number DESC LIMIT 1""",
        {"name": name, "number": number},
    )
    return None if row is None else _suite(row)


def list_suites(database: Database, name: str) -> list[SuiteVersion]:
    """All suites of a dataset, newest first."""
    return [
        _suite(row)
        for row in database.rows("SELECT * FROM suites WHERE name = :name ORDER BY number DESC", {"name": name})
    ]


def add_validation(tx: Transaction, name: str, number: int, record: ValidationRecord) -> None:
    """Keep what a check found, in place of an earlier check by the same suite."""
    tx.execute(
        """INSERT INTO validations (name, number, suite_number, passed, report, checked_at)
           VALUES (:name, :number, :suite, :passed, :report, :at)
           ON CONFLICT (name, number, suite_number)
           DO UPDATE SET passed = :passed, report = :report, checked_at = :at""",
        {
            "name": name,
            "number": number,
            "suite": record.suite_number,
            "passed": int(record.passed),
            "report": json.dumps(asdict(record), default=str),
            "at": record.checked_at.isoformat(),
        },
    )
    tx.event("dataset.validated", record.dataset_ref, name=name, passed=record.passed)


def get_validation(database: Database, name: str, number: int) -> ValidationRecord | None:
    """What the newest suite that the version was checked by found."""
    row = database.row(
        """SELECT report FROM validations WHERE name = :name AND number = :number
           ORDER BY suite_number DESC LIMIT 1""",
        {"name": name, "number": number},
    )
    return None if row is None else _record(json.loads(row["report"]))


def _suite(row: sqlite3.Row) -> SuiteVersion:
    return SuiteVersion(
        dataset=row["name"],
        number=row["number"],
        content=row["content"],
        proposed_from=row["proposed_from"],
        created_at=datetime.fromisoformat(row["created_at"]),
        created_by=row["created_by"],
    )


def _record(said: dict[str, Any]) -> ValidationRecord:
    results = [
        ExpectationResult(
            **{**one, "examples": None if one["examples"] is None else [(row, value) for row, value in one["examples"]]}
        )
        for one in said["results"]
    ]
    return ValidationRecord(**{**said, "results": results, "checked_at": datetime.fromisoformat(said["checked_at"])})
