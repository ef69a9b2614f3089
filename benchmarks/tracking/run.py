"""What recording costs, in turns with SQLite alone and, where they are installed, with MLflow and trackio.

    python benchmarks/tracking/run.py [--rounds N] [--peers PYTHON] [--quick] [--json]

`--peers` is the Python of an environment that has mlflow and trackio; without it the ratios to them are left out. Every
figure is the median of the rounds, in which the competitors take turns, so that a busy machine is busy for all of them.

    log_metric_us     one log_metric in a loop, until everything is in SQLite
    many_runs_s       100,000 points over 100 runs, starting and ending them included
    list_runs_ms      2,000 runs sorted by a metric, with params and latest metrics
    start_finish_ms   starting a run and ending it
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from snapml_jupyter.runs.queries import list_runs, search_runs
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store.workspace import Workspace

PEERS = Path(__file__).with_name("peers.py")


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Sizes:
    """How much each work is; peers get less where they are slow, and the result is for each point or run."""

    def __init__(self, quick: bool) -> None:
        self.points = 20_000 if quick else 100_000
        self.runs, self.points_a_run = (20, 1000) if quick else (100, 1000)
        self.listed = 400 if quick else 2000
        self.started = 50 if quick else 200


def ours(folder: Path, sizes: Sizes) -> Iterator[tuple[str, float]]:
    """The product."""
    workspace = Workspace(folder, actor="benchmark")
    start_run(workspace, "first").finish()

    def loop() -> None:
        run = start_run(workspace, "loop")
        for step in range(sizes.points):
            run.log_metric("loss", step * 0.5)
        run.finish()

    yield "log_metric_us", seconds(loop) / sizes.points * 1e6
    run = start_run(workspace, "calls")
    calls = seconds(lambda: [run.log_metric("loss", 0.5) for _ in range(sizes.points)])
    run.finish()
    yield "log_metric_call_us", calls / sizes.points * 1e6

    def many() -> None:
        for number in range(sizes.runs):
            run = start_run(workspace, f"many-{number}")
            for step in range(sizes.points_a_run):
                run.log_metric("loss", step * 0.5)
            run.finish()

    yield "many_runs_s", seconds(many)
    yield (
        "start_finish_ms",
        seconds(lambda: [start_run(workspace).finish() for _ in range(sizes.started)]) / sizes.started * 1e3,
    )
    for number in range(sizes.listed):
        run = start_run(workspace, f"listed-{number}", experiment="listed", capture_environment=False)
        run.log_params({f"p{n}": n for n in range(5)})
        run.log_metrics({"loss": float(number), "auc": 0.5, "f1": 0.2})
        run.finish()
    asked = {"where": "experiment = 'listed'", "sort": "-loss", "limit": sizes.listed}
    yield "list_runs_ms", seconds(lambda: search_runs(workspace, **asked)) * 1e3
    yield "list_whole_runs_ms", seconds(lambda: list_runs(workspace, **asked)) * 1e3
    page = {"where": "metrics.loss > 10", "sort": "-loss", "limit": 50, "offset": 100}
    yield "page_of_50_ms", seconds(lambda: search_runs(workspace, **page)) * 1e3


def sqlite_alone(folder: Path, sizes: Sizes) -> Iterator[tuple[str, float]]:
    """The same points by `executemany`, in a database with the same settings: what one transaction of all would cost."""
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE points (run_id TEXT, name TEXT, step INTEGER, value REAL, logged_at TEXT) STRICT")
    insert = "INSERT INTO points VALUES ('da6jf800000000000', 'loss', ?, ?, '2026-11-01T12:00:00.000001+00:00')"
    rows = [(step, step * 0.5) for step in range(sizes.points)]

    def together() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(insert, rows)
        connection.execute("COMMIT")

    yield "log_metric_us", seconds(together) / sizes.points * 1e6
    connection.close()


def peer(name: str, python: str, folder: Path, sizes: Sizes) -> Iterator[tuple[str, float]]:
    """MLflow or trackio, in an environment and a process of its own."""

    def timed(work: str, *numbers: int) -> float:
        place = folder / work
        place.mkdir(parents=True)
        command = [python, str(PEERS), name, work, str(place), *map(str, numbers)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return float(json.loads(done.stdout.splitlines()[-1])["seconds"])

    n_points = sizes.points // (1000 if name == "mlflow" else 5)
    yield "log_metric_us", timed("loop", n_points) / n_points * 1e6
    n_runs = sizes.started // 10
    yield "start_finish_ms", timed("start", n_runs) / n_runs * 1e3
    yield "list_runs_ms", timed("list", sizes.listed) * 1e3
    if name == "trackio":
        yield "many_runs_s", timed("many", sizes.runs, sizes.points_a_run)


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", metavar="PYTHON", help="the Python of an environment with mlflow and trackio")
    parser.add_argument("--quick", action="store_true", help="a fifth of the work")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    sizes = Sizes(asked.quick)
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(asked.rounds):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            turns = {"snapml": ours(folder / "ours", sizes), "sqlite": sqlite_alone(folder, sizes)}
            if asked.peers:
                turns |= {name: peer(name, asked.peers, folder / name, sizes) for name in ("trackio", "mlflow")}
            for who, work in turns.items():
                for measure, value in work:
                    found.setdefault(measure, {}).setdefault(who, []).append(value)
    medians = {
        measure: {who: statistics.median(values) for who, values in rounds.items()} for measure, rounds in found.items()
    }
    if asked.json:
        print(json.dumps(medians))
        return
    for measure, values in medians.items():
        rest = "".join(
            f"   {who} {value:.3g} ({value / values['snapml']:.3g}x)"
            for who, value in values.items()
            if who != "snapml"
        )
        print(f"{measure:20} {values['snapml']:10.3f}{rest}")


if __name__ == "__main__":
    main()
