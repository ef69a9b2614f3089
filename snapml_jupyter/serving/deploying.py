"""Deploy a model version behind an endpoint, take it away again, and manage the keys that open it."""

from __future__ import annotations

import time
from dataclasses import replace

from ..domain.endpoint import (
    ApiKey,
    Deployment,
    DeploymentStatus,
    DeployOutcome,
    EndpointInfo,
    EndpointMetrics,
    IssuedKey,
)
from ..domain.errors import ConflictError, ExportError, UnavailableError
from ..domain.names import check_name
from ..operations import operation
from ..registry.exporting import ensure_exported
from ..store import api_keys, events
from ..store import endpoints as store
from ..store.workspace import Workspace
from .host_process import get_host_status, start_host
from .keys import hash_key, new_key, new_key_id
from .metrics import summarise
from .reports import list_workers, live_host

#: How long workers may take to load a deployment and answer its smoke request; the host decides before that.
DEPLOY_SECONDS = 90.0
#: How long a change waits until every worker knows of it.
SPREAD_SECONDS = 3.0


@operation(permission="endpoints:deploy", audited=True)
def deploy(workspace: Workspace, model_ref: str, endpoint: str | None = None) -> DeployOutcome:
    """Put a model version behind an endpoint (named like the model unless given) and wait until it answers.

    Exports it first if need be, and starts the host. What was live goes on answering until every worker has loaded
    the new version and answered its smoke request; when that fails it stays live.
    Raises NotFoundError, ExportError, ParityError, or UnavailableError when the host cannot serve.
    """
    if endpoint is not None:
        check_name("endpoint", endpoint)
    version = ensure_exported(workspace, model_ref)
    name = endpoint or check_name("endpoint", version.name)
    start_host(workspace)
    known = store.find_endpoint(workspace.database, name)
    deployment = known.live if known else None
    if deployment is None or deployment.model_ref != version.ref:  # running a cell again changes nothing
        with workspace.transaction() as tx:
            store.ensure_endpoint(tx, name)
            number = store.add_deployment(tx, name, version.name, version.number)
        deployment = _await_decision(workspace, name, number)
    issued = None
    if not any(key.revoked_at is None for key in store.get_endpoint(workspace.database, name).keys):
        issued = _issue_key(workspace, name, f"made for {workspace.actor} at the first deployment")
    _spread(workspace)
    return DeployOutcome(
        endpoint=get_endpoint(workspace, name), deployment=deployment, api_key=issued.api_key if issued else None
    )


@operation(permission="endpoints:remove", audited=True)
def undeploy(workspace: Workspace, name: str) -> EndpointInfo:
    """Take the endpoint away: it answers nobody, its keys are revoked. What it logged is kept. Raises NotFoundError."""
    endpoint = get_endpoint(workspace, name)
    with workspace.transaction() as tx:
        store.remove_endpoint(tx, name)
    _spread(workspace)
    return endpoint


@operation(permission="endpoints:read")
def list_endpoints(workspace: Workspace) -> list[EndpointInfo]:
    """All endpoints, by name, with their deployments, keys (hashes only) and, while the host runs, their URL."""
    status = get_host_status(workspace)
    return [_with_url(endpoint, status.url) for endpoint in store.list_endpoints(workspace.database)]


@operation(permission="endpoints:read")
def get_endpoint(workspace: Workspace, name: str) -> EndpointInfo:
    """One endpoint. Raises NotFoundError with the closest names."""
    return _with_url(store.get_endpoint(workspace.database, name), get_host_status(workspace).url)


@operation(permission="endpoints:read")
def get_endpoint_metrics(workspace: Workspace, name: str) -> EndpointMetrics:
    """Requests, errors and latencies of one endpoint since its workers started. Raises NotFoundError."""
    store.get_endpoint(workspace.database, name)
    return summarise(name, list_workers(workspace.folder))


@operation(permission="keys:write", audited=True)
def create_key(workspace: Workspace, endpoint: str, client: str) -> IssuedKey:
    """Make an API key for a client of the endpoint. The key is in the answer and nowhere else, ever again."""
    store.get_endpoint(workspace.database, endpoint)
    issued = _issue_key(workspace, endpoint, client)
    _spread(workspace)
    return issued


@operation(permission="keys:write", audited=True)
def revoke_key(workspace: Workspace, key_id: str) -> ApiKey:
    """Make a key invalid; workers refuse it from then on. Raises NotFoundError."""
    key = api_keys.get_key(workspace.database, key_id)
    with workspace.transaction() as tx:
        api_keys.revoke_key(tx, key)
    _spread(workspace)
    return api_keys.get_key(workspace.database, key_id)


def _issue_key(workspace: Workspace, endpoint: str, client: str) -> IssuedKey:
    api_key, key_id = new_key(), new_key_id()
    with workspace.transaction() as tx:
        api_keys.add_key(tx, key_id=key_id, endpoint=endpoint, client=client, key_hash=hash_key(api_key))
    return IssuedKey(key=api_keys.get_key(workspace.database, key_id), api_key=api_key)


def _await_decision(workspace: Workspace, endpoint: str, number: int) -> Deployment:
    """Wait until the host has made the deployment live. Raises what went wrong."""
    deadline = time.monotonic() + DEPLOY_SECONDS
    while time.monotonic() < deadline:
        deployment = store.get_deployment(workspace.database, endpoint, number)
        if deployment.status is DeploymentStatus.live:
            return deployment
        if deployment.status is DeploymentStatus.failed:
            live = store.get_endpoint(workspace.database, endpoint).live
            stays = f" {live.model_ref} stays live." if live else ""
            raise ExportError(f"{deployment.model_ref} cannot be served at '{endpoint}': {deployment.failure}{stays}")
        if deployment.status is DeploymentStatus.retired:
            raise ConflictError(
                f"Deployment {number} of '{endpoint}' was replaced or removed by someone else before it was live."
            )
        if live_host(workspace.folder) is None:
            start_host(workspace)  # it died meanwhile; a new host goes on with what is starting
        time.sleep(0.02)
    raise UnavailableError(
        f"Deployment {number} of '{endpoint}' did not become live within {DEPLOY_SECONDS:.0f} seconds. "
        "Look at: snapml host logs."
    )


def _spread(workspace: Workspace) -> None:
    """Wait, but not for ever, until every worker has seen all that is recorded now."""
    event_id = events.last_event_id(workspace.database)
    deadline = time.monotonic() + SPREAD_SECONDS
    while time.monotonic() < deadline:
        if all(worker.event_id >= event_id for worker in list_workers(workspace.folder)):
            return
        time.sleep(0.01)


def _with_url(endpoint: EndpointInfo, base: str | None) -> EndpointInfo:
    return replace(endpoint, url=f"{base}/endpoints/{endpoint.name}/predict" if base else None)
