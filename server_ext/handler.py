"""What every route shares: who asks, work off the event loop, and errors as `{"error", "message"}`."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from jupyter_server.auth.decorator import authorized
from jupyter_server.auth.identity import User
from jupyter_server.base.handlers import APIHandler
from tornado.web import HTTPError, authenticated

from .. import wire
from ..domain.errors import PermissionDeniedError, SnapMLError
from .served import ServedWorkspace
from .watcher import Watcher

Verb = TypeVar("Verb", bound=Callable[..., Awaitable[None]])

#: The resource that Jupyter's authorizer is asked about.
RESOURCE = "snapml"

#: The one place where an error's code becomes an HTTP status.
STATUS: dict[str, int] = {
    "error": 500,
    "not_found": 404,
    "invalid_input": 400,
    "conflict": 409,
    "permission_denied": 403,
    "untrusted_model": 403,
    "cannot_keep": 422,
    "damaged_content": 500,
    "cannot_export": 422,
    "parity_failed": 422,
    "unavailable": 503,
    "missing_dependency": 501,
}

#: Codes for what Jupyter and tornado refuse before an operation is reached.
_CODES = {400: "invalid_input", 403: "permission_denied", 404: "not_found", 405: "invalid_input", 413: "invalid_input"}

_SENTENCES = {
    403: "Jupyter refused this request: it carries no valid token or login, or lacks the right. Log in again or check the token.",
    404: "There is no such address below /snapml. GET /snapml/api/openapi.json lists what there is.",
    405: "This address does not take that HTTP method. GET /snapml/api/openapi.json lists what it takes.",
}


def allowed(action: str) -> Callable[[Verb], Verb]:
    """Every verb of every route carries this: logged in, and allowed to `action` by Jupyter's authorizer.

    `authorized` always gets both arguments: without them it keeps the action of whichever request came first.
    """

    def decorate(method: Verb) -> Verb:
        checked: Verb = authorized(action, resource=RESOURCE)(method)
        return authenticated(checked)  # type: ignore[return-value]  # tornado types what it wraps more loosely

    return decorate


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the extension gives to every route. Sizes are limits of what may be sent."""

    served: ServedWorkspace
    watcher: Watcher
    max_body_bytes: int
    max_blob_bytes: int


class SnapMLHandler(APIHandler):
    """Base of all routes."""

    auth_resource = RESOURCE
    # A sidebar that looks now and then must not keep a Hub from stopping an idle server.
    _track_activity = False

    def initialize(self, surroundings: Surroundings) -> None:
        """Called by tornado for each request."""
        self.surroundings = surroundings
        self.served = surroundings.served

    @property
    def actor(self) -> str | None:
        """The person, when Jupyter really knows who it is; None means the workspace's default actor.

        Token and password servers invent a name for each browser, so only another identity provider (a Hub's) counts.
        """
        user = self.current_user
        invented = type(self.identity_provider).__module__.startswith("jupyter_server.")
        return user.username if isinstance(user, User) and user.username and not invented else None

    async def require(self, action: str) -> None:
        """Ask Jupyter's authorizer for one more right. Raises PermissionDeniedError."""
        allowed = self.authorizer.is_authorized(self, self.current_user, action, RESOURCE)
        if not (await allowed if inspect.isawaitable(allowed) else allowed):
            raise PermissionDeniedError(
                f"{self.current_user.username} may not {action} on this server's SnapML. Ask its administrator."
            )

    def send_json(self, content: bytes) -> None:
        """Finish with JSON bytes."""
        self.set_header("Cache-Control", "no-store")
        self.finish(content)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Give deliberate errors their status."""
        error = (kwargs.get("exc_info") or (None, None))[1]
        if isinstance(error, SnapMLError):
            status_code = STATUS[error.code]
        super().send_error(status_code, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Every failure has the same shape."""
        error = (kwargs.get("exc_info") or (None, None))[1]
        if isinstance(error, SnapMLError):
            content = wire.encode_error(error)
        elif isinstance(error, HTTPError) or error is None:
            sentence = _SENTENCES.get(status_code) or getattr(error, "log_message", None) or f"HTTP {status_code}."
            content = {"error": _CODES.get(status_code, "error"), "message": sentence}
        else:
            content = {
                "error": "error",
                "message": f"SnapML failed with {type(error).__name__}: {error}. "
                "This is a fault of SnapML's; the Jupyter server's log has the traceback.",
            }
        self.finish(wire.encode_json(content))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Deliberate errors are answers, not faults: no traceback in the server's log."""
        if isinstance(value, SnapMLError):
            self.log.debug("%s %s: %s", self.request.method, self.request.path, value)
        else:
            super().log_exception(typ, value, tb)
