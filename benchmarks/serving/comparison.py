"""Ours, a bare callable and the peers in turns, and how the figures stand to the bars that were set.

In its turn a server is started on its core, asked once (its answer must be the model's own), loaded at each concurrency,
weighed and stopped, so that no server computes while another one is measured. Rounds go over all servers; medians are told.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
import peers
import workload
from load import Load, median_load, pinned
from server_process import ROOT, Server, ServerError, running
from workload import Live, make_live

HERE = Path(__file__).resolve().parent
OURS, BARE = "snapml", "bare callable"
CONCURRENCIES = (1, 8, 64)
MODELS = {"logistic_regression": "logistic regression", "random_forest": "forest of 100 trees"}

#: A slow server is measured longer, until each connection had some answers, but not for ever.
ANSWERS_A_CONNECTION, MOST_SECONDS = 4, 8.0
#: At least so many times the best peer's requests a second, by model and concurrency.
THROUGHPUT_BARS = {
    ("logistic_regression", 1): 5.0,
    ("logistic_regression", 64): 8.0,
    ("random_forest", 1): 5.0,
    ("random_forest", 64): 15.0,
}
#: p99 at concurrency 8 as a share of the best peer's, share of the bare callable, memory and seconds.
P99_BAR, BARE_BAR, MEMORY_BAR_MB, COLD_START_BAR_SECONDS = 0.5, 0.65, 120.0, 3.0


@dataclass(slots=True)
class Turns:
    """What one server's turns found with one model."""

    note: str
    start_seconds: list[float] = field(default_factory=list)
    resident_mb: list[float] = field(default_factory=list)
    proportional_mb: list[float] = field(default_factory=list)
    loads: dict[int, list[Load]] = field(default_factory=dict)

    def load(self, concurrency: int) -> Load:
        """The medians at one concurrency."""
        return median_load(self.loads[concurrency])


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One figure beside its bar. `is_least` says that it must not be below, otherwise not above."""

    what: str
    value: float
    bar: float
    unit: str = ""
    is_least: bool = True

    @property
    def is_met(self) -> bool:
        """Whether the bar is reached."""
        return self.value >= self.bar if self.is_least else self.value <= self.bar

    def __str__(self) -> str:
        wanted = f"{'at least' if self.is_least else 'at most'} {self.bar:g}{self.unit}"
        return f"{self.what:58} {self.value:8.2f}{self.unit:3}  {wanted:16} {'met' if self.is_met else 'MISSED'}"


@dataclass(slots=True)
class Result:
    """One model's comparison. `missing` says why a peer is not in it."""

    model: str
    turns: dict[str, Turns] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    cold_starts: list[dict[str, float]] = field(default_factory=list)


def compare(model_name: str, folder: Path, peers_folder: Path, rounds: int, seconds: float) -> Result:
    """All servers with one model, in turns."""
    frame = workload.make_frame(20_000, seed=1)[list(workload.PEER_COLUMNS)]
    model = getattr(workload, model_name)(frame)
    live = make_live(folder / "workspace", model, frame)
    joblib.dump(model, folder / "model.joblib")
    result = Result(model_name)
    servers = [_ours(live), _bare(live)]
    for peer in peers.PEERS:
        try:
            servers.append(peer.prepare(peers.environment_python(peer, peers_folder), folder, live))
        except ServerError as error:
            result.missing[peer.name] = str(error)
    for number in range(rounds):
        for server in servers if number % 2 == 0 else servers[::-1]:
            if server.name not in result.missing:
                _take_turn(server, live, folder, seconds, result)
        print(f"{MODELS[model_name]}: cold start", file=sys.stderr, flush=True)
        result.cold_starts.append(_cold_start(model_name, folder / f"cold-{number}"))
    return result


def _take_turn(server: Server, live: Live, folder: Path, seconds: float, result: Result) -> None:
    print(f"{MODELS[result.model]}: {server.name}", file=sys.stderr, flush=True)
    turns = result.turns.setdefault(server.name, Turns(server.note))
    try:
        with running(server, _free_port(), live.probability, folder / "logs") as started:
            turns.start_seconds.append(started.start_seconds)
            for concurrency in CONCURRENCIES:
                warm = started.measure(concurrency, 1)  # adaptive batchers learn, and pages come in
                enough = ANSWERS_A_CONNECTION * concurrency / max(warm.requests_per_second, 1.0)
                load = started.measure(concurrency, min(max(seconds, enough), max(seconds, MOST_SECONDS)))
                turns.loads.setdefault(concurrency, []).append(load)
            resident, proportional = started.memory_mb()
            turns.resident_mb.append(resident)
            turns.proportional_mb.append(proportional)
    except ServerError as error:
        if server.name in (OURS, BARE):
            raise
        result.missing[server.name] = str(error)
        del result.turns[server.name]


def _ours(live: Live) -> Server:
    command = [sys.executable, "-m", "snapml_jupyter.serving.worker", str(live.folder)]
    return Server(
        name=OURS,
        command=lambda port: [*command, "--port", str(port)],
        path="/endpoints/bench/predict",
        body=json.dumps({"rows": [live.row]}).encode(),
        headers={"authorization": f"Bearer {live.key}"},
        read=lambda answer: float(answer["predictions"][0]["probabilities"]["1"]),
        environment={"PYTHONPATH": str(ROOT), "MALLOC_ARENA_MAX": "2"},  # as its host starts it
        note="key, limits, validation, routing, metrics and prediction log",
    )


