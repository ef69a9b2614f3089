"""What differs between two versions, beside what pandas finds; and that shared chunks are left alone."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snapml_jupyter.datasets import chunk_format, diff_segments
from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.datasets.diff import diff_versions
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.domain.dataset import DatasetDiff
from snapml_jupyter.domain.errors import InvalidInputError, NotFoundError
from snapml_jupyter.store.workspace import Workspace


def diff(workspace: Workspace, before: Any, after: Any, keys: list[str] | None = None, limit: int = 100) -> DatasetDiff:
    one, two = snapshot(workspace, "before", before), snapshot(workspace, "after", after)
    return diff_versions(workspace, one.ref, two.ref, keys, limit)


def counts(found: DatasetDiff) -> tuple[int, int, int]:
    return found.n_added, found.n_removed, found.n_changed


def frame_of(n_rows: int, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": np.arange(n_rows) * 3 + random.integers(0, 3, n_rows),
            "price": np.round(random.lognormal(3, 1, n_rows), 2),
            "city": random.choice(["Rome", "Oslo", "Bonn"], n_rows),
            "grade": pd.Categorical(random.choice(list("abc"), n_rows)),
            "flag": random.random(n_rows) < 0.5,
        }
    )


def test_the_same_content_has_no_differences(workspace: Workspace) -> None:
    found = diff(workspace, frame_of(50_000), frame_of(50_000))
    assert found.is_same and counts(found) == (0, 0, 0) and found.schema_changes == [] and found.sample == []
    assert found.n_chunks_read == 0 and all(column.is_same for column in found.columns)


def test_rows_are_told_apart_by_key(workspace: Workspace) -> None:
    before = pd.DataFrame({"id": [1, 2, 3, 4], "x": [1.0, 2.0, np.nan, 4.0], "y": list("abcd")})
    after = pd.DataFrame({"id": [4, 3, 2, 5], "x": [4.0, np.nan, 9.0, 5.0], "y": list("dcbe")})
    found = diff(workspace, before, after, ["id"])
    assert counts(found) == (1, 1, 1)
    assert {column.name: column.n_changed for column in found.columns} == {"id": 0, "x": 1, "y": 0}
    changed, removed, added = found.sample
    assert found.sample_columns == ["id", "x", "y"]
    assert (changed.before, changed.after, changed.row_before, changed.row_after) == (
        [2, 2.0, "b"],
        [2, 9.0, "b"],
        1,
        2,
    )
    assert (removed.change, removed.before, removed.after) == ("removed", [1, 1.0, "a"], None)
    assert (added.change, added.after) == ("added", [5, 5.0, "e"])


def test_without_keys_rows_are_compared_as_a_bag(workspace: Workspace) -> None:
    before = pd.DataFrame({"a": [1, 1, 1, 2], "b": ["x", "x", "y", "z"]})
    after = pd.DataFrame({"a": [1, 2, 1, 3], "b": ["y", "z", "x", "w"]})
    assert counts(diff(workspace, before, after)) == (1, 1, 0)


def test_a_reordered_frame_has_no_differences(workspace: Workspace) -> None:
    before = frame_of(30_000)
    after = before.sample(frac=1, random_state=1).reset_index(drop=True)
    assert counts(diff(workspace, before, after)) == (0, 0, 0)
    assert counts(diff(workspace, before, after, ["id"])) == (0, 0, 0)


@pytest.mark.parametrize("keys", [None, ["id"]])
def test_chunks_that_both_versions_have_are_not_read(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, keys: list[str] | None
) -> None:
    before = frame_of(400_000)
    after = before.copy()
    after.loc[200_000:203_999, "price"] += 1
    read: list[str] = []
    stored = chunk_format._stored

    def noted(content: Any, digest: str) -> Any:
        read.append(digest)
        return stored(content, digest)

    one, two = snapshot(workspace, "flights", before), snapshot(workspace, "flights", after)
    monkeypatch.setattr(chunk_format, "_stored", noted)
    found = diff_versions(workspace, one.ref, two.ref, keys, limit=0)
    assert counts(found) == ((0, 0, 4_000) if keys else (4_000, 4_000, 0))
    shared = set(open_dataset(workspace, one.ref).manifest.content_digests()) & set(
        open_dataset(workspace, two.ref).manifest.content_digests()
    )
    assert not shared.intersection(read) and len(set(read)) == found.n_chunks_read
    assert found.bytes_read < one.size_bytes / 5


def test_rows_deleted_in_front_read_little(workspace: Workspace) -> None:
    before = frame_of(400_000)
    found = diff(workspace, before, before.iloc[4_000:].reset_index(drop=True))
    assert counts(found) == (0, 4_000, 0)
    assert found.n_chunks_read < found.n_chunks_shared / 5


def test_columns_are_added_removed_retyped_and_moved(workspace: Workspace) -> None:
    before = pd.DataFrame({"a": [1, 2], "b": [1, 2], "c": ["x", "y"], "d": [0, 0]})
    after = pd.DataFrame({"c": ["x", "y"], "a": [1.0, 2.0], "b": [1, 2], "e": [0, 0]})
    found = diff(workspace, before, after)
    changes = {(change.column, change.change): (change.before, change.after) for change in found.schema_changes}
    assert changes == {
        ("d", "removed"): ("int64", None),
        ("e", "added"): (None, "int64"),
        ("a", "retyped"): ("int64", "float64"),
        ("c", "moved"): ("2", "0"),
    }
    assert counts(found) == (0, 0, 0), "1 and 1.0 are the same value"


def test_figures_of_both_versions_stand_side_by_side(workspace: Workspace) -> None:
    before, after = frame_of(50_000), frame_of(50_000, seed=1)
    before["at"] = pd.date_range("2026-01-01", periods=50_000, freq="s")
    after["at"] = pd.date_range("2026-02-01", periods=50_000, freq="s")
    before.loc[:9, "price"] = np.nan
    by_name = {column.name: column for column in diff(workspace, before, after).columns}
    price = by_name["price"].before
    assert price is not None and price.n_nulls == 10 and price.n_rows == 50_000
    assert price.mean == pytest.approx(before["price"].mean())
    assert price.standard_deviation == pytest.approx(before["price"].std())
    assert (price.minimum, price.maximum) == (before["price"].min(), before["price"].max())
    at = by_name["at"].after
    assert at is not None and at.minimum_text == "2026-02-01T00:00:00.000000"
    city = by_name["city"].after
    assert city is not None and city.mean_length == pytest.approx(4)


def test_a_key_that_is_not_unique_is_refused_with_an_example(workspace: Workspace) -> None:
    before = pd.DataFrame({"id": [1, 2, 2], "x": [1, 2, 3]})
    with pytest.raises(InvalidInputError, match=r"before@v1 has the key id=2 more than once: in rows 1 and 2"):
        diff(workspace, before, pd.DataFrame({"id": [1, 2], "x": [1, 2]}), ["id"])


def test_a_key_that_is_not_there_is_named(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError, match="Did you mean 'id'"):
        diff(workspace, pd.DataFrame({"id": [1]}), pd.DataFrame({"id": [2]}), ["ids"])


def test_missing_keys_are_keys(workspace: Workspace) -> None:
    before = pd.DataFrame({"id": ["a", None], "x": [1, 2]})
    after = pd.DataFrame({"id": [None, "a"], "x": [3, 1]})
    assert counts(diff(workspace, before, after, ["id"])) == (0, 0, 1)


def test_categories_in_another_order_are_the_same_values(workspace: Workspace) -> None:
    before = pd.DataFrame({"c": pd.Categorical(["a", "b", None], categories=["a", "b"])})
    after = pd.DataFrame({"c": pd.Categorical(["a", "b", None], categories=["b", "a", "z"])})
    found = diff(workspace, before, after)
    assert counts(found) == (0, 0, 0) and not found.is_same and not found.columns[0].is_same


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (pd.DataFrame(), pd.DataFrame(), (0, 0, 0)),
        (pd.DataFrame({"a": []}), pd.DataFrame({"a": [1.0]}), (1, 0, 0)),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]}), (1, 1, 0)),
        (pd.DataFrame({"a": [[1, 2], [3]]}), pd.DataFrame({"a": [[1, 2], [4]]}), (1, 1, 0)),
        (pd.DataFrame({"a": [Decimal("1.50")]}), pd.DataFrame({"a": [Decimal("1.5")]}), (0, 0, 0)),
        (pd.DataFrame({"a": [(1, 2)]}), pd.DataFrame({"a": [(1, 3)]}), (1, 1, 0)),
        (pd.DataFrame({"a": [b"x"]}), pd.DataFrame({"a": [b"y"]}), (1, 1, 0)),
        (pd.DataFrame({1: [1]}, index=["r"]), pd.DataFrame({1: [1]}, index=["s"]), (1, 1, 0)),
        (pd.DataFrame({"a": [0.0]}), pd.DataFrame({"a": [-0.0]}), (0, 0, 0)),
        (pd.DataFrame({"a": ["1"]}), pd.DataFrame({"a": [1]}), (0, 0, 0)),
        (pd.DataFrame({"a": [pd.Interval(0, 1)]}), pd.DataFrame({"a": [pd.Interval(0, 2)]}), (1, 1, 0)),
    ],
    ids=range(11),
)
def test_unusual_frames_are_compared(workspace: Workspace, before: Any, after: Any, expected: tuple[int, ...]) -> None:
    assert counts(diff(workspace, before, after)) == expected


def test_rows_with_a_multi_index_are_compared_with_it(workspace: Workspace) -> None:
    before = pd.DataFrame({"x": [1, 2]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", "n"]))
    after = pd.DataFrame({"x": [1, 3]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", "n"]))
    assert counts(diff(workspace, before, after)) == (1, 1, 0)
    assert counts(diff(workspace, before, after, ["k", "n"])) == (0, 0, 1)


_VALUES = st.one_of(st.none(), st.integers(0, 3))
_ROWS = st.lists(st.tuples(st.integers(0, 5), _VALUES, st.sampled_from(["a", "b"])), max_size=12)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=_ROWS, after=_ROWS)
def test_bags_of_rows_are_subtracted_as_counters_are(workspace: Workspace, before: list[Any], after: list[Any]) -> None:
    schema = pa.schema([("k", pa.int64()), ("v", pa.int64()), ("s", pa.string())])
    one, two = (
        pa.Table.from_pylist([dict(zip("kvs", row, strict=True)) for row in rows], schema) for rows in (before, after)
    )
    found = diff(workspace, one, two)
    assert found.n_removed == (Counter(before) - Counter(after)).total()
    assert found.n_added == (Counter(after) - Counter(before)).total()
    removed = Counter(tuple(row.before) for row in found.sample if row.change == "removed" and row.before)
    assert removed == Counter(before) - Counter(after)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_keys_find_what_was_done_to_a_frame(workspace: Workspace, data: st.DataObject) -> None:
    before = frame_of(30_000)
    places = st.lists(st.integers(0, 29_999), max_size=30, unique=True)
    changed, removed = data.draw(places), data.draw(places)
    changed = [row for row in changed if row not in removed]
    n_added = data.draw(st.integers(0, 20))
    after = before.copy()
    after.loc[changed, "price"] += 1
    after = after.drop(index=removed)
    more = frame_of(n_added, seed=5).assign(id=lambda made: made["id"] + 10**9)
    where = data.draw(st.integers(0, len(after)))
    after = pd.concat([after.iloc[:where], more, after.iloc[where:]], ignore_index=True)
    found = diff(workspace, before, after, ["id"])
    assert counts(found) == (n_added, len(removed), len(changed))
    assert (
        sorted(row.row_before for row in found.sample if row.change == "removed")
        == sorted(removed)[: len(found.sample)]
    )
    by_content = diff(workspace, before, after)
    assert counts(by_content) == (n_added + len(changed), len(removed) + len(changed), 0)


def test_partly_shared_segments_find_the_same_rows(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = frame_of(100_000)
    after = before.copy()
    after.loc[[5, 50_000, 99_999], "price"] += 1
    after.loc[[5, 60_000], "city"] = "Wien"
    partly = diff(workspace, before, after)
    monkeypatch.setattr(diff_segments, "EXACT_ROWS", 10**9)
    assert counts(partly) == counts(diff(workspace, before, after)) == (4, 4, 0)
    assert [row.row_after for row in partly.sample if row.change == "added"] == [5, 50_000, 60_000, 99_999]


def test_the_sample_shows_some_of_every_kind(workspace: Workspace) -> None:
    before = frame_of(1_000)
    after = pd.concat([before.iloc[500:].assign(price=0.0), frame_of(10, seed=3).assign(id=-np.arange(1, 11))])
    found = diff(workspace, before, after.reset_index(drop=True), ["id"], limit=9)
    assert Counter(row.change for row in found.sample) == {"changed": 3, "removed": 3, "added": 3}
    with pytest.raises(InvalidInputError, match="at most 1000 rows"):
        diff_versions(workspace, "before", "after", limit=5_000)
