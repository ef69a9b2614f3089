"""What a worker leaves in the inbox: files of predictions and of labels, and how they are written and read.

A file of predictions is MessagePack: [head, [request, ...]]. Each request was packed when it was answered, so that what
waits for the disk is bytes, which no garbage collection walks, and writing them is one join.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from .rows import Row
from .session import Answers


@dataclass(frozen=True, slots=True, eq=False)
class LogTarget:
    """Which deployment answered. Values of `hidden` columns are never written."""

    endpoint: str
    deployment: int
    model_ref: str
    columns: tuple[str, ...]
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedPredictions:
    """A file of predictions, by columns. `counts` are rows per request, `answered_at` microseconds UTC."""

    endpoint: str
    deployment: int
    model_ref: str
    columns: list[str]
    inputs: list[list[Any]]
    values: list[Any]
    probabilities: list[list[float]] | None
    request_ids: list[str]
    counts: list[int]
    answered_at: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedFeedback:
    """A file of labels that clients sent; each has `request_id`, `row` and `label`."""

    endpoint: str
    labels: list[dict[str, Any]]


class _Head(msgspec.Struct, array_like=True):
    endpoint: str
    deployment: int
    model_ref: str
    columns: list[str]


class _Request(msgspec.Struct, array_like=True, gc=False):
    request_id: str
    answered_at: int
    rows: list[list[Any]]
    values: list[Any]
    probabilities: list[list[float]] | None


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(tuple[_Head, list[_Request]])
#: MessagePack's signs for an array of two and for one whose length follows in four bytes.
_PAIR, _ARRAY = b"\x92", b"\xdd"


def pack_request(target: LogTarget, request_id: str, answered_at: int, rows: list[Row], answers: Answers) -> bytes:
    """One request that was answered at so many microseconds UTC, as a part of its file.

    Raises OverflowError, TypeError or ValueError for what cannot be written.
    """
    kept: Sequence[Sequence[Any]] = rows
    if target.hidden:
        places = [place for place, name in enumerate(target.columns) if name not in target.hidden]
        kept = [[row[place] for place in places] for row in rows]
    return _encode((request_id, answered_at, kept, answers.values, answers.probabilities))


def join_requests(target: LogTarget, requests: Sequence[bytes]) -> bytes:
    """A file of requests that were packed for the target."""
    columns = [name for name in target.columns if name not in target.hidden]
    head = _encode(_Head(target.endpoint, target.deployment, target.model_ref, columns))
    return b"".join((_PAIR, head, _ARRAY, len(requests).to_bytes(4, "big"), *requests))


def read_predictions(content: bytes) -> LoggedPredictions:
    """What a file of predictions holds. Raises msgspec.MsgspecError when it is not one."""
    head, requests = _decoder.decode(content)
    rows = [row for request in requests for row in request.rows]
    values = [value for request in requests for value in request.values]
    has_probabilities = bool(requests) and requests[0].probabilities is not None
    probabilities = (
        [part for request in requests for part in request.probabilities or ()] if has_probabilities else None
    )
    is_whole = all(len(request.rows) == len(request.values) > 0 for request in requests)
    if not requests or not is_whole or {len(row) for row in rows} != {len(head.columns)}:
        raise msgspec.ValidationError("the rows fit neither the columns nor the answers")
    if probabilities is not None and (len(probabilities) != len(rows) or len({len(p) for p in probabilities}) != 1):
        raise msgspec.ValidationError("the probabilities do not fit the rows")
    return LoggedPredictions(
        endpoint=head.endpoint,
        deployment=head.deployment,
        model_ref=head.model_ref,
        columns=head.columns,
        inputs=[list(column) for column in zip(*rows, strict=True)],
        values=values,
        probabilities=probabilities,
        request_ids=[request.request_id for request in requests],
        counts=[len(request.rows) for request in requests],
        answered_at=[request.answered_at for request in requests],
    )
