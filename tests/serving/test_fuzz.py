"""Malformed requests of every protocol: no 5xx but 503, no dead worker, flat memory, and good requests go on being answered.

SNAPML_TEST_FUZZ says how many (10000 for the whole campaign); without it there are few enough for every day.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import psutil

from snapml_jupyter.serving.binary_tensors import write_tensor
from snapml_jupyter.serving.reports import list_workers

N_REQUESTS = int(os.environ.get("SNAPML_TEST_FUZZ", "400"))
#: How much a worker's memory may grow from the first tenth of the requests to the last.
MAX_GROWTH_BYTES = 12 * 2**20

ROW: dict[str, Any] = {"amount": 1.0, "city": "Oslo", "n": 3, "vip": True}
TENSORS = {"amount": ("FP64", [1.0]), "city": ("BYTES", ["Oslo"]), "n": ("INT64", [3]), "vip": ("BOOL", [True])}
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    2**70,
    10**400,
    1e308,
    -0.0,
    0.5,
    "",
    "x",
    "x" * 5000,
    "\ufdd0missing\ufdd1",
    "\x00",
    "Å😀",
    [],
    {},
    [[]],
    [None],
    [[[[1]]]],
    {"": 0},
    {"a": {"b": []}},
    "data",
    "BYTES",
]
PATHS = [
    "/endpoints/tiny/predict",
    "/endpoints/tiny/feedback",
    "/endpoints/tiny/openapi.json",
    "/v2/models/tiny/infer",
    "/v2/models/tiny/versions/1/infer",
    "/invocations",
    "/metrics",
    "/v2/models/tiny",
    "/ping",
]


def tensors(*, binary: bool) -> dict[str, Any]:
    inputs: list[dict[str, Any]] = []
    for name, (datatype, values) in TENSORS.items():
        given: dict[str, Any] = {"name": name, "datatype": datatype, "shape": [1, 1]}
        if binary:
            given["parameters"] = {"binary_data_size": len(write_tensor(datatype, values))}
        else:
            given["data"] = values
        inputs.append(given)
    return {"id": "f", "inputs": inputs, "outputs": [{"name": "label", "parameters": {"binary_data": True}}]}


def bodies() -> list[tuple[str, Any]]:
    """Good bodies, each for its path."""
    return [
        ("/endpoints/tiny/predict", {"rows": [ROW, ROW]}),
        ("/endpoints/tiny/feedback", {"labels": [{"request_id": "a", "row": 0, "label": "yes"}]}),
        ("/v2/models/tiny/infer", tensors(binary=False)),
        ("/invocations", {"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())]}}),
        ("/invocations", {"dataframe_records": [ROW, ROW]}),
        ("/invocations", {"instances": [list(ROW.values())]}),
        ("/invocations", {"inputs": {name: [value] for name, value in ROW.items()}}),
    ]


class Fuzzer:
    """Makes requests that are nearly right, from a seed."""

    def __init__(self, seed: int, key: str) -> None:
        self.random = random.Random(seed)
        self.key = key

    def request(self) -> tuple[bytes, bool]:
        """A request's bytes, and whether its framing is whole, so that an answer must come."""
        kind = self.random.randrange(10)
        if kind < 4:
            path, good = self.random.choice(bodies())
            content = json.dumps(self.twisted(good)).encode()
            if self.random.random() < 0.1:
                content = self.mangled(content)
            return self.framed(path, content, self.headers()), True
        if kind == 4:
            return self.binary(), True
        if kind == 5:
            content = self.mangled(b'amount,city,n,vip\n1.0,Oslo,3,true\n,"Rome",4,false\n')
            return self.framed("/invocations", content, {"content-type": "text/csv"}), True
        if kind == 6:
            content = json.dumps(self.random.choice(bodies())[1]).encode()
            sent = self.framed(self.random.choice(PATHS), self.mangled(content), self.headers())
            return sent, True
        if kind == 7:
            return self.large(), True
        if kind == 8:
            path, good = self.random.choice(bodies())
            return self.mangled(self.framed(path, json.dumps(good).encode(), self.headers()), 300), False
        return self.odd_framing(), False

    def twisted(self, value: Any) -> Any:
        """The value with something in it replaced, left out or doubled."""
        if self.random.random() < 0.15:
            return self.random.choice(ODD)
        if isinstance(value, dict) and value:
            key = self.random.choice(list(value))
            kind = self.random.randrange(8)
            if kind == 0:
                return {name: item for name, item in value.items() if name != key}
            if kind == 1:
                return {**value, self.random.choice(["x", "", "rows", "parameters", "k" * 300]): 1}
            return {**value, key: self.twisted(value[key])}
        if isinstance(value, list) and value:
            index = self.random.randrange(len(value))
            kind = self.random.randrange(8)
            if kind == 0:
                return value[:index] + value[index + 1 :]
            if kind == 1:
                return value * self.random.choice([2, 3, 50])
            return [*value[:index], self.twisted(value[index]), *value[index + 1 :]]
        return self.random.choice(ODD)

    def mangled(self, content: bytes, within: int | None = None) -> bytes:
        """The content with some bytes (of the first `within`) changed, cut out or put in."""
        data = bytearray(content)
        for _ in range(self.random.randint(1, 4)):
            at = self.random.randrange(min(len(data), within or len(data)) + 1)
            kind = self.random.randrange(3)
            if kind == 0 and at < len(data):
                data[at] = self.random.randrange(256)
            elif kind == 1:
                del data[at : at + self.random.randint(1, 5)]
            else:
                data[at:at] = self.random.randbytes(self.random.randint(1, 5))
        return bytes(data)

    def headers(self) -> dict[str, str]:
        headers = {"content-type": "application/json"}
        choice = self.random.choice
        if self.random.random() < 0.4:
            name = choice(list(_ODD_HEADERS))
            headers[name] = choice(_ODD_HEADERS[name])
        return headers

    def framed(self, path: str, content: bytes, headers: dict[str, str], method: str = "POST") -> bytes:
        lines = [f"{method} {path} HTTP/1.1", "host: x", f"authorization: Bearer {self.key}", "connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"content-length: {len(content)}", "", ""]
        return "\r\n".join(lines).encode("latin-1") + content

    def binary(self) -> bytes:
        raw = [write_tensor(datatype, values) for datatype, values in TENSORS.values()]
        head = json.dumps(self.twisted(tensors(binary=True)) if self.random.random() < 0.7 else tensors(binary=True))
        content = head.encode() + b"".join(raw)
        if self.random.random() < 0.5:
            content = content[: len(head)] + self.mangled(content[len(head) :])
        length = len(head.encode()) if self.random.random() < 0.8 else self.random.choice([0, 1, 10, 10**6, -1])
        return self.framed("/v2/models/tiny/infer", content, {"inference-header-content-length": str(length)})

    def large(self) -> bytes:
        """Few and large: too many rows, columns, nested lists, digits, labels; too many bytes."""
        n = self.random.choice([3001, 20_000])
        path, make = self.random.choice(_LARGE)
        made = make(n)
        content = made if isinstance(made, bytes) else json.dumps(made).encode()
        headers = {"content-type": "application/json"}
        if self.random.random() < 0.3:
            headers["content-encoding"] = "gzip"
            content = gzip.compress(content, 1)
        return self.framed(path, content, headers)

    def odd_framing(self) -> bytes:
        path = self.random.choice(PATHS)
        key = f"authorization: Bearer {self.key}\r\n"
        return self.random.choice(
            [
                self.random.randbytes(self.random.randrange(1, 200)),
                f"POST {path} HTTP/1.1\r\n{key}content-length: 100\r\n\r\n{{".encode(),
                f"POST {path} HTTP/1.1\r\n{key}content-length: -5\r\n\r\n".encode(),
                f"POST {path} HTTP/1.1\r\n{key}content-length: {10**12}\r\n\r\n".encode(),
                f"POST {path} HTTP/1.1\r\n{key}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}".encode(),
                f"POST {path} HTTP/1.1\r\n{key}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{{}}".encode(),
                f"POST {path} HTTP/1.1\r\n{key}transfer-encoding: chunked\r\n\r\nzz\r\n".encode(),
                f"POST {path} HTTP/1.1\r\n{key}transfer-encoding: chunked\r\n\r\n2;a=b\r\n{{}}\r\n0\r\nx: y\r\n\r\n".encode(),
                f"POST {path} HTTP/1.1\r\n{key}transfer-encoding: chunked\r\n\r\n{'f' * 20}\r\n".encode(),
                f"POST {path} HTTP/9.9\r\n{key}\r\n".encode(),
                f"CONNECT x:1 HTTP/1.1\r\n{key}\r\n".encode(),
                f"OPTIONS * HTTP/1.1\r\n{key}\r\n".encode(),
                f"HEAD {path} HTTP/1.0\r\n{key}\r\n".encode(),
                f"GET http://x{path} HTTP/1.1\r\n{key}\r\n".encode(),
                f"GET {path}?{'a=b&' * 200} HTTP/1.1\r\n{key}\r\n".encode(),
                f"GET /{'%ff' * 500} HTTP/1.1\r\n{key}\r\n".encode(),
                f"GET {path} HTTP/1.1\r\n{key}upgrade: websocket\r\nconnection: upgrade\r\n\r\n".encode(),
                f"GET {path} HTTP/1.1\r\n{key}{'x: y' * 5000}\r\n".encode(),
                f"GET {path} HTTP/1.1\r\n{key}k: v\r\n".encode() * 3,
                f"GET {path} HTTP/1.1\r\n{key}x: {'y' * 200_000}".encode(),
                f"GET /metrics HTTP/1.1\r\n{key}\r\n".encode() * 30,
            ]
        )


#: Bodies that are large in one way or another, made only when they are sent.
_LARGE: list[tuple[str, Callable[[int], Any]]] = [
    ("/endpoints/tiny/predict", lambda n: {"rows": [{}] * n}),
    ("/endpoints/tiny/predict", lambda n: b'{"rows":' + b"[" * n),
    ("/endpoints/tiny/predict", lambda n: b'{"rows":[{"n":' + b"9" * n + b"}]}"),
    ("/endpoints/tiny/predict", lambda n: {"rows": [{"k" * n * 10: 1}]}),
    ("/endpoints/tiny/predict", lambda n: b" " * (2**20 + n)),
    ("/endpoints/tiny/feedback", lambda n: {"labels": [{"request_id": "a", "label": 1}] * n}),
    ("/endpoints/tiny/feedback", lambda n: {"x" * n: 1}),
    ("/invocations", lambda n: {"instances": [{str(i): 1} for i in range(n)]}),
    ("/invocations", lambda n: {"inputs": {str(i): [1] for i in range(n)}}),
    ("/invocations", lambda n: {"dataframe_split": {"columns": ["a"] * n, "data": [[]]}}),
    ("/v2/models/tiny/infer", lambda n: {"inputs": tensors(binary=False)["inputs"] * (n // 20)}),
    ("/v2/models/tiny/infer", lambda n: struct.pack("<I", n) * n),
]

_ODD_HEADERS = {
    "content-type": ["", "text/csv", "text/html", "application/json; charset=utf-16", ";;;=", "x" * 3000],
    "content-encoding": ["gzip", "deflate", "br", "identity", "gzip, gzip", ""],
    "inference-header-content-length": ["0", "1", "50", "-1", "x", "9" * 50, ""],
    "traceparent": ["", "00", "00-" + "1" * 32 + "-" + "2" * 16 + "-01", "\xff", "x" * 4000],
    "tracestate": ["a=1", "=", "," * 500],
    "x-request-id": ["", "a", "\xff\xfe", "x" * 5000, "a b\tc"],
    "expect": ["100-continue", "x"],
    "authorization": ["", "Bearer", "Basic eDp5", "Basic \xff", "Basic ====", "Bearer x y"],
    "accept": ["", "x" * 3000],
}


def exchange(port: int, content: bytes, *, is_whole: bool) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        try:
            raw.sendall(content)
            if not is_whole:
                raw.shutdown(socket.SHUT_WR)
            answer = b""
            while part := raw.recv(65536):
                answer += part
            return answer
        except TimeoutError:
            raise
        except OSError:  # the server has closed the connection already
            return b"reset"


def statuses(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:] if part[:3].isdigit()]


def dawdle(port: int, key: str, until: threading.Event, outcomes: list[str]) -> None:
    """Clients that are slow on purpose: one sends a good request byte by byte, others stop half-way and wait."""
    body = json.dumps({"rows": [ROW]}).encode()
    request = Fuzzer(0, key).framed("/endpoints/tiny/predict", body, {})
    waiting = []
    for cut in (0, 10, 60, len(request) - len(body), len(request) - 5):
        for _ in range(4):
            raw = socket.create_connection(("127.0.0.1", port), timeout=20)
            raw.sendall(request[:cut])
            waiting.append(raw)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        for at in range(len(request)):
            raw.sendall(request[at : at + 1])
            time.sleep(0.002)
        outcomes.append(raw.recv(65536)[:15].decode())
    until.wait(600)
    for raw in waiting:
        raw.close()


def test_malformed_requests_do_no_harm(served: Any, connect: Callable[..., Any]) -> None:
    (worker,) = list_workers(served.workspace.folder)
    process = psutil.Process(worker.pid)
    client = connect(served.port, served.api_key)
    done, outcomes = threading.Event(), []
    slow = threading.Thread(target=dawdle, args=(served.port, served.api_key, done, outcomes))
    slow.start()
    seen: Counter[int] = Counter()
    memory = []
    try:
        for number in range(N_REQUESTS):
            content, is_whole = Fuzzer(number, served.api_key).request()
            answer = exchange(served.port, content, is_whole=is_whole)
            found = statuses(answer)
            seen.update(found or [0])
            assert all(status < 500 or status == 503 for status in found), (number, content[:2000], answer[:2000])
            assert found or not is_whole or answer == b"reset", (number, content[:2000], "no answer")
            if number % max(N_REQUESTS // 20, 1) == 0:
                memory.append(process.memory_info().rss)
                assert client.post("/endpoints/tiny/predict", {"rows": [ROW]})[0] == 200
    finally:
        done.set()
        slow.join()
    print(f"{N_REQUESTS} requests: {dict(sorted(seen.items()))}; MiB {[m // 2**20 for m in memory]}")
    assert outcomes == ["HTTP/1.1 200 OK"]
    assert [w.pid for w in list_workers(served.workspace.folder)] == [worker.pid]
    assert max(memory[-5:]) - memory[2] < MAX_GROWTH_BYTES
    assert "Traceback" not in (served.workspace.folder / "logs" / "host.log").read_text()
