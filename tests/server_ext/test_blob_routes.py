"""Blobs through a Jupyter server: kept only when the digest holds, sent whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPError
from tornado.simple_httpclient import HTTPStreamClosedError

from snapml_jupyter.store.blobs import FileBlobs, digest_of

Fetch = Callable[..., Awaitable[Any]]

#: More than two pieces, and not a whole number of them.
_LARGE = bytes(range(256)) * 10_000 + b"end"


@pytest.fixture
def blobs(served_folder: Path) -> FileBlobs:
    return FileBlobs(served_folder / "blobs")


@pytest.mark.parametrize("content", [b"", b"small", _LARGE], ids=["empty", "small", "large"])
async def test_a_blob_comes_back_as_it_was_sent(jp_fetch: Fetch, blobs: FileBlobs, content: bytes) -> None:
    digest = digest_of(content)
    assert (await jp_fetch("snapml", "blobs", digest, method="PUT", body=content)).code == 201
    assert blobs.read(digest) == content
    answer = await jp_fetch("snapml", "blobs", digest)
    assert answer.body == content
    head = await jp_fetch("snapml", "blobs", digest, method="HEAD")
    assert int(head.headers["Content-Length"]) == len(content)


async def test_sending_it_again_changes_nothing(jp_fetch: Fetch, blobs: FileBlobs) -> None:
    digest = digest_of(b"twice")
    for _ in range(2):
        assert (await jp_fetch("snapml", "blobs", digest, method="PUT", body=b"twice")).code == 201
    assert list(blobs.digests()) == [digest]


async def test_bytes_of_another_digest_are_refused_and_leave_nothing(
    jp_fetch: Fetch, blobs: FileBlobs, served_folder: Path
) -> None:
    digest = digest_of(b"promised")
    answer = await jp_fetch("snapml", "blobs", digest, method="PUT", body=b"delivered", raise_error=False)
    assert answer.code == 400
    assert digest_of(b"delivered") in json.loads(answer.body)["message"]
    assert not [path for path in (served_folder / "blobs").rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ["abc", "%2e%2e%2fsnapml.db", "A" * 64])
async def test_a_name_that_is_no_digest_is_refused(jp_fetch: Fetch, name: str) -> None:
    for method, body in (("GET", None), ("PUT", b"x")):
        answer = await jp_fetch("snapml", "blobs", name, method=method, body=body, raise_error=False)
        assert answer.code == 400


async def test_a_blob_that_is_not_there_is_404(jp_fetch: Fetch) -> None:
    answer = await jp_fetch("snapml", "blobs", "0" * 64, raise_error=False)
    assert (answer.code, json.loads(answer.body)["error"]) == (404, "not_found")
    assert (await jp_fetch("snapml", "blobs", "0" * 64, method="HEAD", raise_error=False)).code == 404


async def test_a_damaged_blob_is_never_sent_whole(jp_fetch: Fetch, blobs: FileBlobs) -> None:
    digest = blobs.put(b"as it was")
    blobs.path(digest).write_bytes(b"as it is!")
    with pytest.raises((HTTPStreamClosedError, HTTPError)):
        await jp_fetch("snapml", "blobs", digest)


async def test_a_browser_may_not_run_what_somebody_logged(jp_fetch: Fetch, blobs: FileBlobs) -> None:
    digest = blobs.put(b"<script>alert(1)</script>")
    headers = (await jp_fetch("snapml", "blobs", digest)).headers
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"].startswith("attachment")
    assert "default-src 'none'" in headers["Content-Security-Policy"]


class TestLimit:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        jp_server_config["SnapMLExtension"]["max_blob_bytes"] = 100_000
        return jp_server_config

    async def test_a_blob_above_the_limit_leaves_nothing(self, jp_fetch: Fetch, served_folder: Path) -> None:
        with pytest.raises((HTTPStreamClosedError, HTTPError)):
            await jp_fetch("snapml", "blobs", digest_of(_LARGE), method="PUT", body=_LARGE)
        assert not [path for path in (served_folder / "blobs").rglob("*") if path.is_file()]
