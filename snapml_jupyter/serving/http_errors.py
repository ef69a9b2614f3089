"""Errors of the endpoint port: one class with a status, one place that turns domain errors into it."""

from __future__ import annotations

import msgspec

from ..domain.errors import InvalidInputError, NotFoundError, PermissionDeniedError, SnapMLError, UnavailableError
from . import mlflow_protocol
from .rows import TooManyRowsError
from .session import CannotAnswerError

Headers = tuple[tuple[bytes, bytes], ...]

_STATUS: tuple[tuple[type[SnapMLError], int], ...] = (
    (TooManyRowsError, 413),
    (mlflow_protocol.UnsupportedContentError, 415),
    (CannotAnswerError, 422),
    (InvalidInputError, 400),
    (NotFoundError, 404),
    (PermissionDeniedError, 403),
    (UnavailableError, 503),
)
#: What a client sent is quoted in errors; not all of it when it sent pages.
_MAX_MESSAGE = 2000
_encode = msgspec.json.Encoder().encode


class HttpError(Exception):
    """An answer other than 200. `message` says what failed and what to do."""

    def __init__(self, status: int, message: str, headers: Headers = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


def http_error(error: SnapMLError) -> HttpError:
    """The status that a domain error means on this port."""
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return HttpError(status, str(error))
    return HttpError(500, str(error))


def error_body(path: str, status: int, message: str) -> bytes:
    """An error's JSON in the shape of the protocol that `path` belongs to."""
    if len(message) > _MAX_MESSAGE:
        message = message[:_MAX_MESSAGE] + "..."
    if path in mlflow_protocol.PATHS:
        return mlflow_protocol.encode_error(status, message)
    return _encode({"error": message})
