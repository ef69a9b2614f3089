"""Labels that come after the prediction: which window each belongs to, and whether it confirms the prediction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..domain.errors import DamagedContentError, NotFoundError
from ..domain.model import Task
from ..store import feedback as kept_labels
from ..store import monitors as kept
from ..store.feedback import JoinedLabel, Label
from ..store.workspace import Workspace
from .logged_rows import PREDICTION, read_rows, row_keys, write_rows

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_TASK_KEY = b"snapml.task"


def write_answers(rows: pa.Table, task: Task) -> bytes:
    """What labels of a window are joined with: keys (sorted) and predictions of its rows."""
    import numpy as np
    import pyarrow as pa

    keys = row_keys(rows.column("request_id").to_pylist(), rows.column("row_number").to_pylist())
    order = np.argsort(keys, kind="stable")
    predictions = rows.column(PREDICTION).combine_chunks().take(pa.array(order))
    table = pa.table({"key": keys[order], PREDICTION: predictions})
    return write_rows(table.replace_schema_metadata({_TASK_KEY: task.value.encode()}))


def join_labels(workspace: Workspace, endpoint: str) -> list[int]:
    """Join the labels that wait with the closed windows, newest first; return the numbers of the windows that changed.

    Each label is looked for once in every window. Safe to run in several processes at once.
    """
    changed: set[int] = set()
    while True:
        last_window = kept.get_monitor(workspace.database, endpoint).last_window
        waiting = kept_labels.list_unjoined(workspace.database, endpoint, last_window)
        if not waiting:
            return sorted(changed)
        found, missed = _look_up(workspace, endpoint, waiting)
        with workspace.transaction() as tx:
            changed.update(kept_labels.join_labels(tx, endpoint, found, missed, last_window))


def count_known(workspace: Workspace, endpoint: str, labels: Iterable[Mapping[str, Any]]) -> int:
    """How many of the labels belong to a logged prediction, in a closed window or not yet in one."""
    import numpy as np

    read = kept_labels.read_labels(labels)
    keys = np.unique(row_keys([x.request_id for x in read], [x.row_number for x in read]))
    known = np.zeros(len(keys), dtype=bool)
    for held in _all_keys(workspace, endpoint):
        known |= np.isin(keys, held)
        if known.all():
            break
    return int(known.sum())


def confirms(label: Any, prediction: Any) -> bool:
    """Whether the label says what the model said. `1`, `1.0` and `"1"` are the same label, as are True and "True"."""
    if label == prediction:
        return True
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    if isinstance(prediction, float) and prediction.is_integer():
        prediction = int(prediction)
    return str(label) == str(prediction)


def _look_up(
    workspace: Workspace, endpoint: str, waiting: list[tuple[Label, int]]
) -> tuple[list[JoinedLabel], list[Label]]:
    import numpy as np

    labels = [label for label, _ in waiting]
    keys = row_keys([label.request_id for label in labels], [label.row_number for label in labels])
    left = np.arange(len(labels))
    found: list[JoinedLabel] = []
    for window in kept.list_answers(workspace.database, endpoint, above=min(searched for _, searched in waiting)):
        table = _read_answers(workspace, endpoint, window.answers_digest)
        if table is None:
            continue
        judged = (table.schema.metadata or {}).get(_TASK_KEY) == Task.classification.value.encode()
        held = _keys(table)
        places = np.minimum(np.searchsorted(held, keys[left]), max(len(held) - 1, 0))
        hits = held[places] == keys[left] if len(held) else np.zeros(len(left), dtype=bool)
        predictions = table.column(PREDICTION).take(places[hits]).to_pylist()
        for place, prediction in zip(left[hits].tolist(), predictions, strict=True):
            is_correct = confirms(json.loads(labels[place].label), prediction) if judged else None
            found.append(JoinedLabel(label=labels[place], window=window.number, is_correct=is_correct))
        left = left[~hits]
        if not len(left):
            break
    return found, [labels[place] for place in left.tolist()]


def _all_keys(workspace: Workspace, endpoint: str) -> Iterable[NDArray[np.uint64]]:
    """Keys of the logged rows: of batches that wait, then of windows, newest first."""
    for batch in reversed(kept.list_waiting_batches(workspace.database, endpoint)):
        try:
            rows = read_rows(workspace.blobs.read(batch.digest), f"Batch {batch.batch}")
        except (DamagedContentError, NotFoundError):  # the monitor says so when it closes the window
            continue
        yield row_keys(rows.column("request_id").to_pylist(), rows.column("row_number").to_pylist())
    for window in kept.list_answers(workspace.database, endpoint):
        table = _read_answers(workspace, endpoint, window.answers_digest)
        if table is not None:
            yield _keys(table)


def _read_answers(workspace: Workspace, endpoint: str, digest: str) -> pa.Table | None:
    """A window's answers; None when the blob is lost or damaged, which `snapml verify` reports by name."""
    try:
        return read_rows(workspace.blobs.read(digest), f"A window of '{endpoint}'")
    except (DamagedContentError, NotFoundError):
        return None


def _keys(table: pa.Table) -> NDArray[np.uint64]:
    import numpy as np

    return np.asarray(table.column("key"), dtype=np.uint64)
