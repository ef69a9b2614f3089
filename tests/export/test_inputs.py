"""Raw rows to arrays: what is taken, and what is said about what is not."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapml_jupyter.domain.errors import ExportError, InvalidInputError
from snapml_jupyter.domain.model import ColumnKind, Signature, SignatureColumn, Task
from snapml_jupyter.export.inputs import (
    COLUMNS_KEY,
    MISSING_TEXT,
    OUTPUTS_KEY,
    SIGNATURE_KEY,
    GraphColumn,
    GraphInputs,
)
from snapml_jupyter.export.row_feeds import RowFeeds

ROW: dict[str, Any] = {"age": 41.5, "gap": 1.5, "visits": 3, "city": "Rome", "word": "yes", "vip": True, "flag": None}


def column(name: str, kind: ColumnKind, *, nullable: bool = False, example: Any = None) -> SignatureColumn:
    return SignatureColumn(name=name, kind=kind, nullable=nullable, example=example)


COLUMNS = [
    column("age", ColumnKind.float, example=40.5),
    column("gap", ColumnKind.float, nullable=True, example=1.0),
    column("visits", ColumnKind.integer, example=7),
    column("city", ColumnKind.string, nullable=True, example="Oslo"),
    column("word", ColumnKind.string, example="no"),
    column("vip", ColumnKind.boolean, example=True),
    column("flag", ColumnKind.boolean, nullable=True, example=False),
    column("when", ColumnKind.datetime, example="2026-11-01T12:00:00"),
]
TENSORS = {"age": "double", "gap": "double", "visits": "int64", "city": "string", "word": "string", "vip": "bool", "flag": "double"}  # fmt: skip


def inputs_of(columns: list[SignatureColumn] = COLUMNS, **categories: list[Any]) -> GraphInputs:
    signature = Signature(task=Task.classification, inputs=columns, labels=["no", "yes"])
    described = [
        GraphColumn(
            name=c.name,
            input=c.name if c.name in TENSORS else None,
            tensor=TENSORS.get(c.name, "datetime"),
            categories=categories.get(c.name),
        )
        for c in columns
    ]
    return GraphInputs(
        {
            SIGNATURE_KEY: msgspec.json.encode(signature).decode(),
            COLUMNS_KEY: msgspec.json.encode(described).decode(),
            OUTPUTS_KEY: '["label","probabilities"]',
        }
    )


INPUTS = inputs_of()


def test_each_column_becomes_an_array_of_one_value_a_row() -> None:
    feeds = INPUTS.rows_to_feeds([ROW, {**ROW, "age": 2, "gap": None, "visits": 4.0, "city": None, "flag": True}])
    assert {name: array.shape for name, array in feeds.items()} == dict.fromkeys(TENSORS, (2, 1))
    assert all(array.flags.c_contiguous for array in feeds.values())
    assert feeds["age"].dtype == np.float64
    assert feeds["age"].ravel().tolist() == [41.5, 2.0]
    assert feeds["visits"].dtype == np.int64
    assert feeds["visits"].ravel().tolist() == [3, 4]
    assert feeds["vip"].dtype == np.bool_
    assert feeds["city"].ravel().tolist() == ["Rome", MISSING_TEXT]
    assert np.isnan(feeds["gap"][1, 0])
    assert np.isnan(feeds["flag"][0, 0])
    assert feeds["flag"][1, 0] == 1.0


def test_a_column_the_model_does_not_use_may_come_or_stay_away() -> None:
    assert "when" not in INPUTS.rows_to_feeds([{**ROW, "when": "2026-11-01"}])
    assert "when" not in INPUTS.rows_to_feeds([ROW])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"age": None}, "Row 2, column 'age': null came, expected a number, for example 40.5."),
        ({"age": float("nan")}, "Row 2, column 'age': null came"),
        (
            {"age": "41"},
            "Row 2, column 'age': \"41\" came, expected a number, for example 40.5. Numbers are sent without",
        ),
        ({"age": True}, "Row 2, column 'age': true came, expected a number"),
        ({"age": float("inf")}, "Row 2, column 'age': inf came, expected a number"),
        ({"age": 10**400}, "Row 2, column 'age': 1000"),
        ({"gap": float("inf")}, "Send null for a missing value."),
        ({"visits": None}, "Row 2, column 'visits': null came, expected a whole number, for example 7."),
        ({"visits": 3.5}, "Row 2, column 'visits': 3.5 came, expected a whole number"),
        ({"visits": True}, "Row 2, column 'visits': true came"),
        ({"visits": 2**70}, "Row 2, column 'visits': 1180591620717411303424 came"),
        ({"visits": "3"}, "Numbers are sent without quotes."),
        ({"city": 5}, "Row 2, column 'city': 5 came, expected text, or null, for example \"Oslo\"."),
        ({"word": None}, "Row 2, column 'word': null came, expected text"),
        ({"vip": 1}, "Row 2, column 'vip': 1 came, expected true or false, for example true."),
        ({"vip": "true"}, "Row 2, column 'vip': \"true\" came, expected true or false"),
        ({"vip": [True]}, "Row 2, column 'vip': list [True] came, expected true or false"),
        ({"cty": "x"}, "Row 2 has the column 'cty', which the model does not know. Did you mean 'city'?"),
    ],
)
def test_a_wrong_value_is_named_with_its_row_and_what_is_expected(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        INPUTS.rows_to_feeds([ROW, {**ROW, **change}])
    assert sentence in str(caught.value)


def test_a_missing_column_is_named_with_an_example() -> None:
    row = {name: value for name, value in ROW.items() if name not in ("age", "vip")}
    with pytest.raises(InvalidInputError, match=r"Row 1 lacks the column 'age' \(and 1 more\): expected a number, for"):
        INPUTS.rows_to_feeds([row])


def test_a_row_that_is_no_object_is_named() -> None:
    with pytest.raises(InvalidInputError, match="Row 2 is list"):
        INPUTS.rows_to_feeds([ROW, [1, 2]])  # type: ignore[list-item]  # what a client may send


@pytest.mark.parametrize(
    "call", [lambda: INPUTS.rows_to_feeds([]), lambda: INPUTS.columns_to_feeds({n: [] for n in ROW})]
)
def test_no_rows_is_an_error(call: Any) -> None:
    with pytest.raises(InvalidInputError, match="no rows to predict"):
        call()


def test_a_category_that_the_model_refuses_is_refused_before_it() -> None:
    inputs = inputs_of(city=["Oslo", "Rome"])
    inputs.rows_to_feeds([ROW, {**ROW, "city": None}])
    with pytest.raises(InvalidInputError) as caught:
        inputs.rows_to_feeds([ROW, {**ROW, "city": "Paris"}])
    assert str(caught.value) == (
        'Row 2, column \'city\': the model does not know the category "Paris". It knows "Oslo", "Rome". '
        "To accept others, train with handle_unknown='ignore' in the encoder."
    )


def test_columns_give_the_same_arrays_as_rows() -> None:
    rows = [ROW, {**ROW, "city": None, "age": 3, "visits": 9.0}]
    columns = {name: [row[name] for row in rows] for name in ROW}
    ordered = [tuple(row.get(c.name) for c in COLUMNS) for row in rows]
    expected = INPUTS.rows_to_feeds(rows)
    for feeds in (INPUTS.columns_to_feeds(columns), INPUTS.tuples_to_feeds(ordered)):
        assert feeds.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_array_equal(feeds[name], array)
            assert feeds[name].dtype == array.dtype


def test_tensors_of_clients_are_taken_nested_as_arrays_and_as_bytes() -> None:
    columns: dict[str, Any] = {name: [value] for name, value in ROW.items()}
    columns |= {"age": np.array([[41.5]], dtype=np.float32), "visits": [[3]], "city": [b"Z\xc3\xbcrich"]}
    feeds = INPUTS.columns_to_feeds(columns)
    assert feeds["age"].tolist() == [[41.5]]
    assert feeds["visits"].tolist() == [[3]]
    assert feeds["city"].tolist() == [["Zürich"]]
    with pytest.raises(InvalidInputError, match="not UTF-8"):
        INPUTS.columns_to_feeds({**columns, "city": [b"\xff"]})
    with pytest.raises(InvalidInputError, match="differ in length"):
        INPUTS.columns_to_feeds({**columns, "city": ["a", "b"]})
    with pytest.raises(InvalidInputError, match=r"\[rows\] or \[rows, 1\]"):
        INPUTS.columns_to_feeds({**columns, "age": [[1.0, 2.0]]})
    with pytest.raises(InvalidInputError, match="not a list"):
        INPUTS.columns_to_feeds({**columns, "age": 3.0})
    with pytest.raises(InvalidInputError, match="The request lacks the column 'age'"):
        INPUTS.columns_to_feeds({name: value for name, value in columns.items() if name != "age"})


def test_a_graph_without_our_metadata_is_refused() -> None:
    with pytest.raises(ExportError, match="no SnapML signature"):
        GraphInputs({})


json_values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=2)
)


def expected_of(value: Any, wanted: SignatureColumn) -> Any:
    """The array element by the rules as said in one place, or the string "refused"."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value is None or (isinstance(value, float) and value != value):
        filler = MISSING_TEXT if wanted.kind is ColumnKind.string else float("nan")
        return filler if wanted.nullable else "refused"
    if wanted.kind is ColumnKind.boolean and isinstance(value, bool):
        return value
    if wanted.kind is ColumnKind.integer and is_number and value == value // 1 and -(2**63) <= value < 2**63:
        return int(value)
    if wanted.kind is ColumnKind.float and is_number and abs(value) <= sys.float_info.max:
        return float(value)
    return value if wanted.kind is ColumnKind.string and isinstance(value, str) else "refused"


