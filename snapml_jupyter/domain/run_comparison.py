"""Runs side by side: rows of a list, curves, and what differs between some of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from .program import Verdict
from .run import ParamValue, Run, RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run as a row of a long list: without its code and files, and only the values that were asked for.

    `error`, `execution_count`, `dataset_refs` and `verdict` only where details were asked for. The verdict is that of the
    newest replay that was given the same data and params; of a replay's own run, that of its replay.
    """

    run_id: str
    name: str
    experiment: str
    status: RunStatus
    actor: str
    started_at: datetime
    duration_seconds: float | None = None
    parent_run_id: str | None = None
    n_children: int = 0
    params: dict[str, ParamValue] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    error: str | None = None
    execution_count: int | None = None
    dataset_refs: list[str] = field(default_factory=list)
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """Some rows of a list of `n_total`, from `offset` on."""

    rows: list[RunRow]
    n_total: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunColumns:
    """The names that runs of the workspace have values of."""

    params: list[str]
    metrics: list[str]
    tags: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricCurve:
    """A metric over the course of a run, thinned to what a chart can show: of `n_points` those that stand out.

    `seconds` counts from the start of the run.
    """

    run_id: str
    name: str
    n_points: int
    steps: list[int]
    values: list[float]
    seconds: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedValue:
    """One param, metric or fact of the environment in each of the runs, in their order; None where a run has none."""

    name: str
    values: list[ParamValue]
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedInput:
    """The dataset version that each run read through a variable; None where it read none."""

    variable: str
    dataset_refs: list[str | None]
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDiff:
    """How the code of a run differs from that of another, as lines of a unified diff; none when it is the same."""

    run_id: str
    lines: list[str]
    n_added: int
    n_removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComparison:
    """Two or more runs side by side. Of the environment only what differs, and Python's version, unless all was asked."""

    runs: list[Run]
    params: list[ComparedValue]
    metrics: list[ComparedValue]
    inputs: list[ComparedInput]
    environment: list[ComparedValue]
    code: list[CodeDiff]
    curves: list[MetricCurve]
