"""The file in which metrics wait: everything that was finished is read, nothing that was not."""

from __future__ import annotations

import math
import os
import threading
from pathlib import Path

import pytest

from snapml_jupyter.domain.run import RunProcess
from snapml_jupyter.store.journal_file import (
    HEADER_BYTES,
    JournalClosedError,
    JournalWriter,
    list_journals,
    open_journal,
)
from snapml_jupyter.store.points import Columns

RUN = "da6jf800000000000"
SLOT = 32


@pytest.fixture
def writer(tmp_path: Path) -> JournalWriter:
    process = RunProcess(host="here", pid=os.getpid(), created_at=1.5)
    return JournalWriter(tmp_path / "journals", RUN, lambda: process)


def everything(folder: Path) -> dict[str, Columns]:
    """All points of all files, by name."""
    found: dict[str, Columns] = {}
    for path in list_journals(folder, RUN):
        journal = open_journal(path)
        assert journal is not None
        assert (journal.run_id, journal.process.host) == (RUN, "here")
        for name, columns in journal.points(HEADER_BYTES, journal.end_of(HEADER_BYTES)).items():
            before = found.get(name, Columns([], [], []))
            found[name] = Columns(
                before.values + columns.values,
                [*(before.steps or ()), *(columns.steps or [None] * len(columns.values))],
                before.times_ns + columns.times_ns,
            )
        journal.close()
    return found


def test_points_come_back_as_they_were_given(writer: JournalWriter, tmp_path: Path) -> None:
    long = "é" * 250
    given = [
        ("loss", 0.5, None, 10),
        (long, -0.0, -7, 11),
        ("loss", math.inf, 2**63 - 1, 12),
        ("auc", 1e-320, 0, 13),
        ("loss", math.nan, None, 14),
    ]
    for name, value, step, at in given:
        writer.append(name, value, step, at)
    found = everything(tmp_path)
    assert list(found["loss"].steps or ()) == [None, 2**63 - 1, None]
    assert found["loss"].values[:2] == [0.5, math.inf] and math.isnan(found["loss"].values[2])
    assert found["loss"].times_ns == [10, 12, 14]
    assert (found[long].values, list(found[long].steps or ())) == ([-0.0], [-7])
    assert math.copysign(1, found[long].values[0]) == -1
    assert found["auc"].values == [1e-320]


def test_a_full_file_is_followed_by_the_next(writer: JournalWriter, tmp_path: Path) -> None:
    for count in range(80_000):
        writer.append("ab"[count % 2], float(count), None, count)
    paths = list_journals(tmp_path)
    assert len(paths) == 4
    ended = []
    for path in paths:
        journal = open_journal(path)
        assert journal is not None
        ended.append(journal.is_ended)
        journal.close()
    assert ended == [True, True, True, False]
    found = everything(tmp_path)
    assert found["a"].values == [float(count) for count in range(0, 80_000, 2)]
    assert found["b"].values == [float(count) for count in range(1, 80_000, 2)]


def test_many_names_of_many_lengths_fit(writer: JournalWriter, tmp_path: Path) -> None:
    names = ["x" * (1 + count % 250) + str(count) for count in range(2000)]
    for name in names:
        writer.append(name, 1.0, None, 0)
    assert set(everything(tmp_path)) == set(names)


def test_a_slot_that_was_never_finished_is_passed_over(writer: JournalWriter, tmp_path: Path) -> None:
    for count in range(10):
        writer.append("loss", float(count), None, count)
    (path,) = list_journals(tmp_path)
    with path.open("r+b") as file:
        file.seek(HEADER_BYTES + 5 * SLOT + 28)  # behind the name's two slots: the commit word of the fourth point
        file.write(bytes(4))
    assert everything(tmp_path)["loss"].values == [0.0, 1.0, 2.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    with path.open("r+b") as file:
        file.seek(HEADER_BYTES + 11 * SLOT)  # a store that was under way: all but the commit word
        file.write(b"\x01" * 24 + bytes(8))
    assert everything(tmp_path)["loss"].values[-1] == 8.0


def test_reading_goes_on_where_it_ended(writer: JournalWriter, tmp_path: Path) -> None:
    writer.append("loss", 1.0, None, 0)
    (path,) = list_journals(tmp_path)
    journal = open_journal(path)
    assert journal is not None
    end = journal.end_of(HEADER_BYTES)
    assert journal.end_of(end) == end
    writer.append("loss", 2.0, None, 0)
    writer.append("auc", 3.0, None, 0)
    later = journal.end_of(end)
    assert {name: points.values for name, points in journal.points(end, later).items()} == {"loss": [2.0], "auc": [3.0]}
    journal.close()


def test_a_closed_journal_takes_nothing(writer: JournalWriter, tmp_path: Path) -> None:
    writer.append("loss", 1.0, None, 0)
    (path,) = list_journals(tmp_path)
    journal = open_journal(path)
    assert journal is not None
    journal.shut()
    with pytest.raises(JournalClosedError):
        writer.append("loss", 2.0, None, 0)
    writer.end()
    assert journal.is_ended
    with pytest.raises(JournalClosedError):
        writer.append("auc", 2.0, None, 0)
    assert everything(tmp_path)["loss"].values == [1.0]
    journal.close()


def test_threads_lose_nothing(writer: JournalWriter, tmp_path: Path) -> None:
    def log(name: str) -> None:
        for count in range(5000):
            writer.append(name, float(count), None, count)

    threads = [threading.Thread(target=log, args=(f"m{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = everything(tmp_path)
    assert {name: points.values for name, points in found.items()} == {
        f"m{n}": [float(count) for count in range(5000)] for n in range(8)
    }


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journals").mkdir()
    path = tmp_path / "journals" / f"{RUN}.1-0.journal"
    assert open_journal(path) is None
    for content in (b"", bytes(600), b"SNAPJRN1" + bytes(600)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"it does not begin|run_id|Expecting value"):
            open_journal(path)
