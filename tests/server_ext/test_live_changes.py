"""A change by any process reaches Jupyter's event bus and the stream within a second, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from snapml_jupyter.server_ext.app import EVENT_SCHEMA
from snapml_jupyter.server_ext.watcher import distinct
from snapml_jupyter.store.events import list_events
from snapml_jupyter.store.workspace import Workspace

Fetch = Callable[..., Awaitable[Any]]

_WRITE = """
import sys, time
from snapml_jupyter.store.workspace import Workspace
workspace = Workspace(sys.argv[1], actor="other")
with workspace.transaction() as tx:
    tx.event("run.started", sys.argv[2])
print(time.time())
"""


@pytest.fixture
def heard(jp_serverapp: Any) -> list[dict[str, Any]]:
    """What the event bus said, in order, with the time under "heard_at"."""
    said: list[dict[str, Any]] = []

    async def listen(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        said.append({**data, "heard_at": time.time()})

    jp_serverapp.event_logger.add_listener(schema_id=EVENT_SCHEMA, listener=listen)
    return said


async def _until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


async def test_another_process_is_heard_within_a_second(
    heard: list[dict[str, Any]], extension: Any, served_folder: Path
) -> None:
    workspace = Workspace(served_folder, actor="ada")
    await _until(lambda: extension.watcher.cursor is not None)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WRITE, str(served_folder), "run-7", stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    await _until(lambda: any(said["subject"] == "run-7" for said in heard))
    (said,) = [said for said in heard if said["subject"] == "run-7"]
    assert said["kind"] == "run.started"
    assert said["event_id"] == list_events(workspace.database)[-1].event_id
    assert said["heard_at"] - float(output) < 1.0


async def test_a_workspace_that_was_replaced_is_followed_and_served(
    heard: list[dict[str, Any]], extension: Any, jp_fetch: Fetch, served_folder: Path
) -> None:
    _add_event(served_folder, "old")
    await _until(lambda: extension.watcher.cursor is not None)
    _add_event(served_folder, "known")
    await _until(lambda: any(said["subject"] == "known" for said in heard))
    shutil.rmtree(served_folder)
    _add_event(served_folder, "new")
    await _until(lambda: any(said["subject"] == "new" for said in heard))
    answer = await jp_fetch("snapml", "api", "governance.list_events", method="POST", body=b"{}")
    assert [event["subject"] for event in json.loads(answer.body)] == ["new"]


def _add_event(folder: Path, subject: str) -> None:
    with Workspace(folder, actor="ada").transaction() as tx:
        tx.event("run.started", subject)


async def test_many_changes_to_one_thing_are_one_signal_with_the_newest_id(served_folder: Path) -> None:
    workspace = Workspace(served_folder, actor="ada")
    with workspace.transaction() as tx:
        for _ in range(100):
            tx.event("run.updated", "r1")
        tx.event("run.finished", "r1")
    told = distinct(list_events(workspace.database))
    assert [(event.kind, event.subject, event.event_id) for event in told] == [
        ("run.updated", "r1", 100),
        ("run.finished", "r1", 101),
    ]


async def test_nothing_is_made_before_somebody_asks(jp_fetch: Fetch, extension: Any, served_folder: Path) -> None:
    assert (await jp_fetch("api")).code == 200
    await asyncio.sleep(3 * extension.poll_seconds)
    assert not served_folder.exists()


async def test_the_stream_starts_after_the_cursor_and_goes_on_live(
    http_server_client: Any, jp_auth_header: dict[str, str], jp_base_url: str, extension: Any, served_folder: Path
) -> None:
    workspace = Workspace(served_folder, actor="ada")
    with workspace.transaction() as tx:
        for number in range(5):
            tx.event("run.started", f"r{number}")
    received = bytearray()
    reading = asyncio.ensure_future(
        http_server_client.fetch(
            f"{jp_base_url}snapml/events?after=3",
            headers=dict(jp_auth_header),
            streaming_callback=received.extend,
            request_timeout=60,
        )
    )
    await _until(lambda: received.count(b"data:") == 2)
    with workspace.transaction() as tx:
        tx.event("run.finished", "r4", status="finished")
    await _until(lambda: received.count(b"data:") == 3)
    extension.watcher.stop()
    await reading
    told = [json.loads(line[6:]) for line in received.decode().splitlines() if line.startswith("data: ")]
    assert [(event["event_id"], event["kind"]) for event in told] == [
        (4, "run.started"),
        (5, "run.started"),
        (6, "run.finished"),
    ]
    assert told[-1]["details"] == {"status": "finished"}


async def test_a_cursor_that_is_no_number_is_refused(jp_fetch: Fetch) -> None:
    answer = await jp_fetch("snapml", "events", params={"after": "yesterday"}, raise_error=False)
    assert answer.code == 400
    assert "'yesterday' is not an event id" in json.loads(answer.body)["message"]


async def test_kernels_inherit_the_servers_workspace(
    jp_fetch: Fetch, jp_serverapp: Any, extension: Any, served_folder: Path
) -> None:
    assert os.environ["SNAPML_WORKSPACE"] == str(served_folder)
