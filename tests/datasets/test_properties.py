"""Whatever frame hypothesis thinks of: it comes back the same, or is refused before anything is written."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn
from hypothesis.extra import pandas as stp

from snapml_jupyter.datasets import taking
from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.store.workspace import Workspace

Same = Callable[[pd.DataFrame, pd.DataFrame], None]
Kept = Callable[[pd.DataFrame], pd.DataFrame]

#: The fixtures below keep nothing between examples that an example could see.
ANY = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

text = st.text(st.characters(codec="utf-8"), max_size=6)
missing = st.sampled_from([None, np.nan, pd.NA, pd.NaT])
scalars: st.SearchStrategy[Any] = st.one_of(
    text,
    st.binary(max_size=4),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.decimals(allow_nan=True, allow_infinity=True).filter(lambda value: not value.is_snan()),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.datetimes(timezones=st.just(datetime.timezone.utc)),
    st.timedeltas(),
    st.uuids(),
    st.just(np.float32(1.5)),
)
nested = st.recursive(
    st.one_of(scalars, missing),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(text, inner, max_size=3), st.tuples(inner, inner)
    ),
    max_leaves=5,
)
numpy_dtypes = st.one_of(
    stn.integer_dtypes(endianness="="),
    stn.unsigned_integer_dtypes(endianness="="),
    stn.floating_dtypes(endianness="=", sizes=(16, 32, 64)),
    stn.boolean_dtypes(),
    st.sampled_from([np.dtype(f"{kind}[{unit}]") for kind in ("M8", "m8") for unit in ("s", "ms", "us", "ns")]),
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A frame through the store and back: both ways in which few rows can be kept give the same."""
    workspace = Workspace(tmp_path_factory.mktemp("properties"), actor="ada")
    packed = Workspace(tmp_path_factory.mktemp("packed"), actor="ada")

    def through(frame: pd.DataFrame) -> pd.DataFrame:
        version = snapshot(workspace, "frame", frame)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(taking, "FEW_ROWS", -1)
            in_packs = snapshot(packed, "frame", frame)
        assert in_packs.digest == version.digest
        assert snapshot(packed, "back", open_dataset(packed, in_packs.ref).to_pandas()).digest == version.digest
        assert (version.n_rows, version.n_columns) == frame.shape
        assert not snapshot(workspace, "frame", frame).is_new
        back = open_dataset(workspace, version.ref).to_pandas()
        assert snapshot(workspace, "frame", back).ref == version.ref
        return back

    return through


def series_of(values: list[Any]) -> pd.Series[Any]:
    array = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        array[row] = value
    return pd.Series(array, dtype=object)


@ANY
@given(data=st.data())
def test_frames_of_any_numpy_dtypes_come_back(data: st.DataObject, same_frames: Same, kept: Kept) -> None:
    dtypes = data.draw(st.lists(numpy_dtypes, min_size=1, max_size=4))
    names = data.draw(st.lists(text, min_size=len(dtypes), max_size=len(dtypes), unique=True))
    columns = [stp.column(name, dtype=dtype) for name, dtype in zip(names, dtypes, strict=True)]
    frame = data.draw(stp.data_frames(columns, index=stp.range_indexes(max_size=12)))
    same_frames(frame, kept(frame))


@ANY
@given(values=st.lists(st.one_of(scalars, missing), max_size=8))
def test_object_columns_of_any_scalars_come_back(values: list[Any], same_frames: Same, kept: Kept) -> None:
    frame = pd.DataFrame({"x": series_of(values)})
    same_frames(frame, kept(frame))


@ANY
@given(
    kind=st.sampled_from(
        [text, st.binary(max_size=4), st.integers(), st.floats(), st.dates(), st.decimals(allow_nan=False, places=2)]
    ),
    data=st.data(),
)
def test_object_columns_of_one_type_with_any_missing_values_come_back(
    kind: Any, data: st.DataObject, same_frames: Same, kept: Kept
) -> None:
    values = data.draw(st.lists(st.one_of(kind, missing), max_size=8))
    frame = pd.DataFrame({"x": series_of(values)})
    same_frames(frame, kept(frame))


