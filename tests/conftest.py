"""Fixtures every test may use: a workspace, a clock that moves only when told, tiny models, and a host over HTTP."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from snapml_jupyter.store.workspace import Workspace

#: What takes longest; begun first, so that processes which share the work end together.
_LONG = ("tests/ui/", "tests/replay/", "tests/test_docs.py", "tests/end_to_end/", "tests/export/test_flights.py")


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in the same hook
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With pytest-xdist (--dist loadgroup) a file's tests run in one process: they share what its fixtures start.

    So do all browser tests: they share the JupyterLab.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            is_ui = item.nodeid.startswith("tests/ui/")
            item.add_marker(pytest.mark.xdist_group("ui" if is_ui else item.nodeid.partition("::")[0]))
    if config.getoption("dist", "no") != "no" or hasattr(config, "workerinput"):
        items.sort(
            key=lambda item: next((n for n, start in enumerate(_LONG) if item.nodeid.startswith(start)), len(_LONG))
        )


class Clock:
    """A clock for tests: `clock()` is now, `clock.advance(seconds)` moves it."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 1, 12, 0, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        self.time += timedelta(microseconds=1)
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(tmp_path: Path, clock: Clock) -> Workspace:
    return Workspace(tmp_path / "workspace", actor="ada", clock=clock)


