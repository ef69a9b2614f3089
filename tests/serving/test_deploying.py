"""Deploying, swapping, failing and taking away, with a real host and workers over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from snapml_jupyter.domain.endpoint import DeploymentStatus
from snapml_jupyter.domain.errors import ExportError, InvalidInputError, NotFoundError
from snapml_jupyter.serving.api_keys import create_key, revoke_key
from snapml_jupyter.serving.deploying import deploy, get_endpoint, get_endpoint_metrics, list_endpoints, undeploy
from snapml_jupyter.serving.host_process import get_host_status
from snapml_jupyter.serving.reports import HOST_MODULE, list_processes
from snapml_jupyter.store.audit import list_entries
from snapml_jupyter.store.workspace import Workspace


def port_of(workspace: Workspace) -> int:
    port = get_host_status(workspace).port
    assert port is not None
    return port


def test_deploying_gives_a_url_and_a_key_that_work_at_once(
    hosted: Workspace, tiny_models: Any, connect: Callable[..., Any], row: dict[str, Any]
) -> None:
    outcome = deploy(hosted, tiny_models.add())
    assert outcome.deployment.status is DeploymentStatus.live
    assert outcome.endpoint.url == f"http://127.0.0.1:{port_of(hosted)}/endpoints/tiny/predict"
    assert outcome.api_key is not None
    assert outcome.api_key.startswith("snapml_")
    client = connect(port_of(hosted), outcome.api_key)
    assert client.post("/endpoints/tiny/predict", {"rows": [row]})[0] == 200
    assert [endpoint.name for endpoint in list_endpoints(hosted)] == ["tiny"]


def test_swapping_versions_under_load_fails_no_request(
    hosted: Workspace, tiny_models: Any, connect: Callable[..., Any], row: dict[str, Any]
) -> None:
    outcome = deploy(hosted, tiny_models.add())
    port = port_of(hosted)
    stop = threading.Event()
    failures: list[Any] = []
    answered: dict[str, int] = {}

    def hammer() -> None:
        client = connect(port, outcome.api_key)
        while not stop.is_set():
            try:
                status, answer = client.post("/endpoints/tiny/predict", {"rows": [row]})
            except OSError as error:
                failures.append(error)
                continue
            if status != 200:
                failures.append(answer)
            else:
                answered[answer["model"]] = answered.get(answer["model"], 0) + 1

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        for number in range(2, 6):
            again = deploy(hosted, tiny_models.add(bias=float(number)))
            assert again.api_key is None, "a key is shown once"
            checking = connect(port, outcome.api_key)
            _, answer = checking.post("/endpoints/tiny/predict", {"rows": [row]})
            assert answer["model"] == f"tiny:{number}", "once deploy has returned, the new version answers"
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[:3]
    assert set(answered) >= {"tiny:1", "tiny:5"}


@pytest.mark.parametrize("broken", ["not a graph", "other columns"])
def test_a_version_that_cannot_be_served_fails_and_the_old_one_stays(
    hosted: Workspace, tiny_models: Any, connect: Callable[..., Any], row: dict[str, Any], broken: str
) -> None:
    outcome = deploy(hosted, tiny_models.add())
    bad = tiny_models.add(content=b"not onnx" if broken == "not a graph" else tiny_models.broken_graph())
    with pytest.raises(ExportError, match=r"tiny:2 cannot be served at 'tiny'.*tiny:1 stays live"):
        deploy(hosted, bad)
    endpoint = get_endpoint(hosted, "tiny")
    assert [d.status.value for d in endpoint.deployments] == ["live", "failed"]
    assert endpoint.deployments[1].failure
    client = connect(port_of(hosted), outcome.api_key)
    _, answer = client.post("/endpoints/tiny/predict", {"rows": [row]})
    assert answer["model"] == "tiny:1"
    assert deploy(hosted, tiny_models.add()).deployment.number == 3


def test_a_first_deployment_that_fails_still_gives_its_key_later(hosted: Workspace, tiny_models: Any) -> None:
    with pytest.raises(ExportError, match="cannot be served"):
        deploy(hosted, tiny_models.add(content=b"not onnx"))
    assert deploy(hosted, tiny_models.add()).api_key is not None


def test_deploying_what_is_live_changes_nothing(hosted: Workspace, tiny_models: Any) -> None:
    ref = tiny_models.add()
    first = deploy(hosted, ref)
    again = deploy(hosted, ref)
    assert (again.deployment, again.api_key) == (first.deployment, None)


def test_keys_work_and_end_as_soon_as_the_call_returns(
    hosted: Workspace, tiny_models: Any, connect: Callable[..., Any], row: dict[str, Any]
) -> None:
    deploy(hosted, tiny_models.add())
    issued = create_key(hosted, "tiny", "web shop")
    client = connect(port_of(hosted), issued.api_key)
    assert client.post("/endpoints/tiny/predict", {"rows": [row]})[0] == 200
    assert revoke_key(hosted, issued.key.key_id).revoked_at is not None
    assert client.post("/endpoints/tiny/predict", {"rows": [row]})[0] == 401
    told = [(entry.operation, entry.details["event"]) for entry in list_entries(hosted.database)]
    assert ("serving.create_key", "key.created") in told
    assert ("serving.revoke_key", "key.revoked") in told
    assert issued.api_key not in str(list_entries(hosted.database))
    with pytest.raises(NotFoundError, match="no API key 'key-none'"):
        revoke_key(hosted, "key-none")


def test_an_undeployed_endpoint_answers_nobody(
    hosted: Workspace, tiny_models: Any, connect: Callable[..., Any], row: dict[str, Any]
) -> None:
    outcome = deploy(hosted, tiny_models.add())
    client = connect(port_of(hosted), outcome.api_key)
    assert client.post("/endpoints/tiny/predict", {"rows": [row]})[0] == 200
    undeploy(hosted, "tiny")
    assert client.post("/endpoints/tiny/predict", {"rows": [row]})[0] == 401
    assert list_endpoints(hosted) == []
    with pytest.raises(NotFoundError, match="no endpoint 'tiny'"):
        undeploy(hosted, "tiny")
    again = deploy(hosted, "tiny:1")
    assert again.api_key not in (None, outcome.api_key)


def test_traffic_is_counted_over_all_workers(
    hosted: Workspace,
    tiny_models: Any,
    connect: Callable[..., Any],
    row: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    eventually: Callable[..., None],
) -> None:
    monkeypatch.setenv("SNAPML_WORKERS", "2")
    outcome = deploy(hosted, tiny_models.add())
    eventually(lambda: get_host_status(hosted).n_workers == 2)
    for _ in range(20):  # new connections, so that the kernel spreads them over the workers
        client = connect(port_of(hosted), outcome.api_key)
        client.post("/endpoints/tiny/predict", {"rows": [row, row]})
    client.post("/endpoints/tiny/predict", {"rows": []})
    eventually(lambda: get_endpoint_metrics(hosted, "tiny").n_requests == 21)
    metrics = get_endpoint_metrics(hosted, "tiny")
    assert (metrics.n_errors, metrics.n_rows, metrics.n_predictions_dropped) == (1, 40, 0)
    assert metrics.p50_ms is not None
    assert metrics.p99_ms is not None
    assert 0 < metrics.p50_ms <= metrics.p99_ms
    eventually(lambda: 'code="200"} 20' in client.get("/metrics")[1])


def test_a_refused_export_leaves_no_host_behind(
    hosted: Workspace, tiny_models: Any, eventually: Callable[..., Any]
) -> None:
    ref = tiny_models.add()
    with hosted.transaction() as tx:
        tx.execute("UPDATE model_versions SET onnx_digest = NULL")
    with pytest.raises(ExportError, match="its run kept no training data"):
        deploy(hosted, ref)
    eventually(lambda: not list_processes(HOST_MODULE, hosted.folder))
    with pytest.raises(NotFoundError, match="no model 'none'"):
        deploy(hosted, "none", "tiny")


def test_names_are_checked_before_anything_happens(hosted: Workspace, tiny_models: Any) -> None:
    ref = tiny_models.add()
    with pytest.raises(InvalidInputError, match="cannot name"):
        deploy(hosted, ref, "../x")
    assert not get_host_status(hosted).running
    for call in (get_endpoint, get_endpoint_metrics, undeploy):
        with pytest.raises(NotFoundError, match="no endpoint 'none'"):
            call(hosted, "none")
