"""How endpoints, deployments, keys and prediction batches are kept."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from snapml_jupyter.domain.endpoint import DeploymentStatus
from snapml_jupyter.domain.errors import ConflictError, NotFoundError
from snapml_jupyter.store import api_keys, endpoints, events
from snapml_jupyter.store.workspace import Workspace


@pytest.fixture
def tiny(workspace: Workspace, tiny_models: Any) -> Workspace:
    """A workspace with the model versions tiny:1 and tiny:2 and the endpoint 'tiny', nothing deployed."""
    tiny_models.add()
    tiny_models.add()
    with workspace.transaction() as tx:
        endpoints.ensure_endpoint(tx, "tiny")
    return workspace


def deploy(workspace: Workspace, number: int, status: DeploymentStatus | None = DeploymentStatus.live) -> int:
    with workspace.transaction() as tx:
        made = endpoints.add_deployment(tx, "tiny", "tiny", number)
        if status:
            endpoints.move_deployment(tx, "tiny", made, status)
    return made


def test_a_deployment_starts_without_traffic_and_gets_it_when_live(tiny: Workspace) -> None:
    first = deploy(tiny, 1, None)
    starting = endpoints.get_deployment(tiny.database, "tiny", first)
    assert (starting.status, starting.share_fraction) == (DeploymentStatus.starting, 0.0)
    assert endpoints.list_starting(tiny.database) == [starting]
    with tiny.transaction() as tx:
        endpoints.move_deployment(tx, "tiny", first, DeploymentStatus.live)
    live = endpoints.get_endpoint(tiny.database, "tiny").live
    assert live is not None
    assert (live.model_ref, live.share_fraction) == ("tiny:1", 1.0)
    assert live.signature.labels == ["no", "yes"]


def test_making_one_live_retires_the_other_in_the_same_change(tiny: Workspace) -> None:
    deploy(tiny, 1)
    deploy(tiny, 2)
    statuses = [d.status.value for d in endpoints.get_endpoint(tiny.database, "tiny").deployments]
    assert statuses == ["retired", "live"]
    assert [d.model_ref for d in endpoints.read_routing(tiny.database).deployments] == ["tiny:2"]


def test_a_status_moves_only_as_the_table_says(tiny: Workspace) -> None:
    number = deploy(tiny, 1)
    with pytest.raises(ConflictError, match="is live and cannot become starting"), tiny.transaction() as tx:
        endpoints.move_deployment(tx, "tiny", number, DeploymentStatus.starting)


def test_a_failure_keeps_its_reason_and_leaves_the_live_one(tiny: Workspace) -> None:
    deploy(tiny, 1)
    second = deploy(tiny, 2, None)
    with tiny.transaction() as tx:
        endpoints.move_deployment(tx, "tiny", second, DeploymentStatus.failed, "no such operator")
    endpoint = endpoints.get_endpoint(tiny.database, "tiny")
    assert endpoint.live is not None
    assert endpoint.live.model_ref == "tiny:1"
    assert endpoint.deployments[-1].failure == "no such operator"


def test_every_change_leaves_its_event(tiny: Workspace) -> None:
    deploy(tiny, 1)
    deploy(tiny, 2)
    kinds = [(e.kind, e.details.get("status")) for e in events.list_events(tiny.database)]
    assert kinds == [
        ("endpoint.created", None),
        ("endpoint.deployed", None),
        ("deployment.status_changed", "live"),
        ("endpoint.deployed", None),
        ("deployment.status_changed", "retired"),
        ("deployment.status_changed", "live"),
    ]


def test_a_removed_endpoint_has_no_routes_and_no_keys_and_comes_back_empty(tiny: Workspace) -> None:
    deploy(tiny, 1)
    with tiny.transaction() as tx:
        api_keys.add_key(tx, key_id="key-1", endpoint="tiny", client="web", key_hash="a" * 64)
    assert endpoints.read_routing(tiny.database).keys["a" * 64].endpoint == "tiny"
    with tiny.transaction() as tx:
        endpoints.remove_endpoint(tx, "tiny")
    routing = endpoints.read_routing(tiny.database)
    assert (routing.deployments, routing.keys) == ([], {})
    with pytest.raises(NotFoundError, match="no endpoint 'tiny'"):
        endpoints.get_endpoint(tiny.database, "tiny")
    with tiny.transaction() as tx:
        endpoints.ensure_endpoint(tx, "tiny")
    again = endpoints.get_endpoint(tiny.database, "tiny")
    assert (again.deployments, again.keys) == ([], [])
    assert deploy(tiny, 1) == 2, "numbers go on, so logged batches stay unambiguous"


def test_an_unknown_endpoint_is_told_with_the_closest_name(tiny: Workspace) -> None:
    with pytest.raises(NotFoundError, match="Did you mean 'tiny'"):
        endpoints.get_endpoint(tiny.database, "tinny")


def test_revoking_twice_is_one_event_and_hashes_stay_out_of_events(tiny: Workspace) -> None:
    with tiny.transaction() as tx:
        api_keys.add_key(tx, key_id="key-1", endpoint="tiny", client="web", key_hash="a" * 64)
    key = api_keys.get_key(tiny.database, "key-1")
    for _ in range(2):
        with tiny.transaction() as tx:
            api_keys.revoke_key(tx, key)
    found = [e for e in events.list_events(tiny.database) if e.kind.startswith("key.")]
    assert [e.kind for e in found] == ["key.created", "key.revoked"]
    assert "a" * 64 not in str(found)
    assert endpoints.read_routing(tiny.database).keys == {}


def test_a_batch_is_recorded_once(tiny: Workspace) -> None:
    deploy(tiny, 1)
    now = datetime(2026, 11, 1, tzinfo=timezone.utc)
    recorded = [
        endpoints.record_batch(
            tiny, endpoint="tiny", batch="b1", deployment=1, digest="d", n_rows=3, started_at=now, ended_at=now
        )
        for _ in range(2)
    ]
    assert recorded == [True, False]
    assert endpoints.has_batch(tiny.database, "tiny", "b1")
    assert not endpoints.has_batch(tiny.database, "tiny", "b2")
