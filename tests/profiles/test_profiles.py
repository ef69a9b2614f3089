"""Profiles against numbers computed directly from the columns."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from snapml_jupyter.domain.dataset import ColumnProfile
from snapml_jupyter.domain.errors import DamagedContentError, InvalidInputError
from snapml_jupyter.profiles import merge_profiles, profile_table, summarise_profile


def profile_of(data: object, **options: int) -> dict[str, ColumnProfile]:
    content = profile_table(data, **options)
    n_rows = len(data)  # type: ignore[arg-type]  # frames and tables both have a length
    return {c.name: c for c in summarise_profile(content, dataset_ref="d@v1", n_rows=n_rows).columns}


def test_numbers_match_those_of_numpy() -> None:
    values = np.random.default_rng(0).gamma(2.0, 3.0, 50_000)
    column = profile_of(pd.DataFrame({"x": values}))["x"]
    assert column.mean == pytest.approx(values.mean())
    assert column.standard_deviation == pytest.approx(values.std(ddof=1))
    assert (column.minimum, column.maximum) == (values.min(), values.max())
    assert abs((values < column.median).mean() - 0.5) < 0.01
    assert column.n_distinct == pytest.approx(50_000, rel=0.05)
    assert column.histogram_edges is not None
    assert column.histogram_counts is not None
    assert len(column.histogram_edges) == 21
    assert sum(column.histogram_counts) == pytest.approx(50_000)
    exact, _ = np.histogram(values, column.histogram_edges)
    assert np.abs(np.cumsum(exact) - np.cumsum(column.histogram_counts)).max() < 0.01 * 50_000


def test_categories_and_booleans_are_counted_exactly() -> None:
    frame = pd.DataFrame({"carrier": ["UA"] * 6 + ["DL"] * 3 + [None], "late": [True] * 4 + [False] * 6})
    frame["kind"] = frame["carrier"].astype("category")
    columns = profile_of(frame)
    assert columns["carrier"].top_values == [("UA", 6.0), ("DL", 3.0)]
    assert columns["kind"].top_values == [("UA", 6.0), ("DL", 3.0)]
    assert columns["carrier"].n_nulls == 1
    assert columns["carrier"].n_distinct == 2
    assert columns["late"].top_values == [("False", 6.0), ("True", 4.0)]


def test_missing_and_infinite_numbers_stay_out_of_the_statistics() -> None:
    column = profile_of(pa.table({"x": [1.0, 3.0, float("nan"), float("inf"), None]}))["x"]
    assert (column.n_rows, column.n_nulls) == (5, 2)
    assert (column.mean, column.minimum, column.maximum) == (2.0, 1.0, 3.0)


def test_datetimes_carry_their_ends_as_text() -> None:
    times = pd.date_range("2013-01-01", periods=5, freq="D", tz="UTC")
    column = profile_of(pd.DataFrame({"at": times}))["at"]
    assert column.minimum == times[0].timestamp()
    assert column.minimum_text == "2013-01-01T00:00:00+00:00"
    assert column.maximum_text == "2013-01-05T00:00:00+00:00"


@pytest.mark.parametrize(
    "array",
    [
        pa.nulls(3),
        pa.array([None, None, None], pa.float64()),
        pa.array([], pa.string()),
        pa.array([[1], [2], None]),
        pa.array([b"x", b"y", None]),
        pa.array([2**63, 0, 1], pa.uint64()),
        pa.array([None, 1, 2], pa.duration("ns")),
        pa.array([1.5, 2.5, None]).cast(pa.decimal128(5, 1)),
        pa.array([1, 2, 3], pa.time32("s")),
        pa.array([1e308, -1e308, 0.0]),
    ],
    ids=lambda array: str(array.type),
)
def test_every_column_type_has_a_profile(array: pa.Array) -> None:
    column = profile_of(pa.table({"x": array}))["x"]
    assert column.n_rows == len(array)
    assert column.n_nulls == array.null_count


def test_a_column_of_mixed_objects_is_profiled_as_text() -> None:
    column = profile_of(pd.DataFrame({"x": [1, "a", None, "a"]}))["x"]
    assert column.top_values == [("a", 2.0), ("1", 1.0)]
    assert column.n_nulls == 1


def test_merged_profiles_equal_the_profile_of_all_rows() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=9_000), "c": rng.choice(["a", "b"], 9_000)})
    merged = merge_profiles([profile_table(frame[:4_000]), profile_table(frame[4_000:])])
    summary = summarise_profile(merged, dataset_ref="d@v1", n_rows=9_000)
    numeric, text = summary.columns
    assert numeric.mean == pytest.approx(frame["x"].mean())
    assert numeric.standard_deviation == pytest.approx(frame["x"].std())
    assert dict(text.top_values or []) == frame["c"].value_counts().to_dict()


def test_a_large_table_is_sampled_evenly_and_says_so() -> None:
    frame = pd.DataFrame({"x": np.arange(100_000.0), "c": ["a", "b"] * 50_000})
    summary = summarise_profile(profile_table(frame, sample_rows=1_000), dataset_ref="d@v1", n_rows=100_000)
    assert summary.n_rows == 100_000
    assert summary.sampled_rows == 1_000
    assert summary.columns[0].mean == pytest.approx(49_999.5, rel=0.01)
    assert summary.columns[0].maximum == 99_999
    assert sum(count for _, count in summary.columns[1].top_values or []) == pytest.approx(100_000)


def test_pandas_types_that_arrow_lacks_are_profiled_by_what_they_hold() -> None:
    columns = profile_of(
        pd.DataFrame(
            {
                "sparse": pd.Series(pd.arrays.SparseArray([0.0, 0.0, 4.0])),
                "huge": pd.Series([2**80, 1, None], dtype=object),
                "surrogate": pd.Series(["\ud800", "a", "a"], dtype=object),
                "period": pd.Series(pd.period_range("2020", periods=3)),
            }
        )
    )
    assert columns["sparse"].maximum == 4
    assert columns["huge"].n_nulls == 1
    assert columns["surrogate"].top_values == [("a", 2.0), ("?", 1.0)]
    assert columns["period"].n_rows == 3


def test_the_bytes_are_a_whylogs_profile() -> None:
    from whylogs.core import DatasetProfileView

    view = DatasetProfileView.deserialize(profile_table(pd.DataFrame({"x": [1.0, 2.0, None], "c": ["a", "b", "b"]})))
    summary = view.get_column("x").to_summary_dict()
    assert (summary["counts/n"], summary["counts/null"], summary["distribution/mean"]) == (3, 1, 1.5)
    assert view.get_column("c").to_summary_dict()["frequent_items/frequent_strings"][0].value == "b"


def test_a_table_of_up_to_1024_rows_has_exact_quantiles() -> None:
    values = np.random.default_rng(0).normal(size=1023)
    column = profile_of(pd.DataFrame({"x": values}))["x"]
    assert column.median == np.median(values)
    assert column.histogram_edges is not None
    assert column.histogram_counts == pytest.approx(np.histogram(values, column.histogram_edges)[0])


def test_profiles_of_different_precision_merge() -> None:
    values = np.random.default_rng(0).normal(size=40_000)
    parts = [
        profile_table(pd.DataFrame({"x": values[:20_000]}), quantile_k=256),
        profile_table(pd.DataFrame({"x": values[20_000:]})),
    ]
    (column,) = summarise_profile(merge_profiles(parts), dataset_ref="d", n_rows=40_000).columns
    assert column.median == pytest.approx(np.median(values), abs=0.04)
    assert column.mean == pytest.approx(values.mean())


def test_an_empty_table_has_a_profile() -> None:
    assert profile_of(pd.DataFrame({"x": pd.Series([], dtype=float)}))["x"].mean is None


def test_bad_input_is_a_sentence() -> None:
    with pytest.raises(InvalidInputError, match="not of list"):
        profile_table([1, 2])
    with pytest.raises(InvalidInputError, match="Two columns are named 'x'"):
        profile_table(pa.table([[1], [2]], names=["x", "x"]))
    with pytest.raises(InvalidInputError, match="nothing to merge"):
        merge_profiles([])
    for content in (b"", b"WHY1", b"nonsense", profile_table(pd.DataFrame({"x": [1.0]}))[:-20]):
        with pytest.raises(DamagedContentError):
            summarise_profile(content, dataset_ref="d@v1", n_rows=1)


def test_numpy_is_left_alone_and_nothing_is_sent() -> None:
    code = """
import urllib.request, threading, warnings
warnings.simplefilter("error")
def refuse(*args, **kwargs): raise SystemExit("the network was used")
urllib.request.urlopen = refuse
import numpy, pandas
from snapml_jupyter.profiles import profile_table
profile_table(pandas.DataFrame({"x": [1.0]}))
import whylogs.api.usage_stats as usage
assert usage._TELEMETRY_DISABLED
assert threading.active_count() == 1
assert not hasattr(numpy, "unicode_")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_threads_may_profile_at_once_from_the_first_time_on() -> None:
    """The sketches' first use stops a process for ever when two threads come to it together; it has none that could."""
    code = """
import os, sys, threading
import numpy as np, pyarrow as pa
from snapml_jupyter.profiles.tables import profile_table
import whylogs.core.metrics.metrics, whylogs.core.view.column_profile_view
sys.setswitchinterval(1e-6)
together = threading.Barrier(4)
def work():
    together.wait()
    profile_table(pa.table({"a": np.arange(100.0)}))
threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
os._exit(0)
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
