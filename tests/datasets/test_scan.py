"""Versions as Arrow datasets, as files, under other names, and as polars frames."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from polars.testing import assert_frame_equal as assert_polars_equal

from snapml_jupyter.datasets import chunk_format
from snapml_jupyter.datasets.aliases import remove_alias, set_alias
from snapml_jupyter.datasets.dataset import Dataset, open_dataset
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from snapml_jupyter.store.workspace import Workspace


@pytest.fixture
def wide(workspace: Workspace) -> Dataset:
    """200 columns, 60,000 rows."""
    frame = pd.DataFrame({f"c{number}": np.arange(60_000) * (number + 1) for number in range(200)})
    return open_dataset(workspace, snapshot(workspace, "wide", frame).ref)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The digests of the chunks that are read from now on."""
    found: list[str] = []
    stored = chunk_format._stored

    def noted(content: Any, digest: str) -> Any:
        found.append(digest)
        return stored(content, digest)

    monkeypatch.setattr(chunk_format, "_stored", noted)
    return found


def chunks_of(dataset: Dataset, *names: str) -> set[str]:
    return {d for column in dataset.manifest.columns if column.name in names for d in column.parts[0].chunks}


def test_two_of_two_hundred_columns_touch_two_columns(wide: Dataset, read: list[str]) -> None:
    table = wide.scan().to_table(columns=["c3", "c7"])
    assert table.column("c7").to_pylist()[:3] == [0, 8, 16]
    assert set(read) == chunks_of(wide, "c3", "c7")
    read.clear()
    wide.to_pandas(["c3"])
    assert set(read) == chunks_of(wide, "c3")


def test_a_query_of_duckdb_reads_the_columns_it_needs(wide: Dataset, read: list[str]) -> None:
    flights = wide.scan()
    found = duckdb.sql("SELECT max(c9) AS top FROM flights WHERE c1 < 100").fetchall()
    assert flights.count_rows() == 60_000 and found == [(49 * 10,)]
    assert set(read) == chunks_of(wide, "c1", "c9")


def test_filters_and_expressions_read_the_columns_in_them(wide: Dataset, read: list[str]) -> None:
    scan = wide.scan()
    table = scan.to_table(columns={"twice": pc.field("c5") * 2}, filter=pc.field("c0") == 11)
    assert table.to_pydict() == {"twice": [11 * 6 * 2]}
    assert set(read) == chunks_of(wide, "c0", "c5")
    assert scan.count_rows(filter=pc.field("c0") < 10) == 10
    assert scan.head(2, columns=["c1"]).to_pydict() == {"c1": [0, 2]}


def test_rows_of_a_scan_are_read_alone(wide: Dataset, read: list[str]) -> None:
    last = wide.scan(["c1"], slice(59_990, 60_000))
    assert last.to_table().column("c1").to_pylist() == [2 * row for row in range(59_990, 60_000)]
    assert len(set(read)) == 1
    assert last.count_rows() == 10 and wide.scan(rows=range(5, 5)).to_table().num_rows == 0


def test_a_scan_streams_each_chunk_once(wide: Dataset, read: list[str]) -> None:
    reader = wide.scan(["c0", "c1"]).reader()
    assert sum(batch.num_rows for batch in reader) == 60_000
    assert len(read) == len(set(read)) == len(chunks_of(wide, "c0", "c1"))


def test_other_libraries_take_a_scan_as_it_is(wide: Dataset) -> None:
    assert pa.table(wide.scan(["c0"])).num_rows == 60_000
    lazy = pl.scan_pyarrow_dataset(wide.scan()).filter(pl.col("c0") == 7).select("c2")
    assert lazy.collect().to_dicts() == [{"c2": 21}]


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".arrow"])
def test_a_version_is_exported_and_comes_back(workspace: Workspace, tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame(
        {"n": [1, 2, 3], "t": ["a", None, "c"], "at": pd.date_range("2026-01-01", periods=3, tz="UTC")}, index=[5, 6, 7]
    )
    dataset = open_dataset(
        workspace, snapshot(workspace, "flights", frame if suffix != ".csv" else frame.reset_index()).ref
    )
    path = dataset.export(tmp_path / f"out{suffix}")
    if suffix == ".parquet":
        pd.testing.assert_frame_equal(pd.read_parquet(path).set_index("index").rename_axis(None), frame)
    elif suffix == ".csv":
        assert pd.read_csv(path)["t"].tolist()[0] == "a"
    else:
        assert pd.read_feather(path)["n"].tolist() == [1, 2, 3]
    with pytest.raises(ConflictError, match="exists"):
        dataset.export(path)
    assert dataset.export(path, overwrite=True) == path
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".out")] == []


