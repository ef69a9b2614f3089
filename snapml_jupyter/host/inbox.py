"""Take in what workers left in the inbox: predictions as Arrow batches, feedback as labels; each exactly once.

A file's name is the batch's name. Blob first, then the row, then the file goes: a crash between any two steps leaves
a file that is taken in again and found to be recorded already.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec

from ..domain.endpoint import Deployment
from ..domain.errors import InvalidInputError, NotFoundError
from ..domain.model import ColumnKind
from ..serving.logged_batch import LoggedFeedback, LoggedPredictions, read_predictions
from ..serving.reports import inbox_folder, say
from ..store import endpoints
from ..store.workspace import Workspace

#: A half-written file this old belongs to a worker that was killed.
_STALE_SECONDS = 600.0
_REJECTED = ".rejected"

TakeFeedback = Callable[[Workspace, str, list[dict[str, Any]]], None]


def take_in(workspace: Workspace, take_feedback: TakeFeedback) -> int:
    """Take in every waiting file, oldest first; returns how many. Unreadable files are set aside and named in the log.

    Raises UnavailableError when the workspace cannot be written; what was not taken in stays where it is.
    """
    n_files = 0
    inbox = inbox_folder(workspace.folder)
    for folder in sorted(path for path in inbox.glob("*") if path.is_dir() and path.name != _REJECTED):
        for path in sorted(folder.glob("*.msgpack")):
            if _take_file(workspace, path, take_feedback):
                n_files += 1
        for path in folder.glob(".*.new"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                    path.unlink()
    return n_files


def _take_file(workspace: Workspace, path: Path, take_feedback: TakeFeedback) -> bool:
    try:
        content = path.read_bytes()
    except FileNotFoundError:  # taken by a host that was ending while we started
        return False
    try:
        if path.name.endswith(".feedback.msgpack"):
            feedback = msgspec.msgpack.decode(content, type=LoggedFeedback)
            take_feedback(workspace, feedback.endpoint, feedback.labels)
        else:
            record_predictions(workspace, path.name.partition(".")[0], read_predictions(content))
    except (msgspec.MsgspecError, InvalidInputError, NotFoundError) as error:
        _set_aside(path, str(error))  # it would fail for ever, and hold up what comes after it
        return False
    path.unlink(missing_ok=True)
    return True


def record_predictions(workspace: Workspace, batch: str, logged: LoggedPredictions) -> None:
    """Keep one batch as an Arrow blob and a row; nothing happens when it is already recorded."""
    if endpoints.has_batch(workspace.database, logged.endpoint, batch):
        return
    deployment = endpoints.get_deployment(workspace.database, logged.endpoint, logged.deployment)
    digest = workspace.blobs.put(to_arrow(deployment, logged))
    endpoints.record_batch(
        workspace,
        endpoint=logged.endpoint,
        batch=batch,
        deployment=logged.deployment,
        digest=digest,
        n_rows=sum(logged.counts),
        started_at=_at(min(logged.answered_at)),
        ended_at=_at(max(logged.answered_at)),
    )


def to_arrow(deployment: Deployment, logged: LoggedPredictions) -> bytes:
    """The batch as an Arrow IPC file.

    Columns: request_id, row_number, answered_at, prediction, p_0 to p_k in the order of the signature's labels, and
    every raw input as `in.<name>`.
    """
    import pyarrow as pa

    names, arrays = (
        ["request_id", "row_number", "answered_at", "prediction"],
        [
            pa.array(
                [i for i, n in zip(logged.request_ids, logged.counts, strict=True) for _ in range(n)], pa.string()
            ),
            pa.array([row for n in logged.counts for row in range(n)], pa.int32()),
            pa.array(
                [at for at, n in zip(logged.answered_at, logged.counts, strict=True) for _ in range(n)],
                pa.timestamp("us", tz="UTC"),
            ),
            pa.array(logged.values, _label_type(deployment.signature.labels)),
        ],
    )
    if logged.probabilities is not None:
        for index, column in enumerate(zip(*logged.probabilities, strict=True)):
            names.append(f"p_{index}")
            arrays.append(pa.array(column, pa.float32()))
    kinds = {column.name: column.kind for column in deployment.signature.inputs}
    types = {
        ColumnKind.boolean: pa.bool_(),
        ColumnKind.integer: pa.int64(),
        ColumnKind.float: pa.float64(),
        ColumnKind.string: pa.string(),
        ColumnKind.datetime: pa.string(),
    }
    for name, values in zip(logged.columns, logged.inputs, strict=True):
        kind = kinds[name]
        if kind is ColumnKind.integer:  # 3.0 is a whole number to a client that knows only floats
            values = [int(value) if isinstance(value, float) else value for value in values]
        names.append(f"in.{name}")
        arrays.append(pa.array(values, types[kind]))
    table = pa.table(arrays, names=names)
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _label_type(labels: list[bool | int | float | str] | None) -> Any:
    import pyarrow as pa

    if labels is None:
        return pa.float64()
    if all(isinstance(label, bool) for label in labels):
        return pa.bool_()
    if all(isinstance(label, int) for label in labels):
        return pa.int64()
    if all(isinstance(label, (int, float)) for label in labels):
        return pa.float64()
    return pa.string()


def _set_aside(path: Path, reason: str) -> None:
    rejected = path.parent.parent / _REJECTED
    rejected.mkdir(exist_ok=True)
    os.replace(path, rejected / f"{path.parent.name}.{path.name}")
    say(f"inbox: {path} is not readable and was moved to {rejected}: {reason}")


def _at(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1e6, timezone.utc)