class TinyModels:
    """Registers hand-made ONNX models, for tests of what comes after training and export.

    A model takes `amount` (number, may be null), `city` (text), `n` (whole number) and `vip` (true or false); its
    classes are "no" and "yes", and P(yes) = sigmoid(amount + bias), with null as 0 and 1 more for the city "Oslo".
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def add(self, name: str = "tiny", bias: float = 0.0, content: bytes | None = None) -> str:
        """Register the next version and return its reference. `content` replaces the graph."""
        from snapml_jupyter import wire
        from snapml_jupyter.domain.model import ColumnKind, Signature, SignatureColumn, Task

        signature = Signature(
            task=Task.classification,
            inputs=[
                SignatureColumn(name="amount", kind=ColumnKind.float, nullable=True, example=1.5),
                SignatureColumn(name="city", kind=ColumnKind.string, nullable=False, example="Oslo"),
                SignatureColumn(name="n", kind=ColumnKind.integer, nullable=False, example=3),
                SignatureColumn(name="vip", kind=ColumnKind.boolean, nullable=False, example=True),
            ],
            labels=["no", "yes"],
            target="answer",
        )
        digest = self.workspace.blobs.put(content if content is not None else self.graph(signature, bias))
        with self.workspace.transaction() as tx:
            now = self.workspace.now().isoformat()
            tx.execute(
                "INSERT INTO models (name, created_at) VALUES (:name, :now) ON CONFLICT DO NOTHING",
                {"name": name, "now": now},
            )
            count = tx.execute("SELECT COUNT(*) FROM model_versions WHERE name = :name", {"name": name}).fetchone()[0]
            run_id = f"run-{name}-{count + 1}"
            tx.insert("runs", run_id=run_id, name=name, experiment="default", status="finished", actor="ada", started_at=now, source="{}")  # fmt: skip
            tx.insert(
                "run_models",
                run_id=run_id,
                variable="model",
                estimator="Tiny",
                format="skops",
                model_digest=digest,
                size_bytes=1,
                signature=wire.encode_json(signature).decode(),
                written_by="ada",
            )
            tx.insert("model_versions", name=name, number=count + 1, run_id=run_id, stage="none", metrics="{}", onnx_digest=digest, created_at=now, created_by="ada")  # fmt: skip
        return f"{name}:{count + 1}"

    def broken_graph(self) -> bytes:
        """A graph that loads and then cannot answer the rows it says it takes."""
        import onnx

        signature = self.workspace.database.row("SELECT signature FROM run_models LIMIT 1")
        assert signature is not None
        from snapml_jupyter import wire
        from snapml_jupyter.domain.model import Signature

        model = onnx.load_from_string(self.graph(wire.decode_json(signature["signature"], Signature), 0.0))
        bias = next(item for item in model.graph.initializer if item.name == "bias")
        bias.CopyFrom(onnx.helper.make_tensor("bias", onnx.TensorProto.DOUBLE, [3, 1], [0.0, 1.0, 2.0]))
        return bytes(model.SerializeToString())

    @staticmethod
    def graph(signature: Any, bias: float) -> bytes:
        """The ONNX bytes."""
        import msgspec
        import onnx
        from onnx import TensorProto, helper

        tensors = {"amount": "double", "city": "string", "n": "int64", "vip": "bool"}
        kinds = {"double": TensorProto.DOUBLE, "string": TensorProto.STRING, "int64": TensorProto.INT64, "bool": TensorProto.BOOL}  # fmt: skip
        nodes = [
            helper.make_node("IsNaN", ["amount"], ["isnan"]),
            helper.make_node("Where", ["isnan", "zero", "amount"], ["filled"]),
            helper.make_node("Equal", ["city", "oslo"], ["is_oslo"]),
            helper.make_node("Cast", ["is_oslo"], ["bonus"], to=TensorProto.DOUBLE),
            helper.make_node("Add", ["filled", "bias"], ["biased"]),
            helper.make_node("Add", ["biased", "bonus"], ["score"]),
            helper.make_node("Sigmoid", ["score"], ["p_yes"]),
            helper.make_node("Sub", ["one", "p_yes"], ["p_no"]),
            helper.make_node("Concat", ["p_no", "p_yes"], ["probabilities"], axis=1),
            helper.make_node("Greater", ["p_yes", "half"], ["is_yes"]),
            helper.make_node("Where", ["is_yes", "yes", "no"], ["label"]),
        ]
        constants = [
            helper.make_tensor("zero", TensorProto.DOUBLE, [1, 1], [0.0]),
            helper.make_tensor("one", TensorProto.DOUBLE, [1, 1], [1.0]),
            helper.make_tensor("half", TensorProto.DOUBLE, [1, 1], [0.5]),
            helper.make_tensor("bias", TensorProto.DOUBLE, [1, 1], [bias]),
            helper.make_tensor("oslo", TensorProto.STRING, [1, 1], [b"Oslo"]),
            helper.make_tensor("yes", TensorProto.STRING, [1, 1], [b"yes"]),
            helper.make_tensor("no", TensorProto.STRING, [1, 1], [b"no"]),
        ]
        graph = helper.make_graph(
            nodes,
            "tiny",
            [helper.make_tensor_value_info(name, kinds[kind], [None, 1]) for name, kind in tensors.items()],
            [
                helper.make_tensor_value_info("label", TensorProto.STRING, [None, 1]),
                helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, [None, 2]),
            ],
            constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
        columns = [{"name": name, "input": name, "tensor": kind} for name, kind in tensors.items()]
        helper.set_model_props(
            model,
            {
                "snapml.signature": msgspec.json.encode(signature).decode(),
                "snapml.columns": msgspec.json.encode(columns).decode(),
                "snapml.outputs": '["label","probabilities"]',
            },
        )
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())


@pytest.fixture(scope="session")
def tiny_models_of() -> type[TinyModels]:
    """For fixtures with a workspace of their own: `tiny_models_of(workspace)`."""
    return TinyModels


@pytest.fixture
def tiny_models(workspace: Workspace) -> TinyModels:
    return TinyModels(workspace)


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


#: A free port, quick logging and small limits for hosts that tests start.
HOST_SETTINGS = {
    "SNAPML_PORT": "0",
    "SNAPML_LOG_SECONDS": "0.1",
    "SNAPML_MAX_BODY_MB": "1",
    "SNAPML_MAX_ROWS": "3000",
}


@pytest.fixture
def hosted(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace whose host, if one is started, has a free port, logs fast, and is stopped at the end."""
    for name, value in HOST_SETTINGS.items():
        monkeypatch.setenv(name, value)
    yield workspace
    from snapml_jupyter.serving.host_process import stop_host

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

    def wait(condition: Callable[[], Any], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def host_settings() -> dict[str, str]:
    """For fixtures that outlive one test: the environment of `hosted`."""
    return dict(HOST_SETTINGS)
