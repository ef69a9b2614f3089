"""What happened: events for those who watch, audit entries for those who must prove it later."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A change, written in the same transaction as the change itself. `event_id` only grows."""

    event_id: int
    kind: str
    subject: str
    actor: str
    at: datetime
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One link of the audit chain: `digest` covers every field and the digest before it."""

    number: int
    at: datetime
    actor: str
    operation: str
    subject: str
    details: dict[str, Any]
    previous_digest: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something `snapml verify` found wrong, by name."""

    kind: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What was checked and what is wrong. `passed` when there are no problems.

    `n_small_tables`: datasets that the database holds itself.
    """

    passed: bool
    n_audit_entries: int
    n_blobs: int
    n_small_tables: int = 0
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceStatus:
    """Where am I: the workspace and what is in it."""

    location: str
    actor: str
    version: str
    n_runs: int
    n_datasets: int
    n_models: int
    n_endpoints: int
    n_open_alerts: int
    last_event_id: int
    size_bytes: int
