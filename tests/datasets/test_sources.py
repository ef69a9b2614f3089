"""What can be snapshotted besides frames: folders, large files, queries, datasets of Hugging Face."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path

import datasets as hugging_face
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy
from pyarrow import csv, parquet

from snapml_jupyter.datasets import files
from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.datasets.queries import Query
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.domain.dataset import SourceKind
from snapml_jupyter.domain.errors import CannotKeepError, InvalidInputError, NotFoundError, UnavailableError
from snapml_jupyter.store.workspace import Workspace


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of nothing but what the test puts there."""
    made = tmp_path / "folder"
    made.mkdir()
    return made


@pytest.fixture
def database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE flights (carrier TEXT, delay REAL, n INTEGER)")
    connection.executemany("INSERT INTO flights VALUES (?, ?, ?)", [("UA", 1.5, 1), (None, None, 2), ("AA", 2, 3)])
    return connection


def test_a_folder_of_csv_files_is_one_table_in_the_order_of_the_paths(workspace: Workspace, folder: Path) -> None:
    (folder / "b").mkdir()
    for number in range(30):
        pd.DataFrame({"n": [number, number], "x": ["a", "b"]}).to_csv(folder / "b" / f"{number:03}.csv", index=False)
    (folder / "a.csv").write_text("n,x,late\n1000,c,0.5\n")
    (folder / ".hidden.csv").write_text("nonsense")
    (folder / "_SUCCESS").write_text("")
    version = snapshot(workspace, "flights", folder)
    back = open_dataset(workspace, version.ref).to_arrow()
    assert back.column("n").to_pylist() == [1000, *(number for number in range(30) for _ in range(2))]
    assert back.column("late").to_pylist() == [0.5, *[None] * 60]
    assert version.source is not None and version.source.kind is SourceKind.FOLDER
    assert version.source.name == str(folder)


def test_a_column_that_is_text_in_one_file_is_text_in_all(workspace: Workspace, folder: Path) -> None:
    (folder / "1.csv").write_text("code,n\n007,1\n")
    (folder / "2.csv").write_text("code,n\nX7,2\n")
    version = snapshot(workspace, "codes", folder)
    assert open_dataset(workspace, version.ref).to_arrow().to_pydict() == {"code": ["007", "X7"], "n": [1, 2]}


def test_files_of_a_folder_that_are_no_tables_are_kept_as_they_are(workspace: Workspace, folder: Path) -> None:
    (folder / "cats").mkdir()
    (folder / "cats" / "tom.png").write_bytes(b"\x89PNG\x00")
    (folder / "notes.txt").write_bytes(b"")
    version = snapshot(workspace, "pictures", folder)
    assert open_dataset(workspace, version.ref).to_arrow().to_pydict() == {
        "path": ["cats/tom.png", "notes.txt"],
        "content": [b"\x89PNG\x00", b""],
    }
    assert not snapshot(workspace, "pictures", folder).is_new


def test_a_folder_of_tables_and_others_is_refused(workspace: Workspace, folder: Path) -> None:
    (folder / "1.csv").write_text("a\n1\n")
    (folder / "2.txt").write_text("a")
    with pytest.raises(InvalidInputError, match=r"several kinds: '1.csv' and '2.txt'"):
        snapshot(workspace, "mixed", folder)
    (folder / "none").mkdir()
    with pytest.raises(InvalidInputError, match="has no files"):
        snapshot(workspace, "mixed", folder / "none")


