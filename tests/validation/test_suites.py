"""Suites: proposed, written, read, checked; what they find and what they refuse."""

from __future__ import annotations

import datetime
import multiprocessing
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandera import pandas as pandera

from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.datasets.versions import get_version, list_versions
from snapml_jupyter.domain.errors import InvalidInputError, NotFoundError
from snapml_jupyter.store.workspace import Workspace
from snapml_jupyter.validation.checking import (
    check_new_version,
    get_suite,
    get_validation,
    list_suites,
    propose_suite,
    save_suite,
    validate_version,
)
from snapml_jupyter.validation.judging import judge
from snapml_jupyter.validation.proposing import propose
from snapml_jupyter.validation.report import report_of
from snapml_jupyter.validation.schemas import is_schema, suite_of_schema
from snapml_jupyter.validation.suite import ColumnExpectations, Suite


def frame_of(seed: int, n_rows: int = 2_000) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": np.arange(n_rows) + seed * n_rows,
            "carrier": random.choice(["AA", "UA", "B6"], n_rows),
            "delay": np.where(random.random(n_rows) < 0.03, np.nan, random.normal(5, 30, n_rows)),
            "distance": random.integers(80, 5_000, n_rows),
            "fare": random.lognormal(4, 1, n_rows),
            "class": pd.Categorical(random.choice(["economy", "first"], n_rows, p=[0.9, 0.1])),
            "at": pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(n_rows) + seed * n_rows, unit="min"),
            "code": [f"F{value:05d}" for value in random.integers(0, 10**5, n_rows)],
            "late": random.random(n_rows) < 0.2,
            "seen": pd.array(np.where(random.random(n_rows) < 0.1, None, 5), dtype="Int64"),
        }
    )


def failed(frame: pd.DataFrame, suite: Suite) -> set[tuple[str, str | None]]:
    return {(result.expectation, result.column) for result in judge(frame, suite).results if not result.passed}


def test_a_proposal_holds_for_its_version_and_for_the_next_days() -> None:
    suite = propose(frame_of(0))
    assert failed(frame_of(0), suite) == set()
    assert [failed(frame_of(seed), suite) for seed in range(1, 20)] == [set()] * 19


@pytest.mark.parametrize("kind", ["normal", "exponential", "lognormal", "uniform", "pareto", "mostly one"])
def test_a_proposed_range_holds_for_the_next_samples_and_is_no_wider_than_it_must(kind: str) -> None:
    random = np.random.default_rng(11)
    draw = {
        "normal": lambda: random.normal(30, 3, 5000),
        "exponential": lambda: random.exponential(20, 5000) - 10,
        "lognormal": lambda: random.lognormal(3, 1, 5000),
        "uniform": lambda: random.random(5000),
        "pareto": lambda: random.pareto(1.5, 5000),
        "mostly one": lambda: np.where(random.random(5000) < 0.999, 0, random.exponential(100, 5000)),
    }[kind]
    broken, widths = 0, []
    for _ in range(20):
        values = draw()
        column = propose(pd.DataFrame({"x": values})).columns["x"]
        assert isinstance(column.at_least, float) and isinstance(column.at_most, float)
        widths.append((column.at_most - column.at_least) / float(np.ptp(values)))
        broken += sum(not column.at_least <= value <= column.at_most for value in (f(draw()) for f in (np.min, np.max)))
    assert broken <= 2  # of 40
    assert np.median(widths) < {"normal": 3.2, "exponential": 4, "uniform": 3.2, "lognormal": 7}.get(kind, 40)


def test_a_range_that_no_number_ends_is_not_proposed() -> None:
    for values in ([-1.7e308, *range(200), 1.7e308], [5e-324] * 150 + [1e308] * 30, [float("inf"), *range(60)]):
        column = propose(pd.DataFrame({"x": np.array(values, dtype=float)})).columns["x"]
        assert column.at_most is None
        assert judge(pd.DataFrame({"x": np.array(values, dtype=float)}), Suite(columns={"x": column})) is not None


