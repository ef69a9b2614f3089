"""The way to the endpoints for people who can reach only Jupyter: `snapml/endpoints/...` and `snapml/v2/...`.

Jupyter's login uses the Authorization header, so the endpoint's key travels as `X-SnapML-Key`.
"""

from __future__ import annotations

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError

from ..domain.endpoint import HostStatus
from ..domain.errors import UnavailableError
from ..store.remote import RemoteWorkspace
from .handler import SnapMLHandler, allowed

KEY_HEADER = "X-SnapML-Key"
_TIMEOUT_SECONDS = 60.0
_MAX_ANSWER_BYTES = 256 << 20

#: Passed on; everything else (cookies, Jupyter's token, hop-by-hop headers) stays here.
_TO_HOST = ("Content-Type", "Accept", "Inference-Header-Content-Length", "X-Request-Id", "Traceparent")
_FROM_HOST = ("Content-Type", "Inference-Header-Content-Length", "X-Request-Id", "Retry-After", "Allow")


class EndpointHandler(SnapMLHandler):
    """One request to the host's port and its answer, as they are."""

    # A prediction asked through Jupyter is somebody at work.
    _track_activity = True

    @allowed("execute")
    async def post(self, path: str) -> None:
        """Predictions, feedback, inference."""
        await self._pass_on(path)

    @allowed("read")
    async def get(self, path: str) -> None:
        """Health and metadata."""
        await self._pass_on(path)

    async def _pass_on(self, path: str) -> None:
        host: HostStatus = await self.served.in_thread(self._host)
        if not host.running or host.url is None:
            raise UnavailableError(
                "The host is not running, so no endpoint answers. Start it: `snapml host start`, or deploy a model."
            )
        headers = {name: self.request.headers[name] for name in _TO_HOST if name in self.request.headers}
        if key := self.request.headers.get(KEY_HEADER):
            headers["Authorization"] = f"Bearer {key}"
        query = f"?{self.request.query}" if self.request.query else ""
        client = AsyncHTTPClient(force_instance=True, max_body_size=_MAX_ANSWER_BYTES)
        try:
            answer = await client.fetch(
                HTTPRequest(
                    f"{host.url.rstrip('/')}/{path}{query}",
                    method=self.request.method or "GET",
                    headers=headers,
                    body=self.request.body if self.request.method == "POST" else None,
                    follow_redirects=False,
                    request_timeout=_TIMEOUT_SECONDS,
                ),
                raise_error=False,
            )
            if answer.code == 599:  # tornado's own code for "no answer"
                answer.rethrow()
        except (HTTPTimeoutError, HTTPStreamClosedError, OSError) as error:
            raise UnavailableError(
                f"The host at {host.url} does not answer: {error}. See `snapml host status` and `snapml host logs`."
            ) from error
        finally:
            client.close()
        self.set_status(answer.code, answer.reason)
        for name in _FROM_HOST:
            if name in answer.headers:
                self.set_header(name, answer.headers[name])
        self.finish(answer.body or b"", set_content_type=answer.headers.get("Content-Type", "application/json"))

    def _host(self) -> HostStatus:
        from ..serving.host_process import get_host_status

        workspace = self.served.open(self.actor)
        if isinstance(workspace, RemoteWorkspace):
            raise UnavailableError(f"The endpoints of {workspace.location} answer there, not through this server.")
        return get_host_status(workspace)
