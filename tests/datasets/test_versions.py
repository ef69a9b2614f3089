"""Versions: numbering, content shared between them, references, and what is refused."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from snapml_jupyter.datasets import versions
from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.domain.errors import (
    CannotKeepError,
    ConflictError,
    DamagedContentError,
    InvalidInputError,
    NotFoundError,
)
from snapml_jupyter.store import events
from snapml_jupyter.store.workspace import Workspace


def flights(n_rows: int = 100, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "flight": random.permutation(n_rows),
            "delay": random.normal(size=n_rows),
            "carrier": pd.Series(random.choice(["UA", "AA", None], n_rows), dtype="str"),
        }
    )


def blob_bytes(workspace: Workspace) -> int:
    return sum(workspace.blobs.size(digest) for digest in workspace.blobs.digests())


def test_the_first_snapshot_is_version_one_and_says_what_it_holds(workspace: Workspace) -> None:
    version = snapshot(workspace, "flights", flights(), message="as received")
    assert (version.ref, version.number, version.n_rows, version.n_columns) == ("flights@v1", 1, 100, 3)
    assert version.is_new
    assert version.parent_ref is None
    assert version.message == "as received"
    assert version.created_by == "ada"
    assert 0 < version.added_bytes == version.size_bytes <= blob_bytes(workspace)
    assert [(column.name, column.type, column.dtype, column.nullable) for column in version.columns] == [
        ("flight", "int64", "int64", False),
        ("delay", "double", "float64", True),
        ("carrier", "large_string", "str" if pd.__version__ >= "3" else "object", True),
    ]


def test_the_same_content_gives_the_version_it_already_is(workspace: Workspace) -> None:
    first = snapshot(workspace, "flights", flights(), message="one")
    snapshot(workspace, "flights", flights(seed=2))
    before = blob_bytes(workspace)
    again = snapshot(workspace, "flights", flights(), message="two")
    assert (again.ref, again.is_new, again.added_bytes, again.message) == (first.ref, False, 0, "one")
    assert blob_bytes(workspace) == before
    assert [version.number for version in versions.list_versions(workspace, "flights")] == [2, 1]


def test_equal_content_is_kept_once_under_every_name(workspace: Workspace) -> None:
    first = snapshot(workspace, "flights", flights())
    before = blob_bytes(workspace)
    other = snapshot(workspace, "copies", flights(), message="another name and message")
    assert other.is_new
    assert other.digest == first.digest
    assert other.added_bytes == 0
    assert blob_bytes(workspace) == before
    assert versions.find_version_by_digest(workspace, first.digest) == versions.get_version(workspace, "flights@v1")
    found = versions.find_version_by_digest(workspace, first.digest, "copies")
    assert found is not None
    assert found.ref == "copies@v1"
    assert versions.find_version_by_digest(workspace, "0" * 64) is None


def test_a_new_version_adds_only_what_changed(workspace: Workspace) -> None:
    frame = flights(100_000)
    first = snapshot(workspace, "flights", frame)
    one_column = snapshot(workspace, "flights", frame.assign(delay=frame["delay"] + 1))
    assert one_column.parent_ref == "flights@v1"
    whole_column = frame["delay"].memory_usage(index=False)
    assert 0.8 * whole_column < one_column.added_bytes < whole_column + 10_000
    new_column = snapshot(workspace, "flights", frame.assign(empty=np.zeros(len(frame))))
    assert new_column.added_bytes < 10_000
    fewer = snapshot(workspace, "flights", frame[["flight", "carrier"]])
    assert fewer.added_bytes < 10_000
    assert first.added_bytes > 800_000


def test_a_chunk_that_the_version_before_has_lost_is_written_again(workspace: Workspace) -> None:
    frame = pd.DataFrame({"kept": np.arange(20_000), "changed": np.arange(20_000) % 977})
    snapshot(workspace, "numbers", frame)
    with workspace.transaction() as tx:
        tx.execute("DELETE FROM chunks WHERE digest = (SELECT MIN(digest) FROM chunks)")
    changed = frame.assign(changed=frame["changed"] + 1)
    version = snapshot(workspace, "numbers", changed)
    pd.testing.assert_frame_equal(open_dataset(workspace, version.ref).to_pandas(), changed)


@pytest.mark.parametrize("key", ["numbers", "text", "few values"])
def test_rows_added_or_deleted_elsewhere_leave_the_other_chunks_alone(workspace: Workspace, key: str) -> None:
    n = 400_000
    random = np.random.default_rng(5)
    frame = pd.DataFrame({"x": random.normal(size=n), "y": random.integers(0, 2**60, n)})
    if key == "text":
        frame = pd.DataFrame({name: pd.Series([f"{v:x}" for v in frame["y"]], dtype="str") for name in ("a", "b")})
    elif key == "few values":
        frame = pd.DataFrame({name: random.integers(0, 50, n) for name in "abcdef"})
    first = snapshot(workspace, "rows", frame)
    smaller = frame.iloc[4_000:].reset_index(drop=True)
    assert snapshot(workspace, "rows", smaller).added_bytes < 0.2 * first.added_bytes
    inserted = pd.concat([frame.iloc[:200_000], frame.iloc[:4_000], frame.iloc[200_000:]], ignore_index=True)
    assert snapshot(workspace, "rows", inserted).added_bytes < 0.3 * first.added_bytes
    appended = pd.concat([frame, frame.iloc[:4_000]], ignore_index=True)
    assert snapshot(workspace, "rows", appended).added_bytes < 0.2 * first.added_bytes


def test_a_change_of_the_very_column_that_rows_are_cut_by_leaves_the_others_alone(
    workspace: Workspace, tmp_path: Path
) -> None:
    frame = pd.concat([flights(200_000)] + [flights(200_000, seed).add_suffix(str(seed)) for seed in (2, 3, 4)], axis=1)
    first = snapshot(workspace, "flights", frame)
    changed = frame.assign(flight=frame["flight"] * 7 + 1)
    second = snapshot(workspace, "flights", changed)
    assert second.added_bytes < 0.2 * first.added_bytes
    pd.testing.assert_frame_equal(open_dataset(workspace, "flights").to_pandas(), changed)
    elsewhere = snapshot(Workspace(tmp_path / "elsewhere", actor="grace"), "flights", changed)
    assert elsewhere.digest == second.digest
    assert not snapshot(workspace, "flights", changed).is_new
    longer = pd.concat([changed.assign(flight=-changed["flight"]), changed.iloc[:50]], ignore_index=True)
    third = snapshot(workspace, "flights", longer)
    assert third.added_bytes < 0.5 * first.added_bytes
    pd.testing.assert_frame_equal(open_dataset(workspace, "flights").to_pandas(), longer)
    shorter = longer.assign(flight=longer["flight"] // 3).iloc[:120_000]
    snapshot(workspace, "flights", shorter)
    pd.testing.assert_frame_equal(open_dataset(workspace, "flights").to_pandas(), shorter)


def test_the_digest_depends_on_content_alone(workspace: Workspace, tmp_path: Path) -> None:
    version = snapshot(workspace, "flights", flights())
    elsewhere = Workspace(tmp_path / "elsewhere", actor="grace")
    assert snapshot(elsewhere, "others", flights(), message="x").digest == version.digest
    for changed in (
        flights().rename(columns={"delay": "late"}),
        flights()[["delay", "flight", "carrier"]],
        flights().astype({"flight": "int32"}),
        flights().set_index("flight"),
        flights().iloc[::-1],
        flights().assign(delay=flights()["delay"].replace({flights()["delay"][0]: 0.0})),
    ):
        assert snapshot(elsewhere, "others", changed).digest != version.digest


def test_references_find_numbers_days_and_the_newest(workspace: Workspace, clock: Any) -> None:
    snapshot(workspace, "flights", flights(seed=1))
    clock.advance(2 * 86_400)
    snapshot(workspace, "flights", flights(seed=2))
    for ref, number in [("flights", 2), ("flights@latest", 2), ("flights@v1", 1), ("flights@2026-11-02", 1)]:
        assert versions.get_version(workspace, ref).number == number
    assert versions.get_version(workspace, "flights@2026-11-03").number == 2
    with pytest.raises(NotFoundError, match=r"There is no version 'flights@v7'\. Dataset 'flights' has versions v1-v2"):
        versions.get_version(workspace, "flights@v7")
    with pytest.raises(NotFoundError, match="the first of 2026-11-01"):
        versions.get_version(workspace, "flights@2020-01-01")
    with pytest.raises(NotFoundError, match="Did you mean 'flights'"):
        versions.get_version(workspace, "flihgts")
    with pytest.raises(NotFoundError, match="no dataset 'other'"):
        versions.list_versions(workspace, "other")


def test_the_list_has_the_newest_version_of_each(workspace: Workspace) -> None:
    assert versions.list_datasets(workspace) == []
    snapshot(workspace, "a", flights(seed=1))
    snapshot(workspace, "b", flights(seed=1))
    snapshot(workspace, "a", flights(seed=2))
    assert [(entry.name, entry.n_versions, entry.latest.number) for entry in versions.list_datasets(workspace)] == [
        ("a", 2, 2),
        ("b", 1, 1),
    ]


def test_an_event_and_an_audit_entry_tell_of_a_new_version_only(workspace: Workspace) -> None:
    version = snapshot(workspace, "flights", flights())
    snapshot(workspace, "flights", flights())
    (event,) = events.list_events(workspace.database)
    assert (event.kind, event.subject, event.actor) == ("dataset.version_created", "flights@v1", "ada")
    assert event.details == {"name": "flights", "digest": version.digest, "n_rows": 100}
    (entry,) = workspace.database.rows("SELECT operation, subject FROM audit_log")
    assert tuple(entry) == ("datasets.record_version", "flights@v1")


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a\nb", "x" * 10_000, ".hidden", "a..b", "a@v1", 7, None])
def test_names_that_are_not_names_are_refused(workspace: Workspace, name: Any) -> None:
    with pytest.raises(InvalidInputError, match="dataset"):
        snapshot(workspace, name, flights())
    assert list(workspace.blobs.digests()) == []


class Thing:
    pass


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["a", Thing()], r"Column 'x', row 1: a .*Thing would not come back exactly"),
        ([[1], [{2}]], r"Column 'x', row 1: a list with a set inside"),
        ([print, None], r"Column 'x', row 0: a builtin_function_or_method"),
        (["ok", "\ud800"], r"Column 'x', row 1: a str with half of a surrogate pair"),
        ([pd.DataFrame(), 1], r"Column 'x', row 0: a pandas.*DataFrame"),
        ([1, 2j], r"Column 'x', row 1: a complex"),
    ],
)
def test_objects_that_would_not_come_back_are_refused_by_column_row_and_type(
    workspace: Workspace, values: list[Any], said: str
) -> None:
    array = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        array[row] = value
    frame = pd.DataFrame({"fine": [1.0] * len(values), "x": pd.Series(array, dtype=object)})
    with pytest.raises(CannotKeepError, match=said) as caught:
        snapshot(workspace, "frame", frame)
    assert "df" in str(caught.value)
    assert list(workspace.blobs.digests()) == []
    assert versions.list_datasets(workspace) == []


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "'a' occurs twice"),
        (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])), "several levels"),
        (pd.DataFrame([[1]], columns=pd.Index([("a", 1)], tupleize_cols=False)), "column label .* is a tuple"),
        (pd.DataFrame({"z": [1 + 2j]}), "dtype complex128.*real and imaginary"),
        (pd.DataFrame({"s": pd.arrays.SparseArray([0, 0, 1])}), "dtype Sparse.*not kept"),
        (pd.DataFrame([[1]], index=pd.Index([1], name=("a", 1))), "index name .* is a tuple"),
    ],
)
def test_frames_that_cannot_be_kept_say_what_to_do(workspace: Workspace, frame: pd.DataFrame, said: str) -> None:
    with pytest.raises(CannotKeepError, match=said):
        snapshot(workspace, "frame", frame)
    assert list(workspace.blobs.digests()) == []


def test_every_source_makes_a_version(workspace: Workspace, tmp_path: Path) -> None:
    frame = flights()
    table = pa.table(
        {"a": [1, None], "d": pa.array(["x", "y"]).dictionary_encode(), "v": pa.array(["p", None], pa.string_view())}
    )
    snapshot(workspace, "table", table)
    back = open_dataset(workspace, "table").to_arrow()
    assert back.to_pydict() == {"a": [1, None], "d": ["x", "y"], "v": ["p", None]}
    assert pa.types.is_dictionary(back.schema.field("d").type)
    frame.to_csv(tmp_path / "f.csv", index=False)
    frame.set_index("flight").to_parquet(tmp_path / "f.parquet")
    frame.to_feather(tmp_path / "f.arrow")
    for file in ("f.csv", "f.parquet", "f.arrow"):
        version = snapshot(workspace, file, tmp_path / file)
        read = open_dataset(workspace, version.ref).to_pandas()
        expected = frame.set_index("flight") if file == "f.parquet" else frame
        pd.testing.assert_frame_equal(read, expected, check_dtype=file != "f.csv")
    assert snapshot(workspace, "f.parquet", frame.set_index("flight")).number == 1
    snapshot(workspace, "path_as_text", str(tmp_path / "f.csv"))
    with_index = pa.Table.from_pandas(frame.set_index("flight"))
    snapshot(workspace, "with_index", with_index)
    pd.testing.assert_frame_equal(open_dataset(workspace, "with_index").to_pandas(), frame.set_index("flight"))
    assert open_dataset(workspace, "with_index").to_arrow() == with_index
    snapshot(workspace, "series", frame["delay"])
    pd.testing.assert_frame_equal(open_dataset(workspace, "series").to_pandas(), frame[["delay"]])
    snapshot(workspace, "unnamed", pd.Series([1, 2]))
    snapshot(workspace, "dict", {"a": np.arange(3), "b": ["x", "y", "z"]})
    assert open_dataset(workspace, "dict").to_pandas()["b"].tolist() == ["x", "y", "z"]
    snapshot(workspace, "array", np.arange(6).reshape(3, 2))
    assert open_dataset(workspace, "array").to_pandas().to_numpy().tolist() == [[0, 1], [2, 3], [4, 5]]
    batches = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
    assert snapshot(workspace, "reader", batches).digest == versions.get_version(workspace, "table").digest


def test_sources_that_are_not_tables_are_refused_with_a_sentence(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("hello")
    (tmp_path / "x.parquet").write_text("hello")
    with pytest.raises(InvalidInputError, match="A int is not a table"):
        snapshot(workspace, "x", 5)
    with pytest.raises(NotFoundError, match=r"no file .*nothing\.csv"):
        snapshot(workspace, "x", tmp_path / "nothing.csv")
    with pytest.raises(InvalidInputError, match=r"suffix '\.txt'"):
        snapshot(workspace, "x", tmp_path / "x.txt")
    with pytest.raises(InvalidInputError, match=r"cannot be read as parquet"):
        snapshot(workspace, "x", tmp_path / "x.parquet")
    with pytest.raises(InvalidInputError, match="dict does not make a table"):
        snapshot(workspace, "x", {"a": [1], "b": [1, 2]})
    with pytest.raises(CannotKeepError, match="3 dimensions"):
        snapshot(workspace, "x", np.zeros((2, 2, 2)))


def test_reading_touches_only_the_blobs_that_are_needed(workspace: Workspace) -> None:
    frame = flights(50_000)
    snapshot(workspace, "flights", frame[["flight"]])
    snapshot(workspace, "flights", frame)
    packs = {row["digest"] for row in workspace.database.rows("SELECT digest FROM packs ORDER BY pack_number LIMIT 1")}
    for digest in workspace.blobs.digests():
        if digest not in packs and digest != versions.get_version(workspace, "flights").manifest_digest:
            workspace.blobs.remove(digest)
    dataset = open_dataset(workspace, "flights")
    pd.testing.assert_frame_equal(dataset.to_pandas(["flight"]), frame[["flight"]])
    with pytest.raises(DamagedContentError, match=r"Column 'delay' of flights@v2 is damaged.*no blob"):
        dataset.to_pandas()


def test_an_unknown_column_is_named_with_the_closest(workspace: Workspace) -> None:
    snapshot(workspace, "flights", flights())
    dataset = open_dataset(workspace, "flights")
    with pytest.raises(NotFoundError, match=r"no column 'dealy'\. Did you mean 'delay'"):
        dataset.to_pandas(["dealy"])
    with pytest.raises(NotFoundError, match="Did you mean 'carrier'"):
        dataset.to_arrow(["carier"])
    with pytest.raises(InvalidInputError, match="list of labels"):
        dataset.to_pandas("delay")
    with pytest.raises(InvalidInputError, match="a step of 2"):
        dataset.to_pandas(rows=slice(0, 10, 2))
    with pytest.raises(InvalidInputError, match="at least one row"):
        next(dataset.batches(n_rows=0))


@pytest.mark.parametrize("part", ["pack", "manifest"])
def test_a_flipped_bit_is_found_and_named(workspace: Workspace, part: str) -> None:
    version = snapshot(workspace, "flights", flights(2_000))
    (pack,) = (row["digest"] for row in workspace.database.rows("SELECT digest FROM packs"))
    digest = pack if part == "pack" else version.manifest_digest
    path = workspace.blobs.path(digest)
    content = path.read_bytes()
    places = workspace.database.rows("SELECT start_byte, n_bytes FROM chunks ORDER BY start_byte")
    ends = [row["start_byte"] + row["n_bytes"] - 1 for row in places]
    for place in [places[0]["start_byte"], ends[0], ends[1] - 5, ends[2]] if part == "pack" else [0, len(content) - 1]:
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(DamagedContentError) as caught:
            open_dataset(workspace, "flights").to_pandas()
        if part == "pack":
            assert "Column '" in str(caught.value)
            assert "flights@v1" in str(caught.value)
    path.write_bytes(content)
    pd.testing.assert_frame_equal(open_dataset(workspace, "flights").to_pandas(), flights(2_000))


def test_rows_for_display_are_json(workspace: Workspace) -> None:
    frame = pd.DataFrame(
        {
            "i": [1, 2],
            "f": [np.nan, np.inf],
            "s": ["a", None],
            "t": pd.to_datetime(["2026-01-01 12:00:00.000000001", None]),
            "z": pd.to_datetime(["2026-01-01 12:00", None]).tz_localize("Europe/Berlin"),
            "d": pd.to_timedelta(["1s", None]).astype("m8[ns]"),
            "b": pd.Series([b"\x00", None], dtype=object),
            "l": pd.Series([[1, None], None], dtype=object),
            "m": pd.Series([(1, 2), None], dtype=object),
            "c": pd.Categorical(["u", None]),
            "k": pd.interval_range(0, 2),
        }
    ).set_index(pd.Index(["r1", "r2"], name="row"))
    snapshot(workspace, "frame", frame)
    page = versions.get_rows(workspace, "frame", offset=0, limit=10)
    assert json.loads(json.dumps(page.rows)) == page.rows
    assert page.columns == [*frame.columns, "row"]
    assert page.n_rows == 2
    first, second = page.rows
    assert first[:5] == [1, None, "a", "2026-01-01T12:00:00", "2026-01-01T12:00:00+01:00"]
    assert first[6:8] == ["b'\\x00'", [1, None]]
    assert first[9:] == ["u", {"left": 0, "right": 1}, "r1"]
    assert second[1:10] == [None] * 9
    assert versions.get_rows(workspace, "frame", offset=1, limit=1).rows == [second]
    assert versions.get_rows(workspace, "frame", offset=5).rows == []
    with pytest.raises(InvalidInputError, match="at most"):
        versions.get_rows(workspace, "frame", limit=10**9)
    with pytest.raises(InvalidInputError, match="row 0 or later"):
        versions.get_rows(workspace, "frame", offset=-1)


def test_a_version_is_not_recorded_before_its_content_is_kept(workspace: Workspace, tmp_path: Path) -> None:
    version = snapshot(workspace, "flights", flights())
    elsewhere = Workspace(tmp_path / "elsewhere", actor="grace")
    with pytest.raises(NotFoundError, match="no blob"):
        versions.record_version(elsewhere, "flights", version.manifest_digest, [])
    elsewhere.blobs.put(workspace.blobs.read(version.manifest_digest))
    with pytest.raises(ConflictError, match=r"3 chunks .* Snapshot it again"):
        versions.record_version(elsewhere, "flights", version.manifest_digest, [])
    with pytest.raises(InvalidInputError, match="not a pack"):
        versions.record_version(elsewhere, "flights", version.manifest_digest, [version.manifest_digest])
    with pytest.raises(DamagedContentError, match="manifest"):
        versions.record_version(workspace, "flights", workspace.blobs.put(b"{}"), [])
    assert versions.list_datasets(elsewhere) == []
    with pytest.raises(NotFoundError, match="no run 'r-1'"):
        snapshot(workspace, "flights", flights(seed=9), run_id="r-1")


def test_versions_know_when_they_were_made(workspace: Workspace) -> None:
    version = snapshot(workspace, "flights", flights())
    assert version.created_at == datetime(2026, 11, 1, 12, 0, 0, version.created_at.microsecond, tzinfo=timezone.utc)
    assert versions.get_version(workspace, "flights") == version


@pytest.mark.parametrize("kind", ["narrow", "grouped"])
def test_rows_that_repeat_are_cut_where_their_neighbours_say(workspace: Workspace, kind: str) -> None:
    random = np.random.default_rng(2)
    n = 400_000
    frame = pd.DataFrame(
        {
            "flag": random.random(n) < 0.5,
            "small": random.integers(0, 100, n).astype("i2"),
            "kind": pd.Categorical(random.choice(list("abc"), n)),
        }
        if kind == "narrow"
        else {"group": np.sort(random.integers(0, 50, n)), "count": random.integers(0, 5, n)}
    )
    first = snapshot(workspace, "days", frame)
    shorter = snapshot(workspace, "days", frame.iloc[n // 100 :].reset_index(drop=True))
    assert shorter.added_bytes < 0.2 * first.size_bytes  # the first chunk, of some 16


@pytest.mark.parametrize("n_distinct", [1_000, 4_000, 16_000, 60_000])
def test_columns_of_some_thousand_values_are_cut_as_often_as_others(workspace: Workspace, n_distinct: int) -> None:
    random = np.random.default_rng(3)
    n = 600_000
    frame = pd.DataFrame({name: random.integers(0, n_distinct, n) for name in "abc"})
    first = snapshot(workspace, "codes", frame)
    rows = open_dataset(workspace, first.ref).manifest.rows
    assert 15_000 < n / len(rows) < 30_000  # one value in 16,384 alone would cut every 5,000 rows, or never
    assert max(rows) < 98_304
    changed = frame.assign(c=frame["c"] + 1).iloc[6_000:].reset_index(drop=True)
    second = snapshot(workspace, "codes", changed)
    assert second.added_bytes < 0.45 * first.size_bytes  # its column, and the first chunk of the others
