"""`snapml monitor list|show|run`, `snapml drift`, `snapml alert list|ack`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from ..domain.monitoring import AlertState, ColumnDrift, DriftReport
from ..monitoring.monitors import (
    acknowledge_alert,
    close_window,
    get_monitor,
    list_alerts,
    list_monitors,
)
from ..monitoring.monitors import drift as compare_versions
from .output import AnyWorkspace, answers, facts, table


@click.group()
def monitor() -> None:
    """What is watched behind each endpoint."""


@monitor.command("list")
@answers
def list_command(workspace: AnyWorkspace) -> tuple[Any, str]:
    """All monitors."""
    found = list_monitors(workspace)
    rows = []
    for m in found:
        newest = m.windows[-1] if m.windows else None
        drifted = newest.report.drifted_fraction if newest else None
        rows.append(
            (m.endpoint, m.model_ref, m.n_predictions, len(m.windows), drifted, newest.accuracy if newest else None)
        )
    headers = ["endpoint", "model", "predictions", "windows", "drifted", "accuracy"]
    return found, table(headers, rows, "No monitors yet. Deploying a model starts one.")


@monitor.command("show")
@click.argument("endpoint")
@answers
def show_command(workspace: AnyWorkspace, endpoint: str) -> tuple[Any, str]:
    """Drift and accuracy of an endpoint, newest window last."""
    found = get_monitor(workspace, endpoint)
    text = facts(
        endpoint=found.endpoint,
        model=found.model_ref,
        reference=found.reference_ref,
        predictions=found.n_predictions,
        labels=found.n_labels,
        waiting=f"{found.pending_rows} of {found.window_rows} rows",
        error=found.error,
        alerts=[a.message for a in found.alerts if a.state is AlertState.open] or None,
    )
    windows = [
        (w.number, w.started_at, w.n_rows, w.report.drifted_fraction, w.accuracy, w.report.drifted_columns)
        for w in found.windows
    ]
    headers = ["window", "age", "rows", "drifted", "accuracy", "columns"]
    return found, f"{text}\n\n{table(headers, windows, 'No window is full yet.')}"


@monitor.command("run")
@click.argument("endpoint")
@answers
def run_command(workspace: AnyWorkspace, endpoint: str) -> tuple[Any, str]:
    """Judge what has come in now, without waiting for a full window."""
    found = close_window(workspace, endpoint)
    if found is None:
        return None, f"No new predictions of '{endpoint}' to judge."
    return found, _report(found.report)


@click.command()
@click.argument("reference")
@click.argument("current")
@answers
def drift(workspace: AnyWorkspace, reference: str, current: str) -> tuple[Any, str]:
    """How far each column moved from one dataset version to another."""
    report = compare_versions(workspace, reference, current)
    return report, _report(report)


@click.group()
def alert() -> None:
    """What the monitors say."""


@alert.command("list")
@click.option("--state", type=click.Choice([state.value for state in AlertState]), help="Only alerts in this state.")
@answers
def alert_list_command(workspace: AnyWorkspace, state: str | None) -> tuple[Any, str]:
    """All alerts, newest first."""
    found = list_alerts(workspace, state=AlertState(state) if state else None)
    rows = [(a.alert_id, a.endpoint, a.rule, a.state, a.raised_at, a.message) for a in found]
    return found, table(["alert", "endpoint", "rule", "state", "age", "message"], rows, "No alerts.")


@alert.command("ack")
@click.argument("alert_id")
@answers
def acknowledge_command(workspace: AnyWorkspace, alert_id: str) -> tuple[Any, str]:
    """Say that someone has seen it."""
    found = acknowledge_alert(workspace, alert_id)
    return found, f"Alert {found.alert_id} of {found.endpoint}: {found.state.value}."


def _report(report: DriftReport) -> str:
    judged: Sequence[ColumnDrift] = [*report.columns, *([report.prediction] if report.prediction else [])]
    rows = [(c.name, c.measure, c.score, c.threshold, c.status, c.reason) for c in judged]
    head = f"{report.drifted_fraction:.0%} of the columns drifted: {report.reference} against {report.current}"
    return f"{head}\n\n{table(['column', 'measure', 'score', 'threshold', 'status', 'why'], rows, 'No columns.')}"
