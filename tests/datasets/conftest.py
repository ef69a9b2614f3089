"""What the dataset tests share: a comparison that is stricter than pandas' own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest


def same_object(left: Any, right: Any) -> bool:
    """Equal in type and value: None, NaN, NA and NaT differ, 1.0 and 1.00 differ, lists are compared inside."""
    if type(left) is not type(right):
        return False
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and left.tobytes() == right.tobytes()
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same_object, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(same_object(left[key], right[key]) for key in left)
    if left is pd.NA or left is pd.NaT or left is None:
        return left is right
    return bool(repr(left) == repr(right))


def assert_same_values(left: Any, right: Any) -> None:
    assert left.dtype == right.dtype
    if isinstance(left.dtype, pd.StringDtype):
        assert left.dtype.storage == right.dtype.storage
    if isinstance(left.dtype, pd.CategoricalDtype):
        assert left.cat.ordered == right.cat.ordered
        pd.testing.assert_index_equal(left.cat.categories, right.cat.categories, exact=True)
        np.testing.assert_array_equal(left.cat.codes, right.cat.codes)
    elif left.dtype == object:
        assert len(left) == len(right)
        assert all(same_object(a, b) for a, b in zip(left, right, strict=True))
    elif isinstance(left.dtype, np.dtype):
        # Bits, so that the sign of zero and the payload of NaN count too.
        assert np.ascontiguousarray(left.to_numpy()).tobytes() == np.ascontiguousarray(right.to_numpy()).tobytes()
    else:
        pd.testing.assert_extension_array_equal(left.array, right.array, check_exact=True)


def assert_same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_index_equal(left.columns, right.columns, exact=True)
    pd.testing.assert_index_equal(left.index, right.index, exact=True)
    assert getattr(left.index, "freq", None) == getattr(right.index, "freq", None)
    assert left.index.names == right.index.names
    assert left.columns.name == right.columns.name
    assert [type(label) for label in left.columns] == [type(label) for label in right.columns]
    assert type(left.index) is type(right.index)
    for place in range(left.shape[1]):
        assert_same_values(left.iloc[:, place], right.iloc[:, place])
    for level in range(left.index.nlevels):
        assert_same_values(
            left.index.get_level_values(level).to_series(), right.index.get_level_values(level).to_series()
        )


@pytest.fixture
def same_frames() -> Callable[[pd.DataFrame, pd.DataFrame], None]:
    """Assert that two frames are the same to the last bit, the kind of every missing value included."""
    return assert_same
