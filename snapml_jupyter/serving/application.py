"""The raw ASGI application of a worker: key, path, body, answer; no framework, no lock, no disk, no SQLite.

A request reads `routing.routes` once and works with what it found, whatever is deployed meanwhile.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from time import perf_counter
from typing import Any, NoReturn

import msgspec

from ..domain.errors import SnapMLError
from ..domain.traffic import Scope as KeyScope
from ..version import __version__
from . import mlflow_protocol, open_inference
from .content_encoding import unpack
from .cors import allow_headers, preflight
from .endpoint_openapi import openapi_document
from .http_errors import Headers, HttpError, error_body, http_error
from .keys import basic_key, hash_key
from .metrics import add_up, prometheus_text
from .one_write import ANSWER, WriteAnswer
from .plain_protocol import decode_feedback, encode_predictions
from .prediction_log import PredictionLog
from .reports import TrafficReport, say
from .routing import Endpoint, Key, Routes, RoutingTable, Served
from .rows import Row
from .session import Answers
from .trace_context import read_trace

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

#: Requests in flight above which new ones are told to come back: memory stays bounded under any load.
MAX_IN_FLIGHT = 2000
#: A body above the limit is read and thrown away up to this multiple, so that the client hears the 413.
_DRAIN_FACTOR = 4

#: How long a client may pause within a body.
BODY_SECONDS = 30.0

_CLOSE: Headers = ((b"connection", b"close"),)
_JSON = b"application/json"
_BINARY = b"application/octet-stream"
_TEXT = b"text/plain; version=0.0.4; charset=utf-8"
_OPEN_PATHS = frozenset({"/livez", "/readyz", "/healthz", "/v2/health/live", "/v2/health/ready"})
_encode = msgspec.json.Encoder().encode


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may have."""

    max_body_bytes: int
    max_rows: int
    #: Whether other machines reach only the endpoints that are public.
    is_guarded: bool = False


@dataclass(slots=True)
class _Request:
    """One request on its way: what was read of its head, and whom it turned out to be for."""

    method: str
    path: str
    request_id: str
    key: bytes | None = None
    content_length: int = 0
    headers: Sequence[tuple[bytes, bytes]] = ()
    origin: bytes | None = None
    is_from_here: bool = True
    encoding: bytes | None = None
    has_trace: bool = False
    endpoint: Endpoint | None = None
    served: Served | None = None
    n_rows: int = 0
    answer_headers: Headers = ()

    def header(self, wanted: bytes) -> bytes | None:
        """The value of a header that few requests need."""
        return next((value for name, value in self.headers if name == wanted), None)


