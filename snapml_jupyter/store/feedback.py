"""How labels are kept that come after the prediction: by request and row, joined with a window once it is closed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain.errors import InvalidInputError, NotFoundError
from .database import Database
from .workspace import Transaction, Workspace

#: Labels in one answer of `list_unjoined`; more wait for the next call.
_MOST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What was true of one predicted row. `label` is JSON text."""

    request_id: str
    row_number: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedLabel:
    """A label whose prediction was found. `is_correct` is None where right and wrong do not apply (regression)."""

    label: Label
    window: int
    is_correct: bool | None


def read_labels(labels: Iterable[Mapping[str, Any]]) -> list[Label]:
    """Labels as they travel (`request_id`, `row`, `label`), checked. `row` counts from 0 and may be left out.

    Raises InvalidInputError that names the label by its place and says what is wrong.
    """
    read = []
    for place, given in enumerate(labels):
        request_id, row, label = given.get("request_id"), given.get("row", 0), given.get("label")
        if not isinstance(request_id, str) or not request_id:
            raise InvalidInputError(f"Label {place} has no request_id (text). It is in the answer of each prediction.")
        if isinstance(row, bool) or not isinstance(row, int) or not 0 <= row < 2**31:
            raise InvalidInputError(f"Label {place} has row {row!r}; rows of a request count from 0.")
        if label is None or not isinstance(label, (bool, int, float, str)):
            raise InvalidInputError(f"Label {place} is {label!r}; a label is true, false, a number or text.")
        read.append(Label(request_id=request_id, row_number=row, label=json.dumps(label)))
    return read


def insert_feedback(workspace: Workspace, endpoint: str, labels: Iterable[Mapping[str, Any]]) -> int:
    """Keep labels of an endpoint's predictions and return how many are new or changed.

    The same label again changes nothing; another label for the same row replaces it and is judged anew.
    Raises InvalidInputError when one is not a label, NotFoundError for an unknown endpoint; then none is kept.
    """
    read = read_labels(labels)
    if workspace.database.row("SELECT 1 FROM endpoints WHERE name = :name", {"name": endpoint}) is None:
        raise NotFoundError(f"There is no endpoint '{endpoint}' whose predictions these labels could belong to.")
    n_changed = 0
    with workspace.transaction() as tx:
        now = workspace.now().isoformat()
        for label in read:
            done = tx.execute(
                """INSERT INTO feedback (endpoint, request_id, row_number, label, received_at)
                   VALUES (:endpoint, :request_id, :row_number, :label, :now)
                   ON CONFLICT (endpoint, request_id, row_number) DO UPDATE
                   SET label = :label, received_at = :now, window = NULL, is_correct = NULL, searched_through = 0
                   WHERE feedback.label <> :label""",
                {
                    "endpoint": endpoint,
                    "request_id": label.request_id,
                    "row_number": label.row_number,
                    "label": label.label,
                    "now": now,
                },
            )
            n_changed += done.rowcount
        if n_changed:
            tx.event("monitor.updated", endpoint, labels_received=n_changed)
    return n_changed


def list_unsearched(database: Database) -> list[str]:
    """Endpoints with labels that were not looked for in the newest windows yet. One index look-up per monitor."""
    rows = database.rows(
        """SELECT m.endpoint FROM monitors m WHERE EXISTS (
               SELECT 1 FROM feedback f
               WHERE f.endpoint = m.endpoint AND f.window IS NULL AND f.searched_through < m.last_window)"""
    )
    return [row["endpoint"] for row in rows]


def list_unjoined(database: Database, endpoint: str, last_window: int) -> list[tuple[Label, int]]:
    """Labels that wait, with the last window each was looked for in."""
    rows = database.rows(
        """SELECT request_id, row_number, label, searched_through FROM feedback
           WHERE endpoint = :endpoint AND window IS NULL AND searched_through < :last_window LIMIT :most""",
        {"endpoint": endpoint, "last_window": last_window, "most": _MOST},
    )
    return [
        (
            Label(request_id=row["request_id"], row_number=row["row_number"], label=row["label"]),
            row["searched_through"],
        )
        for row in rows
    ]


def join_labels(
    tx: Transaction,
    endpoint: str,
    found: Sequence[JoinedLabel],
    missed: Sequence[Label],
    searched_through: int,
) -> list[int]:
    """Record which window each label belongs to and which were looked for in vain; return the windows that changed.

    A label that was changed or joined meanwhile is left alone.
    """
    windows = set()
    for joined in found:
        done = tx.execute(
            """UPDATE feedback SET window = :window, is_correct = :is_correct
               WHERE endpoint = :endpoint AND request_id = :request_id AND row_number = :row_number
                 AND label = :label AND window IS NULL""",
            {
                "window": joined.window,
                "is_correct": None if joined.is_correct is None else int(joined.is_correct),
                **_key(endpoint, joined.label),
            },
        )
        if done.rowcount:
            windows.add(joined.window)
    for label in missed:
        tx.execute(
            """UPDATE feedback SET searched_through = :searched_through
               WHERE endpoint = :endpoint AND request_id = :request_id AND row_number = :row_number
                 AND label = :label AND window IS NULL""",
            {"searched_through": searched_through, **_key(endpoint, label)},
        )
    for number in windows:
        tx.execute(
            """UPDATE monitor_windows
               SET n_labels = (SELECT COUNT(is_correct) FROM feedback WHERE endpoint = :endpoint AND window = :number),
                   n_correct = (SELECT COALESCE(SUM(is_correct), 0) FROM feedback
                                WHERE endpoint = :endpoint AND window = :number)
               WHERE endpoint = :endpoint AND number = :number""",
            {"endpoint": endpoint, "number": number},
        )
    changed = sorted(windows)
    if changed:
        tx.event("monitor.updated", endpoint, windows=changed)
    return changed


def _key(endpoint: str, label: Label) -> dict[str, Any]:
    return {
        "endpoint": endpoint,
        "request_id": label.request_id,
        "row_number": label.row_number,
        "label": label.label,
    }