def test_a_broken_file_of_a_folder_is_named(workspace: Workspace, folder: Path) -> None:
    (folder / "1.csv").write_text("a,b\n1,2\n")
    (folder / "2.csv").write_text("a,b\n1,2,3\n")
    with pytest.raises(InvalidInputError, match=r"2.csv' cannot be read as csv"):
        snapshot(workspace, "broken", folder)
    (folder / "2.csv").write_text("")
    with pytest.raises(InvalidInputError, match=r"2.csv' is empty"):
        snapshot(workspace, "broken", folder)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_large_file_is_read_in_parts_and_is_the_same_version(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    table = pa.table({"id": range(200_000), "x": np.random.default_rng(1).normal(size=200_000)})
    path = tmp_path / f"flights{suffix}"
    csv.write_csv(table, path) if suffix == ".csv" else parquet.write_table(table, path)
    monkeypatch.setattr(files, "_LARGE", 1000)
    monkeypatch.setattr(files, "_BLOCK", 100_000)
    assert not isinstance(files.open_file(path), pa.Table)
    version = snapshot(workspace, "flights", path)
    assert open_dataset(workspace, version.ref).to_arrow().equals(table)
    monkeypatch.setattr(files, "_LARGE", 2**40)
    assert not snapshot(workspace, "flights", path).is_new


def test_a_large_csv_whose_types_show_late_is_read_whole(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "late.csv"
    path.write_text("x\n" + "1\n" * 10_000 + "abc\n")
    monkeypatch.setattr(files, "_LARGE", 1000)
    monkeypatch.setattr(files, "_BLOCK", 1000)
    version = snapshot(workspace, "late", path)
    assert open_dataset(workspace, version.ref).to_arrow().column("x").to_pylist()[-2:] == ["1", "abc"]


def test_a_query_is_kept_from_a_dbapi_connection(workspace: Workspace, database: sqlite3.Connection) -> None:
    query = Query("SELECT * FROM flights WHERE n > ? ORDER BY n", database, (0,))
    version = snapshot(workspace, "flights", query)
    back = open_dataset(workspace, version.ref).to_arrow()
    assert back.to_pydict() == {"carrier": ["UA", None, "AA"], "delay": [1.5, None, 2.0], "n": [1, 2, 3]}
    assert version.source is not None and version.source.kind is SourceKind.QUERY
    assert version.source.name == query.sql


def test_types_of_a_query_may_show_in_a_later_batch(
    workspace: Workspace, database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from snapml_jupyter.datasets import queries

    monkeypatch.setattr(queries, "_BATCH_ROWS", 1)
    version = snapshot(workspace, "late", Query("SELECT carrier, delay, n FROM flights ORDER BY n DESC", database))
    assert open_dataset(workspace, version.ref).to_arrow().column("delay").to_pylist() == [2.0, None, 1.5]


def test_a_query_runs_on_sqlalchemy_engines_and_connections(workspace: Workspace) -> None:
    engine = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.pool.StaticPool)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE t (a INTEGER, b NUMERIC)"))
        connection.execute(sqlalchemy.text("INSERT INTO t VALUES (1, 2), (3, 4)"))
        here = snapshot(workspace, "t", Query("SELECT * FROM t WHERE a = :a", connection, {"a": 3}))
    assert open_dataset(workspace, here.ref).to_arrow().to_pydict() == {"a": [3], "b": [4]}
    assert snapshot(workspace, "t", Query("SELECT * FROM t", engine)).n_rows == 2
    engine.dispose()


def test_queries_that_cannot_be_kept_are_refused_with_a_sentence(
    workspace: Workspace, database: sqlite3.Connection
) -> None:
    with pytest.raises(UnavailableError, match="no such table: gone"):
        snapshot(workspace, "q", Query("SELECT * FROM gone", database))
    with pytest.raises(InvalidInputError, match="gives no rows to keep"):
        snapshot(workspace, "q", Query("DELETE FROM flights", database))
    with pytest.raises(CannotKeepError, match="two columns named 'n'"):
        snapshot(workspace, "q", Query("SELECT n, n FROM flights", database))
    with pytest.raises(InvalidInputError, match="A str is not a database connection"):
        snapshot(workspace, "q", Query("SELECT 1", "sqlite://"))
    empty = snapshot(workspace, "empty", Query("SELECT * FROM flights WHERE 0", database))
    assert (empty.n_rows, empty.n_columns) == (0, 3)


def test_decimals_of_a_query_stay_decimals(workspace: Workspace) -> None:
    connection = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_COLNAMES)
    sqlite3.register_converter("decimal", lambda text: Decimal(text.decode()))
    version = snapshot(workspace, "money", Query("SELECT '1.50' AS 'price [decimal]'", connection))
    assert open_dataset(workspace, version.ref).to_arrow().column(0).to_pylist() == [Decimal("1.50")]


def test_a_hugging_face_dataset_is_kept(workspace: Workspace) -> None:
    data = hugging_face.Dataset.from_dict({"text": ["a", None, "c"], "label": [0, 1, 0]})
    version = snapshot(workspace, "texts", data.select([2, 0]))
    assert open_dataset(workspace, version.ref).to_arrow().to_pydict() == {"text": ["c", "a"], "label": [0, 0]}
    assert snapshot(workspace, "none", data.select([])).n_rows == 0
    with pytest.raises(InvalidInputError, match="2 datasets: train, test"):
        snapshot(workspace, "both", hugging_face.DatasetDict(train=data, test=data))


def test_what_a_version_was_derived_from_must_exist(workspace: Workspace) -> None:
    raw = snapshot(workspace, "raw", pd.DataFrame({"a": [1, 2]}))
    clean = snapshot(workspace, "clean", pd.DataFrame({"a": [1]}), derived_from=["raw"])
    assert clean.derived_from == [raw.ref]
    with pytest.raises(NotFoundError, match="gone"):
        snapshot(workspace, "clean", pd.DataFrame({"a": [2]}), derived_from=["gone@v1"])


def test_many_csv_files_of_one_header_are_one_table(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "days"
    folder.mkdir()
    (folder / "a.csv").write_bytes(b'\xef\xbb\xbfday,value,said\r\n1,2,"two\r\nlines"\r\n')
    (folder / "b.csv").write_text("day,value,said\n2,2.5,")
    (folder / "c.csv").write_text("day,value,said\n")
    (folder / "_SUCCESS.csv").write_text("not a table")
    kept = snapshot(workspace, "days", folder)
    assert open_dataset(workspace, kept.ref).to_arrow().to_pylist() == [
        {"day": 1, "value": 2.0, "said": "two\r\nlines"},
        {"day": 2, "value": 2.5, "said": None},
    ]


def test_the_one_bad_file_of_a_folder_is_named(workspace: Workspace, tmp_path: Path) -> None:
    folder = _days(tmp_path, "day,value\n1,2,3\n")
    with pytest.raises(InvalidInputError, match=r"b\.csv"):
        snapshot(workspace, "days", folder)


def test_an_open_quote_ends_with_its_own_file(workspace: Workspace, tmp_path: Path) -> None:
    kept = snapshot(workspace, "days", _days(tmp_path, 'day,value\n1,"2\n'))
    assert open_dataset(workspace, kept.ref).to_arrow().num_rows == 3


def _days(folder: Path, odd: str) -> Path:
    """Three files, the second of which holds `odd`."""
    folder = folder / "days"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.csv").write_text(odd if name == "b" else "day,value\n1,2\n")
    return folder
