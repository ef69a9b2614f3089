"""The same work by MLflow and trackio, where they are installed: run by run.py with the Python of another environment.

Prints one JSON object. Usage: python peers.py mlflow|trackio WORK FOLDER N...
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

warnings.simplefilter("ignore")


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def mlflow_work(work: str, folder: Path, sizes: list[int]) -> float:
    """MLflow with its SQLite store."""
    import logging

    import mlflow

    logging.disable(logging.CRITICAL)
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment("benchmark")
    with mlflow.start_run():  # the tables are made
        mlflow.log_metric("first", 1.0)
    if work == "loop":
        with mlflow.start_run():
            return seconds(lambda: [mlflow.log_metric("loss", step * 0.5, step=step) for step in range(sizes[0])])
    if work == "start":
        return seconds(lambda: [mlflow.start_run() and mlflow.end_run() for _ in range(sizes[0])])
    client = mlflow.MlflowClient()
    for number in range(sizes[0]):
        with mlflow.start_run() as run:
            client.log_batch(
                run.info.run_id,
                metrics=[mlflow.entities.Metric(name, float(number), 0, 0) for name in ("loss", "auc", "f1")],
                params=[mlflow.entities.Param(f"p{n}", str(n)) for n in range(5)],
            )
    return seconds(
        lambda: mlflow.search_runs(order_by=["metrics.loss DESC"], max_results=sizes[0], output_format="list")
    )


def trackio_work(work: str, folder: Path, sizes: list[int]) -> float:
    """trackio with its local database, without its dashboard server."""
    os.environ["TRACKIO_DIR"] = str(folder)
    import contextlib
    import io

    from trackio.sqlite_storage import SQLiteStorage

    with contextlib.redirect_stdout(io.StringIO()):
        SQLiteStorage.init_db("benchmark")
        if work == "loop":
            return _trackio_loop(sizes[0])
        if work == "start":
            return _trackio_start(sizes[0])
        if work == "many":
            return _trackio_many(sizes[0], sizes[1])
        for number in range(sizes[0]):
            SQLiteStorage.bulk_log(
                project="benchmark",
                run=f"r{number}",
                metrics_list=[{"loss": float(number), "auc": 0.5, "f1": 0.2}],
                steps=[0],
                config={f"p{n}": n for n in range(5)},
            )

        def listing() -> object:
            configs = SQLiteStorage.get_all_run_configs("benchmark")
            records = SQLiteStorage.get_run_records("benchmark")
            asked = [{"run": record["name"], "run_id": record.get("run_id")} for record in records]
            found = SQLiteStorage.get_logs_batch("benchmark", asked)
            rows = [(each["logs"][-1], configs.get(each["run"])) for each in found]
            return sorted(rows, key=lambda row: row[0]["loss"], reverse=True)

        return seconds(listing)


def _trackio_run(name: str) -> object:
    import trackio

    return trackio.init(project="benchmark", name=name, auto_log_gpu=False, auto_log_cpu=False, embed=False)


def _trackio_loop(n_points: int) -> float:
    import trackio

    run = _trackio_run("loop")

    def work() -> None:
        for step in range(n_points):
            run.log({"loss": step * 0.5})  # type: ignore[attr-defined]
        trackio.finish()

    return seconds(work)


def _trackio_start(n_runs: int) -> float:
    import trackio

    _trackio_run("first")
    trackio.finish()

    def work() -> None:
        for number in range(n_runs):
            _trackio_run(f"r{number}")
            trackio.finish()

    return seconds(work)


def _trackio_many(n_runs: int, n_points: int) -> float:
    import trackio

    _trackio_run("first")
    trackio.finish()

    def work() -> None:
        for number in range(n_runs):
            run = _trackio_run(f"r{number}")
            for step in range(n_points):
                run.log({"loss": step * 0.5})  # type: ignore[attr-defined]
            trackio.finish()

    return seconds(work)


if __name__ == "__main__":
    peer, work, place, *numbers = sys.argv[1:]
    took = {"mlflow": mlflow_work, "trackio": trackio_work}[peer](work, Path(place), [int(n) for n in numbers])
    print(json.dumps({"seconds": took}))
    sys.stdout.flush()
    os._exit(0)  # background threads and servers of the peers are not waited for
