"""What monitoring says: drift of columns, windows of live traffic, monitors and alerts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class DriftStatus(str, Enum):
    """The verdict on one column."""

    stable = "stable"
    drifted = "drifted"
    not_enough_data = "not_enough_data"
    not_comparable = "not_comparable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDrift:
    """How far one column moved. `score` above `threshold` is drift; `p_value` where the measure has one."""

    name: str
    measure: str
    score: float | None
    threshold: float
    drifted: bool
    status: DriftStatus
    p_value: float | None = None
    reference_mean: float | None = None
    current_mean: float | None = None
    reference_null_fraction: float | None = None
    current_null_fraction: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """Reference against current, column by column. `prediction` is the model's output as a column."""

    reference: str
    current: str
    n_reference_rows: int
    n_current_rows: int
    columns: list[ColumnDrift]
    created_at: datetime
    prediction: ColumnDrift | None = None

    @property
    def drifted_fraction(self) -> float:
        """Share of the judged input columns that drifted, 0 to 1."""
        judged = [c for c in self.columns if c.status in (DriftStatus.stable, DriftStatus.drifted)]
        return sum(c.drifted for c in judged) / len(judged) if judged else 0.0

    @property
    def drifted_columns(self) -> list[str]:
        """Names of the drifted input columns, worst first."""
        moved = [c for c in self.columns if c.drifted]
        return [c.name for c in sorted(moved, key=lambda c: -((c.score or 0.0) / (c.threshold or 1.0)))]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorWindow:
    """A closed window of one endpoint's predictions, judged against the reference.

    `accuracy` is the share of predicted labels that the arrived labels confirm; None until labels come.
    """

    endpoint: str
    model_ref: str
    number: int
    started_at: datetime
    ended_at: datetime
    n_rows: int
    report: DriftReport
    n_labels: int = 0
    accuracy: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorInfo:
    """What is watched for an endpoint: the reference and the windows so far, newest last."""

    endpoint: str
    model_ref: str
    reference_ref: str
    n_predictions: int
    n_labels: int
    windows: list[MonitorWindow] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    pending_rows: int = 0
    window_rows: int = 0
    error: str | None = None


class AlertState(str, Enum):
    """Open until someone acknowledges it; resolved when the condition is gone."""

    open = "open"
    acknowledged = "acknowledged"
    resolved = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A message that something watched has crossed its rule."""

    alert_id: str
    endpoint: str
    rule: str
    message: str
    state: AlertState
    raised_at: datetime
    resolved_at: datetime | None = None
