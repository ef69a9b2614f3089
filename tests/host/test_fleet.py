"""How many workers there are, what is known of those that died, and what happens to a version that ends them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from snapml_jupyter.domain.endpoint import DeploymentStatus
from snapml_jupyter.host.fleet import MEASURE_SECONDS, Fleet, Loss
from snapml_jupyter.host.scaling import QUIET_SECONDS, wanted_workers
from snapml_jupyter.serving.ports import bind_shared
from snapml_jupyter.serving.reports import WorkerReport, write_report
from snapml_jupyter.serving.running import Running, ran_last, running_path
from snapml_jupyter.serving.traffic import quarantine
from snapml_jupyter.store import alerts, endpoints
from snapml_jupyter.store.workspace import Workspace


@pytest.mark.parametrize(
    ("busy", "least", "most", "quiet", "wanted"),
    [
        ([], 2, 4, 0.0, 1),
        ([0.9], 1, 1, 0.0, 1),
        ([0.9], 1, 3, 0.0, 2),
        ([0.9, 0.7, 0.9], 1, 3, 0.0, 3),
        ([0.1, 0.1], 1, 3, QUIET_SECONDS - 1, 2),
        ([0.1, 0.1], 1, 3, QUIET_SECONDS, 1),
        ([0.3, 0.3], 1, 3, QUIET_SECONDS, 2),
        ([0.1, 0.1, 0.1], 1, 2, 0.0, 2),
    ],
)
def test_the_number_of_workers_follows_how_busy_they_are(
    busy: list[float], least: int, most: int, quiet: float, wanted: int
) -> None:
    assert wanted_workers(busy, least, most, quiet) == wanted


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Workers that only sleep; the test writes their reports."""

    def start(pulse: int, listener: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=(pulse, listener))

    fleet = Fleet(start, lambda: bind_shared("127.0.0.1", 0), tmp_path, 1, 100 * 2**20)
    yield fleet
    fleet.end(5.0)


def report(fleet: Fleet, folder: Path, cpu_seconds: float, memory_bytes: int = 0) -> None:
    for child in fleet.workers:
        if child.pid is not None:
            said = WorkerReport(
                pid=child.pid,
                port=1,
                host_pid=os.getpid(),
                is_serving=True,
                event_id=1,
                cpu_seconds=cpu_seconds,
                memory_bytes=memory_bytes,
                loaded={"tiny/1": "ready", "tiny/2": "ready"},
            )
            write_report(folder / f"{child.pid}.json", said)


def turn(fleet: Fleet, now: float, least: int, most: int) -> list[Loss]:
    for child in fleet.workers:
        child.heard_at = now  # none of them hangs
    reports, losses = fleet.look(now)
    fleet.scale(reports, least, most, now)
    return losses


def test_a_busy_fleet_grows_and_a_quiet_one_shrinks(fleet: Fleet, tmp_path: Path) -> None:
    now, cpu = 1_000.0, 0.0
    for _ in range(6):
        turn(fleet, now, 1, 2)
        now, cpu = now + MEASURE_SECONDS, cpu + 0.9 * MEASURE_SECONDS
        report(fleet, tmp_path, cpu)
    assert len(fleet.workers) == 2
    for _ in range(int(QUIET_SECONDS / MEASURE_SECONDS) + 4):
        turn(fleet, now, 1, 2)
        now += MEASURE_SECONDS
        report(fleet, tmp_path, cpu)
    assert len(fleet.workers) == 1


def test_a_worker_that_grows_is_replaced_once_the_new_one_answers(fleet: Fleet, tmp_path: Path) -> None:
    now = 1_000.0
    turn(fleet, now, 1, 1)
    old = fleet.workers[0]
    for _ in range(3):
        report(fleet, tmp_path, 0.0, 200 * 2**20)
        turn(fleet, now, 1, 1)
        now += MEASURE_SECONDS
        old.heard_at = now
    assert len(fleet.workers) == 2 and old in fleet.workers
    turn(fleet, now, 1, 1)
    new = next(child for child in fleet.workers if child is not old)
    said = WorkerReport(pid=new.pid or 0, port=1, host_pid=1, is_serving=True, event_id=1)
    write_report(tmp_path / f"{new.pid}.json", said)
    turn(fleet, now, 1, 1)
    assert fleet.workers == [new] and old in fleet.leaving


def test_what_a_dead_worker_was_computing_for_is_known(
    fleet: Fleet, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    turn(fleet, 1_000.0, 1, 1)
    report(fleet, tmp_path, 0.0)
    child = fleet.workers[0]
    turn(fleet, 1_000.0, 1, 1)
    assert child.process is not None
    running = Running(running_path(tmp_path, child.process.pid))

    def killed(_: None) -> None:
        assert child.process is not None
        child.process.kill()
        child.process.wait()
        assert turn(fleet, 1_000.0, 1, 1) == [Loss("tiny/2", False)]

    running.marked("tiny/2", killed)(None)


def test_a_run_that_ended_is_nobodys_fault(tmp_path: Path) -> None:
    running = Running(running_path(tmp_path, 1))
    with pytest.raises(ZeroDivisionError):
        running.marked("tiny/1", lambda _: 1 / 0)(None)
    assert running.marked("tiny/1", lambda n: n + 1)(1) == 2
    assert ran_last(running_path(tmp_path, 1), ["tiny/1"]) is None
    assert ran_last(running_path(tmp_path, 1), ["tiny/1"]) is None  # the file is gone


def test_a_version_that_ends_workers_is_taken_away_and_the_one_before_starts(
    workspace: Workspace, tiny_models: Any
) -> None:
    for number in (1, 2):
        tiny_models.add()
        with workspace.transaction() as tx:
            endpoints.ensure_endpoint(tx, "tiny")
            made = endpoints.add_deployment(tx, "tiny", "tiny", number)
            endpoints.move_deployment(tx, "tiny", made, DeploymentStatus.live)
    endpoint = quarantine(workspace, "tiny", 2, "3 workers ended while they ran it.")
    states = [(d.model_ref, d.status) for d in endpoint.deployments]
    assert states == [
        ("tiny:1", DeploymentStatus.retired),
        ("tiny:2", DeploymentStatus.failed),
        ("tiny:1", DeploymentStatus.starting),
    ]
    (alert,) = alerts.list_alerts(workspace.database)
    assert "tiny:2 is quarantined" in alert.message and "tiny:1 takes over" in alert.message
