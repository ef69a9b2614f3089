"""The prediction log: requests append references to memory, a thread writes them to the workspace's inbox.

The request path only appends to a list. When the disk is slow or full the buffer fills up to its bound, then rows are
dropped and counted; a request never waits and never fails for the log.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from .reports import say
from .rows import Row
from .session import Answers

#: Rows held in memory at most, whatever the disk does.
MAX_BUFFERED_ROWS = 200_000
#: From so many rows on, the writer does not wait for its time.
_WRITE_EARLY_ROWS = 10_000
#: Files that may wait in one endpoint's inbox before new ones are dropped: nobody is taking them in.
MAX_WAITING_FILES = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedPredictions:
    """One inbox file of predictions, by columns. `counts` are rows per request, `answered_at` microseconds UTC."""

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
    """One inbox file of labels that clients sent; each has `request_id`, `row` and `label`."""

    endpoint: str
    labels: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class LogTarget:
    """Which deployment answered. Values of `hidden` columns are never written."""

    endpoint: str
    deployment: int
    model_ref: str
    columns: tuple[str, ...]
    hidden: frozenset[str] = frozenset()


_Entry = tuple[LogTarget, str, list[Row], Answers, float]


class PredictionLog:
    """The bounded buffer and its writer thread. `append` and `append_feedback` are for the event loop only."""

    def __init__(self, inbox: Path, seconds: float, max_rows: int = MAX_BUFFERED_ROWS) -> None:
        self.inbox = inbox
        self.seconds = seconds
        self.max_rows = max_rows
        self.n_dropped: dict[str, int] = {}
        self._entries: deque[_Entry] = deque()
        self._labels: deque[tuple[str, list[dict[str, Any]]]] = deque()
        self._n_appended = 0  # written by the event loop only
        self._n_taken = 0  # written by the writer only
        self._batch_number = 0
        self._stopping = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._write_forever, name="prediction-log", daemon=True)

    def start(self) -> None:
        """Start writing."""
        self.inbox.mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and end the thread."""
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def append(self, target: LogTarget, request_id: str, rows: list[Row], answers: Answers) -> None:
        """Remember one answered request, or count its rows as dropped when the buffer is full."""
        n_rows = len(rows)
        n_buffered = self._n_appended - self._n_taken + n_rows
        if n_buffered > self.max_rows:
            self._drop(target.endpoint, n_rows)
            return
        self._n_appended += n_rows
        self._entries.append((target, request_id, rows, answers, time.time()))
        if n_buffered > _WRITE_EARLY_ROWS:
            self._wake.set()

    def append_feedback(self, endpoint: str, labels: list[dict[str, Any]]) -> bool:
        """Remember labels; False when the buffer is full, so that the client can be told to come back."""
        if self._n_appended - self._n_taken + len(labels) > self.max_rows:
            return False
        self._n_appended += len(labels)
        self._labels.append((endpoint, labels))
        return True

    def _drop(self, endpoint: str, n_rows: int) -> None:
        self.n_dropped[endpoint] = self.n_dropped.get(endpoint, 0) + n_rows

    def _write_forever(self) -> None:
        while not self._stopping:
            self._wake.wait(self.seconds)
            self._wake.clear()
            self._write_out()
        self._write_out()

    def _write_out(self) -> None:
        """Write everything that is buffered now, one file per deployment. What cannot be written waits or is dropped."""
        by_target: dict[LogTarget, list[_Entry]] = {}
        for _ in range(len(self._entries)):
            entry = self._entries.popleft()
            by_target.setdefault(entry[0], []).append(entry)
        for target, entries in by_target.items():
            n_rows = sum(len(entry[2]) for entry in entries)
            if self._write(target.endpoint, _predictions(target, entries), "predictions"):
                self._n_taken += n_rows
            elif self._stopping or self._is_half_full():
                self._n_taken += n_rows
                self._drop(target.endpoint, n_rows)
            else:  # tried again next time, before what comes after
                self._entries.extendleft(reversed(entries))
        labels: dict[str, list[dict[str, Any]]] = {}
        for _ in range(len(self._labels)):
            endpoint, some = self._labels.popleft()
            labels.setdefault(endpoint, []).extend(some)
        for endpoint, some in labels.items():
            if self._write(endpoint, LoggedFeedback(endpoint=endpoint, labels=some), "feedback"):
                self._n_taken += len(some)
            else:  # labels are few and precious: they are kept until they can be written
                self._labels.appendleft((endpoint, some))

    def _is_half_full(self) -> bool:
        return self._n_appended - self._n_taken > self.max_rows // 2

    def _write(self, endpoint: str, content: LoggedPredictions | LoggedFeedback, kind: str) -> bool:
        """Write one file; the rename makes it visible whole. False when the disk refuses or nobody takes files in."""
        folder = self.inbox / endpoint
        self._batch_number += 1
        try:
            encoded = msgspec.msgpack.encode(content)
        except (OverflowError, TypeError, ValueError) as error:  # what no check foresaw must not end the thread
            say(f"prediction log: {kind} of '{endpoint}' cannot be written: {error}")
            self._drop(endpoint, len(content.labels) if isinstance(content, LoggedFeedback) else sum(content.counts))
            return True
        name = f"{time.time_ns() // 1000:016d}-{os.getpid()}-{self._batch_number:06d}.{kind}"
        temporary = folder / f".{name}.new"
        try:
            folder.mkdir(exist_ok=True)
            with os.scandir(folder) as files:
                if sum(1 for _ in files) >= MAX_WAITING_FILES:
                    return False
            temporary.write_bytes(encoded)
            os.replace(temporary, folder / f"{name}.msgpack")
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            return False
        return True


def _predictions(target: LogTarget, entries: list[_Entry]) -> LoggedPredictions:
    rows = [row for entry in entries for row in entry[2]]
    has_probabilities = entries[0][3].probabilities is not None
    return LoggedPredictions(
        endpoint=target.endpoint,
        deployment=target.deployment,
        model_ref=target.model_ref,
        columns=[name for name in target.columns if name not in target.hidden],
        inputs=[
            list(column)
            for name, column in zip(target.columns, zip(*rows, strict=True), strict=True)
            if name not in target.hidden
        ],
        values=[value for entry in entries for value in entry[3].values],
        probabilities=[p for entry in entries for p in entry[3].probabilities or ()] if has_probabilities else None,
        request_ids=[entry[1] for entry in entries],
        counts=[len(entry[2]) for entry in entries],
        answered_at=[int(entry[4] * 1e6) for entry in entries],
    )
