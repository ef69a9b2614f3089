"""What goes in comes out: dtypes, values, index and labels, to the last bit."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from snapml_jupyter.datasets import taking
from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.datasets.readers import decode_values
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.store.workspace import Workspace

Same = Callable[[pd.DataFrame, pd.DataFrame], None]


@pytest.fixture(autouse=True, params=["database", "packs"])
def place_of_few_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "packs":
        monkeypatch.setattr(taking, "FEW_ROWS", -1)


D = decimal.Decimal
N = 5


def _numbers() -> dict[str, Any]:
    dtypes = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
    limits = {name: np.array([0, 1, 2, np.iinfo(name).max, np.iinfo(name).min], dtype=name) for name in dtypes}
    floats = {
        name: np.array([0.0, -0.0, np.nan, np.inf, -np.inf], dtype=name) for name in ("float16", "float32", "float64")
    }
    return {**limits, **floats, "bool": np.array([True, False, True, True, False])}


def _objects() -> dict[str, list[Any]]:
    return {
        "text": ["a", "", "ä", "\x00", "日本"],
        "text_none": ["a", None, "b", None, ""],
        "text_nan": ["a", np.nan, "b", np.nan, ""],
        "text_all_missing_kinds": ["a", None, np.nan, pd.NA, pd.NaT],
        "nothing_none": [None] * 5,
        "nothing_mixed": [None, np.nan, pd.NA, pd.NaT, None],
        "bytes": [b"a", b"", b"\xff\x00", None, b"x"],
        "bools_none": [True, None, False, True, None],
        "ints": [1, 2**62, -5, 0, None],
        "big_ints": [1, 2**64, -(2**70), 0, None],
        "floats_none": [1.5, np.nan, None, -0.0, float("inf")],
        "decimals": [D("1.10"), D("2.00"), D("-3.55"), None, D("0.00")],
        "decimals_of_many_exponents": [D("1.1"), D("2.00"), D("1E+3"), D("NaN"), D("-Infinity")],
        "dates": [datetime.date(2020, 1, 1), None, datetime.date(1, 1, 1), datetime.date(9999, 12, 31), None],
        "times": [datetime.time(1, 2, 3, 4), None, datetime.time(0), datetime.time(23, 59, 59, 999999), None],
        "datetimes": [datetime.datetime(2020, 1, 1, 3, 4, 5, 6), None, datetime.datetime(1, 1, 1), None, None],
        "zoned_datetimes": [datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc), None, None, None, None],
        "timedeltas": [datetime.timedelta(days=-3, microseconds=5), None, datetime.timedelta(0), None, None],
        "timestamps": [pd.Timestamp("2020-01-01"), None, pd.Timestamp("2020-01-01", tz="UTC"), pd.NaT, None],
        "lists": [[1, 2], [], None, [3], [4, 5, 6]],
        "lists_of_floats": [[1.0, np.nan], [], [-0.0], None, [np.inf]],
        "lists_of_text": [["a", None], [], ["b"], None, [""]],
        "nested_lists": [[[1], []], [], [[2, 3]], None, [None]],
        "lists_of_mixed": [[1, "a"], [], [2.5, None], None, [True]],
        "dicts": [{"a": 1, "b": "x"}, {"a": 2, "b": None}, None, {"a": 3, "b": "y"}, None],
        "dicts_of_different_keys": [{"a": 1}, {"b": 2}, {}, None, {"a": 1.5}],
        "tuples": [(1, 2), (), None, ("a", 1.5), (None,)],
        "arrays": [np.array([1.5, 2.5]), np.array([]), None, np.array([np.nan]), np.array([0.0])],
        "mixed": [1, "a", 2.5, None, True],
        "mixed_numbers": [1, 2.5, np.nan, None, 3],
        "numpy_scalars": [np.float64(1.5), np.int64(3), np.float32(2.5), np.bool_(True), None],
    }


@pytest.mark.parametrize("column", sorted(_numbers()))
def test_numbers_come_back_to_the_last_bit(workspace: Workspace, same_frames: Same, column: str) -> None:
    frame = pd.DataFrame({column: _numbers()[column]})
    snapshot(workspace, "frame", frame)
    same_frames(frame, open_dataset(workspace, "frame").to_pandas())


@pytest.mark.parametrize("column", sorted(_objects()))
def test_object_columns_come_back_with_every_kind_of_missing_value(
    workspace: Workspace, same_frames: Same, column: str
) -> None:
    values = np.empty(N, dtype=object)
    for row, value in enumerate(_objects()[column]):
        values[row] = value
    frame = pd.DataFrame({column: pd.Series(values, dtype=object)})
    snapshot(workspace, "frame", frame)
    same_frames(frame, open_dataset(workspace, "frame").to_pandas())


def _string_dtypes() -> dict[str, Any]:
    dtypes = {"str": "str", "python": pd.StringDtype("python"), "pyarrow": pd.StringDtype("pyarrow")}
    for storage in ("python", "pyarrow"):
        try:
            dtypes[f"{storage} with NaN"] = pd.StringDtype(storage, na_value=np.nan)
        except TypeError:  # pandas 2.2 has one such dtype alone
            dtypes["with NaN"] = pd.StringDtype("pyarrow_numpy")
    return dtypes


@pytest.mark.parametrize("dtype", _string_dtypes().values(), ids=_string_dtypes())
def test_strings_of_any_storage_come_back(workspace: Workspace, same_frames: Same, dtype: Any) -> None:
    frame = pd.DataFrame({"s": pd.Series(["a", None, "", "ä", "日本"], dtype=dtype)})
    snapshot(workspace, "frame", frame)
    same_frames(frame, open_dataset(workspace, "frame").to_pandas())


@pytest.mark.parametrize(
    ("storage", "na"),
    [("python", "NA"), ("pyarrow", "NA"), ("python", "nan"), ("pyarrow", "nan"), ("pyarrow_numpy", "nan")],
)
def test_strings_of_another_pandas_are_read(storage: str, na: str) -> None:
    held = pa.chunked_array([pa.array(["a", None], type=pa.large_string())])
    values = decode_values({"kind": "string", "storage": storage, "na": na}, [held])
    assert isinstance(values.dtype, pd.StringDtype)
    assert values[0] == "a" and (values[1] is pd.NA) == (na == "NA") and pd.isna(values[1])


@pytest.mark.parametrize(
    "dtype", ["Int8", "Int16", "Int32", "Int64", "UInt8", "UInt64", "Float32", "Float64", "boolean"]
)
def test_nullable_dtypes_come_back(workspace: Workspace, same_frames: Same, dtype: str) -> None:
    frame = pd.DataFrame({"n": pd.array([1, None, 0, 1, None], dtype=dtype), "all": pd.array([None] * 5, dtype=dtype)})
    snapshot(workspace, "frame", frame)
    same_frames(frame, open_dataset(workspace, "frame").to_pandas())


def test_hidden_values_under_nulls_do_not_make_a_new_version(workspace: Workspace) -> None:
    first = pd.arrays.IntegerArray(np.array([1, 7, 3]), np.array([False, True, False]))
    second = pd.arrays.IntegerArray(np.array([1, 8, 3]), np.array([False, True, False]))
    snapshot(workspace, "frame", pd.DataFrame({"n": first}))
    assert not snapshot(workspace, "frame", pd.DataFrame({"n": second})).is_new


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize(
    "zone", [None, "UTC", "Europe/Berlin", datetime.timezone(datetime.timedelta(hours=5, minutes=30))]
)
def test_times_come_back_in_their_unit_and_zone(workspace: Workspace, same_frames: Same, unit: str, zone: Any) -> None:
    times = pd.Series(
        pd.to_datetime(["2020-03-29 01:30", None, "1969-07-20 05:00", "2020-10-25 00:30", "2038-01-19 12:12"])
    ).astype(f"datetime64[{unit}]")
    if zone is not None:
        times = times.dt.tz_localize("UTC").dt.tz_convert(zone)
    frame = pd.DataFrame(
        {"t": times, "d": pd.Series([1, None, -5, 0, 7], dtype="float").astype(f"timedelta64[{unit}]")}
    )
    snapshot(workspace, "frame", frame)
    same_frames(frame, open_dataset(workspace, "frame").to_pandas())


@pytest.mark.parametrize(
    "values",
    [
        pd.Categorical(["b", "a", None, "b", "b"], categories=["c", "b", "a"]),
        pd.Categorical(["b", "a", None, "b", "b"], categories=["c", "b", "a"], ordered=True),
        pd.Categorical([3, 1, None, 3, 3], categories=[3, 2, 1]),
        pd.Categorical([1.5, None, 1.5, 2.5, 2.5]),
        pd.Categorical([None] * 5),
        pd.Categorical(pd.to_datetime(["2020-01-01", "2021-01-01", None, None, None])),
        pd.Categorical.from_codes([0, 1, -1, 1, 1], categories=pd.RangeIndex(3)),
        pd.cut(np.arange(5.0), 3),
        pd.Categorical([True, False, None, True, True]),
        pd.Categorical(np.array([f"v{i}" for i in range(5)]), categories=[f"v{i}" for i in range(300)]),
    ],
    ids=["text", "ordered", "ints", "floats", "nothing", "times", "range", "intervals", "bools", "many"],
)
def test_categories_keep_order_and_the_unused_ones(workspace: Workspace, same_frames: Same, values: Any) -> None:
    frame = pd.DataFrame({"c": values})
    snapshot(workspace, "frame", frame)
    same_frames(frame, open_dataset(workspace, "frame").to_pandas())


@pytest.mark.parametrize(
    "values",
    [
        pd.arrays.IntervalArray.from_breaks([0, 1, 2, 3, 4, 5], closed="left"),
        pd.period_range("2020-01", periods=5, freq="M").array,
        pd.array([1, None, 3, 4, 5], dtype=pd.ArrowDtype(pa.int32())),
        pd.array(["a", None, "c", "d", "e"], dtype=pd.ArrowDtype(pa.string())),
        pd.array([[1], None, [], [2, 3], [4]], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
        pd.array(
            [{"a": 1, "b": "x"}, None, {"a": 2, "b": None}] + [None] * 2,
            dtype=pd.ArrowDtype(pa.struct([("a", pa.int64()), ("b", pa.string())])),
        ),
        pd.array([D("1.10"), None, D("2.00"), None, None], dtype=pd.ArrowDtype(pa.decimal128(5, 2))),
    ],
    ids=["interval", "period", "arrow int", "arrow string", "arrow list", "arrow struct", "arrow decimal"],
)
def test_other_extension_dtypes_come_back(workspace: Workspace, same_frames: Same, values: Any) -> None:
    frame = pd.DataFrame({"x": values})
    snapshot(workspace, "frame", frame)
    same_frames(frame, open_dataset(workspace, "frame").to_pandas())


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(5),
        pd.RangeIndex(10, 0, -2, name="r"),
        pd.RangeIndex(0, 9, 2),
        pd.Index([3, 1, 1, 2, 3], name="duplicates"),
        pd.Index([3, 1, 1, 2, 3], dtype="int8"),
        pd.Index(list("abcde"), name="letters"),
        pd.Index(["a", None, "c", "d", "e"], dtype=object),
        pd.Index([0.5, np.nan, 1.5, 2.5, -0.0]),
        pd.date_range("2020-01-01", periods=5, freq="D", name="day"),
        pd.date_range("2020-01-01", periods=5, freq="h", tz="Europe/Berlin"),
        pd.DatetimeIndex(["2020-01-01", None, "2020-01-01", "2019-01-01", "2018-01-01"]),
        pd.timedelta_range("1s", periods=5, freq="s"),
        pd.CategoricalIndex(list("abcab"), categories=list("cbad"), ordered=True, name="c"),
        pd.period_range("2020-01", periods=5, freq="M", name="p"),
        pd.interval_range(0, 5),
        pd.MultiIndex.from_product([["x"], range(5)], names=["k", None]),
        pd.MultiIndex.from_arrays(
            [list("aabbb"), pd.date_range("2020", periods=5), pd.Categorical(list("ababa"))], names=["k", "t", "c"]
        ),
        pd.Index([True, False, True, True, False]),
        pd.Index([1, None, 3, 4, 5], dtype="Int64", name=0),
    ],
    ids=lambda index: f"{type(index).__name__}-{index.dtype}-{index.names}",
)
def test_every_index_comes_back(workspace: Workspace, same_frames: Same, index: pd.Index[Any]) -> None:
    frame = pd.DataFrame({"x": np.arange(5.0)}, index=index)
    snapshot(workspace, "frame", frame)
    dataset = open_dataset(workspace, "frame")
    same_frames(frame, dataset.to_pandas())
    part = dataset.to_pandas(rows=slice(1, 4))
    pd.testing.assert_frame_equal(frame.iloc[1:4], part, check_freq=False)


@pytest.mark.parametrize(
    "labels",
    [
        [2, 0, 1],
        ["b", "a", "c"],
        pd.Index(["b", 1, None], dtype=object),
        pd.Index([0.5, 1.5, 2.0]),
        pd.RangeIndex(0, 6, 2, name="r"),
        pd.Index(["b", "a", "c"], name="letters"),
        pd.Index(["b", "a", "c"], dtype=object),
        pd.Index([1, 2, 3], dtype="int32"),
        pd.date_range("2020-01-01", periods=3),
        pd.DatetimeIndex(["2020-01-01", "2019-01-01", "2021-01-01"], tz="Europe/Berlin", name="t"),
        pd.Index([True, False, "x"], dtype=object),
        pd.Index([1, "1", 2], dtype=object),
    ],
    ids=str,
)
def test_column_labels_of_any_kind_come_back_in_order(workspace: Workspace, same_frames: Same, labels: Any) -> None:
    frame = pd.DataFrame([[1, 2.5, "x"], [3, 4.5, "y"]], columns=labels)
    snapshot(workspace, "frame", frame)
    same_frames(frame, open_dataset(workspace, "frame").to_pandas())


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame(index=pd.RangeIndex(7)),
        pd.DataFrame(index=pd.Index(["a", "b"], name="k")),
        pd.DataFrame(
            {"a": np.array([], dtype="int16"), "s": pd.Series([], dtype="str"), "o": pd.Series([], dtype=object)}
        ),
        pd.DataFrame({"c": pd.Categorical([], categories=["x", "y"]), "t": pd.to_datetime([])}),
        pd.DataFrame(
            {"i": pd.array([], dtype="Int64"), "b": np.array([], dtype=bool), "p": pd.PeriodIndex([], freq="D")}
        ),
        pd.DataFrame(columns=pd.Index(["a", "b"], name="n")),
    ],
    ids=["nothing", "rows only", "index only", "no rows", "no rows, categories", "no rows, nullable", "labels only"],
)
def test_empty_frames_come_back(workspace: Workspace, same_frames: Same, frame: pd.DataFrame) -> None:
    version = snapshot(workspace, "frame", frame)
    assert (version.n_rows, version.n_columns) == frame.shape
    same_frames(frame, open_dataset(workspace, "frame").to_pandas())


def test_a_frame_of_many_chunks_comes_back_whole_and_in_part(workspace: Workspace, same_frames: Same) -> None:
    generator = np.random.default_rng(7)
    n = 150_000
    frame = pd.DataFrame(
        {
            "id": generator.permutation(n),
            "x": np.where(generator.random(n) < 0.1, np.nan, generator.normal(size=n)),
            "s": pd.Series(generator.choice(["a", "bb", "", None], n), dtype="str"),
            "o": pd.Series(generator.choice(np.array(["a", None, "ccc"], dtype=object), n), dtype=object),
            "b": generator.random(n) < 0.5,
            "n": pd.array(np.where(generator.random(n) < 0.5, 1, 2), dtype="Int16"),
            "c": pd.Categorical(generator.choice(["u", "v"], n), categories=["w", "v", "u"]),
            "t": pd.Series(pd.date_range("2020", periods=n, freq="min")).where(generator.random(n) < 0.9),
            "l": pd.Series([[i] * (i % 3) for i in range(n)], dtype=object),
        },
        index=pd.Index(generator.random(n), name="key"),
    )
    frame.loc[frame.index[::97], "n"] = pd.NA
    snapshot(workspace, "frame", frame)
    dataset = open_dataset(workspace, "frame")
    assert len(dataset.manifest.rows) > 3
    same_frames(frame, dataset.to_pandas())
    same_frames(frame.iloc[60_001:100_123][["c", "o"]], dataset.to_pandas(["c", "o"], slice(60_001, 100_123)))
    same_frames(frame.iloc[-5:], dataset.to_pandas(rows=slice(-5, None)))
    same_frames(frame.iloc[7:7], dataset.to_pandas(rows=range(7, 7)))
    same_frames(frame, pd.concat(dataset.batches(n_rows=40_000)))


def test_memory_layout_does_not_make_a_new_version(workspace: Workspace) -> None:
    values = np.random.default_rng(1).normal(size=(20_000, 4))
    frame = pd.DataFrame(values, columns=list("abcd"))
    first = snapshot(workspace, "frame", frame)
    by_columns = pd.DataFrame({name: frame[name].to_numpy().copy() for name in frame}, copy=False)
    other_way = pd.DataFrame(np.asfortranarray(values), columns=list("abcd"))
    swapped = pd.DataFrame({name: frame[name].to_numpy().astype(">f8") for name in frame})
    every_second = pd.concat([frame, frame]).sort_index(kind="stable").iloc[::2].reset_index(drop=True)
    for other in (by_columns, other_way, every_second):
        assert snapshot(workspace, "frame", other).number == first.number
    assert snapshot(workspace, "other", swapped).n_rows == 20_000


def test_reading_gives_frames_that_can_be_changed(workspace: Workspace) -> None:
    frame = pd.DataFrame(
        {
            "x": [1.0, 2.0],
            "i": [1, 2],
            "b": [True, False],
            "t": pd.to_datetime(["2020", "2021"]),
            "n": pd.array([1, 2], dtype="Int64"),
        }
    )
    snapshot(workspace, "frame", frame)
    back = open_dataset(workspace, "frame").to_pandas()
    for name in back:
        back.loc[0, name] = back.loc[1, name]
    assert (back.iloc[0] == back.iloc[1]).all()
