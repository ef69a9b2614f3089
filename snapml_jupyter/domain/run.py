"""What a run is: one recorded execution of a cell, a script or a replay."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

ParamValue = bool | int | float | str | None


class RunStatus(str, Enum):
    """Where a run stands. `running` ends in exactly one of the others."""

    running = "running"
    finished = "finished"
    failed = "failed"
    cancelled = "cancelled"
    interrupted = "interrupted"

    @property
    def is_finished(self) -> bool:
        """Whether the run has ended, well or badly."""
        return self is not RunStatus.running


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPoint:
    """One measured number; `step` counts from 0 within its name."""

    name: str
    value: float
    step: int
    logged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricValue:
    """A number to record. Without a step it gets the next one of its name; without a time, the time it is written."""

    name: str
    value: float
    step: int | None = None
    logged_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProcess:
    """The process a run lives in: `created_at` (seconds since 1970) tells it from a later one with the same pid."""

    host: str
    pid: int
    created_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInput:
    """A dataset version that the run read, and the variable it was read through."""

    variable: str
    dataset_ref: str
    digest: str
    n_rows: int
    n_columns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file that the run left behind; `path` is relative to the run."""

    path: str
    digest: str
    size_bytes: int
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSource:
    """Where the code came from: the cell as the user wrote it, and the notebook it stands in."""

    kind: str
    code: str | None = None
    notebook_path: str | None = None
    cell_id: str | None = None
    execution_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the run ran on. Stored once per distinct content; `digest` names it."""

    digest: str
    python_version: str
    platform: str
    cpu: str
    n_cpus: int
    packages: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)
    git_commit: str | None = None
    git_branch: str | None = None
    git_dirty: bool | None = None
    threads: dict[str, int] = field(default_factory=dict)
    kernel: str | None = None
    hub_user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunError:
    """The exception that ended a run; `line` counts from 1 within the user's cell."""

    type: str
    message: str
    line: int | None = None
    traceback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as it is kept. Metrics hold the latest value of each name; points have their own call.

    `parent_run_id` is the run it was started inside of, `n_children` how many were started inside of it.
    """

    run_id: str
    name: str
    experiment: str
    status: RunStatus
    actor: str
    started_at: datetime
    finished_at: datetime | None = None
    duration_seconds: float | None = None
    seed: int | None = None
    note: str | None = None
    source: RunSource
    params: dict[str, ParamValue] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    inputs: list[RunInput] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    environment_digest: str | None = None
    error: RunError | None = None
    model_refs: list[str] = field(default_factory=list)
    has_model: bool = False
    has_program: bool = False
    parent_run_id: str | None = None
    n_children: int = 0

    @property
    def code(self) -> str | None:
        """The recorded cell source."""
        return self.source.code
