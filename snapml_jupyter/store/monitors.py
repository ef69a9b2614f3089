"""How monitors are kept: one per endpoint, its closed windows, and which logged batches each window holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .. import wire
from ..domain.errors import NotFoundError
from ..domain.monitoring import DriftReport, MonitorWindow
from . import feedback
from .database import Database
from .workspace import Transaction, Workspace

#: For the host: labels that clients sent are kept here, and joined with their predictions by the monitors.
insert_feedback = feedback.insert_feedback


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorRow:
    """A monitor as kept. `reference_ref` None follows the live deployment's training data."""

    endpoint: str
    reference_ref: str | None
    window_rows: int
    last_window: int
    error: str | None
    failed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRows:
    """Logged predictions of one deployment that no window holds yet."""

    endpoint: str
    deployment: int
    n_rows: int
    newest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One logged batch, an Arrow blob."""

    endpoint: str
    batch: str
    deployment: int
    digest: str
    n_rows: int
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowAnswers:
    """Where the predictions of a closed window lie, for joining labels."""

    number: int
    model_ref: str
    answers_digest: str


def ensure_monitor(
    tx: Transaction, endpoint: str, *, window_rows: int, reference_ref: str | None = None, change: bool = False
) -> None:
    """Make the endpoint's monitor; one that exists stays as it is, or takes the new settings when `change`."""
    values = {
        "endpoint": endpoint,
        "reference_ref": reference_ref,
        "window_rows": window_rows,
        "now": tx.workspace.now().isoformat(),
        "actor": tx.workspace.actor,
    }
    made = tx.execute(
        """INSERT INTO monitors (endpoint, reference_ref, window_rows, created_at, created_by)
           VALUES (:endpoint, :reference_ref, :window_rows, :now, :actor) ON CONFLICT (endpoint) DO NOTHING""",
        values,
    )
    if made.rowcount:
        tx.event("monitor.created", endpoint, window_rows=window_rows, reference_ref=reference_ref)
    elif change:
        tx.execute(
            """UPDATE monitors SET reference_ref = :reference_ref, window_rows = :window_rows,
                                   error = NULL, failed_at = NULL WHERE endpoint = :endpoint""",
            values,
        )
        tx.event("monitor.updated", endpoint, window_rows=window_rows, reference_ref=reference_ref)


def find_monitor(database: Database, endpoint: str) -> MonitorRow | None:
    """The endpoint's monitor, or None."""
    row = database.row("SELECT * FROM monitors WHERE endpoint = :endpoint", {"endpoint": endpoint})
    return None if row is None else _monitor(row)


def get_monitor(database: Database, endpoint: str) -> MonitorRow:
    """The endpoint's monitor. Raises NotFoundError with the closest names."""
    found = find_monitor(database, endpoint)
    if found is None:
        known = [row["endpoint"] for row in database.rows("SELECT endpoint FROM monitors")]
        raise NotFoundError.of("monitor of an endpoint", endpoint, known, "Deploying a model starts one.")
    return found


def list_monitored(database: Database) -> list[str]:
    """Names of the endpoints that have a monitor and were not removed."""
    rows = database.rows(
        """SELECT m.endpoint FROM monitors m JOIN endpoints e ON e.name = m.endpoint
           WHERE e.removed_at IS NULL ORDER BY m.endpoint"""
    )
    return [row["endpoint"] for row in rows]


def list_unmonitored(database: Database) -> list[str]:
    """Names of the endpoints that lack a monitor."""
    rows = database.rows(
        """SELECT name FROM endpoints
           WHERE removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM monitors WHERE endpoint = endpoints.name)"""
    )
    return [row["name"] for row in rows]


def set_error(tx: Transaction, endpoint: str, error: str | None, *, retry_later: bool = True) -> None:
    """Keep what is wrong with the monitor, or that nothing is. An event only when the sentence changes.

    `retry_later` says that nothing could be judged, so that the host waits before it tries again.
    """
    was = get_monitor(tx.workspace.database, endpoint)
    failed_at = tx.workspace.now().isoformat() if error is not None and retry_later else None
    if was.error == error and was.failed_at is None and failed_at is None:
        return
    tx.execute(
        "UPDATE monitors SET error = :error, failed_at = :failed_at WHERE endpoint = :endpoint",
        {"endpoint": endpoint, "error": error, "failed_at": failed_at},
    )
    if was.error != error:
        tx.event("monitor.updated", endpoint, error=error)


