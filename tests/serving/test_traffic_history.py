"""The history as lines over points: rates, latencies, gaps, and files that do not grow for ever."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from snapml_jupyter.domain.endpoint import Deployment, DeploymentStatus, EndpointInfo
from snapml_jupyter.domain.errors import InvalidInputError, NotFoundError
from snapml_jupyter.domain.model import Signature, Task
from snapml_jupyter.domain.traffic import Arm
from snapml_jupyter.serving.metrics import EDGES_SECONDS
from snapml_jupyter.serving.traffic_history import (
    KEPT_SECONDS,
    Bucket,
    Part,
    append_bucket,
    get_traffic_history,
    lay_out,
    read_buckets,
    traffic_folder,
)
from snapml_jupyter.store import endpoints
from snapml_jupyter.store.workspace import Workspace

AT = 1_800_000_000


def deployment(number: int, status: DeploymentStatus, arm: Arm) -> Deployment:
    return Deployment(
        endpoint="tiny",
        number=number,
        model_ref=f"tiny:{number}",
        onnx_digest="",
        signature=Signature(task=Task.regression, inputs=[]),
        status=status,
        share_fraction=0.0,
        created_at=datetime(2026, 11, 1, tzinfo=timezone.utc),
        created_by="ada",
        arm=arm,
    )


ENDPOINT = EndpointInfo(
    name="tiny",
    model_name="tiny",
    created_at=datetime(2026, 11, 1, tzinfo=timezone.utc),
    created_by="ada",
    deployments=[
        deployment(1, DeploymentStatus.retired, Arm.champion),
        deployment(2, DeploymentStatus.live, Arm.champion),
        deployment(3, DeploymentStatus.live, Arm.challenger),
    ],
)


def part(version: str, n: int, n_errors: int = 0, place: int = 20) -> Part:
    return Part(version=version, n_requests=n, n_errors=n_errors, latencies={place: n})


def bucket(at: int, *parts: Part) -> Bucket:
    return Bucket(at=at, parts={"tiny": list(parts), "other": [part("9", 1)]} if parts else {})


def test_each_version_is_a_line_and_a_gap_is_where_nobody_counted() -> None:
    buckets = [
        bucket(AT, part("2", 50), part("3", 10, n_errors=5)),
        bucket(AT + 5, part("2", 30, place=40)),
        bucket(AT + 20, part("1", 20)),
        bucket(AT + 25),
        bucket(AT + 90, part("2", 999)),
    ]
    found = lay_out(ENDPOINT, buckets, range(AT, AT + 30, 10), is_host_running=True)
    assert found.times_ms == [AT * 1000, (AT + 10) * 1000, (AT + 20) * 1000]
    assert [(line.model_ref, line.arm, line.n_requests) for line in found.versions] == [
        ("tiny:2", Arm.champion, 80),
        ("tiny:3", Arm.challenger, 10),
        ("tiny:1", None, 20),
    ]
    champion, challenger, earlier = found.versions
    assert champion.requests_per_second == [8.0, None, 0.0]
    assert challenger.errors_per_second == [0.5, None, 0.0]
    assert earlier.requests_per_second == [0.0, None, 2.0]
    assert champion.p50_ms == [pytest.approx(EDGES_SECONDS[20] * 1000, rel=1e-3), None, None]
    assert champion.p99_ms[0] == pytest.approx(EDGES_SECONDS[40] * 1000, rel=1e-3)


def test_two_lines_for_the_same_moment_do_not_double_the_time() -> None:
    """A host that was stopped and started within one bucket writes two."""
    buckets = [bucket(AT, part("2", 5)), bucket(AT, part("2", 10))]
    found = lay_out(ENDPOINT, buckets, range(AT, AT + 5, 5), is_host_running=False)
    assert found.versions[0].requests_per_second == [3.0]


def test_old_files_go_and_a_line_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "traffic"
    for hours in range(9):
        append_bucket(folder, bucket(AT + hours * 3600, part("2", hours + 1)))
    assert len(list(folder.iterdir())) == KEPT_SECONDS // 3600 + 1
    with (folder / f"{AT // 3600 + 8}.jsonl").open("ab") as file:
        file.write(b'{"at":18000')
    found = read_buckets(folder, "tiny", AT + 7 * 3600)
    assert [each.parts for each in found] == [{"tiny": [part("2", 8)]}, {"tiny": [part("2", 9)]}]
    assert read_buckets(folder, "nobody", AT + 8 * 3600) == [Bucket(at=AT + 8 * 3600)]


def test_the_history_begins_with_the_endpoint(workspace: Workspace, clock: Any) -> None:
    with workspace.transaction() as tx:
        endpoints.ensure_endpoint(tx, "tiny")
    (workspace.folder / "host").mkdir()
    made = int(workspace.now().timestamp()) // 5 * 5
    append_bucket(traffic_folder(workspace.folder), bucket(made - 60, part("1", 70)))
    append_bucket(traffic_folder(workspace.folder), bucket(made + 60, part("1", 50)))
    clock.advance(100)
    found = get_traffic_history(workspace, "tiny")
    assert (found.step_seconds, found.is_host_running) == (5, False)
    assert found.times_ms[0] == made * 1000
    assert made + 85 <= found.times_ms[-1] / 1000 <= made + 95
    assert [line.n_requests for line in found.versions] == [50]
    assert max(filter(None, found.versions[0].requests_per_second)) == 10.0
    assert len(get_traffic_history(workspace, "tiny", max_points=3).times_ms) <= 4


def test_what_makes_no_sense_is_refused(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError):
        get_traffic_history(workspace, "tiny")
    with pytest.raises(InvalidInputError, match="seconds lies between 0 and 21,600"):
        get_traffic_history(workspace, "tiny", seconds=1e6)
    with pytest.raises(InvalidInputError, match="max_points"):
        get_traffic_history(workspace, "tiny", max_points=1)
