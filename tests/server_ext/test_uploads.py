"""Files sent through a Jupyter server become dataset versions, also after the connection broke."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from snapml_jupyter.datasets import files
from snapml_jupyter.datasets.dataset import open_dataset
from snapml_jupyter.server_ext.upload_routes import SUFFIXES
from snapml_jupyter.store.uploads import STALE_SECONDS
from snapml_jupyter.store.workspace import Workspace

Fetch = Callable[..., Awaitable[Any]]
CSV = b"id,delay\n" + b"".join(b"%d,%d\n" % (row, row % 7) for row in range(300_000))


async def call(fetch: Fetch, *path: str, method: str = "POST", body: Any = None, **query: str) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) or body is None else json.dumps(body)
    answer = await fetch(
        "snapml",
        "uploads",
        *path,
        method=method,
        body=data,
        params=query,
        raise_error=False,
        allow_nonstandard_methods=True,
    )
    return answer.code, json.loads(answer.body) if answer.body else None


async def begin(fetch: Fetch, size: int = len(CSV), filename: str = "flights.csv") -> str:
    code, said = await call(fetch, body={"filename": filename, "size": size})
    assert code == 201, said
    assert (said["received"], said["size"]) == (0, size)
    return str(said["upload_id"])


async def test_a_file_sent_in_pieces_becomes_a_version(jp_fetch: Fetch, served_folder: Path) -> None:
    upload = await begin(jp_fetch)
    half = len(CSV) // 2
    assert (await call(jp_fetch, upload, method="PUT", body=CSV[:half], offset="0"))[1]["received"] == half
    # As after a broken connection: ask how far it is, go on from there.
    received = (await call(jp_fetch, upload, method="GET"))[1]["received"]
    code, wrong = await call(jp_fetch, upload, method="PUT", body=CSV[half + 5 :], offset=str(half + 5))
    assert code == 409 and f"{half} bytes of 'flights.csv' are there" in wrong["message"]
    assert (await call(jp_fetch, upload, "finish", body={"name": "flights"}))[0] == 409
    await call(jp_fetch, upload, method="PUT", body=CSV[received:], offset=str(received))
    code, version = await call(jp_fetch, upload, "finish", body={"name": "flights", "message": "by hand"})
    assert code == 200, version
    assert (version["ref"], version["n_rows"], version["message"]) == ("flights@v1", 300_000, "by hand")
    assert version["source"] == {"kind": "upload", "name": "flights.csv", "detail": None}
    assert not list((served_folder / "uploads").iterdir())
    rows = open_dataset(Workspace(served_folder), "flights").to_pandas(rows=slice(0, 3))
    assert rows["delay"].tolist() == [0, 1, 2]
    assert (await call(jp_fetch, upload, method="GET"))[0] == 404


async def test_a_file_that_cannot_be_read_is_refused_and_can_be_given_up(jp_fetch: Fetch, served_folder: Path) -> None:
    upload = await begin(jp_fetch, 5, "broken.parquet")
    await call(jp_fetch, upload, method="PUT", body=b"hello", offset="0")
    code, said = await call(jp_fetch, upload, "finish", body={"name": "broken"})
    assert code == 400 and said["message"].startswith("The file 'broken.parquet' cannot be read as parquet: ")
    assert "content.parquet" not in said["message"] and not said["message"].endswith("..")
    assert (await call(jp_fetch, upload, "finish", body={"name": "../broken"}))[0] == 400
    assert (await call(jp_fetch, upload, method="DELETE"))[0] == 204
    assert (await call(jp_fetch, upload, method="DELETE"))[0] == 404
    assert not list((served_folder / "uploads").iterdir())


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"filename": "a.exe", "size": 1}, "is no table"),
        ({"filename": "../a.csv", "size": 1}, "is not the name of a file"),
        ({"filename": "a\x00.csv", "size": 1}, "is not the name of a file"),
        ({"filename": "a" * 300 + ".csv", "size": 1}, "is not the name of a file"),
        ({"filename": "a.csv", "size": 0}, "is empty"),
        ({"filename": "a.csv", "size": "1"}, "is empty"),
        ({"filename": "a.csv", "size": 10**18}, "this server takes"),
        ({"filename": "a.csv"}, "filename and size"),
        ([], "filename and size"),
    ],
)
async def test_what_is_no_upload_is_refused(jp_fetch: Fetch, body: Any, sentence: str) -> None:
    code, said = await call(jp_fetch, body=body)
    assert code == 400 and sentence in said["message"]


async def test_more_than_was_said_is_refused(jp_fetch: Fetch) -> None:
    upload = await begin(jp_fetch, 3)
    code, said = await call(jp_fetch, upload, method="PUT", body=b"too much", offset="0")
    assert code == 400 and "more were sent" in said["message"]
    assert (await call(jp_fetch, upload, method="GET"))[1]["received"] == 0
    assert (await call(jp_fetch, upload, method="PUT", body=b"abc", offset="-1"))[0] == 400
    assert (await call(jp_fetch, "0" * 32, method="GET"))[0] == 404
    assert (await call(jp_fetch, "..", "finish", body={"name": "x"}))[0] == 404


async def test_uploads_that_nobody_went_on_with_are_forgotten(jp_fetch: Fetch, served_folder: Path) -> None:
    old = await begin(jp_fetch, 3)
    before = time.time() - STALE_SECONDS - 10
    for path in (served_folder / "uploads" / old).iterdir():
        os.utime(path, (before, before))
    await begin(jp_fetch, 3)
    assert (await call(jp_fetch, old, method="GET"))[0] == 404


def test_what_can_be_uploaded_is_what_can_be_read() -> None:
    assert set(SUFFIXES) == set(files.SUFFIXES)
