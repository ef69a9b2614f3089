"""The result card below a recorded cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..domain.errors import SnapMLError
from ..figures import duration, size
from .display import Card, Status

if TYPE_CHECKING:
    from ..capture.cell import CellReport
    from ..domain.model import ModelVersion


def show_card(workspace: Any, report: CellReport, register_as: str | None) -> None:
    """Register the model when that was asked, and display the card."""
    from IPython.display import display

    registered, warnings = register(workspace, report, register_as)
    display(card(report, registered, [*report.warnings, *warnings]))  # type: ignore[no-untyped-call]  # IPython's has no types


def register(workspace: Any, report: CellReport, name: str | None) -> tuple[ModelVersion | None, list[str]]:
    """The new version, or the sentence why there is none."""
    if name is None or not _is_done(report):
        return None, []
    if report.model is None:
        return None, [f"Nothing is registered as '{name}': no fitted model was kept in this cell."]
    from ..registry.versions import register as register_version

    try:
        return register_version(workspace, report.run.run_id, name), []
    except (SnapMLError, OSError) as error:
        return None, [f"The model is kept with the run but not registered as '{name}'. {error}"]


def card(report: CellReport, registered: ModelVersion | None, warnings: Sequence[str]) -> Card:
    """What was recorded, on a few lines."""
    run, model = report.run, report.model
    error = run.error
    inputs = [f"{kept.version.ref} ({kept.version.n_rows:,} × {kept.version.n_columns})" for kept in report.inputs]
    shown = inputs[:6] + ([f"and {len(inputs) - 6} more"] if len(inputs) > 6 else [])
    facts: list[tuple[str, Any]] = [
        ("data", "  ".join(shown)),
        ("model", _model_line(model, registered) if model else None),
        ("not captured", "; ".join(str(each) for each in report.missing)),
    ]
    if error is not None:
        where = f" (line {error.line})" if error.line else ""
        message = _first_line(error.message)
        facts.insert(0, ("error", f"{error.type}{where}" + (f": {message}" if message else "")))
    return Card(
        run.name,
        f"{run.run_id} · {duration(run.duration_seconds)}",
        Status(run.status.value),
        facts,
        run.metrics,
        list(warnings),
    )


def _model_line(model: Any, registered: ModelVersion | None) -> str:
    kept = f"{model.estimator} ({model.format.value}, {size(model.size_bytes)})"
    if registered is None:
        return kept
    aliases = f" {', '.join(registered.aliases)}" if registered.aliases else ""
    return f"{registered.ref}{aliases} · {kept}"


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if len(line) <= 160 else line[:159] + "…"


def _is_done(report: CellReport) -> bool:
    return report.run.status.value == "finished"
