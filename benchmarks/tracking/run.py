"""What recording costs: microseconds for each metric logged, milliseconds to start and end a run.

The floor beside it is SQLite itself: the same rows by `executemany` in one transaction, and one at a time in a transaction
each, in a database with the same settings. Run: python benchmarks/tracking/run.py [--metrics N] [--runs N] [--json]
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from snapml_jupyter.domain.run import MetricValue
from snapml_jupyter.runs.environment import current_environment
from snapml_jupyter.runs.queries import list_runs
from snapml_jupyter.runs.recording import record_metrics
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store.workspace import Workspace


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def floor(folder: Path, n_metrics: int) -> dict[str, float]:
    """SQLite alone, microseconds a row."""
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE points (run_id TEXT, name TEXT, step INTEGER, value REAL, logged_at TEXT) STRICT")
    insert = "INSERT INTO points VALUES ('da6jf800000000000', 'loss', ?, ?, '2026-11-01T12:00:00.000001+00:00')"
    rows = [(step, float(step)) for step in range(n_metrics)]

    def together() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(insert, rows)
        connection.execute("COMMIT")

    def one_by_one() -> None:
        for row in rows:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(insert, row)
            connection.execute("COMMIT")

    answer = {"executemany_us": seconds(together), "one_transaction_each_us": seconds(one_by_one)}
    connection.close()
    return {name: value / n_metrics * 1e6 for name, value in answer.items()}


def measure(folder: Path, n_metrics: int, n_runs: int) -> dict[str, float]:
    """The product, in the units the names say."""
    workspace = Workspace(folder / "workspace", actor="benchmark")
    first_environment = seconds(current_environment)
    run = start_run(workspace, "metrics")

    def each() -> None:
        for step in range(n_metrics):
            run.log_metric("loss", step)

    points = [MetricValue(name="bulk", value=float(step)) for step in range(n_metrics)]
    each_seconds = seconds(each)
    bulk_seconds = seconds(lambda: record_metrics(workspace, run.run_id, points))
    run.finish()
    starts, ends = [], []
    for number in range(n_runs):
        began = time.perf_counter()
        run = start_run(workspace, f"run-{number}")
        starts.append(time.perf_counter() - began)
        ends.append(seconds(run.finish))
    return {
        "log_metric_us": each_seconds / n_metrics * 1e6,
        "record_metrics_us": bulk_seconds / n_metrics * 1e6,
        "start_run_ms": statistics.median(starts) * 1e3,
        "finish_ms": statistics.median(ends) * 1e3,
        "list_100_runs_ms": seconds(lambda: list_runs(workspace)) * 1e3,
        "first_environment_ms": first_environment * 1e3,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {**measure(Path(folder), asked.metrics, asked.runs), **floor(Path(folder), asked.metrics)}
    if asked.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:28} {value:10.2f}")


if __name__ == "__main__":
    main()
