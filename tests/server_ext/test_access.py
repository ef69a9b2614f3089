"""No route answers without a login, and looking is not counted as work."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tornado.httputil import url_concat

Fetch = Callable[..., Awaitable[Any]]

_EXAMPLES = {
    r"/snapml/api/openapi\.json": "/snapml/api/openapi.json",
    r"/snapml/api/whoami": "/snapml/api/whoami",
    r"/snapml/api/([a-z_]+\.[a-z_0-9]+)": "/snapml/api/governance.get_status",
    r"/snapml/blobs/([^/]+)": "/snapml/blobs/" + "0" * 64,
    r"/snapml/uploads": "/snapml/uploads",
    r"/snapml/uploads/([^/]+)": "/snapml/uploads/" + "0" * 32,
    r"/snapml/uploads/([^/]+)/finish": "/snapml/uploads/" + "0" * 32 + "/finish",
    r"/snapml/events": "/snapml/events",
    r"/snapml/((?:endpoints/|v2/).+|v2)": "/snapml/endpoints/flights/predict",
    r"/snapml(?:/.*)?": "/snapml/anything",
}


def test_the_examples_cover_every_route(extension: Any) -> None:
    assert {item[0] for item in extension.handlers} == set(_EXAMPLES)
    for pattern, example in _EXAMPLES.items():
        assert re.fullmatch(pattern, example)


@pytest.mark.parametrize("token", ["wrong", None])
async def test_no_route_answers_without_the_right_token(
    extension: Any, http_server_client: Any, jp_base_url: str, token: str | None
) -> None:
    headers = {"Authorization": f"token {token}"} if token else {}
    for pattern, handler, *_ in extension.handlers:
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
            if getattr(handler, method.lower()) is getattr(handler.__mro__[-2], method.lower(), None):
                continue
            answer = await http_server_client.fetch(
                url_concat(jp_base_url.rstrip("/") + _EXAMPLES[pattern], {}),
                method=method,
                headers=headers,
                body=b"{}" if method in ("POST", "PUT", "PATCH") else None,
                raise_error=False,
            )
            refused = (403,) if handler.__dict__.get(method.lower()) else (403, 405)
            assert answer.code in refused, (method, pattern, answer.code)
            if method != "HEAD":
                assert set(json.loads(answer.body)) == {"error", "message"}


async def test_the_server_knows_no_route_of_ours_as_open(extension: Any) -> None:
    for pattern, handler, *_ in extension.handlers:
        for method in ("get", "head", "post", "put"):
            verb = handler.__dict__.get(method)
            assert not getattr(verb, "__allow_unauthenticated", False), (pattern, method)


async def test_looking_does_not_keep_an_idle_server_alive(jp_fetch: Fetch, jp_serverapp: Any) -> None:
    jp_serverapp.web_app.settings.pop("api_last_activity", None)
    await jp_fetch("snapml", "api", "whoami")
    await jp_fetch("snapml", "api", "governance.list_events", method="POST", body=b"{}")
    assert "api_last_activity" not in jp_serverapp.web_app.settings