@given(values=st.lists(json_values, min_size=1, max_size=4), wanted=st.sampled_from(COLUMNS[:-1]))
def test_any_json_value_is_taken_by_the_rules_or_refused(values: list[Any], wanted: SignatureColumn) -> None:
    expected = [expected_of(value, wanted) for value in values]
    rows = [{**ROW, wanted.name: value} for value in values]
    if "refused" in [e for e, v in zip(expected, values, strict=True) if e is not v]:
        with pytest.raises(InvalidInputError, match=f"Row {expected.index('refused') + 1}, column '{wanted.name}'"):
            INPUTS.rows_to_feeds(rows)
    else:
        got = INPUTS.rows_to_feeds(rows)[wanted.name].ravel().tolist()
        assert all(g == e or (g != g and e != e) for g, e in zip(got, expected, strict=True))


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, snapml_jupyter.export.inputs\n"
        "print([m for m in ('pandas', 'onnx', 'onnxruntime', 'sklearn', 'scipy', 'pyarrow') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


#: What a worker's decoder can give for each column of COLUMNS but the last, which the model does not use.
_DECODED = [
    st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**63), 2**63 - 1),
    st.none() | st.text(max_size=5) | st.just("Rome"),
    st.sampled_from(["yes", "no", "maybe"]),
    st.booleans(),
    st.none() | st.booleans(),
    st.just("2026-11-01T12:00:00"),
]


@given(st.lists(st.tuples(*_DECODED), min_size=1, max_size=3))
def test_arrays_that_are_filled_anew_hold_what_new_ones_would(rows: list[tuple[Any, ...]]) -> None:
    inputs = inputs_of(word=["yes", "no"])
    feeds = RowFeeds(inputs)
    for row in rows:
        if row[4] == "maybe":
            with pytest.raises(InvalidInputError, match="'word'"):
                feeds.fill(row)
            continue
        expected = inputs.tuples_to_feeds([row], has_types=True)
        filled = feeds.fill(row)
        assert filled.keys() == expected.keys()
        for name, array in expected.items():
            assert (filled[name].dtype, filled[name].shape) == (array.dtype, array.shape)
            np.testing.assert_array_equal(filled[name], array)


def test_the_arrays_are_one_callers_at_a_time() -> None:
    feeds = RowFeeds(inputs_of())
    assert feeds.take()
    assert not feeds.take()
    feeds.release()
    assert feeds.take()
