"""The prediction log: complete when the disk works, bounded and counted when it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from snapml_jupyter.serving import prediction_log
from snapml_jupyter.serving.logged_batch import LoggedFeedback, LoggedPredictions, LogTarget, read_predictions
from snapml_jupyter.serving.prediction_log import PredictionLog
from snapml_jupyter.serving.session import Answers

TARGET = LogTarget("tiny", 1, "tiny:1", ("amount", "city"))
ANSWERS = Answers(["yes"], [[0.25, 0.75]])


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., PredictionLog]]:
    made: list[PredictionLog] = []

    def build(seconds: float = 0.02, **options: int) -> PredictionLog:
        log = PredictionLog(tmp_path / "inbox", seconds, **options)
        log.start()
        made.append(log)
        return log

    yield build
    for log in made:
        log.stop()


def read(log: PredictionLog) -> list[LoggedPredictions]:
    files = sorted(log.inbox.glob("*/*.predictions.msgpack"))
    return [read_predictions(path.read_bytes()) for path in files]


def test_what_is_appended_is_written_whole(make: Callable[..., PredictionLog]) -> None:
    log = make(60)
    log.append(TARGET, "r1", [(1.5, "Oslo")], ANSWERS)
    log.append(TARGET, "r2", [(None, "Rome"), (2.0, "Æ")], Answers(["no", "no"], [[0.5, 0.5], [1.0, 0.0]]))
    log.append(LogTarget("tiny", 2, "tiny:2", ("amount", "city")), "r3", [(3.0, "x")], Answers([1.5], None))
    log.stop()
    first, second = read(log)
    assert (first.deployment, second.deployment) == (1, 2)
    assert first.inputs == [[1.5, None, 2.0], ["Oslo", "Rome", "Æ"]]
    assert (first.request_ids, first.counts, first.values) == (["r1", "r2"], [1, 2], ["yes", "no", "no"])
    assert first.probabilities == [[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]]
    assert (second.values, second.probabilities) == ([1.5], None)
    assert log.n_dropped == {}


def test_what_cannot_be_written_does_not_end_the_log(make: Callable[..., PredictionLog], eventually: Any) -> None:
    log = make()
    log.append_feedback("tiny", [{"request_id": "r1", "row": 0, "label": 2**70}])
    eventually(lambda: log.n_dropped == {"tiny": 1})
    log.append(TARGET, "r2", [(1.0, "x")], ANSWERS)
    eventually(lambda: read(log))


def test_a_full_buffer_drops_and_counts(make: Callable[..., PredictionLog]) -> None:
    log = make(60, max_rows=3)
    for number in range(5):
        log.append(TARGET, f"r{number}", [(1.0, "x")], ANSWERS)
    log.append(TARGET, "r9", [(1.0, "x")] * 10, ANSWERS)
    assert log.n_dropped == {"tiny": 12}
    log.stop()
    assert sum(len(part.request_ids) for part in read(log)) == 3


def test_a_disk_that_refuses_costs_nothing_once_it_works_again(
    make: Callable[..., PredictionLog], eventually: Callable[..., None]
) -> None:
    log = make(0.02, max_rows=100)
    log.inbox.rmdir()
    log.inbox.write_text("in the way")
    for number in range(20):
        log.append(TARGET, f"r{number}", [(1.0, "x")], ANSWERS)
    assert log.append_feedback("tiny", [{"request_id": "r1", "row": 0, "label": "yes"}])
    eventually(lambda: log._batch_number > 5)  # it tries, and fails
    log.inbox.unlink()
    log.inbox.mkdir()
    eventually(lambda: sum(len(part.request_ids) for part in read(log)) == 20)
    assert [name for part in read(log) for name in part.request_ids] == [f"r{n}" for n in range(20)]
    eventually(lambda: list(log.inbox.glob("*/*.feedback.msgpack")))
    assert log.n_dropped == {}


def test_a_disk_that_stays_full_loses_rows_but_is_counted_and_bounded(
    make: Callable[..., PredictionLog], eventually: Callable[..., None]
) -> None:
    log = make(0.01, max_rows=50)
    log.inbox.rmdir()
    log.inbox.write_text("in the way")
    for number in range(200):
        log.append(TARGET, f"r{number}", [(1.0, "x")], ANSWERS)
    eventually(lambda: sum(log.n_dropped.values()) >= 150)
    log.stop()
    assert log.n_dropped == {"tiny": 200}, "at the end what could never be written counts too"


def test_an_inbox_that_nobody_empties_is_bounded(
    make: Callable[..., PredictionLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction_log, "MAX_WAITING_FILES", 3)
    log = make(60)
    for number in range(5):
        log.append(LogTarget("tiny", number, "tiny:1", ("a", "b")), "r", [(1.0, "x")], ANSWERS)
    log.stop()
    assert len(read(log)) == 3
    assert log.n_dropped == {"tiny": 2}


def test_feedback_is_refused_rather_than_lost_when_the_buffer_is_full(make: Callable[..., PredictionLog]) -> None:
    log = make(60, max_rows=1)
    labels = [{"request_id": "a", "row": 0, "label": 1}]
    assert log.append_feedback("tiny", labels)
    assert not log.append_feedback("tiny", labels)
    log.stop()
    (path,) = log.inbox.glob("tiny/*.feedback.msgpack")
    assert msgspec.msgpack.decode(path.read_bytes(), type=LoggedFeedback).labels == labels