def list_waiting(database: Database, endpoint: str | None = None) -> list[WaitingRows]:
    """Rows that no window holds yet, by endpoint and deployment, from one index. Empty when nothing is new."""
    rows = database.rows(
        """SELECT endpoint, deployment, SUM(n_rows) AS n_rows, MAX(ended_at) AS newest_at FROM prediction_batches
           WHERE window IS NULL AND (:endpoint IS NULL OR endpoint = :endpoint)
           GROUP BY endpoint, deployment ORDER BY endpoint, deployment""",
        {"endpoint": endpoint},
    )
    return [
        WaitingRows(
            endpoint=row["endpoint"],
            deployment=row["deployment"],
            n_rows=row["n_rows"],
            newest_at=datetime.fromisoformat(row["newest_at"]),
        )
        for row in rows
    ]


def list_waiting_batches(database: Database, endpoint: str, deployment: int | None = None) -> list[Batch]:
    """The batches that no window holds yet, oldest first."""
    rows = database.rows(
        """SELECT * FROM prediction_batches
           WHERE window IS NULL AND endpoint = :endpoint AND (:deployment IS NULL OR deployment = :deployment)
           ORDER BY started_at, batch""",
        {"endpoint": endpoint, "deployment": deployment},
    )
    return [
        Batch(
            endpoint=row["endpoint"],
            batch=row["batch"],
            deployment=row["deployment"],
            digest=row["digest"],
            n_rows=row["n_rows"],
            started_at=datetime.fromisoformat(row["started_at"]),
            ended_at=datetime.fromisoformat(row["ended_at"]),
        )
        for row in rows
    ]


def take_batches(tx: Transaction, endpoint: str, batches: Sequence[Batch], number: int) -> bool:
    """Give the batches to a window. False when another process has taken one of them: then roll back."""
    for batch in batches:
        done = tx.execute(
            """UPDATE prediction_batches SET window = :number
               WHERE endpoint = :endpoint AND batch = :batch AND window IS NULL""",
            {"number": number, "endpoint": endpoint, "batch": batch.batch},
        )
        if done.rowcount != 1:
            return False
    return True


def next_window_number(tx: Transaction, endpoint: str) -> int:
    """The number for the window about to be added; numbers start at 1 and have no gaps."""
    row = tx.execute(
        "UPDATE monitors SET last_window = last_window + 1 WHERE endpoint = :endpoint RETURNING last_window",
        {"endpoint": endpoint},
    ).fetchone()
    return int(row["last_window"])


def add_window(tx: Transaction, window: MonitorWindow, *, profile_digest: str, answers_digest: str) -> None:
    """Keep a closed window."""
    tx.insert(
        "monitor_windows",
        endpoint=window.endpoint,
        number=window.number,
        model_ref=window.model_ref,
        started_at=window.started_at.isoformat(),
        ended_at=window.ended_at.isoformat(),
        n_rows=window.n_rows,
        n_labels=0,
        n_correct=0,
        report=wire.encode_json(window.report).decode(),
        profile_digest=profile_digest,
        answers_digest=answers_digest,
    )
    tx.event(
        "monitor.window_closed",
        window.endpoint,
        window=window.number,
        model_ref=window.model_ref,
        n_rows=window.n_rows,
        drifted_fraction=window.report.drifted_fraction,
        drifted_columns=window.report.drifted_columns,
    )


def list_windows(database: Database, endpoint: str, limit: int) -> list[MonitorWindow]:
    """The newest windows, newest last."""
    rows = database.rows(
        "SELECT * FROM monitor_windows WHERE endpoint = :endpoint ORDER BY number DESC LIMIT :limit",
        {"endpoint": endpoint, "limit": limit},
    )
    return [_window(row) for row in reversed(rows)]


def get_window(database: Database, endpoint: str, number: int) -> MonitorWindow:
    """One window. Raises NotFoundError."""
    row = database.row(
        "SELECT * FROM monitor_windows WHERE endpoint = :endpoint AND number = :number",
        {"endpoint": endpoint, "number": number},
    )
    if row is None:
        raise NotFoundError(f"The monitor of '{endpoint}' has no window {number}.")
    return _window(row)


