"""What a check found: the tests of an endpoint, and the gates that a model version has to pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class CheckStatus(str, Enum):
    """`skipped` checks had nothing to judge, and their message says why; they do not fail anything."""

    passed = "passed"
    failed = "failed"
    skipped = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at: `name` is `group.what`, `message` a sentence with the figures.

    `value` and `limit` are what was measured and what was allowed, where they are single numbers.
    """

    name: str
    status: CheckStatus
    message: str
    seconds: float = 0.0
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointTest:
    """What the tests of an endpoint found."""

    endpoint: str
    model_ref: str
    url: str
    passed: bool
    checks: list[Check]
    checked_at: datetime
    duration_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOutcome:
    """A model version judged by a `gates.toml`, whose text is `gates`. Every outcome is kept."""

    model_ref: str
    number: int
    passed: bool
    checks: list[Check]
    gates: str
    checked_at: datetime
    checked_by: str
    duration_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSummary:
    """The newest outcome of a version in one line."""

    passed: bool
    n_checks: int
    n_failed: int
    checked_at: datetime


def all_passed(checks: list[Check]) -> bool:
    """Whether nothing failed; checks that were skipped had nothing to say."""
    return all(check.status is not CheckStatus.failed for check in checks)
