"""The profile of a version: there for every kind of column, computed once, kept."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from snapml_jupyter.datasets import versions
from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.domain.errors import NotFoundError
from snapml_jupyter.store.workspace import Workspace


def test_a_profile_counts_what_is_there_and_what_is_missing(workspace: Workspace) -> None:
    frame = pd.DataFrame(
        {
            "n": [1.0, 2.0, np.nan, 3.0],
            "i": pd.array([5, None, 5, 5], dtype="Int64"),
            "s": pd.Series(["a", "b", None, "a"], dtype="str"),
            "c": pd.Categorical(["u", None, None, "v"]),
        }
    )
    snapshot(workspace, "frame", frame)
    profile = versions.get_profile(workspace, "frame")
    assert (profile.dataset_ref, profile.n_rows) == ("frame@v1", 4)
    assert {column.name: column.n_nulls for column in profile.columns} == {"n": 1, "i": 1, "s": 1, "c": 2}
    assert profile.columns[0].mean == pytest.approx(2.0)
    assert open_dataset(workspace, "frame").profile() == profile


def test_a_profile_is_computed_once_and_kept(workspace: Workspace) -> None:
    snapshot(workspace, "frame", pd.DataFrame({"n": np.arange(5_000.0)}))
    assert versions.get_version(workspace, "frame").profile_digest is None
    first = versions.get_profile(workspace, "frame")
    digest = versions.get_version(workspace, "frame").profile_digest
    assert digest is not None
    assert workspace.blobs.exists(digest)
    for row in workspace.database.rows("SELECT digest FROM packs"):
        workspace.blobs.remove(row["digest"])  # so that it could not be computed again
    assert versions.get_profile(workspace, "frame") == first
    with pytest.raises(NotFoundError, match="no dataset 'farme'"):
        versions.get_profile(workspace, "farme")


@pytest.mark.parametrize(
    "values",
    [
        [1, "a", None],
        [[1], [], None],
        [{"a": 1}, None, {"a": 2}],
        [b"x", None, b"y"],
        [decimal.Decimal("1.5"), None, decimal.Decimal("2.5")],
        [datetime.date(2020, 1, 1), None, datetime.date(2021, 1, 1)],
        [datetime.time(1), None, datetime.time(2)],
        [None, None, None],
        pd.interval_range(0, 3),
        pd.period_range("2020", periods=3, freq="D"),
        pd.to_datetime(["2020-01-01", None, "2021-01-01"]).tz_localize("Europe/Berlin"),
        pd.to_timedelta(["1s", None, "2s"]),
        pd.Categorical(pd.to_datetime(["2020-01-01", None, "2021-01-01"])),
        pd.cut([0.1, 0.5, 0.9], 2),
        np.array([1.5, np.inf, -np.inf]),
        [True, False, None],
    ],
    ids=lambda values: type(values).__name__ + "-" + str(getattr(values, "dtype", "list"))[:20],
)
def test_every_kind_of_column_has_a_profile_and_can_be_shown(workspace: Workspace, values: Any) -> None:
    if isinstance(values, list):
        array = np.empty(len(values), dtype=object)
        array[:] = values
        values = pd.Series(array, dtype=object)
    snapshot(workspace, "frame", pd.DataFrame({"x": values, 1: 1, "1": 2}))
    (first, *_) = versions.get_profile(workspace, "frame").columns
    assert (first.name, first.n_rows) == ("x", 3)
    assert len(versions.get_rows(workspace, "frame").rows) == 3


@pytest.mark.parametrize("frame", [pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame(index=range(3))])
def test_an_empty_frame_has_a_profile_too(workspace: Workspace, frame: pd.DataFrame) -> None:
    snapshot(workspace, "frame", frame)
    profile = versions.get_profile(workspace, "frame")
    assert len(profile.columns) == frame.shape[1]
    assert versions.get_rows(workspace, "frame").columns == list(frame.columns)
