"""Cross-origin requests: which web pages may ask an endpoint from a browser. https://fetch.spec.whatwg.org/#http-cors-protocol"""

from __future__ import annotations

from collections.abc import Collection

from .http_errors import Headers, HttpError

_EXPOSED = b"x-request-id, retry-after"


def allow_headers(allowed: Collection[str], origin: bytes) -> Headers:
    """The headers that let a page of `origin` read the answer; none when it may not."""
    if not _may(allowed, origin):
        return ()
    return (
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", _EXPOSED),
        (b"vary", b"origin"),
    )


def preflight(allowed: Collection[str], origin: bytes) -> HttpError:
    """The answer to a browser's question whether a page of `origin` may send a request, which needs no key."""
    if not _may(allowed, origin):
        said = origin.decode("latin-1")[:100]
        return HttpError(403, f"Pages of {said} may not ask this endpoint. Its owner can allow it: cors_origins.")
    headers = (
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", b"authorization, content-type, x-request-id"),
        (b"access-control-max-age", b"600"),
    )
    return HttpError(204, "", headers)


def _may(allowed: Collection[str], origin: bytes) -> bool:
    return "*" in allowed or origin.decode("latin-1") in allowed
