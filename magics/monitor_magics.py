"""`%snap_monitor`, `%snap_feedback`, `%snap_drift`, `%snap_alerts`."""

from __future__ import annotations

from typing import Any

from .registration import Call, argument, line_magic


@line_magic(
    "snap_monitor",
    argument("endpoint", metavar="ENDPOINT", help="an endpoint"),
    argument("--reference", metavar="REF", help="compare with this dataset version from now on: flights@v3"),
    argument("--window", type=int, metavar="N", help="judge every N rows from now on"),
    examples=("%snap_monitor late-flights", "%snap_monitor late-flights --reference flights@v3 --window 1000"),
    completes={"endpoint": "endpoint", "--reference": "dataset"},
)
def snap_monitor(call: Call, endpoint: str, reference: str | None, window: int | None) -> Any:
    """What the traffic of an endpoint looks like against the data its model was trained on."""
    from ..monitoring.monitors import create_monitor
    from ..public.current import workspace
    from ..public.monitoring import monitor

    if reference is None and window is None:
        return monitor(endpoint)
    return create_monitor(workspace(), endpoint, reference_ref=reference, window_rows=window)


@line_magic(
    "snap_feedback",
    argument("endpoint", metavar="ENDPOINT", help="an endpoint"),
    argument("df", metavar="DF", help="variable with a row for each known answer: request_id, row, label"),
    argument("--on", default="request_id", metavar="COLUMN", help="column that holds the request's id (request_id)"),
    examples=("%snap_feedback late-flights arrived --on request_id",),
    completes={"endpoint": "endpoint", "df": "variable"},
)
def snap_feedback(call: Call, endpoint: str, df: str, on: str) -> Any:
    """Tell an endpoint's monitor what the true answers were; gives the number of rows joined."""
    from ..public.monitoring import feedback

    return feedback(endpoint, call.variable(df), on=on)


@line_magic(
    "snap_drift",
    argument("reference", metavar="REFERENCE", help="what is normal: flights@v1, or a variable"),
    argument("current", metavar="CURRENT", help="what is judged: flights@v2, or a variable"),
    examples=("%snap_drift flights@v1 flights@v2", "report = %snap_drift spring summer"),
    completes={"reference": "dataset", "current": "dataset"},
)
def snap_drift(call: Call, reference: str, current: str) -> Any:
    """How far each column moved from one table to another; variables count before datasets of the same name."""
    from ..public.monitoring import drift

    return drift(*(call.namespace.get(name, name) for name in (reference, current)))


@line_magic(
    "snap_alerts",
    argument("--state", choices=["open", "acknowledged", "resolved"], help="only alerts in this state"),
    examples=("%snap_alerts", "%snap_alerts --state open"),
)
def snap_alerts(call: Call, state: str | None) -> Any:
    """What the monitors say, newest first."""
    from ..domain.monitoring import AlertState
    from ..public.monitoring import alerts as list_alerts
    from .tables import Records, alerts

    return Records(list_alerts(AlertState(state) if state else None), alerts)
