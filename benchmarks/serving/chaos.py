"""Load while workers are killed, versions are swapped and the disk fills: no wrong answer, and hardly a failed request.

    python benchmarks/serving/chaos.py                    # one minute
    python benchmarks/serving/chaos.py --minutes 10       # as long as docs/performance.md says
    python benchmarks/serving/chaos.py --folder /mnt/tiny # a workspace on a small file system, which is filled half-way
    python benchmarks/serving/chaos.py --hosts            # the host is killed as well, every 11 seconds

Every 5 seconds a worker gets SIGKILL, every 7 seconds the version behind the endpoint is swapped. Each version's answer to a row
is known, so an answer that fits neither version, or not the version that it names, is wrong. A request that finds its connection
closed by the killed worker is sent once more on a new one, as HTTP clients do with what they may repeat; what then fails counts.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from snapml_jupyter.registry.versions import register
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.serving.deploying import deploy
from snapml_jupyter.serving.host_process import get_host_status, stop_host
from snapml_jupyter.serving.reports import list_workers
from snapml_jupyter.store.workspace import Workspace

CLIENTS, KILL_SECONDS, SWAP_SECONDS, HOST_SECONDS = 8, 5.0, 7.0, 11.0


def make_versions(workspace: Workspace) -> tuple[pd.DataFrame, dict[str, list[float]]]:
    """Two versions of one model, and what each says of some rows."""
    draw = np.random.default_rng(1)
    frame = pd.DataFrame({"a": draw.normal(size=500), "b": draw.normal(size=500)})
    label = np.where(frame["a"] + frame["b"] > 0, "x", "y")
    known: dict[str, list[float]] = {}
    for number, strength in ((1, 1.0), (2, 0.001)):
        with start_run(workspace, "chaos") as run:
            model = LogisticRegression(C=strength).fit(frame, label)
            run.log_model(model, example=frame, target="label")
        register(workspace, run.run_id, "chaos")
        known[f"chaos:{number}"] = model.predict_proba(frame.head(50))[:, 0].tolist()
    return frame.head(50), known


class Client(threading.Thread):
    """Sends rows one after another and checks every answer."""

    def __init__(self, port: int, api_key: str, rows: list[dict[str, float]], known: dict[str, list[float]]) -> None:
        super().__init__(daemon=True)
        self.port, self.api_key, self.rows, self.known = port, api_key, rows, known
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        connection: http.client.HTTPConnection | None = None
        while not self.stopping.is_set():
            place = random.randrange(len(self.rows))
            body = json.dumps({"rows": [self.rows[place]]})
            for attempt in (1, 2):
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                try:
                    connection.request(
                        "POST", "/endpoints/chaos/predict", body, {"Authorization": f"Bearer {self.api_key}"}
                    )
                    response = connection.getresponse()
                    content = response.read()
                except (OSError, http.client.HTTPException) as error:
                    connection.close()
                    connection = None
                    self.counts["resent" if attempt == 1 else f"failed: {type(error).__name__}"] += 1
                    continue
                if response.status == 200:
                    self._check(place, json.loads(content))
                else:
                    self.counts[f"failed: {response.status}"] += 1
                break

    def _check(self, place: int, answer: dict[str, Any]) -> None:
        self.counts["answered"] += 1
        said = answer["predictions"][0]["probabilities"]["x"]
        if abs(said - self.known[answer["model"]][place]) > 1e-6:
            self.wrong.append(f"{answer['model']} said {said} of row {place}")


def every(seconds: float, stopping: threading.Event, act: Any) -> threading.Thread:
    """Call `act` every so many seconds until told to stop."""

    def go() -> None:
        while not stopping.wait(seconds):
            with contextlib.suppress(Exception):  # a swap may fail on a full disk; that is part of it
                act()

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    return thread


def fill(folder: Path) -> None:
    """Take every byte that the file system has left."""
    with (folder / "ballast").open("wb") as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 2**20)
            file.flush()


def main() -> None:
    """Run and print what happened; exit status 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--folder", type=Path, help="a folder on a small file system, which is filled half-way")
    parser.add_argument("--hosts", action="store_true", help="kill the host as well; its workers start another")
    given = parser.parse_args()
    os.environ.update(SNAPML_PORT="0", SNAPML_WORKERS="2", SNAPML_LOG_SECONDS="0.5")
    folder = Path(tempfile.mkdtemp(dir=given.folder))
    workspace = Workspace(folder / "workspace", actor="chaos")
    stopping = threading.Event()
    try:
        rows, known = make_versions(workspace)
        api_key = deploy(workspace, "chaos:1").api_key or ""
        deploy(workspace, "chaos:2")
        port = get_host_status(workspace).port or 0
        clients = [Client(port, api_key, rows.to_dict("records"), known) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        turn, n_hosts = [0], [0]

        def swap() -> None:
            turn[0] += 1
            deploy(workspace, f"chaos:{turn[0] % 2 + 1}")

        def kill() -> None:
            os.kill(random.choice(list_workers(workspace.folder)).pid, signal.SIGKILL)

        def kill_host() -> None:
            if pid := get_host_status(workspace).pid:
                os.kill(pid, signal.SIGKILL)
                n_hosts[0] += 1

        every(KILL_SECONDS, stopping, kill)
        if given.hosts:
            every(HOST_SECONDS, stopping, kill_host)
        every(SWAP_SECONDS, stopping, swap)
        half = given.minutes * 30.0
        time.sleep(half)
        if given.folder is not None:
            fill(given.folder)
        time.sleep(half)
        stopping.set()
        for client in clients:
            client.stopping.set()
        for client in clients:
            client.join(30)
        counts: Counter[str] = sum((client.counts for client in clients), Counter())
        wrong = [line for client in clients for line in client.wrong]
        failed = sum(n for what, n in counts.items() if what.startswith("failed"))
        share = failed / max(1, failed + counts["answered"])
        print(f"{counts['answered']:,} answered, {turn[0]} swaps, {n_hosts[0]} hosts killed; {dict(counts)}")
        print(f"wrong answers: {len(wrong)}   failed requests: {share:.4%} (bar 0.1%)")
        if wrong or share > 0.001:
            sys.exit(1)
    finally:
        stopping.set()
        if given.folder is not None:
            (given.folder / "ballast").unlink(missing_ok=True)
        stop_host(workspace)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
