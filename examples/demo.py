"""Run `quickstart.ipynb` as a user would: a real Jupyter server with the extension, a real kernel it started, a real host.

    python examples/demo.py [--json] [--workspace FOLDER]

Prints what happened, asked from the server over HTTP, and leaves with 0 when every step did. The workspace stays, so
`make lab` opens on it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client import BlockingKernelClient
from jupyter_core.paths import jupyter_runtime_dir

HERE = Path(__file__).resolve().parent
CELL_SECONDS = 600


class Server:
    """A Jupyter server on a free port with its own token, serving `folder`."""

    def __init__(self, folder: Path, workspace: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url, self.token = f"http://127.0.0.1:{port}", secrets.token_hex(16)
        self.log = (workspace.parent / "jupyter-server.log").open("wb")
        command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", f"--port={port}"]
        command += [f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={folder}"]
        # OpenMP threads that wait without spinning: on a machine that is busy with other things, tenfold the speed.
        environment = {"OMP_WAIT_POLICY": "passive", **os.environ, "SNAPML_WORKSPACE": str(workspace)}
        self.process = subprocess.Popen(command, env=environment, stdout=self.log, stderr=subprocess.STDOUT)

    def wait(self, seconds: float = 60) -> None:
        """Until it answers. Raises SystemExit with the end of its log."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self.ask("GET", "/api/status")
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.2)
        raise SystemExit(f"The Jupyter server did not start:\n{Path(self.log.name).read_text()[-2000:]}")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One JSON request to the server."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Authorization", f"token {self.token}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=120) as response:
            content = response.read()
        return json.loads(content) if content else None

    def operation(self, operation: str, /, **arguments: Any) -> Any:
        """Call an operation as the sidebar does."""
        return self.ask("POST", f"/snapml/api/{operation}", arguments)

    def stop(self) -> None:
        """End the server and its kernels."""
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


def execute(server: Server, notebook: nbformat.NotebookNode, say: Any) -> None:
    """Run every cell in a kernel that the server starts; outputs go into the notebook. Raises SystemExit on an error."""
    body = {"path": "quickstart.ipynb", "name": "quickstart.ipynb", "type": "notebook", "kernel": {"name": "python3"}}
    kernel_id = server.ask("POST", "/api/sessions", body)["kernel"]["id"]
    connection = Path(jupyter_runtime_dir()) / f"kernel-{kernel_id}.json"
    client = BlockingKernelClient(connection_file=str(connection))
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                started = time.monotonic()
                run_cell(client, cell)
                say(f"  [{time.monotonic() - started:5.1f} s] {cell.source.splitlines()[0][:90]}")
    finally:
        client.stop_channels()


def run_cell(client: BlockingKernelClient, cell: nbformat.NotebookNode) -> None:
    """Run one cell and keep its outputs."""
    cell.outputs = []

    def keep(message: dict[str, Any]) -> None:
        if message["msg_type"] in ("stream", "display_data", "execute_result", "error"):
            cell.outputs.append(nbformat.v4.output_from_msg(message))

    reply = client.execute_interactive(cell.source, output_hook=keep, timeout=CELL_SECONDS, allow_stdin=False)
    cell.execution_count = reply["content"].get("execution_count")
    if reply["content"]["status"] != "ok":
        text = "\n".join(
            "\n".join(o.get("traceback", [])) if o.output_type == "error" else o.get("text", "") for o in cell.outputs
        )
        raise SystemExit(f"The cell failed:\n\n{cell.source}\n\n{text}")


