"""Rates and quotas: right over several workers, kept over restarts."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from snapml_jupyter.serving.limits import Limiter
from snapml_jupyter.serving.usage import MAX_WORKERS, Usage, usage_path
from snapml_jupyter.store.limit_slots import MAX_SLOTS


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class FakeWorkers:
    """Several workers' views of one file, within one process: each with a block of its own."""

    def __init__(self, path: Path, n_workers: int) -> None:
        self.views = [Usage(path) for _ in range(n_workers)]
        for block, view in enumerate(self.views):
            view._use(block)  # locks are the process's, so all got the first


@pytest.mark.parametrize("n_workers", [1, 4])
@pytest.mark.parametrize("rate", [5.0, 200.0])
def test_a_rate_holds_over_all_workers_to_5_percent(tmp_path: Path, n_workers: int, rate: float) -> None:
    clock = Clock()
    workers = FakeWorkers(usage_path(tmp_path), n_workers)
    limiters = [Limiter(view, "key-1", 7, rate, None, clock, clock) for view in workers.views]
    draw = random.Random(1)
    passed, seconds = 0, 120.0
    start = clock.now
    while clock.now - start < seconds:
        clock.now += draw.expovariate(3 * rate)  # three times as many as may pass, on any worker
        limiter = draw.choice(limiters)
        if limiter.refuses() is None:
            limiter.take()
            passed += 1
    assert passed == pytest.approx(rate * seconds + max(1.0, rate), rel=0.05)
    for view in workers.views:
        view.close()


def test_a_refusal_says_when_to_come_back(tmp_path: Path) -> None:
    clock = Clock()
    limiter = Limiter(Usage(None), "key-1", 0, 0.1, None, clock, clock)
    assert limiter.refuses() is None
    limiter.take()
    refusal = limiter.refuses()
    assert refusal is not None and (refusal.reason, refusal.retry_seconds) == ("at most 0.1 requests a second", 10)
    clock.now += refusal.retry_seconds
    assert limiter.refuses() is None


def test_a_quota_is_kept_over_restarts_and_starts_again_at_midnight_utc(tmp_path: Path) -> None:
    clock = Clock()
    clock.now = 86_400 * 20_000 + 80_000.0
    for _ in range(2):  # the second time in a new process, as it were
        usage = Usage(usage_path(tmp_path))
        limiter = Limiter(usage, "key-1", 3, None, 4, clock, clock)
        for _ in range(2):
            assert limiter.refuses() is None
            limiter.take()
        usage.close()
    limiter = Limiter(Usage(usage_path(tmp_path)), "key-1", 3, None, 4, clock, clock)
    refusal = limiter.refuses()
    assert refusal is not None and refusal.retry_seconds == 6_400
    clock.now += 6_400
    assert limiter.refuses() is None


def test_a_slot_that_another_key_had_starts_empty(tmp_path: Path) -> None:
    clock = Clock()
    usage = Usage(usage_path(tmp_path))
    first = Limiter(usage, "key-1", 3, None, 1, clock, clock)
    first.take()
    assert first.refuses() is not None
    second = Limiter(usage, "key-2", 3, None, 1, clock, clock)
    assert second.refuses() is None
    second.take()
    assert second.refuses() is not None


def test_without_a_file_a_worker_counts_alone(tmp_path: Path) -> None:
    blocked = tmp_path / "host"
    blocked.write_text("a file where the folder should be")
    usage = Usage(usage_path(tmp_path))
    assert not usage.is_shared
    usage.add(5, 1, 1)
    assert usage.total(5) == 1


def test_blocks_of_a_file_that_does_not_say_how_many_were_taken_are_counted(tmp_path: Path) -> None:
    workers = FakeWorkers(usage_path(tmp_path), 3)
    workers.views[2].add(5, 1, 1)
    with usage_path(tmp_path).open("r+b") as file:
        file.truncate(MAX_WORKERS * MAX_SLOTS * 32)  # as an earlier version made it
    later = Usage(usage_path(tmp_path))
    assert (later.total(5), later.today(5, 1, 1)) == (1, 1)
    later.add(5, 1, 1)
    assert later.today(5, 1, 1) == 2