def test_a_proposal_finds_what_went_wrong() -> None:
    suite = propose(frame_of(0))
    wrong = frame_of(1)
    wrong.loc[:9, "carrier"] = "??"
    wrong.loc[5:400, "delay"] = np.nan
    wrong.loc[7, "distance"] = 10**9
    wrong.loc[8, "fare"] = -1.0
    wrong.loc[9, "id"] = wrong.loc[10, "id"]
    wrong["late"] = wrong["late"].astype("int64")
    found = failed(wrong.drop(columns="seen").head(500), suite)
    assert found == {
        ("rows", None),
        ("values", "carrier"),
        ("nulls", "delay"),
        ("at_most", "distance"),
        ("at_least", "fare"),
        ("unique", "id"),
        ("type", "late"),
        ("required", "seen"),
    }


def test_a_suite_comes_back_from_its_text() -> None:
    for frame in (frame_of(0), pd.DataFrame({"a": [None, None]}), pd.DataFrame(), frame_of(0).set_index(["id", "at"])):
        suite = propose(frame)
        assert Suite.from_yaml(suite.to_yaml()) == suite and "!!" not in suite.to_yaml()
        compile(suite.to_python(), "suite", "exec")


def test_times_are_written_as_they_are_read() -> None:
    zoned = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
    odd = ["2025-12-02 00:00:00", "!!timestamp '2025-12-02'", "x: y", zoned, datetime.date(2025, 1, 1)]
    column = ColumnExpectations(at_least=datetime.datetime(2025, 12, 2), at_most=zoned, values=odd)
    text = Suite(columns={"a": column}).to_yaml()
    assert "at_least: 2025-12-02 00:00:00\n" in text
    assert Suite.from_yaml(text).columns["a"] == column


