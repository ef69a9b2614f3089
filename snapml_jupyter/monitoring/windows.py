"""Logged predictions become judged windows. Called by the host every second; cheap when nothing is new.

A window holds whole batches of one deployment, at least `window_rows` rows. What is costly happens first, outside of any
transaction; then one transaction takes the batches, keeps the window and tells of it. Who comes second, or dies before,
has changed nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .. import settings
from ..domain.endpoint import Deployment
from ..domain.errors import DamagedContentError, NotFoundError, SnapMLError
from ..domain.monitoring import ColumnDrift, DriftReport, DriftStatus, MonitorWindow
from ..store import alerts, endpoints, feedback
from ..store import monitors as kept
from ..store.monitors import Batch, MonitorRow, WaitingRows
from ..store.workspace import Transaction, Workspace
from . import alert_rules
from .drift import compare_column, compare_samples
from .labels import join_labels, write_answers
from .logged_rows import INPUT_PREFIX, PREDICTION, concat_rows, input_samples, prediction_sample, read_rows
from .reference import Reference, load_reference

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows of a replaced deployment that fill no window are judged when no more have come for so long.
STRAGGLERS = timedelta(seconds=60)
#: A monitor that could not judge is tried again after so long.
RETRY = timedelta(seconds=60)
#: Windows closed in one call at most, so that the host looks after its workers in between.
MOST_WINDOWS = 10


class _TakenElsewhereError(Exception):
    """Another process has closed a window with one of the batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A window that is not kept yet, and the blobs that it will refer to."""

    window: MonitorWindow
    profile_digest: str
    answers_digest: str


def run_monitors(workspace: Workspace) -> int:
    """Give every endpoint a monitor, close the windows that are full, join labels; return how many windows closed.

    A monitor that fails keeps the sentence as its error and does not stop the others. Raises, when all had their turn,
    what is no SnapMLError.
    """
    for endpoint in kept.list_unmonitored(workspace.database):
        with workspace.transaction() as tx:
            kept.ensure_monitor(tx, endpoint, window_rows=settings.get_int("window_rows") or 1)
    n_closed = 0
    unexpected: list[Exception] = []
    for endpoint, waiting in _by_endpoint(kept.list_waiting(workspace.database)).items():
        with _kept_apart(workspace, endpoint, unexpected):
            n_closed += len(_judge_full(workspace, endpoint, waiting))
    for endpoint in feedback.list_unsearched(workspace.database):
        with _kept_apart(workspace, endpoint, unexpected):
            update_labels(workspace, endpoint)
    if unexpected:  # a mistake of ours: the host's log shall have the traceback, now that every monitor had its turn
        raise unexpected[0]
    return n_closed


def close_waiting(workspace: Workspace, endpoint: str) -> list[MonitorWindow]:
    """Judge all rows that wait now, also when they fill no window. Raises what prevents it."""
    monitor = kept.get_monitor(workspace.database, endpoint)
    closed: list[MonitorWindow] = []
    for waiting in kept.list_waiting(workspace.database, endpoint):
        closed += _judge_deployment(workspace, monitor, waiting, also_partial=True)
    update_labels(workspace, endpoint)
    return [kept.get_window(workspace.database, endpoint, window.number) for window in closed]


def update_labels(workspace: Workspace, endpoint: str) -> list[int]:
    """Join labels that wait with closed windows and judge accuracy again; return the windows that changed."""
    changed = join_labels(workspace, endpoint)
    if changed:
        windows = kept.list_windows(workspace.database, endpoint, limit=1)
        with workspace.transaction() as tx:
            _judge_accuracy(tx, endpoint, windows[-1].model_ref)
    return changed


@contextmanager
def _kept_apart(workspace: Workspace, endpoint: str, unexpected: list[Exception]) -> Iterator[None]:
    """Keep what goes wrong as this monitor's error. What is no error of ours is also put into `unexpected`."""
    try:
        yield
    except Exception as error:  # `run_monitors` raises it again after the others
        sentence = str(error) if isinstance(error, SnapMLError) else f"{type(error).__name__}: {error}"
        with workspace.transaction() as tx:
            kept.set_error(tx, endpoint, sentence)
        if not isinstance(error, SnapMLError):
            unexpected.append(error)


