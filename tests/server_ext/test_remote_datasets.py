"""Dataset versions in a workspace behind a real Jupyter server: taken, read and refused as in a local one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from snapml_jupyter.datasets import versions
from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.domain.errors import CannotKeepError, NotFoundError
from snapml_jupyter.store.remote import RemoteWorkspace


def test_a_frame_goes_there_and_comes_back(jupyter_process: Any) -> None:
    remote = RemoteWorkspace(jupyter_process.url, token=jupyter_process.token)
    frame = pd.DataFrame(
        {
            "x": np.random.default_rng(1).normal(size=30_000),
            "s": pd.Series(["a", None, "b"] * 10_000, dtype="str"),
            "c": pd.Categorical(["u", "v", "w"] * 10_000),
        }
    )
    version = snapshot(remote, "remote-flights", frame, message="from afar")
    assert (version.ref, version.is_new) == ("remote-flights@v1", True)
    assert not snapshot(remote, "remote-flights", frame).is_new
    changed = snapshot(remote, "remote-flights", frame.assign(c=frame["c"].shift()))
    assert changed.number == 2
    assert changed.added_bytes < version.added_bytes / 4
    for workspace in (remote, jupyter_process.workspace):
        dataset = open_dataset(workspace, "remote-flights@v1")
        pd.testing.assert_frame_equal(dataset.to_pandas(), frame)
        pd.testing.assert_frame_equal(dataset.to_pandas(["s"], slice(10, 20)), frame[["s"]].iloc[10:20])
    assert versions.get_rows(remote, "remote-flights@v1", limit=1).rows[0][1:] == ["a", "u"]
    assert [entry.ref for entry in versions.list_versions(remote, "remote-flights")] == [
        "remote-flights@v2",
        "remote-flights@v1",
    ]


def test_few_rows_need_no_blob_there_either(jupyter_process: Any) -> None:
    remote = RemoteWorkspace(jupyter_process.url, token=jupyter_process.token)
    before = set(jupyter_process.workspace.blobs.digests())
    frame = pd.DataFrame({"x": range(5), "s": pd.Series(list("abcde"), dtype="str")})
    assert snapshot(remote, "remote-few", frame).is_new
    assert not snapshot(remote, "remote-few", frame).is_new
    assert set(jupyter_process.workspace.blobs.digests()) == before
    for workspace in (remote, jupyter_process.workspace):
        pd.testing.assert_frame_equal(open_dataset(workspace, "remote-few").to_pandas(), frame)


def test_refusals_are_the_same_as_here(jupyter_process: Any) -> None:
    remote = RemoteWorkspace(jupyter_process.url, token=jupyter_process.token)
    with pytest.raises(CannotKeepError, match="row 0: a set"):
        snapshot(remote, "remote-flights", pd.DataFrame({"x": [{1}]}))
    with pytest.raises(NotFoundError, match="no dataset 'nothing-here'"):
        open_dataset(remote, "nothing-here")
