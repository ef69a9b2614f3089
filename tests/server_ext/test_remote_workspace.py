"""A workspace behind the URL of a real Jupyter server: the same calls, records and errors as a local one."""

from __future__ import annotations

from typing import Any

import pytest

from snapml_jupyter.domain.errors import (
    DamagedContentError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
)
from snapml_jupyter.governance.status import get_status, list_events
from snapml_jupyter.operations import get_operation
from snapml_jupyter.store.remote import RemoteWorkspace


@pytest.fixture
def remote(jupyter_process: Any) -> RemoteWorkspace:
    return RemoteWorkspace(jupyter_process.url, token=jupyter_process.token)


def test_an_operation_gives_the_same_record_as_here(remote: RemoteWorkspace, jupyter_process: Any) -> None:
    there, here = get_status(remote), get_status(jupyter_process.workspace)
    assert there.location == here.location
    assert there.n_runs == here.n_runs
    assert there.actor == remote.actor == "served-ada"


def test_arguments_by_position_and_by_name_travel(remote: RemoteWorkspace, jupyter_process: Any) -> None:
    with jupyter_process.workspace.transaction() as tx:
        tx.event("run.started", "a", note="ü")
        tx.event("run.started", "b")
    first = list_events(remote, 0, limit=1)
    assert first == list_events(jupyter_process.workspace, 0, limit=1)
    assert first[0].at.tzinfo is not None


def test_an_error_of_the_server_is_raised_here_as_the_same_type(remote: RemoteWorkspace) -> None:
    with pytest.raises(InvalidInputError, match="argument 'limit'"):
        remote.call(get_operation("governance.list_events"), {"limit": "many"})
    with pytest.raises(NotFoundError, match="no blob"):
        remote.blobs.read("0" * 64)


def test_blobs_go_there_and_come_back(remote: RemoteWorkspace, jupyter_process: Any) -> None:
    content = b"column" * 400_000
    digest = remote.blobs.put(content)
    assert jupyter_process.workspace.blobs.read(digest) == content
    assert remote.blobs.read(digest) == content
    with remote.blobs.open(digest) as file:
        assert file.read(6) == b"column"
    assert remote.blobs.exists(digest)
    assert not remote.blobs.exists("0" * 64)
    assert remote.blobs.size(digest) == len(content)


def test_a_wrong_token_is_refused_with_a_sentence(jupyter_process: Any) -> None:
    with pytest.raises(PermissionDeniedError, match="token"):
        get_status(RemoteWorkspace(jupyter_process.url, token="wrong"))


def test_a_server_that_is_not_there_is_named(jupyter_process: Any) -> None:
    with pytest.raises(UnavailableError, match=r"http://127\.0\.0\.1:9.*does not answer"):
        get_status(RemoteWorkspace("http://127.0.0.1:9", token="x"))


def test_a_server_without_snapml_is_named(jupyter_process: Any) -> None:
    elsewhere = RemoteWorkspace(jupyter_process.url + "/api", token=jupyter_process.token)
    with pytest.raises(NotFoundError, match="has no SnapML"):
        get_status(elsewhere)


def test_the_size_of_a_blob_that_is_not_there_names_it(remote: RemoteWorkspace) -> None:
    with pytest.raises(NotFoundError, match="There is no blob 000"):
        remote.blobs.size("0" * 64)


def test_a_damaged_blob_is_not_taken_for_the_real_one(remote: RemoteWorkspace, jupyter_process: Any) -> None:
    blobs = jupyter_process.workspace.blobs
    digest = blobs.put(b"as it was")
    blobs.path(digest).write_bytes(b"as it is!")
    with pytest.raises((DamagedContentError, UnavailableError)):
        remote.blobs.read(digest)
