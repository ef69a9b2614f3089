"""The endpoint as a notebook holds it: frames in, frames out, and errors that say what to do."""

from __future__ import annotations

import datetime
import decimal
import os
import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import snapml_jupyter as snap
from snapml_jupyter.domain.errors import InvalidInputError, NotFoundError, PermissionDeniedError, UnavailableError
from snapml_jupyter.domain.model import ColumnKind, Signature, SignatureColumn, Task
from snapml_jupyter.serving.api_keys import revoke_key
from snapml_jupyter.serving.client import Endpoint
from snapml_jupyter.serving.deploying import deploy
from snapml_jupyter.serving.frames import frame_to_columns
from snapml_jupyter.serving.host_process import stop_host
from snapml_jupyter.serving.reports import list_workers
from snapml_jupyter.store.workspace import Workspace


@pytest.fixture
def endpoint(served: Any) -> Endpoint:
    return Endpoint(served.workspace, "tiny", api_key=served.api_key)


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {"amount": [1.0, np.nan, -3.0], "city": ["Oslo", "Rome", "Oslo"], "n": [1, 2, 3], "vip": [True, False, True]},
        index=["a", "b", "c"],
    )


def sigmoid(score: Any) -> Any:
    return 1 / (1 + np.exp(-score))


def test_a_frame_is_answered_row_by_row_with_its_index(endpoint: Endpoint, frame: pd.DataFrame) -> None:
    answers = endpoint.predict(frame)
    assert answers.index.equals(frame.index)
    assert answers.columns.tolist() == ["prediction", "probability_no", "probability_yes", "request_id", "row"]
    assert answers["prediction"].tolist() == ["yes", "no", "no"]
    np.testing.assert_allclose(answers["probability_yes"], sigmoid(np.array([2.0, 0.0, -2.0])), atol=1e-6)
    assert answers["row"].tolist() == [0, 1, 2]


def test_columns_may_come_in_any_order_and_type_that_says_the_same(endpoint: Endpoint, frame: pd.DataFrame) -> None:
    expected = endpoint.predict(frame)["probability_yes"]
    other = pd.DataFrame(
        {
            "vip": pd.array([True, False, True], dtype="boolean"),
            "n": np.array([1.0, 2.0, 3.0]),
            "city": pd.Categorical(["Oslo", "Rome", "Oslo"]),
            "amount": pd.array([1, None, -3], dtype="Int64"),
        },
        index=["a", "b", "c"],
    )
    pd.testing.assert_series_equal(endpoint.predict(other)["probability_yes"], expected)
    rows = frame.astype(object).where(frame.notna(), None).to_dict(orient="records")
    np.testing.assert_array_equal(endpoint.predict(rows)["probability_yes"], expected)
    assert len(endpoint.predict(rows[0])) == 1


def test_large_frames_go_in_several_requests(endpoint: Endpoint) -> None:
    n_rows = 7_000  # the host of these tests takes 3,000 at once and 1 MiB
    frame = pd.DataFrame({"amount": np.linspace(-5, 5, n_rows), "city": "Rome", "n": 1, "vip": True})
    answers = endpoint.predict(frame)
    np.testing.assert_allclose(answers["probability_yes"], sigmoid(frame["amount"]), atol=1e-6)
    assert answers["request_id"].nunique() >= 3
    assert not answers.duplicated(["request_id", "row"]).any()


def test_mistakes_in_a_frame_are_sentences(endpoint: Endpoint, frame: pd.DataFrame) -> None:
    with pytest.raises(InvalidInputError, match="no rows"):
        endpoint.predict(frame.head(0))
    with pytest.raises(InvalidInputError, match="lacks the column 'city'"):
        endpoint.predict(frame.drop(columns="city"))
    with pytest.raises(InvalidInputError, match=r"column 'citty', which the model does not know. Did you mean 'city'"):
        endpoint.predict(frame.assign(citty=1))
    with pytest.raises(InvalidInputError, match="column 'n': null came"):
        endpoint.predict(frame.assign(n=[1, None, 2]))
    with pytest.raises(InvalidInputError, match="Column 'amount' has infinite values"):
        endpoint.predict(frame.assign(amount=np.inf))
    with pytest.raises(InvalidInputError, match="Column 'city' has a value of type set"):
        endpoint.predict(frame.assign(city=[{1}, {2}, {3}]))
    with pytest.raises(InvalidInputError, match="takes a DataFrame, a dict or a list of dicts, not str"):
        endpoint.predict("x")
    with pytest.raises(InvalidInputError, match="twice"):
        endpoint.predict(pd.concat([frame, frame["n"]], axis=1))


