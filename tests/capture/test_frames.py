"""Telling tables from other values, naming them, comparing them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from snapml_jupyter.capture.frames import dataset_name, holds_columns_of, is_table, tables_in, unchanging
from snapml_jupyter.domain.names import check_name


class Special(pd.DataFrame):
    """A subclass, as geopandas has one."""


def test_frames_series_arrow_tables_and_matrices_are_tables() -> None:
    for table in (pd.DataFrame(), Special(), pd.Series([1]), pa.table({"a": [1]}), np.zeros((2, 2))):
        assert is_table(table), type(table)
    others: list[Any] = [
        1,
        "text",
        [1],
        {"a": 1},
        np.zeros((2, 2, 2)),
        np.zeros((1, 1, 1)),
        pd.DataFrame,
        np.array([[object()]]),
    ]
    for other in others:
        assert not is_table(other), other


def test_tables_inside_small_containers_are_found() -> None:
    frame = pd.DataFrame({"a": [1]})
    assert [name for name, _ in tables_in("splits", (frame, frame, 3))] == ["splits.0", "splits.1"]
    assert [name for name, _ in tables_in("data", {"train": frame, "n": 1, ("a",): frame})] == ["data.train"]
    assert list(tables_in("many", [frame] * 21)) == []


def test_every_variable_gives_an_allowed_dataset_name() -> None:
    for variable in ("df", "_df", "données", "splits.0", "d.a b/c", "d...x", "x" * 300, "d.", "表"):
        assert check_name("dataset", dataset_name(variable))
    assert dataset_name("data.train") == "data.train"


def test_columns_are_held_only_with_equal_index_and_content() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [3.0, None], "c": ["x", "y"]})
    assert holds_columns_of(frame, frame[["b", "a"]])
    assert not holds_columns_of(frame, frame[["a"]] * 2)
    assert not holds_columns_of(frame, frame[["a"]].head(1))
    assert not holds_columns_of(frame, frame[["a"]].set_axis([5, 6]))
    assert not holds_columns_of(frame, frame.rename(columns={"a": "z"}))
    assert not holds_columns_of(frame, frame.astype({"a": "int32"})[["a"]])
    assert not holds_columns_of(frame, frame["a"])
    assert not holds_columns_of(pd.concat([frame, frame], axis=1), frame)


def test_a_kept_copy_does_not_see_later_changes() -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    copy = unchanging(frame)
    frame.loc[0, "a"] = 9
    frame["b"] = 1
    assert copy is None or copy.to_dict("list") == {"a": [1, 2]}
