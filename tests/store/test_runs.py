"""How runs are kept: what must hold whoever writes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from snapml_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from snapml_jupyter.domain.run import MetricValue, Run, RunSource, RunStatus
from snapml_jupyter.runs.recording import (
    create_run,
    finish_run,
    new_run_id,
    record_input,
    record_metrics,
    record_params,
)
from snapml_jupyter.store import events, run_metrics, runs
from snapml_jupyter.store.workspace import Workspace


@pytest.fixture
def run(workspace: Workspace) -> Run:
    return create_run(workspace, "x", source=RunSource(kind="cell", code="x = 1\n", cell_id="c1", execution_count=3))


def add_dataset_version(workspace: Workspace, number: int) -> None:
    with workspace.transaction() as tx:
        now = workspace.now().isoformat()
        tx.execute("INSERT INTO datasets VALUES ('flights', :now) ON CONFLICT DO NOTHING", {"now": now})
        tx.insert(
            "dataset_versions",
            name="flights",
            number=number,
            digest=f"{number:064}",
            manifest_digest=f"{number:064}",
            n_rows=10,
            n_columns=2,
            size_bytes=1,
            added_bytes=1,
            columns="[]",
            created_at=now,
            created_by="ada",
        )


def test_ids_sort_by_time_and_never_meet(workspace: Workspace) -> None:
    now = workspace.now()
    ids = [new_run_id(now + timedelta(seconds=second)) for second in range(100)]
    assert ids == sorted(ids)
    assert len({new_run_id(now) for _ in range(1000)}) == 1000
    assert all(len(run_id) == 17 and run_id.isalnum() and run_id == run_id.lower() for run_id in ids)


def test_the_source_of_a_run_comes_back_as_it_was(workspace: Workspace, run: Run) -> None:
    (kept,) = runs.load_runs(workspace.database, [run.run_id])
    assert kept == run
    assert kept.code == "x = 1\n"
    assert kept.source.execution_count == 3


def test_ending_a_run_twice_writes_it_once(workspace: Workspace, run: Run) -> None:
    assert finish_run(workspace, run.run_id) == finish_run(workspace, run.run_id)
    with pytest.raises(ConflictError, match="already ended as finished"):
        finish_run(workspace, run.run_id, RunStatus.failed)
    with pytest.raises(InvalidInputError, match="cannot end as running"):
        finish_run(workspace, run.run_id, RunStatus.running)
    kinds = [event.kind for event in events.list_events(workspace.database)]
    assert kinds == ["run.started", "run.finished"]


def test_only_one_of_two_who_look_marks_a_run_interrupted(workspace: Workspace, run: Run) -> None:
    ended = []
    for _ in range(2):
        with workspace.transaction() as tx:
            ended.append(
                runs.end_run(
                    tx,
                    run.run_id,
                    RunStatus.interrupted,
                    finished_at=None,
                    duration_seconds=None,
                    error=None,
                    only_from=[RunStatus.running],
                )
            )
    assert ended == [True, False]


def test_many_metrics_are_one_transaction(workspace: Workspace, run: Run) -> None:
    values = [MetricValue(name=f"m{n % 3}", value=float(n)) for n in range(10_000)]
    record_metrics(workspace, run.run_id, values)
    (kept,) = runs.load_runs(workspace.database, [run.run_id])
    assert kept.metrics == {"m0": 9999.0, "m1": 9997.0, "m2": 9998.0}
    points = run_metrics.list_points(workspace.database, run.run_id, name="m1", limit=5, offset=3330)
    assert [(p.step, p.value) for p in points] == [(3330, 9991.0), (3331, 9994.0), (3332, 9997.0)]
    bad = [MetricValue(name="fine", value=1.0), MetricValue(name="", value=1.0)]
    with pytest.raises(InvalidInputError):
        record_metrics(workspace, run.run_id, bad)
    assert "fine" not in runs.load_runs(workspace.database, [run.run_id])[0].metrics


def test_negative_steps_and_equal_steps_have_a_latest_value(workspace: Workspace, run: Run) -> None:
    for value, step in ((1.0, -5), (2.0, -5), (3.0, -7), (4.0, None)):
        record_metrics(workspace, run.run_id, [MetricValue(name="m", value=value, step=step)])
    points = run_metrics.list_points(workspace.database, run.run_id, name=None, limit=10, offset=0)
    assert [(p.step, p.value) for p in points] == [(-7, 3.0), (-5, 1.0), (-5, 2.0), (0, 4.0)]
    assert runs.load_runs(workspace.database, [run.run_id])[0].metrics == {"m": 4.0}


def test_thousands_of_params_and_runs_fit_into_queries(workspace: Workspace, run: Run) -> None:
    params: dict[str, bool | int | float | str | None] = {f"p{n}": n for n in range(2000)}
    record_params(workspace, run.run_id, params)
    record_params(workspace, run.run_id, params)
    ids = [create_run(workspace).run_id for _ in range(600)]
    loaded = runs.load_runs(workspace.database, [*ids, "unknown", run.run_id])
    assert [kept.run_id for kept in loaded] == [*ids, run.run_id]
    assert loaded[-1].params == params


def test_an_input_is_one_dataset_version(workspace: Workspace, run: Run) -> None:
    for number in (1, 2):
        add_dataset_version(workspace, number)
    record_input(workspace, run.run_id, "df", "flights@v1")
    record_input(workspace, run.run_id, "df", "flights@v1")
    with pytest.raises(ConflictError, match="already flights@v1"):
        record_input(workspace, run.run_id, "df", "flights@v2")
    with pytest.raises(NotFoundError, match="flights@v3"):
        record_input(workspace, run.run_id, "other", "flights@v3")
    with pytest.raises(InvalidInputError, match="can move"):
        record_input(workspace, run.run_id, "other", "flights@latest")
    (kept,) = runs.load_runs(workspace.database, [run.run_id])
    assert [(i.variable, i.dataset_ref, i.n_rows, i.digest) for i in kept.inputs] == [
        ("df", "flights@v1", 10, f"{1:064}")
    ]


def test_an_unknown_run_is_a_sentence(workspace: Workspace, run: Run) -> None:
    with pytest.raises(NotFoundError, match="There is no run 'y'"):
        runs.resolve(workspace.database, "y")
    with pytest.raises(NotFoundError, match=r"There is no run 'nope00' in this workspace"):
        record_metrics(workspace, "nope00", [])
    with pytest.raises(InvalidInputError, match="is text"):
        runs.resolve(workspace.database, 3)  # type: ignore[arg-type]  # that is the point