def _bare(live: Live) -> Server:
    return Server(
        name=BARE,
        command=lambda port: [sys.executable, str(HERE / "bare_callable.py"), str(live.graph), str(port)],
        path="/",
        body=json.dumps({"rows": [live.row]}).encode(),
        read=lambda answer: float(answer["predictions"][0]["probabilities"]["1"]),
        note="uvicorn and onnxruntime, nothing checked",
    )


def _cold_start(model_name: str, folder: Path) -> dict[str, float]:
    """Deploy in a fresh workspace by a process of its own, which may use both cores as a notebook does."""
    folder.mkdir()
    environment = {**os.environ, "SNAPML_WORKSPACE": str(folder), "SNAPML_PORT": "0", "PYTHONPATH": str(ROOT)}
    environment |= {"IPYTHONDIR": str(folder / "ipython"), "SNAPML_ACTOR": "bench"}
    command = [sys.executable, str(HERE / "cold_start.py"), model_name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"The deployment failed: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _free_port() -> int:
    """A port that is free, with the two above it."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            if port < 65_000 and all(_is_free(port + more) for more in (1, 2)):
                return port


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def verdicts(result: Result) -> Iterator[Verdict]:
    """Each figure with a bar beside it; those to peers only where one was measured."""
    turns = result.turns
    known = {name: found for name, found in turns.items() if name not in (OURS, BARE)}
    for concurrency in CONCURRENCIES if known else ():
        bar = THROUGHPUT_BARS.get((result.model, concurrency))
        rates = {name: found.load(concurrency).requests_per_second for name, found in known.items()}
        best = max(rates, key=rates.__getitem__)
        if bar is not None:
            ratio = turns[OURS].load(concurrency).requests_per_second / rates[best]
            yield Verdict(what=f"requests/s at {concurrency} to the best peer ({best})", value=ratio, bar=bar)
    if known:
        slowest = {name: found.load(8).p99_ms for name, found in known.items()}
        best = min(slowest, key=slowest.__getitem__)
        ratio = turns[OURS].load(8).p99_ms / slowest[best]
        yield Verdict(what=f"p99 at 8 to the best peer ({best})", value=ratio, bar=P99_BAR, is_least=False)
    for concurrency in CONCURRENCIES:
        ratio = turns[OURS].load(concurrency).requests_per_second / turns[BARE].load(concurrency).requests_per_second
        yield Verdict(what=f"requests/s at {concurrency} to the bare callable", value=ratio, bar=BARE_BAR)
    memory = statistics.median(turns[OURS].resident_mb)
    yield Verdict(what="memory of the worker (RSS)", value=memory, bar=MEMORY_BAR_MB, unit=" MB", is_least=False)
    cold = statistics.median(found["answer_seconds"] for found in result.cold_starts)
    yield Verdict(
        what="%snap_deploy to the first answer", value=cold, bar=COLD_START_BAR_SECONDS, unit=" s", is_least=False
    )


def print_result(result: Result) -> None:
    """The table of one model, and the verdicts."""
    print(f"\n{MODELS[result.model]}: one row a request, medians")
    header = "".join(f"{f'{c} at once: req/s':>17}{'p50 ms':>8}{'p99 ms':>8}" for c in CONCURRENCIES)
    print(f"{'':22}{header}{'RSS MB':>8}{'PSS MB':>8}{'start s':>9}")
    for name, turns in result.turns.items():
        figures = "".join(
            f"{load.requests_per_second:17,.0f}{load.p50_ms:8.2f}{load.p99_ms:8.2f}"
            for load in map(turns.load, CONCURRENCIES)
        )
        resident, proportional = statistics.median(turns.resident_mb), statistics.median(turns.proportional_mb)
        start = statistics.median(turns.start_seconds)
        print(f"{name:22}{figures}{resident:8.0f}{proportional:8.0f}{start:9.2f}")
    for name, turns in result.turns.items():
        n_failed = sum(load.n_failed for loads in turns.loads.values() for load in loads)
        print(f"  {name}: {turns.note}{f'; {n_failed} requests FAILED' if n_failed else ''}")
    for name, reason in result.missing.items():
        print(f"  {name} is missing: {reason}")
    for verdict in verdicts(result):
        print(verdict)


def main(*, peers_folder: Path | None, rounds: int, seconds: float, as_json: bool) -> None:
    """Compare with each model and print."""
    if not shutil.which("wrk"):
        print("wrk is not installed: the client here is slower, and only ratios mean something", file=sys.stderr)
    if not pinned(0) or (os.cpu_count() or 1) < 2:
        print("no taskset or one core: servers and client share what there is", file=sys.stderr)
    results: list[Result] = []
    for model_name in MODELS:
        with tempfile.TemporaryDirectory(prefix="snapml-peers-") as temporary:
            result = compare(model_name, Path(temporary), peers_folder or peers.default_folder(), rounds, seconds)
        results.append(result)
        if not as_json:
            print_result(result)
    if as_json:
        print(json.dumps([_told(result) for result in results]))


def _told(result: Result) -> dict[str, Any]:
    found = dataclasses.asdict(result)
    for turns in found["turns"].values():
        for load in (load for loads in turns["loads"].values() for load in loads):
            load |= {name: None for name in ("p50_ms", "p99_ms") if math.isinf(load[name])}  # JSON has no infinity
    return {**found, "verdicts": [{**dataclasses.asdict(each), "is_met": each.is_met} for each in verdicts(result)]}