def test_the_python_form_is_a_schema_that_agrees() -> None:
    suite = propose(frame_of(0))
    names: dict[str, Any] = {}
    exec(suite.to_python(), names)
    names["schema"].validate(frame_of(1), lazy=True)
    with pytest.raises(pandera.errors.SchemaErrors):
        names["schema"].validate(frame_of(1).assign(carrier="??"), lazy=True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("columns: [", "no YAML in line 1"),
        ("column: {}", "has no 'column'. It can have: rows, extra_columns, unique, columns"),
        ("columns: {a: {atleast: 1}}", "columns.a has no 'atleast'"),
        ("columns: {a: {nulls: 150%}}", "columns.a.nulls is a share such as 5%, not '150%'"),
        ("columns: {a: {matches: '['}}", "columns.a.matches is no regular expression"),
        ("columns: {a: {values: 1}}", "columns.a.values is a list"),
        ("rows: {at_least: many}", "rows.at_least is a number of rows"),
        ("- a", "The suite is a mapping"),
        ("unique: [a]", "unique is a list of lists"),
        ("columns: {a: !!python/object/apply:os.system [ls]}", "no YAML"),
    ],
)
def test_a_suite_that_cannot_be_read_says_where(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Suite.from_yaml(text)
    assert sentence in str(caught.value)


def test_versions_are_checked_and_failing_ones_are_marked(workspace: Workspace) -> None:
    first = snapshot(workspace, "flights", frame_of(0))
    assert check_new_version(workspace, first) is None
    proposed = propose_suite(workspace, "flights")
    assert proposed.number == 0 and get_suite(workspace, "flights") is None
    saved = save_suite(workspace, "flights", proposed.content, proposed.proposed_from)
    assert (saved.number, saved.proposed_from) == (1, "flights@v1")
    assert save_suite(workspace, "flights", proposed.content).number == 1, "the same text is the same suite"
    assert validate_version(workspace, "flights@v1").passed
    wrong = frame_of(1)
    wrong.loc[[3, 5], "carrier"] = "??"
    record = check_new_version(workspace, snapshot(workspace, "flights", wrong))
    assert record is not None and not record.passed
    assert (record.failing_rows, record.n_failing_rows) == ([3, 5], 2)
    assert [version.validity for version in list_versions(workspace, "flights")] == ["failed", "passed"]
    assert get_validation(workspace, "flights@v2") == record
    rows = report_of(workspace, record).failing_rows
    pd.testing.assert_frame_equal(rows, wrong.iloc[[3, 5]])
    failure = next(result for result in record.results if not result.passed)
    assert failure.examples == [(3, "??"), (5, "??")]
    save_suite(workspace, "flights", proposed.content.replace("[AA, B6, UA]", "[AA, B6, UA, '??']"))
    assert validate_version(workspace, "flights@v2").passed
    assert get_version(workspace, "flights@v2").validity == "passed"
    assert [suite.number for suite in list_suites(workspace, "flights")] == [2, 1]


def test_names_that_are_not_there_are_said(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError, match="There is no dataset 'flihgts'"):
        save_suite(workspace, "flihgts", "columns: {}")
    snapshot(workspace, "flights", frame_of(0))
    with pytest.raises(NotFoundError, match="has no suite"):
        validate_version(workspace, "flights")
    with pytest.raises(InvalidInputError, match="no YAML"):
        save_suite(workspace, "flights", "a: [")
    assert get_suite(workspace, "flights") is None


@pytest.mark.parametrize(
    ("frame", "text", "expected"),
    [
        (pd.DataFrame({"a": []}), "columns: {a: {nulls: 0%, at_least: 1, unique: true}}", set()),
        (pd.DataFrame({"a": [1, 2]}), "extra_columns: refused\ncolumns: {}", {("extra_columns", None)}),
        (pd.DataFrame({"a": ["x"]}), "columns: {a: {at_least: 1}}", {("at_least", "a")}),
        (pd.DataFrame({"a": [[1]]}), "columns: {a: {nulls: 0%}}", set()),
        (pd.DataFrame({1: [5]}), "columns: {'1': {at_most: 4}}", {("at_most", "1")}),
        (
            pd.DataFrame({"a": ["abc"]}),
            "columns: {a: {matches: '^x', longest: 2}}",
            {("matches", "a"), ("length", "a")},
        ),
        (pd.DataFrame({"a": [1, 1], "b": [1, 1]}), "unique: [[a, b]]", {("unique", None)}),
        (pd.DataFrame({"a": [1]}), "unique: [[a, z]]", {("unique", None)}),
        (pd.DataFrame({"a": [1]}), "columns: {b: {required: false, type: int64}}", set()),
        (
            pd.DataFrame({"t": pd.to_datetime(["2026-01-01"], utc=True)}),
            "columns: {t: {at_least: 2026-02-01}}",
            {("at_least", "t")},
        ),
        (
            pd.DataFrame({"c": pd.Categorical(["a", None])}),
            "columns: {c: {values: [b], nulls: 50%}}",
            {("values", "c")},
        ),
        (pd.DataFrame({"n": pd.array([1, None], dtype="Int64")}), "columns: {n: {at_least: 2}}", {("at_least", "n")}),
    ],
    ids=range(12),
)
def test_unusual_frames_are_judged(frame: pd.DataFrame, text: str, expected: set[Any]) -> None:
    assert failed(frame, Suite.from_yaml(text)) == expected


def test_a_schema_of_pandera_becomes_a_suite() -> None:
    schema = pandera.DataFrameSchema(
        {
            "a": pandera.Column("int64", [pandera.Check.ge(1), pandera.Check.le(5)], unique=True),
            "b": pandera.Column(str, [pandera.Check.isin(["x"]), pandera.Check.str_length(1, 3)], nullable=True),
        },
        strict=True,
    )
    assert is_schema(schema) and not is_schema(5)
    suite = suite_of_schema(schema)
    assert suite.columns["a"].at_most == 5 and suite.columns["a"].unique and not suite.extra_columns
    assert failed(pd.DataFrame({"a": [1, 9], "b": ["x", "y"]}), suite) == {("at_most", "a"), ("values", "b")}
    with pytest.raises(InvalidInputError, match="of column 'a' cannot be said in a suite"):
        suite_of_schema(pandera.DataFrameSchema({"a": pandera.Column(None, pandera.Check(lambda values: values > 0))}))


def _save(folder: str, number: int) -> None:
    save_suite(Workspace(folder), "flights", f"rows: {{at_least: {number}}}\ncolumns: {{}}\n")


def test_two_processes_save_suites_at_once(workspace: Workspace) -> None:
    snapshot(workspace, "flights", frame_of(0))
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_save, args=(workspace.location, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert sorted(suite.number for suite in list_suites(workspace, "flights")) == [1, 2, 3, 4]
