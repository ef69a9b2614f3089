"""A workspace behind a URL: operations travel as JSON, blobs by digest. The same names as a local workspace."""

from __future__ import annotations

import io
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from http.client import HTTPException, HTTPResponse
from typing import Any, BinaryIO

from .. import wire
from ..domain.errors import (
    DamagedContentError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
)
from ..operations import Operation
from .blobs import Buffer, check_digest, digest_of

_TIMEOUT_SECONDS = 120.0


class RemoteWorkspace:
    """`url` is the base under which `/snapml/api/` answers (a Jupyter server or a hub service).

    The token is SNAPML_TOKEN, else JUPYTERHUB_API_TOKEN, sent as `Authorization: token ...`.
    """

    is_remote = True

    def __init__(self, url: str, *, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self.token = token or os.environ.get("SNAPML_TOKEN") or os.environ.get("JUPYTERHUB_API_TOKEN")
        self.blobs = HttpBlobs(self)
        self._actor: str | None = None

    def __repr__(self) -> str:
        return f"RemoteWorkspace({self.url!r})"

    @property
    def location(self) -> str:
        """What SNAPML_WORKSPACE must say to come back here."""
        return self.url

    @property
    def actor(self) -> str:
        """Who the server says we are."""
        if self._actor is None:
            self._actor = str(json.loads(self.request("GET", "/snapml/api/whoami"))["actor"])
        return self._actor

    def now(self) -> datetime:
        """This machine's time; what is recorded uses the server's."""
        return datetime.now(timezone.utc)

    def check_permission(self, permission: str, operation: str) -> None:
        """The server checks."""

    def call(self, operation: Operation, arguments: dict[str, Any]) -> Any:
        """Send the arguments, return the decoded record, raise what the other side raised."""
        content = self.request("POST", f"/snapml/api/{operation.name}", wire.encode_json(arguments), "application/json")
        return wire.decode_json(content, operation.types()["return"], f"answer of {operation.name}")

    def request(
        self, method: str, path: str, body: Buffer | None = None, media_type: str = "application/octet-stream"
    ) -> bytes:
        """One HTTP request; the body of its answer. Raises the error that the server described, or UnavailableError."""
        with self.send(method, path, body, media_type) as response:
            content: bytes = response.read()
            return content

    @contextmanager
    def send(
        self, method: str, path: str, body: Buffer | None = None, media_type: str = "application/octet-stream"
    ) -> Iterator[HTTPResponse]:
        """One HTTP request, its answer still to be read. Raises as `request` does."""
        request = urllib.request.Request(self.url + path, data=bytes(body) if body is not None else None, method=method)
        request.add_header("Content-Type", media_type)
        if self.token:
            request.add_header("Authorization", f"token {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:
                yield response
        except urllib.error.HTTPError as error:
            with error:
                raise self._explain(error) from None
        except (urllib.error.URLError, TimeoutError, ConnectionError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise UnavailableError(
                f"The workspace {self.url} does not answer: {reason}. Is its server running?"
            ) from error

    def _explain(self, error: urllib.error.HTTPError) -> Exception:
        content = error.read()
        try:
            described = json.loads(content)
        except ValueError:
            described = None
        if isinstance(described, dict) and "error" in described:
            return wire.decode_error(described)
        if error.code in (401, 403):
            return PermissionDeniedError(f"{self.url} refused the token. Set SNAPML_TOKEN to a token of that server.")
        if error.code == 404:
            return NotFoundError(
                f"{self.url} has no SnapML (it answered 404). Is snapml-jupyter installed on that server?"
            )
        return UnavailableError(f"{self.url} answered {error.code}.")


class HttpBlobs:
    """Blobs over HTTP, by digest; the same contract as FileBlobs."""

    def __init__(self, workspace: RemoteWorkspace) -> None:
        self._workspace = workspace

    def put(self, content: Buffer, *, locked: bool = False) -> str:
        digest = digest_of(content)
        if not self.exists(digest):
            self._workspace.request("PUT", f"/snapml/blobs/{digest}", content)
        return digest

    def open(self, digest: str) -> BinaryIO:
        return io.BytesIO(self.read(digest))

    def read(self, digest: str) -> bytes:
        content = self._workspace.request("GET", f"/snapml/blobs/{check_digest(digest)}")
        if digest_of(content) != digest:
            raise DamagedContentError(f"Blob {digest} from {self._workspace.url} does not match its digest.")
        return content

    def exists(self, digest: str) -> bool:
        try:
            self._workspace.request("HEAD", f"/snapml/blobs/{check_digest(digest)}")
        except NotFoundError:
            return False
        return True

    def size(self, digest: str) -> int:
        try:
            with self._workspace.send("HEAD", f"/snapml/blobs/{check_digest(digest)}") as response:
                return int(response.headers["Content-Length"])
        except NotFoundError:
            raise NotFoundError(f"There is no blob {digest} in {self._workspace.url}.") from None

    def remove(self, digest: str) -> None:
        raise InvalidInputError("Blobs of a remote workspace can only be removed on its own machine.")

    def digests(self) -> Iterator[str]:
        raise InvalidInputError("The blobs of a remote workspace are listed by its own `snapml verify`.")
