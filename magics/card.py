"""The result card below a recorded cell: what it says, and the forms in which it is sent.

A front end takes the form that it knows: JupyterLab with the lab extension draws `MIME_TYPE` with buttons, everything
else shows the HTML or the text, which stay readable in a saved notebook, in nbconvert, VS Code and on GitHub.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import wire
from ..domain.errors import SnapMLError
from ..domain.run import RunStatus
from ..domain.run_card import CardInput, CardMetric, RunCard
from ..figures import duration, size
from . import card_buttons
from .display import Card, Status

if TYPE_CHECKING:
    from ..capture.cell import CellReport
    from ..capture.inputs import KeptInput
    from ..domain.model import ModelVersion
    from .live_card import LiveCard

#: What the lab extension draws; `labextension/src/card/` has the other half.
MIME_TYPE = "application/vnd.snapml.run+json"
#: Metrics and inputs on a card: it is to be taken in at a glance, the run's page has all.
MAX_METRICS, MAX_INPUTS = 12, 6


def show_card(shell: Any, workspace: Any, report: CellReport, register_as: str | None, live: LiveCard | None) -> None:
    """Register the model when that was asked, and display the card: in the place of the live one, else at the end."""
    from IPython.display import display

    registered, warnings = register(workspace, report, register_as)
    curves = live.curves() if live is not None else {}
    ended = ended_card(report, registered, [*report.warnings, *warnings], curves)
    shown = bundle(ended)
    if live is None or not live.become(shown):
        display(shown, raw=True)  # type: ignore[no-untyped-call]  # IPython's has no types
    if card_buttons.wanted(shell):
        card_buttons.show_buttons(workspace, ended)


def register(workspace: Any, report: CellReport, name: str | None) -> tuple[ModelVersion | None, list[str]]:
    """The new version, or the sentence why there is none."""
    if name is None or report.run.status is not RunStatus.finished:
        return None, []
    if report.model is None:
        return None, [f"Nothing is registered as '{name}': no fitted model was kept in this cell."]
    from ..registry.versions import register as register_version

    try:
        return register_version(workspace, report.run.run_id, name), []
    except (SnapMLError, OSError) as error:
        return None, [f"The model is kept with the run but not registered as '{name}'. {error}"]


def running_card(
    run_id: str,
    name: str,
    seconds: float,
    metrics: Mapping[str, tuple[float, list[float]]],
    inputs: Sequence[KeptInput],
) -> RunCard:
    """A cell that still runs; of each metric the newest value and the curve."""
    return RunCard(
        run_id=run_id,
        name=name,
        status=RunStatus.running,
        seconds=seconds,
        metrics=[CardMetric(name=n, value=v, curve=curve) for n, (v, curve) in list(metrics.items())[:MAX_METRICS]],
        inputs=_inputs(inputs),
    )


def ended_card(
    report: CellReport,
    registered: ModelVersion | None,
    warnings: Sequence[str],
    curves: Mapping[str, list[float]] | None = None,
) -> RunCard:
    """What was recorded of a cell."""
    run, model, error = report.run, report.model, report.run.error
    curves = curves or {}
    # In the order in which the live card had them, so that nothing jumps at the end.
    order = {name: place for place, name in enumerate(curves)}
    metrics = sorted(run.metrics.items(), key=lambda metric: order.get(metric[0], len(order)))
    return RunCard(
        run_id=run.run_id,
        name=run.name,
        status=run.status,
        seconds=run.duration_seconds or 0.0,
        metrics=[
            CardMetric(name=name, value=value, curve=curves.get(name, [])) for name, value in metrics[:MAX_METRICS]
        ],
        inputs=_inputs(report.inputs),
        model=_model_line(model, registered) if model else None,
        model_ref=registered.ref if registered else None,
        has_model=model is not None,
        can_be_replayed=run.has_program and run.status in (RunStatus.finished, RunStatus.failed) and not report.missing,
        error=_error_line(error) if error is not None else None,
        not_captured="; ".join(str(each) for each in report.missing) or None,
        warnings=list(warnings),
    )


def bundle(shown: RunCard) -> dict[str, Any]:
    """The card in every form, as IPython displays it."""
    card = as_card(shown)
    return {MIME_TYPE: wire.encode(shown), "text/html": card.to_html(), "text/plain": card.to_plain()}


def as_card(shown: RunCard) -> Card:
    """The card for front ends without the lab extension, and for terminals."""
    inputs = [f"{each.dataset_ref} ({each.n_rows:,} × {each.n_columns})" for each in shown.inputs]
    listed = inputs[:MAX_INPUTS] + ([f"and {len(inputs) - MAX_INPUTS} more"] if len(inputs) > MAX_INPUTS else [])
    facts: list[tuple[str, Any]] = [
        ("error", shown.error),
        ("data", "  ".join(listed)),
        ("model", shown.model),
        ("not captured", shown.not_captured),
    ]
    return Card(
        shown.name,
        f"{shown.run_id} · {duration(shown.seconds)}",
        Status(shown.status.value),
        facts,
        {metric.name: metric.value for metric in shown.metrics},
        shown.warnings,
        curves={metric.name: metric.curve for metric in shown.metrics if metric.curve},
    )


def _inputs(inputs: Sequence[KeptInput]) -> list[CardInput]:
    return [
        CardInput(dataset_ref=i.version.ref, n_rows=i.version.n_rows, n_columns=i.version.n_columns) for i in inputs
    ]


def _model_line(model: Any, registered: ModelVersion | None) -> str:
    kept = f"{model.estimator} ({model.format.value}, {size(model.size_bytes)})"
    if registered is None:
        return kept
    aliases = f" {', '.join(registered.aliases)}" if registered.aliases else ""
    return f"{registered.ref}{aliases} · {kept}"


def _error_line(error: Any) -> str:
    where = f" (line {error.line})" if error.line else ""
    message = _first_line(error.message)
    return f"{error.type}{where}" + (f": {message}" if message else "")


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if len(line) <= 160 else line[:159] + "…"