class EndpointApplication:
    """`await application(scope, receive, send)` answers one request. `in_flight` are the server's running requests."""

    def __init__(
        self, routing: RoutingTable, log: PredictionLog, in_flight: Collection[object], limits: Limits
    ) -> None:
        self.is_draining = False
        #: Traffic and drop counts of the other workers, kept fresh by the reporter thread.
        self.other_traffic: list[TrafficReport] = []
        self.other_dropped: dict[str, int] = {}
        self._routing = routing
        self._log = log
        self._in_flight = in_flight
        self._limits = limits
        self._request_ids = _request_ids()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started_at = perf_counter()
        request = self._read_head(scope)
        status, media_type = 200, _JSON
        headers: Headers = ()
        try:
            if len(self._in_flight) > MAX_IN_FLIGHT:
                raise HttpError(503, "Too many requests at once. Try again in a second.", ((b"retry-after", b"1"),))
            status, media_type, content = await self._answer(request, receive)
        except HttpError as error:
            status, headers = error.status, error.headers
            content = error_body(request.path, status, error.message) if status != 204 else b""
        except SnapMLError as error:
            told = http_error(error)
            status, content = told.status, error_body(request.path, told.status, told.message)
        except ClientGoneError:
            return
        except Exception:  # the last resort: one request's surprise must not reach another, and is in the log
            say(traceback.format_exc())
            status = 500
            content = error_body(
                request.path, status, f"Request {request.request_id} failed inside the server; see its host.log."
            )
        if request.served is not None:
            request.served.counter.count(status, request.n_rows, perf_counter() - started_at)
        if request.origin is not None and request.endpoint is not None:
            headers = (*headers, *allow_headers(request.endpoint.settings.cors_origins, request.origin))
        all_headers = (
            (b"content-type", media_type),
            (b"content-length", b"%d" % len(content)),
            (b"x-request-id", request.request_id.encode("latin-1")),
            *request.answer_headers,
            *headers,
        )
        write: WriteAnswer | None = scope.get("extensions", {}).get(ANSWER, {}).get("write")
        if write is None or _CLOSE[0] in headers or request.method == "HEAD" or not write(status, all_headers, content):
            await send({"type": "http.response.start", "status": status, "headers": all_headers})
            await send({"type": "http.response.body", "body": content})

    def _read_head(self, scope: Scope) -> _Request:
        request = _Request(scope["method"], scope["path"], "", headers=scope["headers"])
        request.is_from_here = not self._limits.is_guarded or is_loopback(scope.get("client"))
        for name, value in request.headers:
            if name == b"authorization":
                request.key = value[7:].strip() if value[:7].lower() == b"bearer " else basic_key(value)
            elif name == b"content-length":
                request.content_length = int(value) if value.isdigit() else 0
            elif name == b"x-request-id" and 0 < len(value) <= 128:
                request.request_id = value.decode("latin-1")
            elif name == b"origin":
                request.origin = value
            elif name == b"content-encoding":
                request.encoding = value
            elif name == b"traceparent":
                request.has_trace = True
        sent = request.request_id
        if not sent or not sent.isprintable() or not sent.isascii():
            sent, request.request_id = "", next(self._request_ids)
        if request.has_trace and (trace := read_trace(request.headers)) is not None:
            request.answer_headers = trace.headers
            if not sent:
                request.request_id += f"-{trace.trace_id}"  # so that the prediction log knows the trace
        return request

    async def _answer(self, request: _Request, receive: Receive) -> tuple[int, bytes, bytes]:
        """Status, media type and body. Raises HttpError or a domain error."""
        path = request.path
        if path in _OPEN_PATHS:
            return self._health(path)
        routes = self._routing.routes
        if request.method == "OPTIONS" and request.origin is not None:
            request.endpoint = routes.endpoints.get(_endpoint_in(path))
            raise preflight(request.endpoint.settings.cors_origins if request.endpoint else (), request.origin)
        key = self._authenticate(routes, request)
        allowed = key.grant.endpoint
        if path.startswith("/endpoints/"):
            name, _, action = path[11:].partition("/")
            endpoint = self._authorise(routes, request, name, allowed)
            if action == "predict":
                self._need(request, "POST")
                self._admit(key, endpoint, KeyScope.predict)
                return 200, _JSON, await self._predict(endpoint, request, receive)
            if action == "feedback":
                self._need(request, "POST")
                self._admit(key, endpoint, KeyScope.feedback)
                return 202, _JSON, await self._feedback(endpoint, request, receive)
            if action == "openapi.json":
                self._need(request, "GET")
                return 200, _JSON, _encode(openapi_document(_served(endpoint)))
        elif path.startswith("/v2/models/"):
            name, _, action = path[11:].partition("/")
            endpoint = self._authorise(routes, request, name, allowed)
            return await self._model(key, endpoint, action, request, receive)
        elif path in mlflow_protocol.PATHS:
            return await self._mlflow(routes, key, request, receive)
        elif path in ("/v2", "/v2/"):
            self._need(request, "GET")
            return 200, _JSON, _encode(open_inference.server_metadata())
        elif path == "/metrics":
            self._need(request, "GET")
            return 200, _TEXT, self._metrics(allowed)
        raise HttpError(
            404,
            f"There is nothing at {path[:100]}. Try POST /endpoints/{allowed}/predict or GET /v2/models/{allowed}.",
        )

    def _authenticate(self, routes: Routes, request: _Request) -> Key:
        """What the key opens. Only the key's digest is looked up, so timing says nothing about keys."""
        if not request.key:
            what = "No API key" if request.key is None else "The Authorization header is not 'Bearer KEY'"
            self._refuse(f"{what}. Send the header 'Authorization: Bearer KEY' with a key of the endpoint.")
        key = routes.keys.get(hash_key(request.key))
        if key is None:
            self._refuse("The API key is not valid: it is unknown or was revoked. Ask the endpoint's owner for one.")
        expires_at = key.grant.expires_at
        if expires_at is not None and time.time() >= expires_at:
            self._refuse("The API key has expired. Ask the endpoint's owner for a new one.")
        return key

    def _admit(self, key: Key, endpoint: Endpoint, scope: KeyScope) -> None:
        """Check the key's scope, then its limits and the endpoint's. Raises HttpError 403 or 429."""
        scopes = key.grant.scopes
        if scope not in scopes and KeyScope.admin not in scopes:
            raise HttpError(
                403,
                f"This API key may not be used for {scope.value}: its scopes are "
                f"{', '.join(sorted(each.value for each in scopes)) or 'none'}.",
            )
        limiters = [each for each in (key.limiter, endpoint.limiter) if each is not None]
        for limiter in limiters:
            refusal = limiter.refuses()
            if refusal is not None:
                whose = "This API key" if limiter is key.limiter else f"Endpoint '{endpoint.name}'"
                raise HttpError(
                    429,
                    f"{whose} may be asked {refusal.reason}. Try again in {refusal.retry_seconds} seconds.",
                    ((b"retry-after", b"%d" % refusal.retry_seconds),),
                )
        for limiter in limiters:
            limiter.take()

    def _refuse(self, message: str) -> NoReturn:
        raise HttpError(401, message, ((b"www-authenticate", b"Bearer"),))

    def _authorise(self, routes: Routes, request: _Request, name: str, allowed: str) -> Endpoint:
        endpoint = routes.endpoints.get(name)
        if endpoint is not None:
            request.endpoint, request.served = endpoint, endpoint.served
        if endpoint is None:
            if name == allowed:
                raise HttpError(503, f"Endpoint '{name}' has no live deployment yet. Try again in a second.")
            raise HttpError(404, f"There is no endpoint '{name[:100]}'. Your key is for '{allowed}'.")
        if not request.is_from_here and not endpoint.settings.is_public:
            raise HttpError(403, f"Endpoint '{name}' is not public: it answers only on its own machine.")
        if name != allowed:
            raise HttpError(403, f"This API key is for the endpoint '{allowed}', not for '{name}'.")
        return endpoint

    def _need(self, request: _Request, method: str) -> None:
        if request.method != method and not (method == "GET" and request.method == "HEAD"):
            raise HttpError(
                405, f"Use {method} for {request.path[:100]}, not {request.method}.", ((b"allow", method.encode()),)
            )

    def _health(self, path: str) -> tuple[int, bytes, bytes]:
        if path in ("/livez", "/healthz") or (path == "/readyz" and not self.is_draining):
            return 200, b"text/plain", b""
        if path == "/v2/health/live":
            return 200, _JSON, b'{"live":true}'
        if self.is_draining:
            return 503, _JSON, b'{"ready":false,"live":true}'
        return 200, _JSON, b'{"ready":true,"live":true}'

    async def _predict(self, endpoint: Endpoint, request: _Request, receive: Receive) -> bytes:
        body = await self._body(request, receive)
        served = self._choose(endpoint, request)
        answers = await self._answers(endpoint, served, request, served.decoder.decode(body))
        return encode_predictions(served, request.request_id, answers)

    def _choose(self, endpoint: Endpoint, request: _Request) -> Served:
        """The version that answers this request. Raises HttpError 503 when none can."""
        served = endpoint.served
        if served is None:
            raise HttpError(503, f"Endpoint '{endpoint.name}' cannot answer: {endpoint.failure}")
        if endpoint.split is not None:
            served = request.served = endpoint.split.choose(self._client(endpoint, request))
        return served

    def _client(self, endpoint: Endpoint, request: _Request) -> bytes | None:
        """What tells clients apart where they are to stay with one version."""
        if endpoint.sticky_header is not None:
            return next((value for name, value in request.headers if name == endpoint.sticky_header), None)
        return request.key if endpoint.settings.sticky == "key" else None

    async def _answers(self, endpoint: Endpoint, served: Served, request: _Request, rows: list[Row]) -> Answers:
        """Run the rows, log them, and send copies where other versions are compared."""
        settings = endpoint.settings
        if settings.max_rows is not None and len(rows) > settings.max_rows:
            raise HttpError(413, f"Endpoint '{endpoint.name}' takes at most {settings.max_rows:,} rows in one request.")
        if settings.timeout_seconds is None:
            answers = await served.batcher.predict(rows)
        else:
            answers = await self._in_time(settings.timeout_seconds, served.batcher.predict(rows))
        request.n_rows = len(rows)
        if settings.sample_fraction >= 1.0 or random.random() < settings.sample_fraction:
            self._log.append(served.target, request.request_id, rows, answers)
        for copies in endpoint.copies:
            if copies.of.target.deployment == served.target.deployment:
                copies.take(request.request_id, rows, answers)
        return answers

    async def _in_time(self, seconds: float, answers: Awaitable[Answers]) -> Answers:
        try:
            return await asyncio.wait_for(answers, seconds)
        except asyncio.TimeoutError:
            raise HttpError(503, f"The model did not answer within {seconds:g} seconds.") from None

    async def _feedback(self, endpoint: Endpoint, request: _Request, receive: Receive) -> bytes:
        labels = decode_feedback(await self._body(request, receive), self._limits.max_rows)
        if not self._log.append_feedback(endpoint.name, labels):
            raise HttpError(
                503, "The feedback cannot be kept right now. Send it again later.", ((b"retry-after", b"5"),)
            )
        return _encode({"endpoint": endpoint.name, "request_id": request.request_id, "n_labels": len(labels)})

    async def _model(
        self, key: Key, endpoint: Endpoint, action: str, request: _Request, receive: Receive
    ) -> tuple[int, bytes, bytes]:
        """The Open Inference Protocol below `/v2/models/NAME`."""
        asked: Served | None = None
        if action.startswith("versions/"):
            version, _, action = action[9:].partition("/")
            asked = self._version(endpoint, version)
        if action == "ready":
            self._need(request, "GET")
            return 200, _JSON, _encode({"name": endpoint.name, "ready": endpoint.served is not None})
        served = asked or _served(endpoint)
        if action == "":
            self._need(request, "GET")
            versions = [each.version for each in _versions(endpoint)]
            return 200, _JSON, _encode(open_inference.model_metadata(served, versions))
        if action != "infer":
            raise HttpError(
                404, f"There is nothing at {request.path[:100]}. Try POST /v2/models/{endpoint.name}/infer."
            )
        self._need(request, "POST")
        self._admit(key, endpoint, KeyScope.predict)
        body = await self._body(request, receive)
        served = asked or self._choose(endpoint, request)
        request.served = served
        wanted, rows = open_inference.decode_infer(served, body, request.header(open_inference.HEADER_LENGTH))
        answers = await self._answers(endpoint, served, request, rows)
        content, json_length = open_inference.encode_infer(served, wanted, answers)
        if json_length is None:
            return 200, _JSON, content
        request.answer_headers += ((open_inference.HEADER_LENGTH, b"%d" % json_length),)
        return 200, _BINARY, content

    async def _mlflow(self, routes: Routes, key: Key, request: _Request, receive: Receive) -> tuple[int, bytes, bytes]:
        """MLflow's paths, which name no endpoint: the key does."""
        name = key.grant.endpoint
        if request.path != "/invocations":
            self._need(request, "GET")
            if request.path == "/version":
                return 200, b"text/plain", __version__.encode()
            is_known = name in routes.endpoints
            served = self._authorise(routes, request, name, name).served if is_known else None
            status, content = mlflow_protocol.health(served)
            return status, b"text/plain", content
        endpoint = self._authorise(routes, request, name, name)
        self._need(request, "POST")
        self._admit(key, endpoint, KeyScope.predict)
        body = await self._body(request, receive)
        served = self._choose(endpoint, request)
        rows = mlflow_protocol.decode_invocation(served.decoder, request.header(b"content-type"), body)
        return 200, _JSON, mlflow_protocol.encode_invocation(await self._answers(endpoint, served, request, rows))

    def _version(self, endpoint: Endpoint, version: str) -> Served:
        """The live version that was asked for by its number. Raises HttpError 404."""
        served = _versions(endpoint)
        for each in served:
            if each.version == version:
                return each
        known = ", ".join(each.version for each in served)
        raise HttpError(404, f"Endpoint '{endpoint.name}' serves version {known}, not version {version[:20]!r}.")

    def _metrics(self, allowed: str) -> bytes:
        own = [counter.report() for counter in self._routing.counters.values()]
        traffic = [part for part in add_up([*own, *self.other_traffic]) if part.endpoint == allowed]
        n_dropped = self._log.n_dropped.get(allowed, 0) + self.other_dropped.get(allowed, 0)
        return prometheus_text(traffic, {allowed: n_dropped}).encode()

    async def _body(self, request: _Request, receive: Receive) -> bytes:
        """The whole body. Raises HttpError 413 above the limit, whether its length was announced or not."""
        limit = self._limits.max_body_bytes
        if request.endpoint is not None and request.endpoint.settings.max_body_bytes is not None:
            limit = min(limit, request.endpoint.settings.max_body_bytes)
        if request.content_length > limit * _DRAIN_FACTOR:
            self._too_large(limit, close=True)
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGoneError
        body: bytes = message["body"]
        if message.get("more_body"):
            parts, n_bytes = [body], len(body)
            while message.get("more_body"):
                try:
                    message = await asyncio.wait_for(receive(), BODY_SECONDS)
                except asyncio.TimeoutError:
                    raise HttpError(
                        408, f"The rest of the body did not come within {BODY_SECONDS:.0f} seconds.", _CLOSE
                    ) from None
                if message["type"] != "http.request":
                    raise ClientGoneError
                n_bytes += len(message["body"])
                if n_bytes > limit * _DRAIN_FACTOR:
                    self._too_large(limit, close=True)
                if n_bytes <= limit:
                    parts.append(message["body"])
            if n_bytes > limit:
                self._too_large(limit, close=False)
            body = b"".join(parts)
        elif len(body) > limit:
            self._too_large(limit, close=False)
        if request.encoding is not None:
            unpacked = unpack(request.encoding, body, limit)
            return unpacked if unpacked is not None else self._too_large(limit, close=False)
        return body

    def _too_large(self, limit: int, *, close: bool) -> NoReturn:
        headers = _CLOSE if close else ()
        raise HttpError(
            413,
            f"The body is larger than {limit / 2**20:g} MiB. Send the rows in several requests.",
            headers,
        )


def _served(endpoint: Endpoint) -> Served:
    if endpoint.served is None:
        raise HttpError(503, f"Endpoint '{endpoint.name}' cannot answer: {endpoint.failure}")
    return endpoint.served


def is_loopback(client: Sequence[Any] | None) -> bool:
    """Whether a connection comes from this machine; `client` is (address, port)."""
    if not client:
        return False
    address = str(client[0])
    return address.startswith(("127.", "::ffff:127.")) or address == "::1"


def _versions(endpoint: Endpoint) -> list[Served]:
    """The live versions of an endpoint."""
    served = [_served(endpoint)]
    if endpoint.split is not None and endpoint.split.challenger is not None:
        served.append(endpoint.split.challenger)
    return served


def _endpoint_in(path: str) -> str:
    """The name of the endpoint in a path of either protocol."""
    return path.removeprefix("/endpoints/").removeprefix("/v2/models/").partition("/")[0]


def _request_ids() -> Iterator[str]:
    """Ids that no other process or restart gives: a random prefix and a counter, at the cost of the counter."""
    prefix = secrets.token_hex(6)
    return (f"{prefix}-{number:x}" for number in count(1))