def summarise(server: Server, notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """What happened, from the server's operations and the notebook's own outputs."""
    run = server.operation("runs.get_run", ref="late-flights")
    model = server.operation("registry.get_model", ref="late-flights")
    endpoint = server.operation("serving.get_endpoint", name="late-flights")
    monitor = server.operation("monitoring.get_monitor", endpoint="late-flights")
    asked = next(cell for cell in notebook.cells if cell.id == "predict-one")
    windows = monitor["windows"]
    drift: dict[str, int] = {}
    for window in windows:
        for column in window["report"]["columns"]:
            drift[column["name"]] = drift.get(column["name"], 0) + bool(column["drifted"])
    return {
        "run": {key: run[key] for key in ("run_id", "name", "status", "duration_seconds", "metrics")},
        "datasets": [f"{i['variable']} = {i['dataset_ref']} ({i['n_rows']} rows)" for i in run["inputs"]],
        "model": {"ref": model["ref"], "aliases": model["aliases"], "parity": model["parity"]},
        "endpoint": {"name": endpoint["name"], "url": endpoint["url"]},
        "prediction": asked.outputs[-1]["data"]["text/plain"],
        "monitor": {
            "n_predictions": monitor["n_predictions"],
            "n_labels": monitor["n_labels"],
            "n_windows": len(windows),
            "accuracy": [w["accuracy"] for w in windows],
            "windows_drifted_by_column": {k: v for k, v in sorted(drift.items(), key=lambda kv: -kv[1]) if v},
        },
        "verified": server.operation("governance.verify")["passed"],
    }


def wait_for_monitor(server: Server, n_rows: int, seconds: float = 180) -> None:
    """Until the host has taken in every prediction, judged the full windows and joined the labels.

    Raises SystemExit when it does not.
    """
    end = time.monotonic() + seconds
    monitor: dict[str, Any] = {}
    while time.monotonic() < end:
        monitor = server.operation("monitoring.get_monitor", endpoint="late-flights")
        judged = sum(window["n_rows"] for window in monitor["windows"])
        waiting = monitor["n_predictions"] - judged
        # The single flights asked for by hand never get a label.
        if monitor["n_predictions"] >= n_rows and waiting < monitor["window_rows"] and monitor["n_labels"] > judged - 100:
            return
        time.sleep(0.5)
    raise SystemExit(f"The monitor did not take in the traffic: {json.dumps(monitor)[:500]}")


def check(summary: dict[str, Any]) -> list[str]:
    """What should have happened and did not."""
    expected = {
        "the run finished": summary["run"]["status"] == "finished",
        "the cell's data became a dataset version": bool(summary["datasets"]),
        "metrics were recorded": bool(summary["run"]["metrics"]),
        "parity was proved": bool(summary["model"]["parity"] and summary["model"]["parity"]["passed"]),
        "every flight of the summer was answered and logged": summary["monitor"]["n_predictions"] > 110_000,
        "the arrivals came in as labels": summary["monitor"]["n_labels"] > 80_000,
        "the summer's temperature shows as drift": "temp" in summary["monitor"]["windows_drifted_by_column"],
        "the workspace verifies": summary["verified"],
    }
    return [what for what, happened in expected.items() if not happened]


def tell(summary: dict[str, Any]) -> None:
    """The same as `--json`, for people."""
    run, model, monitor = summary["run"], summary["model"], summary["monitor"]
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in run["metrics"].items())
    drifted = ", ".join(f"{n} ({c}/{monitor['n_windows']})" for n, c in monitor["windows_drifted_by_column"].items())
    accuracy = [a for a in monitor["accuracy"] if a is not None]
    print(f"""
Run         {run['name']} {run['run_id']}: {run['status']} in {run['duration_seconds']:.1f} s
Data        {'; '.join(summary['datasets'])}
Metrics     {metrics}
Model       {model['ref']} ({', '.join(model['aliases'])}), ONNX differs by at most {model['parity']['max_difference']:.1e}
Endpoint    {summary['endpoint']['url']}
Prediction  {summary['prediction']}
Traffic     {monitor['n_predictions']} predictions, {monitor['n_labels']} labels, {monitor['n_windows']} windows
Accuracy    from {min(accuracy):.1%} to {max(accuracy):.1%} over the windows
Drift       {drifted}
Verify      {'every digest and audit entry is as written' if summary['verified'] else 'DAMAGED'}""")


def main() -> int:
    """Run it all; 0 when every step did what the notebook says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON value instead of text")
    parser.add_argument("--workspace", type=Path, default=HERE.parent / ".demo" / "workspace")
    options = parser.parse_args()
    workspace: Path = options.workspace.resolve()
    notebooks = workspace.parent / "notebooks"
    notebooks.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "quickstart.ipynb", notebooks / "quickstart.ipynb")
    notebook = nbformat.read(notebooks / "quickstart.ipynb", as_version=4)

    def say(text: str) -> None:
        print(text, file=sys.stderr if options.json else sys.stdout, flush=True)

    server = Server(notebooks, workspace)
    try:
        server.wait()
        before = find_predictions(server)
        say("Running examples/quickstart.ipynb")
        execute(server, notebook, say)
        wait_for_monitor(server, before + 110_000)
        summary = summarise(server, notebook)
        nbformat.write(notebook, notebooks / "quickstart.ipynb")
        print(json.dumps(summary, indent=2)) if options.json else tell(summary)
        missing = check(summary)
        for what in missing:
            print(f"This did not happen: {what}.", file=sys.stderr)
        return 1 if missing else 0
    finally:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):  # what failed before is what to show
            server.operation("serving.stop_host")
        server.stop()


def find_predictions(server: Server) -> int:
    """How many predictions an earlier demo left in the workspace."""
    try:
        return int(server.operation("monitoring.get_monitor", endpoint="late-flights")["n_predictions"])
    except urllib.error.HTTPError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
