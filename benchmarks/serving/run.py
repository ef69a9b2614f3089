"""Requests a second of a worker (key check, validation, routing, metrics, prediction log) beside a bare callable.

`python benchmarks/serving/run.py [--seconds 3] [--rounds 5] [--json]`

Both serve the same exported pipeline (one-hot encoding and gradient boosting over 12 columns, 5 of them text, some
values missing) from one process on core 0; wrk, or the client here when wrk is not installed, runs on core 1 and sends
one row a request over kept connections. Rounds are interleaved, medians are told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from snapml_jupyter.domain.endpoint import DeploymentStatus
from snapml_jupyter.registry.exporting import ensure_exported
from snapml_jupyter.registry.versions import register
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.serving.keys import hash_key, new_key
from snapml_jupyter.serving.reports import inbox_folder
from snapml_jupyter.store import api_keys, endpoints
from snapml_jupyter.store.workspace import Workspace

SERVER_CORE, CLIENT_CORE = 0, 1
PORTS = {"worker": 18917, "bare": 18918}
CONCURRENCIES = (1, 8, 64)
HERE = Path(__file__).resolve().parent


def make_frame(n_rows: int, seed: int) -> pd.DataFrame:
    """Rows like flights before departure."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "carrier": random.choice(["UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "VX"], n_rows),
            "origin": random.choice(["JFK", "LGA", "EWR"], n_rows),
            "dest": random.choice([f"D{i:02d}" for i in range(100)], n_rows),
            "weekday": random.choice(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], n_rows),
            "manufacturer": random.choice(["BOEING", "AIRBUS", "EMBRAER", "BOMBARDIER"], n_rows),
            "hour": random.integers(5, 23, n_rows),
            "month": random.integers(1, 13, n_rows),
            "distance": random.uniform(80, 5000, n_rows),
            "temperature": random.normal(55, 18, n_rows),
            "wind_speed": random.gamma(2, 5, n_rows),
            "visibility": random.uniform(0, 10, n_rows),
            "pressure": random.normal(1017, 7, n_rows),
        }
    )
    for name in ("temperature", "wind_speed", "pressure"):
        frame.loc[random.random(n_rows) < 0.05, name] = np.nan
    return frame


def prepare(folder: Path) -> tuple[Path, str, bytes]:
    """A workspace with the model live at the endpoint 'bench'. Returns the graph's path, a key and a request body."""
    workspace = Workspace(folder, actor="bench")
    frame = make_frame(20_000, seed=1)
    late = (
        frame["wind_speed"].fillna(10) + frame["hour"] + np.random.default_rng(2).normal(0, 6, len(frame)) > 27
    ).astype(int)
    texts = frame.select_dtypes(exclude="number").columns.tolist()
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    model = make_pipeline(
        make_column_transformer((encoder, texts), remainder="passthrough"), HistGradientBoostingClassifier(max_iter=100)
    ).fit(frame, late)
    with start_run(workspace, "bench", capture_environment=False) as run:
        run.log_model(model, example=frame)
    version = ensure_exported(workspace, register(workspace, run.run_id, "bench").ref)
    key = new_key()
    with workspace.transaction() as tx:
        endpoints.ensure_endpoint(tx, "bench")
        number = endpoints.add_deployment(tx, "bench", version.name, version.number)
        endpoints.move_deployment(tx, "bench", number, DeploymentStatus.live)
        api_keys.add_key(tx, key_id="key-bench", endpoint="bench", client="bench", key_hash=hash_key(key))
    inbox_folder(folder).mkdir()
    body = json.dumps({"rows": json.loads(frame.dropna().head(1).to_json(orient="records"))}).encode()
    assert version.onnx_digest is not None
    return workspace.blobs.path(version.onnx_digest), key, body


def start(name: str, folder: Path, graph: Path) -> subprocess.Popen[bytes]:
    """One server pinned to the server's core."""
    command = {
        "worker": ["-m", "snapml_jupyter.serving.worker", str(folder), "--port", str(PORTS["worker"])],
        "bare": [str(HERE / "bare_callable.py"), str(graph), str(PORTS["bare"])],
    }[name]
    pin = ["taskset", "-c", str(SERVER_CORE)] if shutil.which("taskset") else []
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parents[1])}
    return subprocess.Popen([*pin, sys.executable, *command], env=environment)


def measure_wrk(url: str, concurrency: int, seconds: float, script: Path) -> float:
    """Requests a second by wrk. Raises RuntimeError when any was not answered with 200."""
    pin = ["taskset", "-c", str(CLIENT_CORE)] if shutil.which("taskset") else []
    command = [*pin, "wrk", "-t1", f"-c{concurrency}", f"-d{seconds:g}s", "-s", str(script), url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(text)
    return float(next(line for line in text.splitlines() if line.startswith("Requests/sec")).split()[1])


async def measure_here(port: int, request: bytes, concurrency: int, seconds: float) -> float:
    """Requests a second by the client here, which is slower than wrk; only the ratio means something."""
    deadline = time.perf_counter() + seconds

    async def client() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        n_requests = 0
        while time.perf_counter() < deadline:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode())
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.split(b":")[1]))
            n_requests += 1
        writer.close()
        return n_requests

    return sum(await asyncio.gather(*[client() for _ in range(concurrency)])) / seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="of one measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        graph, key, body = prepare(folder)
        script = folder / "post.lua"
        script.write_text(
            f'wrk.method = "POST"\nwrk.body = [==[{body.decode()}]==]\nwrk.headers["authorization"] = "Bearer {key}"\n'
        )
        paths = {"worker": "/endpoints/bench/predict", "bare": "/"}
        servers = {name: start(name, folder, graph) for name in PORTS}
        try:
            for name, port in PORTS.items():
                await_answer(f"http://127.0.0.1:{port}{paths[name]}", key, body)
            results: list[dict[str, Any]] = []
            for concurrency in CONCURRENCIES:
                found: dict[str, list[float]] = {name: [] for name in PORTS}
                for _ in range(given.rounds):
                    for name, port in PORTS.items():
                        url = f"http://127.0.0.1:{port}{paths[name]}"
                        if shutil.which("wrk"):
                            found[name].append(measure_wrk(url, concurrency, given.seconds, script))
                        else:
                            head = f"POST {paths[name]} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n"
                            request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
                            measured = measure_here(port, request, concurrency, given.seconds)
                            found[name].append(asyncio.run(measured))
                medians = {name: statistics.median(values) for name, values in found.items()}
                results.append({"concurrency": concurrency, **medians, "ratio": medians["worker"] / medians["bare"]})
                if not given.json:
                    told = "  ".join(f"{name} {value:7.0f}/s" for name, value in medians.items())
                    print(f"concurrency {concurrency:3d}  {told}  ratio {results[-1]['ratio']:.2f}", flush=True)
            memory = int(Path(f"/proc/{servers['worker'].pid}/statm").read_text().split()[1]) * os.sysconf(
                "SC_PAGESIZE"
            )
            if given.json:
                print(json.dumps({"results": results, "worker_memory_mb": memory / 2**20}))
            else:
                print(f"memory of the worker {memory / 2**20:.0f} MB")
        finally:
            for server in servers.values():
                server.send_signal(signal.SIGTERM)
            for server in servers.values():
                server.wait()


def await_answer(url: str, key: str, body: bytes) -> None:
    """Wait until the server answers. Raises RuntimeError after some seconds."""
    for _ in range(100):
        try:
            request = urllib.request.Request(url, body, {"Authorization": f"Bearer {key}"})
            with urllib.request.urlopen(request, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")


if __name__ == "__main__":
    main()
