"""A host with an endpoint that really answers, and a plain HTTP client for it."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from snapml_jupyter.serving.deploying import deploy
from snapml_jupyter.serving.host_process import get_host_status, stop_host
from snapml_jupyter.store.workspace import Workspace

#: A row that the tiny models take.
ROW = {"amount": 1.0, "city": "Oslo", "n": 3, "vip": True}


class Client:
    """Requests over one kept connection; `request` gives status, headers and parsed body."""

    def __init__(self, port: int, api_key: str | None) -> None:
        self.port = port
        self.api_key = api_key
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], Any]:
        sent = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            self.connection.request(method, path, content, {**sent, **(headers or {})})
            response = self.connection.getresponse()
            raw = response.read()
        except (http.client.HTTPException, OSError):
            self.connection.close()
            raise
        found = {name.lower(): value for name, value in response.getheaders()}
        return response.status, found, json.loads(raw) if found["content-type"] == "application/json" else raw.decode()

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        status, _, answer = self.request("POST", path, body, headers)
        return status, answer

    def get(self, path: str) -> tuple[int, Any]:
        status, _, answer = self.request("GET", path)
        return status, answer


@pytest.fixture
def row() -> dict[str, Any]:
    return dict(ROW)


SETTINGS = {
    "SNAPML_PORT": "0",
    "SNAPML_LOG_SECONDS": "0.1",
    "SNAPML_MAX_BODY_MB": "1",
    "SNAPML_MAX_ROWS": "3000",
}


@pytest.fixture
def hosted(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace whose host, if one is started, has a free port, logs fast, and is stopped at the end."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    yield workspace
    stop_host(workspace)


@dataclass(frozen=True)
class Served:
    """The endpoints 'tiny' and 'other' of one host, with a key for each."""

    workspace: Workspace
    port: int
    api_key: str
    other_key: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, tiny_models_of: Any) -> Iterator[Served]:
    """One host for all protocol tests of a module: starting it is what takes time."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        workspace = Workspace(tmp_path_factory.mktemp("served"), actor="ada")
        models = tiny_models_of(workspace)
        outcome = deploy(workspace, models.add())
        other = deploy(workspace, models.add("other"))
        try:
            port = get_host_status(workspace).port
            assert port
            assert outcome.api_key
            assert other.api_key
            yield Served(workspace, port, outcome.api_key, other.api_key)
        finally:
            stop_host(workspace)


@pytest.fixture
def connect() -> Iterator[Callable[[int, str | None], Client]]:
    """`connect(port, api_key)` gives a Client that is closed at the end."""
    made: list[Client] = []

    def make(port: int, api_key: str | None = None) -> Client:
        made.append(Client(port, api_key))
        return made[-1]

    yield make
    for client in made:
        client.connection.close()


@pytest.fixture
def eventually() -> Callable[..., None]:
    """`eventually(condition)` waits until it holds, and fails after some seconds."""

    def wait(condition: Callable[[], Any], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.02)

    return wait
