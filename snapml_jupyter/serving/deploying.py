"""Deploy a model version behind an endpoint, take it away again, and manage the keys that open it."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

from ..domain.endpoint import (
    Deployment,
    DeploymentStatus,
    DeployOutcome,
    EndpointInfo,
    EndpointMetrics,
)
from ..domain.errors import ConflictError, ExportError, InvalidInputError, UnavailableError
from ..domain.names import check_name
from ..domain.traffic import Arm, EndpointSettings, RolloutPlan
from ..operations import operation
from ..registry.exporting import ensure_exported
from ..store import endpoints as store
from ..store import models, rollouts
from ..store.workspace import Workspace
from .api_keys import issue_key
from .host_process import await_host, begin_host, get_host_status, start_host
from .limiting import changed, check_settings
from .metrics import summarise
from .reports import list_workers, live_host
from .spreading import spread

#: How long workers may take to load a deployment and answer its smoke request; the host decides before that.
DEPLOY_SECONDS = 90.0


@operation(permission="endpoints:deploy", audited=True)
def deploy(
    workspace: Workspace,
    model_ref: str,
    endpoint: str | None = None,
    arm: Arm = Arm.champion,
    share: float = 0.1,
    plan: RolloutPlan | None = None,
    changes: dict[str, Any] | None = None,
    accept_parity: bool = False,
) -> DeployOutcome:
    """Put a model version behind an endpoint (named like the model unless given) and wait until it answers.

    Exports it first if need be, while the host starts unless it runs. What was live goes on answering until every worker
    has loaded the new version and answered its smoke request; when that fails it stays live. As a challenger it answers
    `share` of the requests beside the champion, with a `plan` the share of its first step, which the host then raises while
    the guards hold; as a shadow it answers copies. `changes` are settings of the endpoint by name (`EndpointSettings`).
    `accept_parity` deploys a graph that answers otherwise than its model, and the audit log says so.
    Raises NotFoundError, ExportError, ParityError, InvalidInputError for a share or plan that makes no sense, ConflictError
    when the version is the champion already, or UnavailableError when the host cannot serve.
    """
    if endpoint is not None:
        check_name("endpoint", endpoint)
    if plan is not None:
        check_plan(plan)
        share = plan.steps[0]
    if arm is Arm.challenger and not 0.0 < share < 1.0:
        raise InvalidInputError(f"A challenger answers between 0% and 100% of the requests, not {share:.0%}.")
    asked = models.get_version(workspace.database, model_ref)
    name = endpoint or check_name("endpoint", asked.name)
    before = store.find_endpoint(workspace.database, name)
    settings = changed(before.settings if before else EndpointSettings(), changes or {})
    check_settings(before, settings)
    host = begin_host(workspace)  # it comes up while the model is exported
    try:
        version = ensure_exported(workspace, model_ref, accept_parity=accept_parity)
    except BaseException:
        if host is not None and not store.list_endpoints(workspace.database):
            host.terminate()  # it has nothing to do; others who deploy at this moment start it again
        raise
    await_host(workspace, host)
    known = store.find_endpoint(workspace.database, name)
    champion = known.live if known else None
    if champion is None:
        arm, plan = Arm.champion, None  # there is nobody to stand beside
    elif arm is not Arm.champion and champion.model_ref == version.ref:
        raise ConflictError(f"{version.ref} is the champion of '{name}' already; it cannot be its own {arm.value}.")
    deployment = _standing(known, arm)
    if deployment is None or deployment.model_ref != version.ref:  # running a cell again changes nothing
        with workspace.transaction() as tx:
            store.ensure_endpoint(tx, name)
            wanted = {Arm.champion: 1.0, Arm.challenger: share, Arm.shadow: 0.0}[arm]
            number = store.add_deployment(tx, name, version.name, version.number, arm, wanted)
        deployment = _await_decision(workspace, name, number)
        if plan is not None and champion is not None:
            with workspace.transaction() as tx:
                rollouts.add_rollout(tx, name, number, champion.number, plan)
    elif arm is Arm.challenger and deployment.share_fraction != share:
        with workspace.transaction() as tx:
            store.set_share(tx, name, deployment.number, share)
    if changes:
        with workspace.transaction() as tx:
            store.save_settings(tx, name, settings)
    issued = None
    if not any(key.revoked_at is None for key in store.get_endpoint(workspace.database, name).keys):
        issued = issue_key(workspace, name, f"made for {workspace.actor} at the first deployment")
    spread(workspace)
    return DeployOutcome(
        endpoint=get_endpoint(workspace, name), deployment=deployment, api_key=issued.api_key if issued else None
    )


@operation(permission="endpoints:remove", audited=True)
def undeploy(workspace: Workspace, name: str) -> EndpointInfo:
    """Take the endpoint away: it answers nobody, its keys are revoked. What it logged is kept. Raises NotFoundError."""
    endpoint = get_endpoint(workspace, name)
    with workspace.transaction() as tx:
        store.remove_endpoint(tx, name)
    spread(workspace)
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


def check_plan(plan: RolloutPlan) -> None:
    """Raise InvalidInputError for steps that do not rise to 100%, or times and counts that make no sense."""
    steps = plan.steps
    if not steps or not 0.0 < steps[0] < 1.0 or steps[-1] != 1.0 or any(b <= a for a, b in pairwise(steps)):
        said = ", ".join(f"{step:.0%}" for step in steps)
        raise InvalidInputError(
            f"The steps of a rollout rise from above 0% to 100%, as 5%, 25%, 50%, 100%; not {said}."
        )
    if not plan.every_seconds > 0 or plan.min_requests < 1 or not 0.0 < plan.alpha < 1.0:
        raise InvalidInputError("A rollout holds each step for some seconds and at least one request.")


def _standing(endpoint: EndpointInfo | None, arm: Arm) -> Deployment | None:
    if endpoint is None:
        return None
    return {Arm.champion: endpoint.live, Arm.challenger: endpoint.challenger, Arm.shadow: endpoint.shadow}[arm]


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


def _with_url(endpoint: EndpointInfo, base: str | None) -> EndpointInfo:
    return replace(endpoint, url=f"{base}/endpoints/{endpoint.name}/predict" if base else None)
