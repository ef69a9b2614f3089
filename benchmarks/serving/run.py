"""Requests a second of a worker (key check, limits, validation, routing, metrics, prediction log) beside a bare callable.

    python benchmarks/serving/run.py [--seconds 3] [--rounds 5] [--quick] [--json]
    python benchmarks/serving/run.py --peers              # beside MLflow, BentoML, MLServer and LitServe as well

Both serve the same exported pipeline (one-hot encoding and gradient boosting over 12 columns, 5 of them text, some
values missing) from one process on core 0; wrk, or the client here when wrk is not installed, runs on core 1 and sends
one row a request over kept connections. Rounds are interleaved, medians are told.

With `--peers`: a logistic regression and a forest of 100 trees over 10 columns, the peers from environments of their own
(made with pip at the first run, some gigabytes, in `--peers-folder`), memory, start and cold start too, and the bars of each
figure. See comparison.py for how, peers.py for what of the peers.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from load import SERVER_CORE, measure, pinned
from workload import gradient_boosting, make_frame, make_live

PORTS = {"worker": 18917, "bare": 18918}
CONCURRENCIES = (1, 8, 64)
HERE = Path(__file__).resolve().parent


def start(name: str, folder: Path, graph: Path) -> subprocess.Popen[bytes]:
    """One server pinned to the server's core."""
    command = {
        "worker": ["-m", "snapml_jupyter.serving.worker", str(folder), "--port", str(PORTS["worker"])],
        "bare": [str(HERE / "bare_callable.py"), str(graph), str(PORTS["bare"])],
    }[name]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parents[1])}
    return subprocess.Popen([*pinned(SERVER_CORE), sys.executable, *command], env=environment)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, help="of one measurement; 3 unless given, 2 with --quick")
    parser.add_argument("--rounds", type=int, help="5 unless given, 3 with --peers, 2 with --quick")
    parser.add_argument("--peers", action="store_true", help="beside the other servers too")
    parser.add_argument("--peers-folder", type=Path, help="where their environments are; default: in the user's cache")
    parser.add_argument("--quick", action="store_true", help="short rounds, to see that it works")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    seconds = given.seconds or (2.0 if given.quick else 3.0)
    if given.peers:
        import comparison

        rounds = given.rounds or (2 if given.quick else 3)
        comparison.main(peers_folder=given.peers_folder, rounds=rounds, seconds=seconds, as_json=given.json)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        frame = make_frame(20_000, seed=1)
        live = make_live(folder, gradient_boosting(frame), frame)
        body = json.dumps({"rows": [live.row]}).encode()
        headers = {"authorization": f"Bearer {live.key}"}
        paths = {"worker": "/endpoints/bench/predict", "bare": "/"}
        urls = {name: f"http://127.0.0.1:{port}{paths[name]}" for name, port in PORTS.items()}
        servers = {name: start(name, folder, live.graph) for name in PORTS}
        try:
            for url in urls.values():
                await_answer(url, live.key, body)
            results: list[dict[str, Any]] = []
            for concurrency in CONCURRENCIES:
                found: dict[str, list[float]] = {name: [] for name in PORTS}
                for _ in range(given.rounds or (2 if given.quick else 5)):
                    for name, url in urls.items():
                        load = measure(url, headers, body, concurrency, seconds)
                        if load.n_failed:
                            raise RuntimeError(f"{load.n_failed} requests to {name} were not answered with 200")
                        found[name].append(load.requests_per_second)
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
