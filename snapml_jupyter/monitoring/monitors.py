"""What the outside may ask of monitoring: monitors, labels, alerts, and drift between dataset versions."""

from __future__ import annotations

from typing import Any

from .. import settings
from ..domain.errors import InvalidInputError, NotFoundError
from ..domain.monitoring import Alert, AlertState, DriftReport, MonitorInfo, MonitorWindow
from ..operations import operation
from ..store import alerts as kept_alerts
from ..store import endpoints, feedback
from ..store import monitors as kept
from ..store.workspace import Workspace

#: Windows in one answer, the newest ones.
MOST_WINDOWS = 100
#: Rows of a dataset version that are compared; larger ones are sampled evenly.
MOST_ROWS = 1_000_000


@operation(permission="monitors:read")
def get_monitor(workspace: Workspace, endpoint: str) -> MonitorInfo:
    """What is watched for an endpoint: reference, windows newest last, alerts. Raises NotFoundError."""
    if kept.find_monitor(workspace.database, endpoint) is None:
        _ensure_monitored(workspace, endpoint)  # as the host does a moment after a first deployment
    monitor = kept.get_monitor(workspace.database, endpoint)
    windows = kept.list_windows(workspace.database, endpoint, MOST_WINDOWS)
    found = endpoints.find_endpoint(workspace.database, endpoint)
    live = found.live if found is not None else None
    reference_ref = monitor.reference_ref
    if reference_ref is None and live is not None:
        reference_ref = kept.find_training_ref(workspace.database, endpoint, live.number)
    if reference_ref is None and windows:
        reference_ref = windows[-1].report.reference
    n_rows, n_labels = kept.count_rows(workspace.database, endpoint)
    pending_rows = sum(waiting.n_rows for waiting in kept.list_waiting(workspace.database, endpoint))
    return MonitorInfo(
        endpoint=endpoint,
        model_ref=live.model_ref if live is not None else (windows[-1].model_ref if windows else ""),
        reference_ref=reference_ref or "",
        n_predictions=n_rows + pending_rows,
        n_labels=n_labels,
        windows=windows,
        alerts=kept_alerts.list_alerts(workspace.database, endpoint=endpoint, limit=20),
        pending_rows=pending_rows,
        window_rows=monitor.window_rows,
        error=monitor.error,
    )


@operation(permission="monitors:read")
def list_monitors(workspace: Workspace) -> list[MonitorInfo]:
    """The monitors of all endpoints, by name."""
    return [get_monitor(workspace, endpoint) for endpoint in kept.list_monitored(workspace.database)]


@operation(permission="monitors:write", audited=True)
def create_monitor(
    workspace: Workspace, endpoint: str, reference_ref: str | None = None, window_rows: int | None = None
) -> MonitorInfo:
    """Watch an endpoint, or change how it is watched.

    `reference_ref` is the dataset version to compare with (None: the training data of whatever is deployed),
    `window_rows` the rows of a window (None: the setting). Raises NotFoundError for an unknown endpoint or dataset.
    """
    from ..datasets.versions import get_version

    endpoints.get_endpoint(workspace.database, endpoint)
    if window_rows is not None and window_rows < 1:
        raise InvalidInputError(f"A window of {window_rows} rows is not possible; give 1 or more.")
    if reference_ref is not None:
        reference_ref = get_version(workspace, reference_ref).ref
    with workspace.transaction() as tx:
        kept.ensure_monitor(
            tx,
            endpoint,
            window_rows=window_rows or settings.get_int("window_rows") or 1,
            reference_ref=reference_ref,
            change=True,
        )
    return get_monitor(workspace, endpoint)


@operation(permission="monitors:write")
def close_window(workspace: Workspace, endpoint: str) -> MonitorWindow | None:
    """Judge what has been logged so far without waiting for a full window; None when nothing new was logged.

    Raises NotFoundError when there is no such endpoint or no reference to compare with.
    """
    from .windows import close_waiting

    _ensure_monitored(workspace, endpoint)
    closed = close_waiting(workspace, endpoint)
    return closed[-1] if closed else None


@operation(permission="feedback:write")
def record_feedback(workspace: Workspace, endpoint: str, labels: list[dict[str, Any]]) -> int:
    """Keep what was true of predicted rows: each label has `request_id`, `row` (from 0, may be left out) and `label`.

    Returns how many belong to predictions that are logged; the others wait for theirs. The same label again changes
    nothing, another one replaces it. Raises NotFoundError for an unknown endpoint, InvalidInputError for a label that
    is none; then nothing is kept.
    """
    from .labels import count_known
    from .windows import update_labels

    _ensure_monitored(workspace, endpoint)
    feedback.insert_feedback(workspace, endpoint, labels)
    update_labels(workspace, endpoint)
    return count_known(workspace, endpoint, labels)


@operation(permission="monitors:read")
def list_alerts(workspace: Workspace, state: AlertState | None = None) -> list[Alert]:
    """Alerts of one state or all, newest first."""
    return kept_alerts.list_alerts(workspace.database, state=state)


@operation(permission="alerts:acknowledge", audited=True)
def acknowledge_alert(workspace: Workspace, alert_id: str) -> Alert:
    """Say that someone has seen it. Raises NotFoundError."""
    with workspace.transaction() as tx:
        kept_alerts.acknowledge_alert(tx, alert_id)
    return kept_alerts.get_alert(workspace.database, alert_id)


@operation(permission="datasets:read")
def drift(
    workspace: Workspace,
    reference_ref: str,
    current_ref: str,
    columns: list[str] | None = None,
    preset: str | None = None,
) -> DriftReport:
    """How far each column moved from one dataset version to another.

    Raises NotFoundError for an unknown version, InvalidInputError for an unknown column or preset.
    """
    from ..datasets.dataset import open_dataset
    from .drift import check_preset, compare_frames

    check_preset(preset)
    reference, current = open_dataset(workspace, reference_ref), open_dataset(workspace, current_ref)
    known = [column.name for column in reference.schema]
    for name in columns or []:
        if name not in known:
            raise NotFoundError.of("column", name, known, f"These are the columns of {reference.version.ref}.")
    held = {column.name for column in current.schema}
    report = compare_frames(
        _sampled(reference.to_arrow(columns)),
        _sampled(current.to_arrow([name for name in columns if name in held] if columns is not None else None)),
        preset=preset,
        reference_name=reference.version.ref,
        current_name=current.version.ref,
        at=workspace.now(),
    )
    return _true_counts(report, reference.version.n_rows, current.version.n_rows)


def _ensure_monitored(workspace: Workspace, endpoint: str) -> None:
    endpoints.get_endpoint(workspace.database, endpoint)
    if kept.find_monitor(workspace.database, endpoint) is None:
        with workspace.transaction() as tx:
            kept.ensure_monitor(tx, endpoint, window_rows=settings.get_int("window_rows") or 1)


def _sampled(table: Any) -> Any:
    if table.num_rows <= MOST_ROWS:
        return table
    import numpy as np

    return table.take(np.linspace(0, table.num_rows - 1, MOST_ROWS).round().astype(np.int64))


def _true_counts(report: DriftReport, n_reference_rows: int, n_current_rows: int) -> DriftReport:
    from dataclasses import replace

    return replace(report, n_reference_rows=n_reference_rows, n_current_rows=n_current_rows)
