"""The prediction log: requests are packed into memory, a thread writes them to the workspace's inbox.

The request path only packs and appends, which takes a microsecond or two. When the disk is slow or full the buffer fills
up to its bound, then rows are dropped and counted; a request never waits and never fails for the log.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import msgspec

from .logged_batch import LoggedFeedback, LogTarget, join_requests, pack_request
from .reports import say
from .rows import Row
from .session import Answers

#: Rows held in memory at most, whatever the disk does.
MAX_BUFFERED_ROWS = 200_000
#: From so many rows on, the writer does not wait for its time.
_WRITE_EARLY_ROWS = 10_000
#: Files that may wait in one endpoint's inbox before new ones are dropped: nobody is taking them in.
MAX_WAITING_FILES = 5_000
_UNWRITABLE = (OverflowError, TypeError, ValueError)


class _Waiting:
    """Requests of one target that wait to be written, packed, and how many rows each has.

    Bytes and small numbers only: thousands of objects that refer to others would make every garbage collection a stall.
    """

    __slots__ = ("n_rows", "requests")

    def __init__(self) -> None:
        self.requests: deque[bytes] = deque()
        self.n_rows: deque[int] = deque()


class PredictionLog:
    """The bounded buffer and its writer thread. `append` and `append_feedback` are for the event loop only."""

    def __init__(self, inbox: Path, seconds: float, max_rows: int = MAX_BUFFERED_ROWS) -> None:
        self.inbox = inbox
        self.seconds = seconds
        self.max_rows = max_rows
        self.n_dropped: dict[str, int] = {}
        self._waiting: dict[LogTarget, _Waiting] = {}
        #: Held where targets are forgotten and where requests are put back: for a target's first request, not for each.
        self._targets_lock = threading.Lock()
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
        try:
            packed = pack_request(target, request_id, int(time.time() * 1e6), rows, answers)
        except _UNWRITABLE as error:  # what no check foresaw must not fail the request
            say(f"prediction log: predictions of '{target.endpoint}' cannot be written: {error}")
            self._drop(target.endpoint, n_rows)
            return
        waiting = self._waiting.get(target) or self._begin(target)
        self._n_appended += n_rows
        waiting.n_rows.append(n_rows)
        waiting.requests.append(packed)
        if n_buffered > _WRITE_EARLY_ROWS:
            self._wake.set()

    def _begin(self, target: LogTarget) -> _Waiting:
        """Where requests of a target wait. Targets of which nothing waits, as of versions long gone, are forgotten."""
        with self._targets_lock:
            for known in [each for each, waiting in self._waiting.items() if not waiting.n_rows]:
                del self._waiting[known]
            return self._waiting.setdefault(target, _Waiting())

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
        for target, waiting in list(self._waiting.items()):
            requests = [waiting.requests.popleft() for _ in range(len(waiting.requests))]
            counts = [waiting.n_rows.popleft() for _ in requests]
            if not requests:
                continue
            n_rows = sum(counts)
            if self._write(target.endpoint, join_requests(target, requests), "predictions"):
                self._n_taken += n_rows
            elif self._stopping or self._is_half_full():
                self._n_taken += n_rows
                self._drop(target.endpoint, n_rows)
            else:  # tried again next time, before what comes after
                with self._targets_lock:
                    waiting = self._waiting.setdefault(target, waiting)  # it may have been forgotten meanwhile
                    waiting.n_rows.extendleft(reversed(counts))
                    waiting.requests.extendleft(reversed(requests))
        labels: dict[str, list[dict[str, Any]]] = {}
        for _ in range(len(self._labels)):
            endpoint, some = self._labels.popleft()
            labels.setdefault(endpoint, []).extend(some)
        for endpoint, some in labels.items():
            try:
                content = msgspec.msgpack.encode(LoggedFeedback(endpoint=endpoint, labels=some))
            except _UNWRITABLE as error:  # what no check foresaw must not end the thread
                say(f"prediction log: feedback of '{endpoint}' cannot be written: {error}")
                self._drop(endpoint, len(some))
                self._n_taken += len(some)
                continue
            if self._write(endpoint, content, "feedback"):
                self._n_taken += len(some)
            else:  # labels are few and precious: they are kept until they can be written
                self._labels.appendleft((endpoint, some))

    def _is_half_full(self) -> bool:
        return self._n_appended - self._n_taken > self.max_rows // 2

    def _write(self, endpoint: str, content: bytes, kind: str) -> bool:
        """Write one file; the rename makes it visible whole. False when the disk refuses or nobody takes files in."""
        folder = self.inbox / endpoint
        self._batch_number += 1
        name = f"{time.time_ns() // 1000:016d}-{os.getpid()}-{self._batch_number:06d}.{kind}"
        temporary = folder / f".{name}.new"
        try:
            folder.mkdir(exist_ok=True)
            with os.scandir(folder) as files:
                if sum(1 for _ in files) >= MAX_WAITING_FILES:
                    return False
            temporary.write_bytes(content)
            os.replace(temporary, folder / f"{name}.msgpack")
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            return False
        return True