@ANY
@given(values=st.lists(nested, max_size=6))
def test_nested_values_come_back(values: list[Any], same_frames: Same, kept: Kept) -> None:
    frame = pd.DataFrame({"x": series_of(values)})
    same_frames(frame, kept(frame))


@ANY
@given(
    values=st.lists(st.one_of(text, st.none()), max_size=8),
    dtype=st.sampled_from(["str", "string[python]", "string[pyarrow]", "category"]),
)
def test_strings_and_categories_come_back(values: list[str | None], dtype: str, same_frames: Same, kept: Kept) -> None:
    frame = pd.DataFrame({"x": pd.Series(values, dtype=dtype)})
    same_frames(frame, kept(frame))


@ANY
@given(
    values=st.lists(st.one_of(st.integers(-(2**15), 2**15 - 1), st.none()), max_size=20),
    dtype=st.sampled_from(["Int16", "Int32", "Int64", "Float32", "Float64"]),
)
def test_nullable_numbers_come_back(values: list[int | None], dtype: str, same_frames: Same, kept: Kept) -> None:
    frame = pd.DataFrame({"x": pd.array(values, dtype=dtype)})  # type: ignore[call-overload]  # dtype names a union of types
    same_frames(frame, kept(frame))


@ANY
@given(
    arrays=st.lists(
        st.one_of(
            st.lists(st.integers(-3, 3), min_size=6, max_size=6),
            st.lists(text, min_size=6, max_size=6),
            st.lists(
                st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1)), min_size=6, max_size=6
            ),
            st.lists(st.sampled_from([1.5, np.nan]), min_size=6, max_size=6),
        ),
        min_size=1,
        max_size=3,
    ),
    names=st.lists(st.one_of(st.none(), text, st.integers(-5, 5)), min_size=3, max_size=3),
)
def test_indexes_of_any_levels_come_back(
    arrays: list[list[Any]], names: list[Any], same_frames: Same, kept: Kept
) -> None:
    if len(arrays) == 1:
        index: pd.Index[Any] = pd.Index(arrays[0], name=names[0])
    else:
        index = pd.MultiIndex.from_arrays(arrays, names=names[: len(arrays)])
    frame = pd.DataFrame({"x": np.arange(6)}, index=index)
    same_frames(frame, kept(frame))


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.integers(0, 30_000), length=st.integers(0, 30_000), columns=st.lists(st.sampled_from("abcd"), unique=True)
)
def test_any_part_reads_like_the_whole(
    start: int, length: int, columns: list[str], same_frames: Same, large: Any
) -> None:
    frame, dataset = large
    part = dataset.to_pandas(columns, slice(start, start + length))
    same_frames(frame[columns].iloc[start : start + length], part)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Any:
    random = np.random.default_rng(3)
    n = 50_000
    frame = pd.DataFrame(
        {
            "a": random.integers(0, 10**9, n),
            "b": pd.Series(random.choice(["x", "yy", None], n), dtype="str"),
            "c": pd.array(np.where(random.random(n) < 0.1, None, 1), dtype="Int8"),
            "d": pd.Categorical(random.choice(list("uvw"), n)),
        }
    )
    workspace = Workspace(tmp_path_factory.mktemp("large"), actor="ada")
    snapshot(workspace, "large", frame)
    return frame, open_dataset(workspace, "large")


def test_decimal_zeros_keep_their_exponent(same_frames: Same, kept: Kept) -> None:
    frame = pd.DataFrame({"x": series_of([decimal.Decimal("0.00"), decimal.Decimal("0E+3"), decimal.Decimal("-0")])})
    same_frames(frame, kept(frame))
