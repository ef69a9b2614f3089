"""Reading request bodies: the fast way and the slow way agree, and nothing but a sentence comes out of garbage."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapml_jupyter.domain.errors import InvalidInputError
from snapml_jupyter.domain.model import ColumnKind, Signature, SignatureColumn, Task
from snapml_jupyter.export.inputs import GraphInputs
from snapml_jupyter.serving.rows import RowDecoder
from snapml_jupyter.wire import encode_json

COLUMNS = [
    SignatureColumn(name="dep time", kind=ColumnKind.float, nullable=True, example=5.5),
    SignatureColumn(name="class", kind=ColumnKind.string, nullable=False, example="x"),
    SignatureColumn(name="n", kind=ColumnKind.integer, nullable=False, example=None),
    SignatureColumn(name="Ünused", kind=ColumnKind.boolean, nullable=False, example=True),
]


@pytest.fixture(scope="module")
def decoder() -> RowDecoder:
    signature = Signature(task=Task.regression, inputs=COLUMNS)
    tensors = ["double", "string", "int64", "bool"]
    columns = [
        {"name": c.name, "input": None if c.name == "Ünused" else f"i{i}", "tensor": tensors[i]}
        for i, c in enumerate(COLUMNS)
    ]
    metadata = {
        "snapml.signature": encode_json(signature).decode(),
        "snapml.columns": json.dumps(columns),
        "snapml.outputs": '["prediction"]',
    }
    return RowDecoder(GraphInputs(metadata), 100)


def body(*rows: Any) -> bytes:
    return json.dumps({"rows": rows}).encode()


ROW = {"dep time": 1.5, "class": "a", "n": 3, "Ünused": True}


def test_names_that_are_no_identifiers_are_fine(decoder: RowDecoder) -> None:
    assert decoder.decode(body(ROW)) == [(1.5, "a", 3, True)]


def test_a_column_that_the_model_does_not_use_may_be_left_out(decoder: RowDecoder) -> None:
    short = {name: value for name, value in ROW.items() if name != "Ünused"}
    assert decoder.decode(body(short)) == [(1.5, "a", 3, None)]
    columns = [b"[1.5]", b'["a"]', b"[3]", None]
    assert decoder.decode_columns(columns, 1) == [(1.5, "a", 3, None)]


def test_what_is_harmless_is_taken_the_slow_way(decoder: RowDecoder) -> None:
    assert decoder.decode(body({**ROW, "n": 3.0, "dep time": None})) == [(None, "a", 3.0, True)]
    assert decoder.decode_columns([b"[[1],[2]]", b'[["a"],["b"]]', b"[1.0,2]", b"[true,false]"], 2) == [
        (1, "a", 1.0, True),
        (2, "b", 2, False),
    ]


def test_the_example_row_is_made_up_where_the_signature_has_none(decoder: RowDecoder) -> None:
    assert decoder.example_row() == (5.5, "x", 0, True)


def test_columns_of_other_lengths_are_refused(decoder: RowDecoder) -> None:
    with pytest.raises(InvalidInputError, match="1 values in 'data', but its shape says 2"):
        decoder.decode_columns([b"[1.0]", b'["a","b"]', b"[1,2]", b"[true,true]"], 2)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["dep time", "class", "n", "Ünused", "other"])


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=60)
    | st.builds(lambda v: json.dumps(v).encode(), VALUES)
    | st.builds(
        lambda v: json.dumps({"rows": v}).encode(), VALUES | st.lists(st.dictionaries(NAMES, VALUES), max_size=3)
    )
)
def test_any_body_gives_rows_or_a_sentence(decoder: RowDecoder, content: bytes) -> None:
    try:
        rows = decoder.decode(content)
    except InvalidInputError as error:
        assert str(error)  # noqa: PT017  only some bodies are refused
    else:
        assert rows
        assert all(len(row) == 4 for row in rows)
        decoder._inputs.tuples_to_feeds(rows, has_types=True)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=20) | st.builds(lambda v: json.dumps(v).encode(), VALUES), min_size=4, max_size=4))
def test_any_columns_give_rows_or_a_sentence(decoder: RowDecoder, columns: list[bytes]) -> None:
    try:
        rows = decoder.decode_columns(columns, 2)
    except InvalidInputError:
        return
    assert all(len(row) == 4 for row in rows)
    decoder._inputs.tuples_to_feeds(rows, has_types=True)
