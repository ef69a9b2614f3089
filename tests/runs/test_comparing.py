"""Runs side by side, their curves, and pages of thousands of them."""

from __future__ import annotations

import math
import time

import pytest

from snapml_jupyter.domain.errors import InvalidInputError, NotFoundError
from snapml_jupyter.domain.program import PartKind, Program, ProgramPart, ReplayReport, Verdict
from snapml_jupyter.domain.run import ParamValue, RunSource
from snapml_jupyter.runs.comparing import compare_runs, diff_run_code
from snapml_jupyter.runs.curves import list_metric_curves, thinned
from snapml_jupyter.runs.programs import record_program, record_replay
from snapml_jupyter.runs.queries import get_run, list_run_columns, list_runs, search_runs
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store.workspace import Workspace


@pytest.fixture
def compared(workspace: Workspace) -> Workspace:
    for name, depth, code in (("shallow", 2, "a = 1\nfit(a)\n"), ("deep", 8, "a = 2\nfit(a)\n"), ("same", 8.0, None)):
        source = RunSource(kind="cell", code=code)
        with start_run(workspace, name, source=source, capture_environment=name != "same") as run:
            run.log_params({"depth": depth, "kind": "tree", "flag": depth == 2})
            for step in range(5):
                run.log_metric("loss", depth / (step + 1))
            run.log_metric("auc", 0.7 if name == "shallow" else math.nan)
    return workspace


def test_runs_side_by_side(compared: Workspace) -> None:
    found = compare_runs(compared, ["shallow", "deep", "same"])
    assert [run.name for run in found.runs] == ["shallow", "deep", "same"]
    params = {value.name: value for value in found.params}
    assert (params["depth"].values, params["depth"].differs) == ([2, 8, 8.0], True)
    assert (params["kind"].values, params["kind"].differs) == (["tree"] * 3, False)
    metrics = {value.name: value for value in found.metrics}
    assert metrics["loss"].values == [0.4, 1.6, 1.6]
    assert metrics["auc"].differs
    assert [diff.run_id for diff in found.code] == [run.run_id for run in found.runs[1:]]
    assert (found.code[0].n_added, found.code[0].n_removed) == (1, 1)
    assert found.code[0].lines[-3:] == ["-a = 1", "+a = 2", " fit(a)"]
    assert (found.code[1].n_added, found.code[1].n_removed) == (0, 2)
    assert {curve.name for curve in found.curves} == {"loss"}
    assert {value.name for value in found.environment} > {"python_version"}  # the third has none recorded


def test_the_same_value_written_differently_is_the_same(compared: Workspace) -> None:
    found = compare_runs(compared, ["deep", "same"])
    assert {value.name: value.differs for value in found.params} == {"depth": False, "flag": False, "kind": False}
    assert not next(value for value in found.metrics if value.name == "auc").differs  # NaN in both


def test_the_whole_environment_comes_where_it_is_asked_for(compared: Workspace) -> None:
    refs = ["shallow", "deep"]
    assert {value.name for value in compare_runs(compared, refs).environment} == {"python_version"}
    whole = compare_runs(compared, refs, whole_environment=True).environment
    assert {"python_version", "cpu", "numpy"} <= {value.name for value in whole}
    assert not any(value.differs for value in whole)


def test_the_code_of_any_two_runs(compared: Workspace) -> None:
    cell = diff_run_code(compared, "deep", "shallow")
    assert cell.lines[-3:] == ["-a = 2", "+a = 1", " fit(a)"]
    assert diff_run_code(compared, "deep", "deep").lines == []
    helper = ProgramPart(kind=PartKind.definition, names=["fit"], code="def fit(a):\n    return a")
    run_id = get_run(compared, "deep").run_id
    record_program(compared, run_id, Program(run_id=run_id, body="a = 2\nfit(a)\n", parts=[helper]))
    captured = diff_run_code(compared, "shallow", "deep", captured=True)
    assert {"+def fit(a):", "-a = 1", "+a = 2"} <= set(captured.lines)


def test_what_cannot_be_compared_is_explained(compared: Workspace) -> None:
    with pytest.raises(InvalidInputError, match="Compare 2 to 20 runs, not 1"):
        compare_runs(compared, ["deep"])
    with pytest.raises(InvalidInputError, match="names the same run"):
        compare_runs(compared, ["deep", get_run(compared, "deep").run_id])
    with pytest.raises(NotFoundError, match="Did you mean 'deep'"):
        compare_runs(compared, ["shallow", "deap"])


def test_curves_are_thinned_and_keep_what_stands_out(workspace: Workspace) -> None:
    with start_run(workspace, "long", capture_environment=False) as run:
        for step in range(20_000):
            run.log_metric("loss", math.nan if step == 500 else 1.0 + (step == 7_777) - (step == 12_345))
        run.log_metric("auc", 0.5)
    (curve,) = list_metric_curves(workspace, ["long"], max_points=100)
    assert (curve.name, curve.n_points) == ("loss", 20_000)
    assert len(curve.values) <= 100
    assert (curve.steps[0], curve.steps[-1]) == (0, 19_999)
    assert 7_777 in curve.steps and 12_345 in curve.steps
    assert curve.steps == sorted(curve.steps)
    assert curve.seconds == sorted(curve.seconds)
    assert {curve.name for curve in list_metric_curves(workspace, ["long"], names=["auc"])} == {"auc"}
    assert len(thinned([math.nan] * 1000, 10)) <= 10
    for count in range(4, 40):
        assert len(thinned([float(n % 7) for n in range(count)], 8)) <= 8
    with pytest.raises(InvalidInputError, match="max_points"):
        list_metric_curves(workspace, ["long"], max_points=1)