def test_a_mistake_in_a_later_request_says_where_it_counts_from(endpoint: Endpoint, frame: pd.DataFrame) -> None:
    many = pd.concat([frame] * 2000, ignore_index=True).astype({"city": object})
    many.loc[5990, "city"] = 5
    with pytest.raises(InvalidInputError, match=r"column 'city'.*counted from row \d+ of the frame"):
        endpoint.predict(many)


def test_the_key_decides(served: Any, frame: pd.DataFrame) -> None:
    with pytest.raises(PermissionDeniedError, match="not valid"):
        Endpoint(served.workspace, "tiny", api_key="snapml_wrong").predict(frame)
    with pytest.raises(PermissionDeniedError, match="for the endpoint 'other'"):
        Endpoint(served.workspace, "tiny", api_key=served.other_key).predict(frame)
    with pytest.raises(
        PermissionDeniedError, match=r"no API key for endpoint 'tiny' here.*snapml endpoint key create tiny --client"
    ):
        Endpoint(served.workspace, "tiny").predict(frame)


def test_values_of_every_dtype_become_json() -> None:
    kinds = {"when": ColumnKind.datetime, "whole": ColumnKind.integer, "text": ColumnKind.string}
    signature = Signature(
        task=Task.regression,
        inputs=[SignatureColumn(name=name, kind=kind, nullable=True) for name, kind in kinds.items()],
    )
    frame = pd.DataFrame(
        {
            "when": pd.to_datetime(["2026-11-01 12:00", None]),
            "zoned": pd.to_datetime(["2026-11-01 12:00+02:00", None]),
            "whole": [3.0, None],
            "text": pd.Series(["a", None], dtype="str"),
            "mixed": [np.int64(3), pd.NA],
            "money": [decimal.Decimal("1.5"), None],
            "day": [datetime.date(2026, 11, 1), pd.NaT],
            "small": np.array([1, 2], dtype=np.uint8),
        }
    )
    assert frame_to_columns(frame, signature) == {
        "when": ["2026-11-01T12:00:00", None],
        "zoned": ["2026-11-01T12:00:00+02:00", None],
        "whole": [3, None],
        "text": ["a", None],
        "mixed": [3, None],
        "money": [1.5, None],
        "day": ["2026-11-01", None],
        "small": [1, 2],
    }


def test_a_kept_connection_survives_the_replacement_of_its_worker(
    hosted: Workspace, tiny_models: Any, frame: pd.DataFrame, eventually: Callable[..., None]
) -> None:
    outcome = deploy(hosted, tiny_models.add())
    endpoint = Endpoint(hosted, "tiny", api_key=outcome.api_key)
    endpoint.predict(frame)
    (worker,) = list_workers(hosted.folder)
    os.kill(worker.pid, signal.SIGKILL)
    eventually(lambda: any(w.is_serving and w.pid != worker.pid for w in list_workers(hosted.folder)))
    assert len(endpoint.predict(frame)) == 3


def test_the_public_names_go_from_deploy_to_undeploy(
    hosted: Workspace, tiny_models: Any, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNAPML_WORKSPACE", hosted.location)
    endpoint = snap.deploy(tiny_models.add())
    assert endpoint.api_key
    assert (endpoint.versions, endpoint.traffic) == (["tiny:1"], {"tiny:1": 1.0})
    assert len(endpoint.predict(frame)) == 3
    assert snap.deploy(tiny_models.add()).api_key is None
    again = snap.endpoint("tiny")
    assert again.versions == ["tiny:2"]
    assert len(again.predict(frame)) == 3, "this process knows the key"
    assert [e.name for e in snap.endpoints()] == ["tiny"]
    assert again.metrics().endpoint == "tiny"
    assert "tiny:2" in repr(again)
    with pytest.raises(NotFoundError, match="Did you mean 'tiny'"):
        snap.endpoint("tny")
    stop_host(hosted)
    assert again.url is None
    with pytest.raises(UnavailableError, match=r"the host is not running. Start it: snapml host start"):
        again.predict(frame)
    again.undeploy()
    assert snap.endpoints() == []


def test_another_process_gets_a_key_of_its_own(
    hosted: Workspace, tiny_models: Any, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    from snapml_jupyter.public import endpoints as public

    monkeypatch.setenv("SNAPML_WORKSPACE", hosted.location)
    deploy(hosted, tiny_models.add())  # as if by another process: nothing is remembered here
    monkeypatch.setattr(public, "_keys", {})
    endpoint = snap.endpoint("tiny")
    assert len(endpoint.predict(frame)) == 3
    assert len(endpoint.predict(frame)) == 3
    keys = endpoint.info.keys
    assert [f"process {os.getpid()}" in key.client for key in keys] == [False, True]
    revoke_key(hosted, keys[1].key_id)
    with pytest.raises(PermissionDeniedError, match="not valid"):
        endpoint.predict(frame)
