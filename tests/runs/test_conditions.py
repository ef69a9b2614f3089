"""The language of `where` and `sort`."""

from __future__ import annotations

import pytest

from snapml_jupyter.domain.errors import InvalidInputError
from snapml_jupyter.runs.queries import list_runs, search_runs
from snapml_jupyter.runs.run_list import RunList
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store.workspace import Workspace


@pytest.fixture
def searched(workspace: Workspace) -> Workspace:
    for name, c, solver, auc, tag in (
        ("weak", 0.1, "saga", 0.6, None),
        ("good", 1, "lbfgs", 0.8, "yes"),
        ("best", 10.0, "lbfgs", 0.9, None),
    ):
        with start_run(workspace, name, capture_environment=False, seed=None) as run:
            run.log_params({"C": c, "solver": solver, "fit_intercept": True})
            run.log_metrics({"auc": auc, "auc (test)": auc - 0.1})
            if tag:
                run.set_tag("final", tag)
    with start_run(workspace, "empty", capture_environment=False):
        pass
    return workspace


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("metrics.auc > 0.7", ["best", "good"]),
        ("metrics.auc>0.7 and params.C<=1", ["good"]),
        ("params.C = 1.0", ["good"]),
        ("params.solver = 'lbfgs' AND metrics.auc >= 0.9", ["best"]),
        ('params.solver != "lbfgs"', ["weak"]),
        ("params.fit_intercept = true", ["best", "good", "weak"]),
        ("params.solver > 5", []),
        ("tags.final = yes", ["good"]),
        ("name == 'weak'", ["weak"]),
        ("status = finished and metrics.`auc (test)` < 0.6", ["weak"]),
        ("name = 'it\\'s'", []),
        ("name = '; DROP TABLE runs; --'", []),
        ("", ["empty", "best", "good", "weak"]),
    ],
)
def test_where_finds_the_runs_that_meet_every_condition(searched: Workspace, where: str, found: list[str]) -> None:
    assert [run.name for run in list_runs(searched, where=where)] == found


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("metrics.auc", ["weak", "good", "best", "empty"]),
        ("metrics.auc desc", ["best", "good", "weak", "empty"]),
        ("-params.C", ["best", "good", "weak", "empty"]),
        ("-auc", ["best", "good", "weak", "empty"]),
        ("auc", ["weak", "good", "best", "empty"]),
        ("params.C ASC", ["weak", "good", "best", "empty"]),
        ("name", ["best", "empty", "good", "weak"]),
        ("started_at", ["weak", "good", "best", "empty"]),
    ],
)
def test_sort_puts_runs_without_the_value_last(searched: Workspace, sort: str, order: list[str]) -> None:
    assert [run.name for run in list_runs(searched, sort=sort)] == order


@pytest.mark.parametrize(
    "where",
    [
        "auc > 0.7",
        "metric.auc > 1",
        "metrics.auc >",
        "metrics.auc 0.7",
        "metrics.auc > 0.7 or name = x",
        "metrics.auc > 0.7 and",
        "metrics.auc ~ 3",
        "name = 'open",
        "> 3 4",
        "name = >",
    ],
)
def test_a_condition_that_cannot_be_read_is_explained(workspace: Workspace, where: str) -> None:
    with pytest.raises(InvalidInputError, match=r"metrics\."):
        list_runs(workspace, where=where)


@pytest.mark.parametrize("sort", ["metric.auc", "start_at", "metrics.auc upwards", "metrics.auc desc desc", "3"])
def test_an_order_that_cannot_be_read_is_explained(workspace: Workspace, sort: str) -> None:
    with pytest.raises(InvalidInputError, match=r"metrics\."):
        list_runs(workspace, sort=sort)


def test_tags_that_are_numbers_compare_as_numbers(workspace: Workspace) -> None:
    for seconds in ("9.5", "10", "fast"):
        with start_run(workspace, f"r{seconds}", tags={"took": seconds}, capture_environment=False):
            pass
    assert [run.name for run in list_runs(workspace, where="tags.took > 9", sort="-tags.took")] == ["r10", "r9.5"]
    assert [run.name for run in list_runs(workspace, where="tags.took = fast")] == ["rfast"]


def test_runs_become_a_table(searched: Workspace) -> None:
    table = RunList(list_runs(searched)).to_pandas()
    assert list(table["name"]) == ["empty", "best", "good", "weak"]
    assert list(table.columns[10:]) == [
        "metrics.auc",
        "metrics.auc (test)",
        "params.C",
        "params.fit_intercept",
        "params.solver",
        "tags.final",
    ]
    assert table.set_index("name").loc["best", "metrics.auc"] == 0.9
    assert RunList().to_pandas().empty


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["empty", "best", "good", "weak"]),
        ("  ", ["empty", "best", "good", "weak"]),
        ("GOOD", ["good"]),
        ("lbfgs", ["best", "good"]),
        ("lbfgs best", ["best"]),
        ("yes", ["good"]),
        ("finished metrics.auc > 0.7", ["best", "good"]),
        ("metrics.auc>0.7 and lbfgs and params.C<=1", ["good"]),
        ("metrics.auc > 0.7 params.solver = 'lbfgs' be", ["best"]),
        ("metrics.`auc (test)` < 0.6", ["weak"]),
        ("100%", []),
        ("_", []),
        ("'metrics.auc'", []),
        ("it's", []),
        ("''", ["empty", "best", "good", "weak"]),
    ],
)
def test_a_filter_takes_words_conditions_and_both(searched: Workspace, text: str, found: list[str]) -> None:
    page = search_runs(searched, text=text)
    assert ([row.name for row in page.rows], page.n_total) == (found, len(found))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("metrics.auc", "ends too early"),
        ("good metrics.auc >", "ends too early"),
        ("> 0.5", "ends too early"),
        ("metrics.auc > 0.5 or metrics.auc < 0.1", "joined by 'and', not by 'or'"),
        ("metric.auc > 0.5", "Did you mean 'metrics'?"),
        ("auc > 0.5", "Runs have no 'auc'"),
    ],
)
def test_a_filter_that_cannot_be_read_says_why(searched: Workspace, text: str, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        search_runs(searched, text=text)
