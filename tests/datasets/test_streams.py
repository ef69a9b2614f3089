"""Streams are kept a part at a time, and give the versions that the same tables in memory give."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snapml_jupyter.datasets import sources
from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.datasets.grid import LARGE_ROWS, LEAST_ROWS
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.domain.errors import CannotKeepError
from snapml_jupyter.store.workspace import Workspace


@pytest.fixture(autouse=True)
def no_stream_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_SMALL_STREAM", 0)


def table_of(n_rows: int, seed: int = 0) -> pa.Table:
    random = np.random.default_rng(seed)
    return pa.table(
        {
            "text": pa.array([None if value < 3 else f"t{value}" for value in random.integers(0, 10**6, n_rows)]),
            "id": pa.array(np.arange(n_rows) * 7, mask=random.random(n_rows) < 0.1),
            "value": random.normal(size=n_rows),
            "city": pa.array(random.choice(["Rome", "Oslo", "Bonn"], n_rows)).dictionary_encode(),
            "tags": pa.array(
                [["a"] * int(value) for value in random.integers(0, 3, n_rows)], type=pa.list_(pa.string())
            ),
        }
    )


def reader_of(table: pa.Table, batch_rows: int) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(table.schema, iter(table.to_batches(max_chunksize=batch_rows)))


@pytest.mark.parametrize("batch_rows", [999, 65_536, 400_000])
def test_a_stream_is_the_same_version_as_its_table(workspace: Workspace, batch_rows: int) -> None:
    table = table_of(400_000)
    streamed = snapshot(workspace, "flights", reader_of(table, batch_rows))
    assert streamed.is_new and streamed.n_rows == 400_000
    in_memory = snapshot(workspace, "flights", table)
    assert not in_memory.is_new
    assert open_dataset(workspace, streamed.ref).to_arrow().equals(table)


@pytest.mark.parametrize("batch_rows", [999, 400_000])
def test_rows_that_repeat_are_cut_alike_in_a_stream(workspace: Workspace, batch_rows: int) -> None:
    random = np.random.default_rng(1)
    table = pa.table(
        {
            "flag": random.random(300_000) < 0.5,
            "small": random.integers(0, 100, 300_000).astype("i2"),
            "city": pa.array(random.choice(["Rome", "Oslo", "Bonn"], 300_000)).dictionary_encode(),
        }
    )
    streamed = snapshot(workspace, "flights", reader_of(table, batch_rows))
    assert len(set(open_dataset(workspace, streamed.ref).manifest.rows)) > 2
    assert not snapshot(workspace, "flights", table).is_new


@pytest.mark.parametrize("batch_rows", [7_777, 900_000])
def test_large_tables_are_cut_alike_in_a_stream(workspace: Workspace, batch_rows: int) -> None:
    table = pa.table({"id": np.random.default_rng(1).permutation(900_000)})
    streamed = snapshot(workspace, "ids", reader_of(table, batch_rows))
    assert not snapshot(workspace, "ids", table).is_new
    rows = open_dataset(workspace, streamed.ref).manifest.rows
    early = [n_rows for n_rows, stop in zip(rows, np.cumsum(rows), strict=True) if stop < LARGE_ROWS]
    late = rows[len(early) + 1 : -1]
    assert min(early) >= LEAST_ROWS and min(late) >= 2 * LEAST_ROWS
    assert np.mean(late) > 1.4 * np.mean(early)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(0, 9_000), max_size=12), seed=st.integers(0, 3))
def test_batches_of_any_size_come_back_in_order(workspace: Workspace, sizes: list[int], seed: int) -> None:
    table = table_of(sum(sizes), seed)

    def batches() -> Iterator[pa.RecordBatch]:
        start = 0
        for size in sizes:
            yield from table.slice(start, size).combine_chunks().to_batches()
            start += size

    version = snapshot(workspace, "any", pa.RecordBatchReader.from_batches(table.schema, batches()))
    assert open_dataset(workspace, version.ref).to_arrow().equals(table)
    assert not snapshot(workspace, "any", table).is_new


def test_dictionaries_that_grow_are_kept_as_one(workspace: Workspace) -> None:
    batches = [
        pa.record_batch([pa.array(["a", "b", None]).dictionary_encode()], names=["city"]),
        pa.record_batch([pa.array(["c", "b"]).dictionary_encode()], names=["city"]),
    ]
    version = snapshot(workspace, "cities", pa.RecordBatchReader.from_batches(batches[0].schema, iter(batches)))

    assert open_dataset(workspace, version.ref).to_arrow().column("city").to_pylist() == ["a", "b", None, "c", "b"]


def test_a_dictionary_that_outgrows_its_codes_is_refused(workspace: Workspace) -> None:
    held = pa.dictionary(pa.int8(), pa.string())
    batches = [
        pa.record_batch([pa.array([f"{number}-{value}" for value in range(100)]).cast(held)], names=["city"])
        for number in range(3)
    ]
    with pytest.raises(CannotKeepError, match="'city'"):
        snapshot(workspace, "cities", pa.RecordBatchReader.from_batches(batches[0].schema, iter(batches)))


def test_wide_rows_are_cut_into_few_rows_a_chunk(workspace: Workspace) -> None:
    table = pa.table(
        {
            "name": [f"{row}.png" for row in range(200)],
            "content": [np.random.default_rng(row).bytes(100_000) for row in range(200)],
        }
    )
    version = snapshot(workspace, "pictures", reader_of(table, 10))
    manifest = open_dataset(workspace, version.ref).manifest
    assert max(manifest.rows) < 200, "one chunk would hold 20 MB"
    assert not snapshot(workspace, "pictures", table).is_new
    grown = snapshot(
        workspace, "pictures", pa.concat_tables([table, pa.table({"name": ["x"], "content": [b"x" * 100_000]})])
    )
    assert grown.added_bytes < version.added_bytes / 5


def test_a_stream_without_rows_is_a_version(workspace: Workspace) -> None:
    table = table_of(0)
    version = snapshot(workspace, "none", reader_of(table, 10))
    assert version.n_rows == 0
    assert open_dataset(workspace, version.ref).to_arrow().schema.equals(table.schema)


def test_a_type_that_is_not_kept_is_refused_before_anything_is_written(workspace: Workspace) -> None:
    held = pa.dense_union([pa.field("a", pa.int8())])
    schema = pa.schema([("x", held)])
    with pytest.raises(CannotKeepError, match="'x'"):
        snapshot(workspace, "union", pa.RecordBatchReader.from_batches(schema, iter([])))
    assert not list(workspace.blobs.digests())


def test_a_stream_that_breaks_off_leaves_no_version(workspace: Workspace) -> None:
    table = table_of(300_000)

    def batches() -> Iterator[pa.RecordBatch]:
        yield from table.to_batches(max_chunksize=50_000)
        raise ConnectionError("gone")

    with pytest.raises(OSError, match="gone"):
        snapshot(workspace, "broken", pa.RecordBatchReader.from_batches(table.schema, batches()))
    assert snapshot(workspace, "broken", table).number == 1