def list_answers(database: Database, endpoint: str, above: int = 0) -> list[WindowAnswers]:
    """Where the predictions of windows with a number above `above` lie, newest first: labels are mostly recent."""
    rows = database.rows(
        """SELECT number, model_ref, answers_digest FROM monitor_windows
           WHERE endpoint = :endpoint AND number > :above AND answers_digest IS NOT NULL ORDER BY number DESC""",
        {"endpoint": endpoint, "above": above},
    )
    return [
        WindowAnswers(number=row["number"], model_ref=row["model_ref"], answers_digest=row["answers_digest"])
        for row in rows
    ]


def find_labelled(
    database: Database, endpoint: str, model_ref: str, min_labels: int, *, newest: bool
) -> tuple[int, int, int] | None:
    """(number, labels, correct labels) of the first or the newest window of a model version with enough labels."""
    row = database.row(
        f"""SELECT number, n_labels, n_correct FROM monitor_windows
            WHERE endpoint = :endpoint AND model_ref = :model_ref AND n_labels >= :min_labels
            ORDER BY number {"DESC" if newest else "ASC"} LIMIT 1""",
        {"endpoint": endpoint, "model_ref": model_ref, "min_labels": min_labels},
    )
    return None if row is None else (row["number"], row["n_labels"], row["n_correct"])


def count_rows(database: Database, endpoint: str) -> tuple[int, int]:
    """Rows and labels in the closed windows."""
    row = database.row(
        """SELECT COALESCE(SUM(n_rows), 0) AS n_rows, COALESCE(SUM(n_labels), 0) AS n_labels
           FROM monitor_windows WHERE endpoint = :endpoint""",
        {"endpoint": endpoint},
    )
    assert row is not None
    return int(row["n_rows"]), int(row["n_labels"])


def find_training_ref(database: Database, endpoint: str, deployment: int) -> str | None:
    """The dataset version that the deployed model was trained on, None when it was not recorded."""
    row = database.row(
        """SELECT r.training_ref FROM deployments d
           JOIN model_versions v ON v.name = d.model_name AND v.number = d.model_number
           JOIN run_models r ON r.run_id = v.run_id
           WHERE d.endpoint = :endpoint AND d.number = :deployment""",
        {"endpoint": endpoint, "deployment": deployment},
    )
    return row["training_ref"] if row is not None else None


def find_reference_answers(database: Database, onnx_digest: str, dataset_digest: str) -> str | None:
    """The blob with the graph's answers on the reference rows, or None."""
    row = database.row(
        """SELECT answers_digest FROM reference_answers
           WHERE onnx_digest = :onnx_digest AND dataset_digest = :dataset_digest""",
        {"onnx_digest": onnx_digest, "dataset_digest": dataset_digest},
    )
    return row["answers_digest"] if row is not None else None


def keep_reference_answers(workspace: Workspace, onnx_digest: str, dataset_digest: str, answers_digest: str) -> None:
    """Remember where the answers lie; they can be computed again, so this is no event."""
    with workspace.transaction() as tx:
        tx.execute(
            """INSERT INTO reference_answers (onnx_digest, dataset_digest, answers_digest)
               VALUES (:onnx_digest, :dataset_digest, :answers_digest)
               ON CONFLICT (onnx_digest, dataset_digest) DO UPDATE SET answers_digest = :answers_digest""",
            {"onnx_digest": onnx_digest, "dataset_digest": dataset_digest, "answers_digest": answers_digest},
        )


def _monitor(row: sqlite3.Row) -> MonitorRow:
    return MonitorRow(
        endpoint=row["endpoint"],
        reference_ref=row["reference_ref"],
        window_rows=row["window_rows"],
        last_window=row["last_window"],
        error=row["error"],
        failed_at=datetime.fromisoformat(row["failed_at"]) if row["failed_at"] else None,
    )


def _window(row: sqlite3.Row) -> MonitorWindow:
    return MonitorWindow(
        endpoint=row["endpoint"],
        model_ref=row["model_ref"],
        number=row["number"],
        started_at=datetime.fromisoformat(row["started_at"]),
        ended_at=datetime.fromisoformat(row["ended_at"]),
        n_rows=row["n_rows"],
        report=wire.decode_json(row["report"], DriftReport, "report of a window"),
        n_labels=row["n_labels"],
        accuracy=row["n_correct"] / row["n_labels"] if row["n_labels"] else None,
    )