def _by_endpoint(waiting: Iterable[WaitingRows]) -> dict[str, list[WaitingRows]]:
    found: dict[str, list[WaitingRows]] = {}
    for rows in waiting:
        found.setdefault(rows.endpoint, []).append(rows)
    return found


def _judge_full(workspace: Workspace, endpoint: str, waiting: list[WaitingRows]) -> list[MonitorWindow]:
    """Close what is due at one endpoint."""
    monitor = kept.find_monitor(workspace.database, endpoint)
    if monitor is None:  # the endpoint was removed before it had a monitor
        return []
    due = [rows for rows in waiting if rows.n_rows >= monitor.window_rows]
    others = [rows for rows in waiting if rows not in due]
    now = workspace.now()
    if any(now - rows.newest_at >= STRAGGLERS for rows in others):
        live = _live_deployment(workspace, endpoint)
        due += [rows for rows in others if rows.deployment != live and now - rows.newest_at >= STRAGGLERS]
    if not due or (monitor.failed_at is not None and now - monitor.failed_at < RETRY):
        return []
    closed: list[MonitorWindow] = []
    for rows in sorted(due, key=lambda rows: rows.deployment):
        closed += _judge_deployment(workspace, monitor, rows, also_partial=rows in others)
    return closed


def _live_deployment(workspace: Workspace, endpoint: str) -> int | None:
    found = endpoints.find_endpoint(workspace.database, endpoint)
    return found.live.number if found is not None and found.live is not None else None


def _judge_deployment(
    workspace: Workspace, monitor: MonitorRow, waiting: WaitingRows, *, also_partial: bool
) -> list[MonitorWindow]:
    """Close windows of one deployment until fewer rows wait than fill one."""
    deployment = endpoints.get_deployment(workspace.database, monitor.endpoint, waiting.deployment)
    batches = kept.list_waiting_batches(workspace.database, monitor.endpoint, deployment.number)
    reference: Reference | None = None
    closed: list[MonitorWindow] = []
    for some in _cut(batches, monitor.window_rows, also_partial)[:MOST_WINDOWS]:
        if reference is None:
            reference = load_reference(workspace, deployment, monitor.reference_ref)
        window = _close(workspace, deployment, reference, some)
        if window is not None:
            closed.append(window)
    return closed


def _cut(batches: Sequence[Batch], window_rows: int, also_partial: bool) -> list[list[Batch]]:
    """Whole batches, oldest first, in groups of at least `window_rows` rows; the rest only when `also_partial`."""
    groups: list[list[Batch]] = []
    group: list[Batch] = []
    n_rows = 0
    for batch in batches:
        group.append(batch)
        n_rows += batch.n_rows
        if n_rows >= window_rows:
            groups.append(group)
            group, n_rows = [], 0
    return [*groups, group] if group and also_partial else groups


def _close(
    workspace: Workspace, deployment: Deployment, reference: Reference, batches: list[Batch]
) -> MonitorWindow | None:
    """Judge the batches and keep them as a window; None when nothing in them is readable or another was first."""
    tables: list[pa.Table] = []
    unreadable: list[str] = []
    for batch in batches:
        try:
            tables.append(read_rows(workspace.blobs.read(batch.digest), f"Batch {batch.batch}"))
        except (DamagedContentError, NotFoundError) as error:
            unreadable.append(f"{batch.n_rows} logged rows are left out. {error}")
    problem = unreadable[0] if unreadable else None
    judged = _judge(workspace, deployment, reference, concat_rows(tables), batches) if tables else None
    endpoint = deployment.endpoint
    try:
        with workspace.transaction() as tx:
            # Batches of which nothing is readable belong to window 0, which does not exist: they are set aside.
            number = kept.next_window_number(tx, endpoint) if judged else 0
            if not kept.take_batches(tx, endpoint, batches, number):
                raise _TakenElsewhereError
            kept.set_error(tx, endpoint, problem, retry_later=False)
            if judged is None:
                return None
            report = replace(judged.window.report, current=f"{endpoint} window {number}")
            window = replace(judged.window, number=number, report=report)
            kept.add_window(tx, window, profile_digest=judged.profile_digest, answers_digest=judged.answers_digest)
            _judge_drift(tx, window)
            return window
    except _TakenElsewhereError:
        return None


