"""When to speak: pure functions from what was measured to a message, or None when all is well."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.monitoring import DriftStatus, MonitorWindow

#: Share of the judged columns that must drift before it is an alert.
DRIFTED_FRACTION = 0.5
#: Accuracy may fall by this much below the first labelled window.
ACCURACY_FALL = 0.05
#: Windows with fewer labels say too little about accuracy.
MIN_LABELS = 50
#: And the fall must be beyond chance: z of the two shares, one-sided p below 1 %.
ACCURACY_Z = 2.33


@dataclass(frozen=True, slots=True)
class LabelledWindow:
    """How many of a window's labels confirm the prediction."""

    number: int
    n_labels: int
    n_correct: int

    @property
    def accuracy(self) -> float:
        """Share of the labels that confirm the prediction."""
        return self.n_correct / self.n_labels


def can_judge_drift(window: MonitorWindow) -> bool:
    """Whether anything in the window could be judged; otherwise alerts stay as they are."""
    judged = (DriftStatus.stable, DriftStatus.drifted)
    return any(column.status in judged for column in window.report.columns)


def drift_message(window: MonitorWindow) -> str | None:
    """Half of the columns drifted, or the prediction did."""
    report = window.report
    moved = report.drifted_columns
    parts = []
    if report.drifted_fraction >= DRIFTED_FRACTION:
        named = ", ".join(moved[:5]) + (", ..." if len(moved) > 5 else "")
        parts.append(f"{report.drifted_fraction:.0%} of the columns drifted ({named})")
    if report.prediction is not None and report.prediction.drifted:
        parts.append(f"the prediction {report.prediction.name} drifted")
    if not parts:
        return None
    return f"{window.endpoint}, window {window.number}: {' and '.join(parts)}, compared with {report.reference}."


def accuracy_message(endpoint: str, first: LabelledWindow, newest: LabelledWindow) -> str | None:
    """The newest labelled window is clearly worse than the first one of the same model version."""
    from .measures.proportions import z_of_shares

    if newest.number == first.number or min(first.n_labels, newest.n_labels) < MIN_LABELS:
        return None
    z = z_of_shares(first.n_correct, first.n_labels, newest.n_correct, newest.n_labels)
    if first.accuracy - newest.accuracy <= ACCURACY_FALL or z > -ACCURACY_Z:
        return None
    return (
        f"{endpoint}, window {newest.number}: accuracy {newest.accuracy:.1%}, "
        f"down from {first.accuracy:.1%} in window {first.number}."
    )
