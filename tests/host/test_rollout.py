"""When a starting deployment becomes live, fails, or gives way."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from snapml_jupyter.domain.endpoint import Deployment, DeploymentStatus
from snapml_jupyter.domain.model import Signature, Task
from snapml_jupyter.host.rollout import LOAD_SECONDS, Verdict, judge
from snapml_jupyter.serving.reports import WorkerReport

DEPLOYMENT = Deployment(
    endpoint="tiny",
    number=3,
    model_ref="tiny:3",
    onnx_digest="",
    signature=Signature(task=Task.regression, inputs=[]),
    status=DeploymentStatus.starting,
    share_fraction=0.0,
    created_at=datetime(2026, 11, 1, tzinfo=timezone.utc),
    created_by="ada",
)


def worker(state: str | None) -> WorkerReport:
    loaded = {} if state is None else {"tiny/3": state}
    return WorkerReport(pid=1, port=1, host_pid=1, is_serving=True, event_id=1, loaded=loaded)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], None),
        ([None], None),
        (["ready", None], None),
        (["ready", "ready"], Verdict(DeploymentStatus.live)),
        (["ready", "no such operator"], Verdict(DeploymentStatus.failed, "no such operator")),
    ],
)
def test_it_is_live_when_every_worker_is_ready_and_failed_when_one_cannot(
    states: list[str | None], expected: Verdict | None
) -> None:
    found = judge(DEPLOYMENT, [worker(s) for s in states], live_number=2, n_kills=0, waited_seconds=1)
    assert found == expected


def test_it_gives_way_to_a_newer_one_that_is_live() -> None:
    found = judge(DEPLOYMENT, [worker("ready")], live_number=4, n_kills=0, waited_seconds=1)
    assert found == Verdict(DeploymentStatus.retired)


def test_it_is_blamed_for_workers_that_died_loading_it_but_not_for_one() -> None:
    assert judge(DEPLOYMENT, [], live_number=None, n_kills=1, waited_seconds=1) is None
    found = judge(DEPLOYMENT, [], live_number=None, n_kills=2, waited_seconds=1)
    assert found is not None
    assert (found.status, found.failure) == (DeploymentStatus.failed, "Loading it ended 2 workers; see the host's log.")


def test_nobody_waits_for_ever() -> None:
    found = judge(DEPLOYMENT, [worker(None)], live_number=None, n_kills=0, waited_seconds=LOAD_SECONDS + 1)
    assert found is not None
    assert found.status is DeploymentStatus.failed
