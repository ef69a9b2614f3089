"""Cumulative reports of workers that come and go, as buckets of time that hold every request once."""

from __future__ import annotations

from pathlib import Path

import pytest

from snapml_jupyter.host.traffic_record import TrafficRecord
from snapml_jupyter.serving.metrics import TrafficCounter
from snapml_jupyter.serving.reports import WorkerReport
from snapml_jupyter.serving.traffic_history import Bucket, read_buckets, traffic_folder

START = 1_800_000_000.0


class FakeWorker:
    """A worker's counters, reported as a worker does."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.counters: dict[str, TrafficCounter] = {}

    def answer(self, n: int, version: str = "1", code: int = 200, seconds: float = 0.002) -> None:
        counter = self.counters.setdefault(version, TrafficCounter("tiny", version))
        for _ in range(n):
            counter.count(code, 1, seconds)

    def report(self) -> WorkerReport:
        traffic = [counter.report() for counter in self.counters.values()]
        return WorkerReport(pid=self.pid, port=1, host_pid=1, is_serving=True, event_id=1, traffic=traffic)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace in which a host has been."""
    (tmp_path / "host").mkdir()
    return tmp_path


def counted(folder: Path) -> list[tuple[int, dict[str, tuple[int, int]]]]:
    return [
        (
            bucket.at - int(START),
            {part.version: (part.n_requests, part.n_errors) for part in bucket.parts.get("tiny", [])},
        )
        for bucket in read_buckets(traffic_folder(folder), "tiny", 0)
    ]


def test_workers_add_up_in_buckets_and_quiet_ones_are_written_too(folder: Path) -> None:
    one, other, record = FakeWorker(1), FakeWorker(2), TrafficRecord(folder)
    one.answer(3)
    other.answer(2)
    record.look([one.report(), other.report()], START + 1)
    one.answer(4, version="2", code=500)
    record.look([one.report(), other.report()], START + 2)
    record.look([one.report(), other.report()], START + 6)
    record.look([one.report(), other.report()], START + 11)
    assert counted(folder) == [(0, {"1": (5, 0), "2": (4, 4)}), (5, {})]
    latencies = read_buckets(traffic_folder(folder), "tiny", 0)[0].parts["tiny"][0].latencies
    assert sum(latencies.values()) == 5
    assert len(latencies) == 1, "empty places are left out"


def test_a_new_worker_and_one_with_the_number_of_a_dead_one_start_from_nothing(folder: Path) -> None:
    record, first = TrafficRecord(folder), FakeWorker(1)
    first.answer(5)
    record.look([first.report()], START)
    again = FakeWorker(1)
    again.answer(2)
    record.look([again.report()], START + 1)
    record.write()
    assert counted(folder) == [(0, {"1": (7, 0)})]


def test_another_process_goes_on_where_this_one_ended(folder: Path) -> None:
    worker, record = FakeWorker(1), TrafficRecord(folder)
    worker.answer(5)
    record.look([worker.report()], START)
    record.write()
    worker.answer(3)
    record.look([worker.report()], START + 1)  # and then it is killed, before it writes
    worker.answer(1)
    another = TrafficRecord(folder)
    another.look([worker.report()], START + 6)
    another.write()
    assert counted(folder) == [(0, {"1": (5, 0)}), (5, {"1": (4, 0)})]


def test_what_came_in_a_long_pause_is_in_no_bucket(folder: Path) -> None:
    worker, record = FakeWorker(1), TrafficRecord(folder)
    worker.answer(5)
    record.look([worker.report()], START)
    record.write()
    worker.answer(9_000)
    record = TrafficRecord(folder)
    record.look([worker.report()], START + 600)
    worker.answer(2)
    record.look([worker.report()], START + 601)
    record.write()
    assert counted(folder) == [(0, {"1": (5, 0)}), (600, {"1": (2, 0)})]


def test_a_disk_that_was_full_costs_nothing_once_there_is_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker, record = FakeWorker(1), TrafficRecord(folder)

    def full(_: Path, bucket: Bucket) -> None:
        raise OSError("No space left on device")

    worker.answer(5)
    record.look([worker.report()], START)
    with monkeypatch.context() as patch:
        patch.setattr("snapml_jupyter.host.traffic_record.append_bucket", full)
        with pytest.raises(OSError, match="No space"):
            record.look([worker.report()], START + 5)
    worker.answer(2)
    record.look([worker.report()], START + 6)
    record.write()
    assert [parts for _, parts in counted(folder)] == [{"1": (5, 0)}, {"1": (2, 0)}]


def test_a_workspace_that_is_gone_does_not_come_back(tmp_path: Path) -> None:
    worker, record = FakeWorker(1), TrafficRecord(tmp_path / "gone")
    worker.answer(1)
    record.look([worker.report()], START)
    with pytest.raises(OSError, match="gone"):
        record.write()
    assert not (tmp_path / "gone").exists()
