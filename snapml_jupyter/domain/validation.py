"""What an expectation suite is, and what a check of a dataset version by one found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteVersion:
    """The expectations of one dataset as YAML text. `number` counts its edits; 0 is a proposal that is not kept."""

    dataset: str
    number: int
    content: str
    proposed_from: str | None = None
    created_at: datetime | None = None
    created_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectationResult:
    """One expectation: `column` is None for those of the whole table; `examples` are (row number, value) of failures."""

    expectation: str
    column: str | None
    passed: bool
    message: str
    n_failing: int = 0
    examples: list[tuple[int, Any]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationRecord:
    """A version judged by a suite. `failing_rows` are the first row numbers (from 0) of the `n_failing_rows` that fail."""

    dataset_ref: str
    suite_number: int
    passed: bool
    n_rows: int
    n_failing_rows: int
    failing_rows: list[int]
    results: list[ExpectationResult]
    checked_at: datetime
