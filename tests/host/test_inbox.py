"""Taking in what workers left: exactly once, in natural types, and nothing unreadable holds up the rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from snapml_jupyter.domain.endpoint import DeploymentStatus
from snapml_jupyter.domain.errors import UnavailableError
from snapml_jupyter.host.inbox import take_in
from snapml_jupyter.serving.logged_batch import LoggedFeedback, LogTarget, join_requests, pack_request
from snapml_jupyter.serving.reports import inbox_folder
from snapml_jupyter.serving.session import Answers
from snapml_jupyter.store import endpoints
from snapml_jupyter.store.workspace import Workspace

AT = 1_793_534_400_000_000


@pytest.fixture
def tiny(workspace: Workspace, tiny_models: Any) -> Workspace:
    tiny_models.add()
    with workspace.transaction() as tx:
        endpoints.ensure_endpoint(tx, "tiny")
        number = endpoints.add_deployment(tx, "tiny", "tiny", 1)
        endpoints.move_deployment(tx, "tiny", number, DeploymentStatus.live)
    return workspace


def leave(workspace: Workspace, name: str, content: object | bytes) -> Path:
    folder = inbox_folder(workspace.folder) / "tiny"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.msgpack"
    path.write_bytes(content if isinstance(content, bytes) else msgspec.msgpack.encode(content))
    return path


def logged(
    endpoint: str = "tiny",
    deployment: int = 1,
    values: Sequence[Any] = ("yes", "no", "yes"),
    probabilities: Sequence[list[float]] | None = ([0.25, 0.75], [0.5, 0.5], [0.125, 0.875]),
) -> bytes:
    """Two requests, of two rows and of one."""
    target = LogTarget(endpoint, deployment, f"{endpoint}:1", ("amount", "city", "n", "vip"))
    rows: list[Any] = [(1.5, "Oslo", 1, True), (None, "Rome", 2.0, False), (3, "Æ", 3, True)]
    parts = [
        pack_request(
            target,
            request_id,
            answered_at,
            rows[part],
            Answers(list(values[part]), list(probabilities[part]) if probabilities is not None else None),
        )
        for request_id, answered_at, part in (("r1", AT, slice(2)), ("r2", AT + 5, slice(2, 3)))
    ]
    return join_requests(target, parts)


def no_feedback(*_: Any) -> None:
    raise AssertionError("there is none")


def batches(workspace: Workspace) -> list[Any]:
    return workspace.database.rows("SELECT * FROM prediction_batches ORDER BY batch")


def test_a_batch_becomes_an_arrow_table_in_natural_types(tiny: Workspace) -> None:
    path = leave(tiny, "0001.predictions", logged())
    assert take_in(tiny, no_feedback) == 1
    assert not path.exists()
    (batch,) = batches(tiny)
    assert (batch["batch"], batch["n_rows"], batch["deployment"], batch["window"]) == ("0001", 3, 1, None)
    assert batch["started_at"] < batch["ended_at"]
    table = pa.ipc.open_file(pa.BufferReader(tiny.blobs.read(batch["digest"]))).read_all()
    assert table.schema == pa.schema(
        [
            ("request_id", pa.string()),
            ("row_number", pa.int32()),
            ("answered_at", pa.timestamp("us", tz="UTC")),
            ("prediction", pa.string()),
            ("p_0", pa.float32()),
            ("p_1", pa.float32()),
            ("in.amount", pa.float64()),
            ("in.city", pa.string()),
            ("in.n", pa.int64()),
            ("in.vip", pa.bool_()),
        ]
    )
    assert table.column("request_id").to_pylist() == ["r1", "r1", "r2"]
    assert table.column("row_number").to_pylist() == [0, 1, 0]
    assert table.column("p_1").to_pylist() == [0.75, 0.5, 0.875]
    assert table.column("in.amount").to_pylist() == [1.5, None, 3.0]
    assert table.column("in.n").to_pylist() == [1, 2, 3]


def test_a_crash_after_the_row_and_before_the_file_went_counts_once(tiny: Workspace) -> None:
    leave(tiny, "0001.predictions", logged())
    take_in(tiny, no_feedback)
    path = leave(tiny, "0001.predictions", logged())
    take_in(tiny, no_feedback)
    assert len(batches(tiny)) == 1
    assert not path.exists()


def test_what_cannot_be_kept_now_stays_for_later(tiny: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    path = leave(tiny, "0001.predictions", logged())
    folder = tiny.blobs.folder
    (folder.parent / "aside").mkdir()
    folder.rename(folder.parent / "aside" / "blobs")
    folder.write_text("a file where the folder was")
    with pytest.raises(OSError):  # noqa: PT011  whatever the disk says
        take_in(tiny, no_feedback)
    assert path.exists()
    assert not batches(tiny)
    folder.unlink()
    (folder.parent / "aside" / "blobs").rename(folder)
    take_in(tiny, no_feedback)
    assert len(batches(tiny)) == 1


def test_feedback_is_handed_on(tiny: Workspace) -> None:
    labels = [{"request_id": "r1", "row": 0, "label": "yes"}]
    path = leave(tiny, "0002.feedback", LoggedFeedback(endpoint="tiny", labels=labels))
    taken: list[Any] = []
    take_in(tiny, lambda _, endpoint, some: taken.append((endpoint, some)))
    assert taken == [("tiny", labels)]
    assert not path.exists()


def test_feedback_that_cannot_be_kept_now_stays_for_later(tiny: Workspace) -> None:
    path = leave(tiny, "0002.feedback", LoggedFeedback(endpoint="tiny", labels=[]))

    def refuse(*_: Any) -> None:
        raise UnavailableError("The database is locked.")

    with pytest.raises(UnavailableError):
        take_in(tiny, refuse)
    assert path.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xc1garbage",
        msgspec.msgpack.encode({"endpoint": 3}),
        logged()[:-3],
        logged(values=["yes", "no"]),
        logged(probabilities=[[0.25, 0.75], [0.5, 0.5], [0.125]]),
        logged(probabilities=[[0.25, 0.75], [0.5, 0.5]]),
        logged(endpoint="gone", deployment=9),
    ],
)
def test_an_unreadable_file_is_set_aside_and_the_rest_is_taken(
    tiny: Workspace, content: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = leave(tiny, "0000.predictions", content)
    leave(tiny, "0001.predictions", logged())
    assert take_in(tiny, no_feedback) == 1
    assert not bad.exists()
    assert [p.name for p in (inbox_folder(tiny.folder) / ".rejected").iterdir()] == ["tiny.0000.predictions.msgpack"]
    assert "moved to" in capsys.readouterr().out
    assert len(batches(tiny)) == 1


def test_regression_answers_are_numbers(tiny: Workspace) -> None:
    tiny.database.connection.execute(
        "UPDATE run_models SET signature = replace(signature, 'classification', 'regression')"
    )
    tiny.database.connection.execute(
        """UPDATE run_models SET signature = replace(signature, '"labels":["no","yes"]', '"labels":null')"""
    )
    leave(tiny, "0001.predictions", logged(values=[1.0, float("nan"), 2.0], probabilities=None))
    take_in(tiny, no_feedback)
    table = pa.ipc.open_file(pa.BufferReader(tiny.blobs.read(batches(tiny)[0]["digest"]))).read_all()
    assert table.schema.field("prediction").type == pa.float64()
    assert "p_0" not in table.column_names
