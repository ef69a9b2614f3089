"""Garbage on the port: no 5xx, no dead worker, and the next good request is answered."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from snapml_jupyter.serving.reports import list_workers

GOOD = b'{"rows":[{"amount":1.0,"city":"Oslo","n":3,"vip":true}]}'
PATHS = [
    b"/endpoints/tiny/predict",
    b"/endpoints/tiny/feedback",
    b"/v2/models/tiny/infer",
    b"/v2/models/tiny/versions/1/infer",
    b"/v2/models/%00/infer",
    b"/endpoints//predict",
    b"/endpoints/" + b"x" * 3000,
    b"/metrics",
    b"/v2",
    b"/%ff%fe",
    b"/../../etc/passwd",
    b"*",
]


def head(method: bytes, path: bytes, key: str, extra: bytes = b"") -> bytes:
    return b"%b %b HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %b\r\n%b\r\n" % (method, path, key.encode(), extra)


def mangled(content: bytes, rng: random.Random) -> bytes:
    """The content with some bytes changed, cut out or put in."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(3)
        if kind == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 1:
            del data[at : at + rng.randint(1, 5)]
        else:
            data[at:at] = rng.randbytes(rng.randint(1, 5))
    return bytes(data)


def exchange(port: int, content: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        try:
            raw.sendall(content)
            raw.shutdown(socket.SHUT_WR)
            return raw.recv(65536)
        except OSError:
            return b""


@pytest.mark.parametrize("seed", range(4))
def test_no_garbage_makes_it_fail(served: Any, connect: Callable[..., Any], row: dict[str, Any], seed: int) -> None:
    rng = random.Random(seed)
    (worker,) = list_workers(served.workspace.folder)
    for _ in range(150):
        path = rng.choice(PATHS)
        body = mangled(GOOD, rng) if rng.random() < 0.7 else rng.randbytes(rng.randrange(200))
        length = len(body) if rng.random() < 0.8 else rng.choice([0, 3, 10**6, 10**12])
        kind = rng.randrange(4)
        if kind == 0:
            content = mangled(head(b"POST", path, served.api_key, b"content-length: %d\r\n" % length) + body, rng)
        elif kind == 1:
            chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
            content = head(b"POST", path, served.api_key, b"transfer-encoding: chunked\r\n") + chunk
        elif kind == 2:
            method = rng.choice([b"GET", b"PUT", b"DELETE", b"OPTIONS", b"HEAD", b"PATCH"])
            content = head(method, path, served.api_key, b"x-request-id: %b\r\n" % rng.randbytes(5).hex().encode())
        else:
            content = head(b"POST", path, served.api_key, b"content-length: %d\r\n" % length) + body
        answer = exchange(served.port, content)
        if answer:
            status = int(answer.split(b" ", 2)[1])
            assert status < 500 or status == 503, (content, answer)
    assert [w.pid for w in list_workers(served.workspace.folder)] == [worker.pid]
    assert connect(served.port, served.api_key).post("/endpoints/tiny/predict", {"rows": [row]})[0] == 200


def everything(port: int, content: bytes) -> bytes:
    """What comes until the server closes the connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(content)
        while part := raw.recv(65536):
            answer += part
    return answer


def test_pipelined_requests_are_answered_in_order(served: Any) -> None:
    request = head(b"POST", b"/endpoints/tiny/predict", served.api_key, b"content-length: %d\r\n" % len(GOOD)) + GOOD
    bad = head(b"POST", b"/endpoints/tiny/predict", served.api_key, b"content-length: 2\r\n") + b"{}"
    last = head(b"GET", b"/v2/health/live", served.api_key, b"connection: close\r\n")
    answer = everything(served.port, request + bad + last)
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"400", b"200"]


def test_head_answers_without_a_body_and_the_connection_stays(served: Any) -> None:
    last = head(b"GET", b"/v2/health/live", served.api_key, b"connection: close\r\n")
    answer = everything(served.port, head(b"HEAD", b"/v2", served.api_key) + last)
    _, first, second = answer.split(b"HTTP/1.1 ")
    assert first.startswith(b"200")
    assert first.endswith(b"\r\n\r\n")
    assert second.endswith(b'{"live":true}')


def test_memory_stays_below_its_bound(served: Any, connect: Callable[..., Any], row: dict[str, Any]) -> None:
    client = connect(served.port, served.api_key)
    for _ in range(20):
        assert client.post("/endpoints/tiny/predict", {"rows": [row] * 3000})[0] == 200
    (worker,) = list_workers(served.workspace.folder)
    assert psutil.Process(worker.pid).memory_info().rss < 120 * 2**20