def test_runs_inside_of_runs(workspace: Workspace) -> None:
    with start_run(workspace, "outer", experiment="trees", capture_environment=False) as outer:
        for number in range(3):
            with start_run(workspace, f"inner-{number}", capture_environment=False) as inner:
                assert inner.parent_run_id == outer.run_id
    left_open = start_run(workspace, "open", capture_environment=False)  # without a block: encloses nothing
    with start_run(workspace, "later", capture_environment=False) as later:
        assert later.parent_run_id is None
    left_open.finish()
    named = start_run(workspace, "named", parent="outer", capture_environment=False)
    named.finish()
    assert get_run(workspace, "outer").n_children == 4
    assert get_run(workspace, "inner-1").experiment == "trees"
    assert [run.name for run in list_runs(workspace, top_level=True)] == ["later", "open", "outer"]
    page = search_runs(workspace, parent="outer", limit=2)
    assert ([row.name for row in page.rows], page.n_total) == (["named", "inner-2"], 4)
    found = list_runs(workspace, where=f"parent_run_id = '{outer.run_id}'")
    assert [run.name for run in found] == ["named", "inner-2", "inner-1", "inner-0"]


def test_pages_bring_the_values_that_were_asked_for(compared: Workspace) -> None:
    page = search_runs(compared, columns=["metrics.loss", "params.depth", "name"], sort="-loss", limit=2)
    assert [(row.name, row.metrics, row.params, row.tags) for row in page.rows] == [
        ("same", {"loss": 1.6}, {"depth": 8.0}, {}),
        ("deep", {"loss": 1.6}, {"depth": 8}, {}),
    ]
    assert page.n_total == 3
    rest = search_runs(compared, sort="-loss", limit=2, offset=2)
    assert [(row.name, row.params["kind"], len(row.metrics)) for row in rest.rows] == [("shallow", "tree", 2)]
    assert search_runs(compared, where="params.depth = 8 and metrics.loss > 1").n_total == 2
    columns = list_run_columns(compared)
    assert (columns.params, columns.metrics, columns.tags) == (["depth", "flag", "kind"], ["auc", "loss"], [])
    with pytest.raises(InvalidInputError, match=r"Runs have no 'metric\.auc'"):
        search_runs(compared, columns=["metric.auc"])


def test_details_are_what_tells_runs_apart(compared: Workspace) -> None:
    def replayed(verdict: Verdict, replay: str, **params: ParamValue) -> None:
        original, made = get_run(compared, "deep").run_id, get_run(compared, replay).run_id
        record_replay(
            compared,
            ReplayReport(
                verdict=verdict, original_run_id=original, run_id=made, created_at=compared.now(), params=params
            ),
        )

    seventh = RunSource(kind="cell", execution_count=7)
    with (
        pytest.raises(ValueError, match="no such"),
        start_run(compared, "broken", source=seventh, capture_environment=False),
    ):
        raise ValueError("no such column")
    replayed(Verdict.different, "same")
    replayed(Verdict.identical, "shallow")
    replayed(Verdict.different, "broken", depth=9)  # with other params it is another question
    rows = {row.name: row for row in search_runs(compared, columns=["params.*"], details=True).rows}
    assert (rows["broken"].error, rows["broken"].execution_count) == ("ValueError: no such column", 7)
    assert {name: row.verdict for name, row in rows.items()} == {
        "deep": Verdict.identical,
        "same": Verdict.different,
        "shallow": Verdict.identical,
        "broken": Verdict.different,
    }
    assert (len(rows["deep"].params), rows["deep"].metrics) == (3, {})
    assert search_runs(compared).rows[0].error is None
    assert [row.name for row in search_runs(compared, text="such column").rows] == ["broken"]


def test_five_thousand_runs_stay_fluid(workspace: Workspace) -> None:
    now = workspace.now().isoformat()
    with workspace.transaction() as tx:
        ids = [f"da6jf8{n:011}" for n in range(5_000)]
        tx.connection.executemany(
            "INSERT INTO runs (run_id, name, experiment, status, actor, started_at, source) "
            "VALUES (?, 'r', 'default', 'finished', 'ada', ?, '{\"kind\":\"python\"}')",
            [(run_id, now) for run_id in ids],
        )
        for name in ("loss", "auc", "f1"):
            tx.connection.executemany(
                "INSERT INTO run_metric_series (run_id, name, n_points, step, value, logged_us) VALUES (?, ?, 1, 0, ?, 0)",
                [(run_id, name, n * 7919 % 5000) for n, run_id in enumerate(ids)],
            )
        tx.connection.executemany(
            "INSERT INTO run_params (run_id, name, value) VALUES (?, 'depth', ?)",
            [(i, str(n)) for n, i in enumerate(ids)],
        )
    search_runs(workspace)
    took = []
    for _ in range(5):
        began = time.process_time()
        page = search_runs(workspace, where="metrics.auc > 100", sort="-loss", limit=50, offset=200)
        took.append(time.process_time() - began)
    assert (len(page.rows), page.n_total) == (50, 4899)
    assert [row.metrics["loss"] for row in page.rows] == [float(4799 - n) for n in range(50)]
    assert min(took) < 0.5  # about 0.03 s on an idle machine
    began = time.process_time()
    found = search_runs(workspace, text="4998 default metrics.f1 >= 0", limit=100, details=True)
    assert [row.params["depth"] for row in found.rows] == [4998]
    assert time.process_time() - began < 1.0  # about 0.05 s on an idle machine
