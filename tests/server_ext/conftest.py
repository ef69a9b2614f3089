"""A Jupyter server with the extension: in this process (`jp_fetch`), or a real one in its own (`jupyter_process`)."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

# Imported here and not named as a plugin, because its autouse fixtures would make a server for every test of the project.
from pytest_jupyter.jupyter_server import *  # noqa: F403

import snapml_jupyter
from snapml_jupyter.store.workspace import Workspace

ROOT = Path(snapml_jupyter.__file__).parents[1]


@pytest.fixture
def served_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the server's workspace is; the extension sets SNAPML_WORKSPACE, which must not outlive the test."""
    monkeypatch.setenv("SNAPML_WORKSPACE", "")
    monkeypatch.setenv("SNAPML_ACTOR", "ada")
    return tmp_path / "served"


@pytest.fixture
def jp_server_config(served_folder: Path) -> dict[str, Any]:
    return {
        "ServerApp": {
            # Terminals have a route that Jupyter's own check warns about.
            "jpserver_extensions": {"snapml_jupyter": True, "jupyter_server_terminals": False},
            "allow_unauthenticated_access": False,
        },
        "SnapMLExtension": {"workspace": str(served_folder)},
    }


@pytest.fixture
def extension(jp_serverapp: Any) -> Any:
    """The running SnapMLExtension."""
    (app,) = jp_serverapp.extension_manager.extension_apps["snapml_jupyter"]
    return app


@pytest.fixture
def call(jp_fetch: Callable[..., Any]) -> Callable[..., Any]:
    """`await call("governance.get_status", ...)`: (status code, decoded answer) of one operation."""

    async def ask(name: str, **arguments: Any) -> tuple[int, Any]:
        answer = await jp_fetch("snapml", "api", name, method="POST", body=json.dumps(arguments), raise_error=False)
        return answer.code, json.loads(answer.body)

    return ask


@dataclass(frozen=True)
class JupyterProcess:
    """A Jupyter server as users run it."""

    url: str
    token: str
    workspace: Workspace


@pytest.fixture(scope="session")
def jupyter_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterProcess]:
    """One for all tests that need it: it takes seconds to start."""
    folder = tmp_path_factory.mktemp("jupyter")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SNAPML_WORKSPACE": str(folder / "workspace"),
        "SNAPML_ACTOR": "served-ada",
        "SNAPML_PORT": "0",
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    log = (folder / "server.log").open("wb")
    process = subprocess.Popen(
        [
            *[sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={port}"],
            *["--ServerApp.port_retries=0", "--IdentityProvider.token=secret-token", "--ServerApp.base_url=/user/ada/"],
            *["--ServerApp.jpserver_extensions", "snapml_jupyter=True", f"--ServerApp.root_dir={folder}"],
        ],
        cwd=folder,
        env=environ,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}/user/ada"
    try:
        _wait_until_ready(process, f"{url}/api", folder / "server.log")
        yield JupyterProcess(url, "secret-token", Workspace(folder / "workspace", actor="other-process"))
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise AssertionError(f"The Jupyter server did not start:\n{log.read_text()[-3000:]}")
