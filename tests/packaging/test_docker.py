"""The Docker folder, served by the very command of its Dockerfile, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from snapml_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from snapml_jupyter.packaging.docker import RUNTIME
from snapml_jupyter.packaging.exporting import FORMS, export_deployment, gather

ROW = {"amount": None, "wind speed": 4.5, "n": 7, "city": "Oslo", "vip": True}
PREDICT = "/endpoints/trips/predict"


@pytest.fixture(scope="module")
def folder(taken: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("docker") / "trips"
    export_deployment(taken.workspace, "trips", "docker", path)
    return path


def command(folder: Path, port: int) -> list[str]:
    """The Dockerfile's own, on this folder, address and port."""
    written = json.loads(re.findall(r"^CMD (\[.*\])$", (folder / "Dockerfile").read_text(), re.M)[0])
    words = {"python": sys.executable, "/endpoint": str(folder), "0.0.0.0": "127.0.0.1", "8080": str(port)}
    return [words.get(word, word) for word in written]


@pytest.fixture(scope="module")
def start(folder: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], int]]]:
    started: list[subprocess.Popen[str]] = []

    def begin(*more: str, **environment: str) -> tuple[subprocess.Popen[str], int]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        kept = {key: value for key, value in os.environ.items() if not key.startswith("SNAPML_")}
        process = subprocess.Popen(
            [*command(folder, port), *more],
            env={**kept, **environment},
            cwd="/",
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Serving")
        return process, port

    yield begin
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_it_answers_like_the_model_with_its_key_and_refuses_others(
    taken: Any, start: Callable[..., Any], connect: Callable[..., Any]
) -> None:
    process, port = start(SNAPML_API_KEY="a-key")
    client = connect(port, "a-key")
    status, answer = client.post(PREDICT, {"rows": [ROW]})
    assert status == 200
    assert answer["model"] == "trips:1"
    expected = taken.models["trips"].predict_proba(taken.frame.head(0).reindex([0]).assign(**ROW))[0]
    found = answer["predictions"][0]["probabilities"]
    assert [found["late"], found["on time"]] == pytest.approx(expected.tolist(), abs=1e-6)
    assert client.post(PREDICT, {"rows": [{**ROW, "n": "x"}]})[0] == 400
    assert client.get("/v2/health/ready") == (200, {"live": True, "ready": True})
    assert client.post("/endpoints/trips/feedback", {"labels": [{"request_id": "x", "label": "late"}]})[0] == 503
    assert connect(port, "another").post(PREDICT, {"rows": [ROW]})[0] == 401
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0


def test_open_it_needs_no_key_and_imports_no_more_than_its_requirements(
    folder: Path, start: Callable[..., Any], connect: Callable[..., Any]
) -> None:
    _, port = start("--open")
    assert connect(port).post(PREDICT, {"rows": [ROW]})[0] == 200
    assert connect(port, "whatever").post(PREDICT, {"rows": [ROW]})[0] == 200
    requirements = [line.partition("==")[0] for line in (folder / "requirements.txt").read_text().splitlines()]
    assert tuple(requirements) == RUNTIME
    program = (
        "import sys, runpy; before = set(sys.modules)\n"
        "from pathlib import Path; from snapml_jupyter.serving.standalone import Standalone\n"
        f"served = Standalone(Path({str(folder)!r}), '127.0.0.1', 0, 'key', is_open=False); served.routing.start()\n"
        "print(' '.join({getattr(m, '__file__', None) or '' for n, m in sys.modules.items() if n not in before}))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd="/").stdout
    found = {match.lower() for match in re.findall(r"site-packages/(\w+)", loaded)}
    brought_along = {"click", "h11", "flatbuffers", "packaging", "google", "_cython_3_1_4", "typing_extensions"}
    assert found - brought_along - {name.lower() for name in RUNTIME} - {"snapml_jupyter"} <= {"_distutils_hack"}


def test_without_a_key_or_with_another_graph_it_does_not_start(folder: Path, tmp_path: Path) -> None:
    quiet = {key: value for key, value in os.environ.items() if not key.startswith("SNAPML_")}
    refused = subprocess.run(command(folder, 0), capture_output=True, text=True, env=quiet)
    assert refused.returncode == 2
    assert "SNAPML_API_KEY" in refused.stderr
    for name in ("deployment.json", "Dockerfile"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "model.onnx").write_bytes(b"another")
    damaged = subprocess.run([*command(tmp_path, 0), "--open"], capture_output=True, text=True, env=quiet)
    assert damaged.returncode == 1
    assert "is not the graph that deployment.json names" in damaged.stderr


def test_what_cannot_be_exported_is_a_sentence(taken: Any, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no form 'trion'\. Did you mean 'triton'"):
        export_deployment(taken.workspace, "trips", "trion", tmp_path)
    with pytest.raises(NotFoundError, match="no endpoint 'trip'"):
        export_deployment(taken.workspace, "trip", "triton", tmp_path)
    with pytest.raises(InvalidInputError, match="has files already"):
        export_deployment(taken.workspace, "trips", "docker", folder)
    with pytest.raises(InvalidInputError, match="Only kserve"):
        export_deployment(taken.workspace, "trips", "docker", tmp_path, storage_uri="s3://x")
    for form in FORMS:
        export_deployment(taken.workspace, "trips", form, tmp_path, overwrite=True)
    from dataclasses import replace

    with pytest.raises(ConflictError, match="nothing live"):
        gather(taken.workspace, replace(taken.with_canary(), deployments=[]))
