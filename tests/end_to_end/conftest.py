"""A Jupyter server as a process that can be killed and started again, and kernels that it starts."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client import BlockingKernelClient

import snapml_jupyter
from snapml_jupyter.serving.host_process import stop_host
from snapml_jupyter.store.workspace import Workspace

_TOKEN = "a-token-for-the-end-to-end-tests"


class Jupyter:
    """One user's Jupyter server on one workspace; the port stays the same over restarts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = Workspace(folder / "workspace", actor="ada")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None
        self._kernels: list[Kernel] = []

    def start(self) -> None:
        """Start the server and wait until it answers."""
        environ = {
            **os.environ,
            "PYTHONPATH": str(Path(snapml_jupyter.__file__).parents[1]),
            "SNAPML_WORKSPACE": self.workspace.location,
            "SNAPML_ACTOR": "ada",
            "SNAPML_PORT": "0",
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "JUPYTER_DATA_DIR": str(self.folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
            "IPYTHONDIR": str(self.folder / "ipython"),
        }
        command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={self.port}"]
        command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={_TOKEN}"]
        command += ["--ServerApp.jpserver_extensions", "snapml_jupyter=True", f"--ServerApp.root_dir={self.folder}"]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=environ, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.ask("GET", "/api/status")
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.05)
        raise AssertionError((self.folder / "server.log").read_text()[-3000:])

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One JSON request with the token."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method)
        request.add_header("Authorization", f"token {_TOKEN}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=120) as response:
            return json.loads(response.read() or b"null")

    def call(self, operation: str, **arguments: Any) -> Any:
        """Call an operation, as the sidebar does."""
        return self.ask("POST", f"/snapml/api/{operation}", arguments)

    def kernel(self, notebook: str = "work.ipynb") -> Kernel:
        """A kernel that the server starts for a notebook, with SnapML loaded."""
        body = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": "python3"}}
        kernel_id = self.ask("POST", "/api/sessions", body)["kernel"]["id"]
        kernel = Kernel(self.folder / "runtime" / f"kernel-{kernel_id}.json")
        self._kernels.append(kernel)
        kernel.run("%load_ext snapml_jupyter")
        return kernel

    def kill(self) -> None:
        """SIGKILL: no handler of the server runs."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it as Ctrl-C would, and the host; a test that failed may not have closed its kernels."""
        for kernel in self._kernels:
            kernel.close()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        stop_host(self.workspace)


class Kernel:
    """A kernel and its client. `pid` is that of the kernel's process."""

    def __init__(self, connection_file: Path) -> None:
        self.client = BlockingKernelClient(connection_file=str(connection_file))
        self.client.load_connection_file()
        # Without the heartbeat, which takes a kernel that says nothing for a second, on a busy machine, for dead.
        self.client.start_channels(hb=False)
        self.client.wait_for_ready(timeout=60)
        self.pid = int(self.run("import os; print(os.getpid())"))

    def run(self, source: str) -> str:
        """Run a cell; its printed text. Raises AssertionError with the traceback when it fails."""
        said: list[str] = []

        def keep(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                said.append(message["content"]["text"])

        reply = self.client.execute_interactive(source, output_hook=keep, timeout=180, allow_stdin=False)
        assert reply["content"]["status"] == "ok", "\n".join(reply["content"].get("traceback", []))
        return "".join(said)

    def begin(self, source: str) -> None:
        """Send a cell and do not wait for it."""
        self.client.execute(source, allow_stdin=False)

    def kill(self) -> None:
        """SIGKILL: nothing in the kernel can tell that it ends."""
        os.kill(self.pid, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        """Let go of its sockets."""
        self.client.stop_channels()


@pytest.fixture
def jupyter(tmp_path: Path) -> Iterator[Jupyter]:
    """A running server; it, its kernels and the host end with the test."""
    server = Jupyter(tmp_path)
    try:
        server.start()
        yield server
    finally:
        server.stop()
