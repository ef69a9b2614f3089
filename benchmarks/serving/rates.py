"""Whether a rate holds over real workers: how many requests pass of twice as many as may.

    python benchmarks/serving/rates.py [--workers 4] [--rate 200] [--seconds 20]

Eight connections offer twice the rate. A token bucket lets through `rate * seconds` and one second's worth more.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

CONNECTIONS = 8


def offer(url: str, key: str, body: bytes, period: float, until: float, statuses: Counter[int]) -> None:
    """Send a request every `period` seconds over one connection, and count the answers by status."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port)
    due = time.monotonic()
    while time.monotonic() < until:
        connection.request("POST", where.path, body, {"Authorization": f"Bearer {key}"})
        response = connection.getresponse()
        response.read()
        statuses[response.status] += 1
        due += period
        time.sleep(max(0.0, due - time.monotonic()))


def main() -> None:
    """Deploy, offer and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(SNAPML_WORKSPACE=folder, SNAPML_PORT="0")
        from sklearn.datasets import load_iris
        from sklearn.linear_model import LogisticRegression

        import snapml_jupyter as snap
        from snapml_jupyter.serving.host_process import stop_host

        iris = load_iris(as_frame=True)
        with snap.start_run("rates") as run:
            model = LogisticRegression(max_iter=500).fit(iris.data, iris.target)
            run.log_model(model, example=iris.data, target="species")
        snap.register(run.run_id, "rates")
        endpoint = snap.deploy("rates", workers=f"{given.workers}:{given.workers}", rate=f"{given.rate:g}/s")
        try:
            time.sleep(3.0)  # until all workers answer
            body = json.dumps({"rows": [dict.fromkeys(iris.data.columns, 1.0)]}).encode()
            counts = [Counter[int]() for _ in range(CONNECTIONS)]
            started = time.monotonic()
            period, until = CONNECTIONS / (2 * given.rate), started + given.seconds
            clients = [
                threading.Thread(target=offer, args=(endpoint.url, endpoint.api_key, body, period, until, count))
                for count in counts
            ]
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            seconds = time.monotonic() - started
        finally:
            stop_host(snap.workspace())
        total = sum(counts, Counter[int]())
        allowed = given.rate * seconds + given.rate
        print(
            f"{given.workers} workers, {given.rate:g}/s: {dict(total)}; passed {total[200] / allowed:.1%} of what may"
        )


if __name__ == "__main__":
    main()
