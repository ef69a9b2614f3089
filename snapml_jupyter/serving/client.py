"""The endpoint as a notebook holds it: ask it for predictions over HTTP like any client, look at it, take it away."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from ..domain.endpoint import Deployment, EndpointInfo, EndpointMetrics
from ..domain.errors import (
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    SnapMLError,
    UnavailableError,
)
from ..store.remote import RemoteWorkspace
from ..store.workspace import Workspace
from . import api_keys, deploying, traffic

if TYPE_CHECKING:
    import pandas as pd

#: Rows of one request, and values of one request for wide frames.
MAX_REQUEST_ROWS = 5000
_MAX_REQUEST_VALUES = 200_000
_TIMEOUT_SECONDS = 60.0
#: How long a busy or just restarting endpoint is asked again.
_PATIENCE_SECONDS = 5.0

_ERRORS: dict[int, type[SnapMLError]] = {
    400: InvalidInputError,
    401: PermissionDeniedError,
    403: PermissionDeniedError,
    404: NotFoundError,
    422: InvalidInputError,
    503: UnavailableError,
}


class _TooLargeError(InvalidInputError):
    """The endpoint wants fewer rows at once."""


class Endpoint:
    """A live endpoint. `api_key` is set when this call created it, and is never shown again.

    `find_key` gives the key for requests when there is none yet.
    """

    def __init__(
        self,
        workspace: Workspace | RemoteWorkspace,
        name: str,
        *,
        api_key: str | None = None,
        find_key: Callable[[], str | None] | None = None,
    ) -> None:
        self.workspace = workspace
        self.name = name
        self.api_key = api_key
        self._find_key = find_key
        self._key = api_key
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None

    def __repr__(self) -> str:
        live = self.info.live
        return f"Endpoint({self.name!r}, {live.model_ref if live else 'nothing live'}, {self.url or 'host stopped'})"

    def __del__(self) -> None:
        if getattr(self, "_connection", None) is not None:
            self._close()

    @property
    def info(self) -> EndpointInfo:
        """The endpoint as it is recorded now. Raises NotFoundError when it was removed."""
        return deploying.get_endpoint(self.workspace, self.name)

    @property
    def url(self) -> str | None:
        """Where rows are posted to; None while the host is stopped."""
        return self.info.url

    @property
    def versions(self) -> list[str]:
        """References of the model versions behind it, oldest first."""
        return [deployment.model_ref for deployment in self._routable()]

    @property
    def traffic(self) -> dict[str, float]:
        """Share of the traffic by model version."""
        return {deployment.model_ref: deployment.share_fraction for deployment in self._routable()}

    def set_traffic(self, shares: dict[str, float]) -> None:
        """Give the live versions these shares: `{"flights:4": 0.9, "flights:5": 0.1}`, or by number alone."""
        traffic.set_traffic(self.workspace, self.name, {ref.rpartition(":")[2]: share for ref, share in shares.items()})

    def rollback(self, reason: str | None = None) -> None:
        """Take the challenger or shadow away; without one, bring back the champion before this one."""
        traffic.roll_back(self.workspace, self.name, reason)

    def promote(self) -> None:
        """Make the challenger (or shadow) the champion."""
        traffic.promote(self.workspace, self.name)

    def metrics(self) -> EndpointMetrics:
        """Requests, errors and latencies since the workers started."""
        return deploying.get_endpoint_metrics(self.workspace, self.name)

    def create_key(self, client: str) -> str:
        """A new API key for `client`; this call is the only one that shows it. The endpoint's page lists who has one."""
        return api_keys.create_key(self.workspace, self.name, client).api_key

    def undeploy(self) -> None:
        """Take the endpoint away and revoke its keys."""
        deploying.undeploy(self.workspace, self.name)
        with self._lock:
            self._close()

    def predict(self, data: Any) -> pd.DataFrame:
        """Predict every row of a DataFrame (or dict, or list of dicts) over HTTP, in requests of at most 5,000 rows.

        Returns a frame with the same index: `prediction`, `probability_<class>`, and `request_id` and `row` for
        feedback. Raises InvalidInputError with the endpoint's own words, PermissionDeniedError for the key,
        UnavailableError when the host is down.
        """
        from .frames import answers_to_frame, as_frame, frame_to_columns

        frame = as_frame(data)
        info = self.info
        if info.url is None:
            raise UnavailableError(
                f"Endpoint '{self.name}' does not answer: the host is not running. Start it: snapml host start"
            )
        if info.live is None:
            raise UnavailableError(f"Endpoint '{self.name}' has nothing live. Deploy a version: %snap_deploy MODEL")
        columns = frame_to_columns(frame, info.live.signature)
        names = list(columns)
        rows = list(zip(*columns.values(), strict=True))
        chunk = max(1, min(MAX_REQUEST_ROWS, _MAX_REQUEST_VALUES // max(1, len(names))))
        predictions: list[dict[str, Any]] = []
        origins: list[tuple[str, int]] = []
        start = 0
        while start < len(rows):
            body = msgspec.json.encode(
                {"rows": [dict(zip(names, row, strict=True)) for row in rows[start : start + chunk]]}
            )
            try:
                answer = self._post(info.url, body, start)
            except _TooLargeError:
                if chunk == 1:
                    raise
                chunk = max(1, chunk // 4)
                continue
            predictions += answer["predictions"]
            origins += [(answer["request_id"], row) for row in range(len(answer["predictions"]))]
            start += chunk
        return answers_to_frame(predictions, origins, frame.index)

    def _routable(self) -> list[Deployment]:
        return [deployment for deployment in self.info.deployments if deployment.status.is_routable]

    def _post(self, url: str, body: bytes, first_row: int) -> dict[str, Any]:
        """One request, asked again while the endpoint is busy. Raises the error that it described."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            status, content = self._send(url, body)
            if status == 200:
                answer: dict[str, Any] = msgspec.json.decode(content)
                return answer
            if status != 503 or time.monotonic() > deadline:
                raise _described(status, content, self.name, first_row)
            time.sleep(0.2)

    def _send(self, url: str, body: bytes) -> tuple[int, bytes]:
        """Status and content of one POST over a connection that is kept."""
        if self._key is None and self._find_key is not None:
            self._key = self._find_key()
        if self._key is None:
            raise PermissionDeniedError(
                f"There is no API key for endpoint '{self.name}' here. Pass snap.endpoint('{self.name}', api_key=...), "
                f"set SNAPML_API_KEY, or make one: snapml endpoint key create {self.name} --client WHO"
            )
        parts = urlsplit(url)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        with self._lock:
            for is_fresh in (self._connection is None, True):
                if self._connection is None:
                    self._connection = http.client.HTTPConnection(parts.netloc, timeout=_TIMEOUT_SECONDS)
                try:
                    self._connection.request("POST", parts.path, body, headers)
                    response = self._connection.getresponse()
                    return response.status, response.read()
                except (OSError, http.client.HTTPException) as error:
                    self._close()
                    # A kept connection may have been closed meanwhile, by a worker that was replaced; then once more.
                    if is_fresh or isinstance(error, TimeoutError):
                        raise UnavailableError(
                            f"Endpoint '{self.name}' does not answer at {url}: {error}. "
                            "Is the host running? Start it: snapml host start"
                        ) from error
        raise AssertionError("unreachable: the second attempt returns or raises")

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _described(status: int, content: bytes, name: str, first_row: int) -> SnapMLError:
    try:
        message = str(msgspec.json.decode(content)["error"])
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError):
        message = f"Endpoint '{name}' answered {status}: {content[:200].decode(errors='replace')}"
    if first_row and status in (400, 422):
        message += f" (Rows are counted from row {first_row} of the frame.)"
    if status == 413:
        return _TooLargeError(message)
    return _ERRORS.get(status, SnapMLError)(message)
