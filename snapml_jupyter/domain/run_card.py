"""What a notebook shows of a run: the card below its cell, while it runs and after."""

from __future__ import annotations

from dataclasses import dataclass, field

from .run import RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class CardMetric:
    """A metric: its newest value, and its curve thinned to what a sparkline can show (empty for a single point)."""

    name: str
    value: float
    curve: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardInput:
    """A dataset version that the cell read."""

    dataset_ref: str
    n_rows: int
    n_columns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCard:
    """Everything that the card says. `seconds` is how long the cell took, or has taken so far."""

    run_id: str
    name: str
    status: RunStatus
    seconds: float
    metrics: list[CardMetric] = field(default_factory=list)
    inputs: list[CardInput] = field(default_factory=list)
    model: str | None = None
    model_ref: str | None = None
    has_model: bool = False
    can_be_replayed: bool = False
    error: str | None = None
    not_captured: str | None = None
    warnings: list[str] = field(default_factory=list)