def test_exports_that_cannot_be_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    dataset = open_dataset(workspace, snapshot(workspace, "lists", pd.DataFrame({"a": [[1], [2]]})).ref)
    with pytest.raises(InvalidInputError, match=r"cannot be written as csv"):
        dataset.export(tmp_path / "x.csv")
    with pytest.raises(InvalidInputError, match=r"ends in '.xlsx'"):
        dataset.export(tmp_path / "x.xlsx")
    with pytest.raises(NotFoundError, match="no folder"):
        dataset.export(tmp_path / "gone" / "x.csv")
    assert not [path for path in tmp_path.iterdir() if "x" in path.name]


def test_an_alias_names_a_version_and_can_be_moved(workspace: Workspace) -> None:
    first = snapshot(workspace, "flights", pd.DataFrame({"a": [1]}))
    second = snapshot(workspace, "flights", pd.DataFrame({"a": [2]}))
    assert set_alias(workspace, first.ref, "approved").aliases == ["approved"]
    assert open_dataset(workspace, "flights@approved").version.ref == first.ref
    set_alias(workspace, "flights", "approved")
    assert open_dataset(workspace, "flights@approved").version.ref == second.ref
    remove_alias(workspace, "flights", "approved")
    with pytest.raises(NotFoundError, match="There is no alias 'approved'"):
        open_dataset(workspace, "flights@approved")
    with pytest.raises(NotFoundError, match="no alias 'gone'"):
        remove_alias(workspace, "flights", "gone")
    for wrong in ("v3", "latest", "2026", "a b", ""):
        with pytest.raises(InvalidInputError, match="cannot be an alias"):
            set_alias(workspace, "flights", wrong)


def test_polars_frames_come_back_equal(workspace: Workspace) -> None:
    frame = pl.DataFrame(
        {
            "i": pl.Series([1, None, 3], dtype=pl.Int16),
            "text": ["a", None, "ü"],
            "category": pl.Series(["x", "y", None], dtype=pl.Categorical),
            "choice": pl.Series(["b", "a", None], dtype=pl.Enum(["a", "b"])),
            "at": pl.Series([datetime.datetime(2026, 1, 1), None, datetime.datetime(2026, 1, 3)]).dt.replace_time_zone(
                "Europe/Berlin"
            ),
            "day": [datetime.date(2026, 1, 1), None, datetime.date(2026, 1, 3)],
            "time": [datetime.time(1, 2, 3), None, datetime.time(4, 5)],
            "took": [datetime.timedelta(seconds=1), None, datetime.timedelta(days=2)],
            "money": pl.Series([Decimal("1.50"), None, Decimal("2.25")], dtype=pl.Decimal(10, 2)),
            "list": [[1, 2], None, []],
            "pair": [{"a": 1, "b": "x"}, {"a": None, "b": "y"}, {"a": 3, "b": None}],
            "raw": [b"a", None, b""],
            "flag": [True, None, False],
            "nothing": pl.Series([None, None, None], dtype=pl.Null),
        }
    )
    back = open_dataset(workspace, snapshot(workspace, "frame", frame).ref).to_polars()
    assert_polars_equal(back, frame)
    assert not snapshot(workspace, "frame", frame.lazy()).is_new
    assert snapshot(workspace, "series", frame["i"]).n_columns == 1
    assert_polars_equal(
        open_dataset(workspace, snapshot(workspace, "none", frame.clear()).ref).to_polars(), frame.clear()
    )


def test_what_an_arrow_schema_says_beside_types_is_kept(workspace: Workspace) -> None:
    schema = pa.schema(
        [pa.field("a", pa.int64(), nullable=False, metadata={"unit": "min"}), pa.field("b", pa.string())],
        metadata={"made by": "us"},
    )
    table = pa.table({"a": [1, 2], "b": ["x", None]}, schema=schema)
    dataset = open_dataset(workspace, snapshot(workspace, "said", table).ref)
    assert dataset.to_arrow().schema.equals(schema, check_metadata=True)
    assert dataset.to_arrow(columns=["a"]).schema.field("a").metadata == {b"unit": b"min"}
    assert dataset.to_pandas()["a"].tolist() == [1, 2]
