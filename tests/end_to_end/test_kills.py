"""Whatever is killed with SIGKILL, what was recorded is there, and the next start goes on."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable
from typing import Any

_DATA = """
import numpy as np, pandas as pd
draw = np.random.default_rng(0)
people = pd.DataFrame({"age": draw.integers(18, 80, 300), "city": draw.choice(["Oslo", "Bergen"], 300)})
answer = np.where(people["age"] > 50, "yes", "no")
"""

_TRAIN = """%%snap_train people --seed 1 --register people
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
columns = make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough")
model = make_pipeline(columns, LogisticRegression(max_iter=1000)).fit(people, answer)
"""

_ENDLESS = """%%snap_train endless
import time, snapml_jupyter as snap
snap.log_param("patience", 3)
for step in range(10_000):
    snap.log_metric("loss", 1 / (1 + step), step=step)
    time.sleep(0.05)
"""


def _until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.05)


def _predict(url: str, key: str) -> str:
    body = json.dumps({"rows": [{"age": 70, "city": "Oslo"}]}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as response:
        return str(json.loads(response.read())["predictions"][0]["label"])


def test_a_killed_kernel_leaves_its_run_as_far_as_it_came(jupyter: Any) -> None:
    kernel = jupyter.kernel()
    kernel.begin(_ENDLESS)
    _until(lambda: _loss(jupyter) is not None, "the first metric")
    seen = len(jupyter.call("runs.list_metric_points", run_id=_run(jupyter)["run_id"]))
    _until(lambda: _run(jupyter)["has_program"], "keeping the program")
    kernel.kill()
    _until(lambda: _run(jupyter)["status"] == "interrupted", "marking the run")
    assert "snap.log_metric" in jupyter.call("runs.get_program_source", ref=_run(jupyter)["run_id"])
    run = _run(jupyter)
    assert run["params"] == {"patience": 3}
    assert "snap.log_metric" in run["source"]["code"]
    assert len(jupyter.call("runs.list_metric_points", run_id=run["run_id"])) >= seen

    again = jupyter.kernel("again.ipynb")
    again.run("%%snap_train after\nimport snapml_jupyter as snap\nsnap.log_metric('x', 1.0)")
    again.close()
    assert jupyter.call("runs.get_run", ref="after")["status"] == "finished"
    assert jupyter.call("governance.verify")["passed"]


def _run(jupyter: Any) -> dict[str, Any]:
    found = jupyter.call("runs.list_runs", name="endless")
    return dict(found[0]) if found else {"metrics": {}, "status": None}


def _loss(jupyter: Any) -> float | None:
    return _run(jupyter)["metrics"].get("loss")


def test_a_killed_server_takes_neither_the_kernel_nor_the_endpoint_with_it(jupyter: Any) -> None:
    kernel = jupyter.kernel()
    kernel.run(_DATA)
    kernel.run(_TRAIN)
    outcome = jupyter.call("serving.deploy", model_ref="people", endpoint="people")
    url, key = outcome["endpoint"]["url"], outcome["api_key"]
    assert _predict(url, key) == "yes"

    jupyter.kill()
    assert _predict(url, key) == "yes"
    jupyter.start()
    assert jupyter.call("registry.get_model", ref="people@champion")["ref"] == "people:1"
    assert jupyter.call("serving.get_host_status")["running"]
    assert _predict(url, key) == "yes"
    assert jupyter.call("governance.verify")["passed"]

    host = jupyter.call("serving.get_host_status")["pid"]
    os.kill(host, signal.SIGKILL)
    _until(lambda: not jupyter.call("serving.get_host_status")["running"], "noticing that the host is gone")
    jupyter.call("serving.start_host")
    url = jupyter.call("serving.get_endpoint", name="people")["url"]
    _until(lambda: _predict(url, key) == "yes", "answering again")
    _until(lambda: jupyter.call("monitoring.get_monitor", endpoint="people")["n_predictions"] >= 4, "counting them all")
    kernel.close()