def _judge(
    workspace: Workspace, deployment: Deployment, reference: Reference, rows: pa.Table, batches: list[Batch]
) -> _Judged:
    """Everything of a window but its number."""
    from ..profiles.tables import WINDOW_QUANTILE_K, profile_table

    report = compare_with_reference(deployment, reference, rows, workspace.now())
    inputs = [name for name in rows.column_names if name.startswith(INPUT_PREFIX)]
    profiled = rows.select([*inputs, PREDICTION]).rename_columns(
        [*(name.removeprefix(INPUT_PREFIX) for name in inputs), _free_name(PREDICTION, inputs)]
    )
    return _Judged(
        window=MonitorWindow(
            endpoint=deployment.endpoint,
            model_ref=deployment.model_ref,
            number=0,
            started_at=min(batch.started_at for batch in batches),
            ended_at=max(batch.ended_at for batch in batches),
            n_rows=rows.num_rows,
            report=report,
        ),
        profile_digest=workspace.blobs.put(profile_table(profiled, quantile_k=WINDOW_QUANTILE_K)),
        answers_digest=workspace.blobs.put(write_answers(rows, deployment.signature.task)),
    )


def compare_with_reference(deployment: Deployment, reference: Reference, rows: pa.Table, at: datetime) -> DriftReport:
    """What the logged rows of a deployment look like beside its reference."""
    report = compare_samples(
        reference.columns,
        input_samples(rows, deployment.signature),
        n_reference_rows=reference.n_rows,
        n_current_rows=rows.num_rows,
        reference_name=reference.reference_ref,
        current_name=deployment.endpoint,
        at=at,
    )
    current = prediction_sample(rows, deployment.signature)
    if reference.prediction is None or current is None:
        prediction = ColumnDrift(
            name=PREDICTION,
            measure="none",
            score=None,
            threshold=0.0,
            drifted=False,
            status=DriftStatus.not_comparable,
            reason=reference.problem or "no predictions to compare",
        )
    else:
        prediction = compare_column(reference.prediction, current)
    return replace(report, prediction=prediction)


def _free_name(name: str, taken: Iterable[str]) -> str:
    while INPUT_PREFIX + name in taken:
        name += "_"
    return name


def _judge_drift(tx: Transaction, window: MonitorWindow) -> None:
    if not alert_rules.can_judge_drift(window):
        return
    message = alert_rules.drift_message(window)
    if message is None:
        alerts.resolve_alert(tx, window.endpoint, "drift")
    else:
        alerts.raise_alert(tx, window.endpoint, "drift", message)


def _judge_accuracy(tx: Transaction, endpoint: str, model_ref: str) -> None:
    database, enough = tx.workspace.database, alert_rules.MIN_LABELS
    first = kept.find_labelled(database, endpoint, model_ref, enough, newest=False)
    newest = kept.find_labelled(database, endpoint, model_ref, enough, newest=True)
    if first is None or newest is None:
        return
    message = alert_rules.accuracy_message(
        endpoint, alert_rules.LabelledWindow(*first), alert_rules.LabelledWindow(*newest)
    )
    if message is None:
        alerts.resolve_alert(tx, endpoint, "accuracy")
    else:
        alerts.raise_alert(tx, endpoint, "accuracy", message)
