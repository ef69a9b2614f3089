"""Who answers how much: look at it, change it, roll back, promote; what an endpoint allows."""

from __future__ import annotations

from ..domain.endpoint import Deployment, DeploymentStatus, EndpointInfo
from ..domain.errors import ConflictError, InvalidInputError, NotFoundError
from ..domain.traffic import Arm, ArmTraffic, EndpointSettings, RolloutState, Traffic
from ..operations import operation
from ..store import alerts, rollouts
from ..store import endpoints as store
from ..store.workspace import Workspace
from .arms import add_up as add_up_agreements
from .deploying import deploy, get_endpoint
from .limiting import check_settings
from .metrics import add_up, count_errors, quantile_ms
from .reports import list_workers
from .spreading import spread


@operation(permission="endpoints:read")
def get_traffic(workspace: Workspace, name: str) -> Traffic:
    """The endpoint's live versions with their shares and figures, their agreement, and its rollout. Raises NotFoundError."""
    endpoint = store.get_endpoint(workspace.database, name)
    reports = list_workers(workspace.folder)
    parts = add_up(part for report in reports for part in report.traffic if part.endpoint == name)
    counted = {part.version: part for part in parts}
    arms = []
    for deployment in endpoint.deployments:
        if deployment.status is not DeploymentStatus.live:
            continue
        part = counted.get(deployment.version)
        arms.append(
            ArmTraffic(
                model_ref=deployment.model_ref,
                deployment=deployment.number,
                arm=deployment.arm,
                share_fraction=deployment.share_fraction,
                n_requests=sum(part.codes.values()) if part else 0,
                n_errors=count_errors(part.codes) if part else 0,
                requests_per_second=round(part.requests_per_second, 3) if part else 0.0,
                p50_ms=quantile_ms(part.buckets, 0.50) if part else None,
                p95_ms=quantile_ms(part.buckets, 0.95) if part else None,
                p99_ms=quantile_ms(part.buckets, 0.99) if part else None,
            )
        )
    return Traffic(
        endpoint=name,
        arms=arms,
        agreements=add_up_agreements([each for report in reports for each in report.agreements.get(name, [])]),
        rollout=rollouts.find_last_rollout(workspace.database, name),
    )


@operation(permission="endpoints:deploy", audited=True)
def set_traffic(workspace: Workspace, name: str, shares: dict[str, float]) -> EndpointInfo:
    """Give the live versions these shares, by version number: {"4": 0.9, "5": 0.1}. They add up to 1.

    Ends a rollout that runs. Raises InvalidInputError for shares or versions that do not fit, ConflictError when only one
    version is live.
    """
    endpoint = store.get_endpoint(workspace.database, name)
    champion, challenger = endpoint.live, endpoint.challenger
    if champion is None or challenger is None:
        raise ConflictError(
            f"Endpoint '{name}' has one live version. Deploy another beside it: %snap_deploy MODEL --canary 10%."
        )
    live = {champion.version: champion, challenger.version: challenger}
    unknown = [version for version in shares if version not in live]
    if unknown:
        raise InvalidInputError(f"Version {unknown[0]} is not live behind '{name}'; {' and '.join(live)} are.")
    given = {version: shares.get(version) for version in live}
    wanted = given[challenger.version]
    if wanted is None:
        rest = given[champion.version]
        wanted = 1.0 - (rest if rest is not None else 1.0)
    total = wanted + (given[champion.version] if given[champion.version] is not None else 1.0 - wanted)  # type: ignore[operator]  # not None here
    if not 0.0 <= wanted <= 1.0 or abs(total - 1.0) > 1e-6:
        raise InvalidInputError(f"The shares of '{name}' must lie between 0 and 1 and add up to 1, not {total:g}.")
    with workspace.transaction() as tx:
        rollouts.end_rollout(tx, name, challenger.number, RolloutState.stopped, "The traffic was set by hand.")
        store.set_share(tx, name, challenger.number, wanted)
    spread(workspace)
    return get_endpoint(workspace, name)


@operation(permission="endpoints:deploy", audited=True)
def take_rollout_step(workspace: Workspace, name: str, step: int) -> EndpointInfo:
    """Give the challenger of the running rollout the share of that step (from 0). The host does this as guards hold."""
    rollout = rollouts.find_last_rollout(workspace.database, name)
    if rollout is None or rollout.state is not RolloutState.running:
        raise ConflictError(f"No rollout runs at '{name}'.")
    if not 0 <= step < len(rollout.plan.steps):
        raise InvalidInputError(f"The rollout at '{name}' has {len(rollout.plan.steps)} steps, not a step {step}.")
    with workspace.transaction() as tx:
        rollouts.take_step(tx, rollout, step)
        store.set_share(tx, name, rollout.deployment, rollout.plan.steps[step])
    return get_endpoint(workspace, name)


@operation(permission="endpoints:deploy", audited=True)
def promote(workspace: Workspace, name: str) -> EndpointInfo:
    """Make the live challenger (or, without one, the shadow) the champion; what was live beside it is retired.

    Raises ConflictError when there is neither.
    """
    endpoint = store.get_endpoint(workspace.database, name)
    chosen = endpoint.challenger or endpoint.shadow
    if chosen is None:
        raise ConflictError(f"Endpoint '{name}' has no challenger or shadow to promote.")
    with workspace.transaction() as tx:
        rollouts.end_rollout(tx, name, chosen.number, RolloutState.promoted, f"{chosen.model_ref} is the champion.")
        store.promote(tx, name, chosen.number)
    spread(workspace)
    return get_endpoint(workspace, name)


@operation(permission="endpoints:deploy", audited=True)
def roll_back(workspace: Workspace, name: str, reason: str | None = None) -> EndpointInfo:
    """Take the challenger (or shadow) away; without one, bring back the version that was the champion before this one.

    `reason` is kept with the rollout and in the audit. Raises NotFoundError when there is nothing to go back to.
    """
    endpoint = store.get_endpoint(workspace.database, name)
    taken = endpoint.challenger or endpoint.shadow
    if taken is not None:
        said = reason or f"Rolled back by {workspace.actor}."
        with workspace.transaction() as tx:
            rollouts.end_rollout(tx, name, taken.number, RolloutState.rolled_back, said)
            store.move_deployment(tx, name, taken.number, DeploymentStatus.retired)
            tx.event("endpoint.rolled_back", name, model_ref=taken.model_ref, reason=said)
        spread(workspace)
        return get_endpoint(workspace, name)
    before = previous_champion(endpoint)
    if before is None:
        live = endpoint.live.model_ref if endpoint.live else "nothing"
        raise NotFoundError(f"Endpoint '{name}' has no earlier version to go back to: {live} is its first.")
    with workspace.transaction() as tx:
        said = reason or f"Rolled back by {workspace.actor}."
        tx.event("endpoint.rolled_back", name, model_ref=before.model_ref, reason=said)
    return deploy(workspace, before.model_ref, name).endpoint


@operation(permission="endpoints:deploy", audited=True)
def quarantine(workspace: Workspace, name: str, deployment: int, reason: str) -> EndpointInfo:
    """Take a deployment that harms the workers away; when it is the champion, the version before it starts again.

    Raises NotFoundError for the endpoint or deployment, ConflictError when it is not live.
    """
    endpoint = store.get_endpoint(workspace.database, name)
    taken = store.get_deployment(workspace.database, name, deployment)
    before = previous_champion(endpoint)
    with workspace.transaction() as tx:
        store.move_deployment(tx, name, deployment, DeploymentStatus.failed, reason)
        if taken.arm is Arm.champion and before is not None:
            model, _, number = before.model_ref.partition(":")
            store.add_deployment(tx, name, model, int(number))
        back = f" {before.model_ref} takes over." if before is not None and taken.arm is Arm.champion else ""
        alerts.raise_alert(tx, name, "quarantine", f"{taken.model_ref} is quarantined. {reason}{back}")
    return get_endpoint(workspace, name)


@operation(permission="endpoints:deploy", audited=True)
def change_endpoint(workspace: Workspace, name: str, settings: EndpointSettings) -> EndpointInfo:
    """Replace what the endpoint allows. Raises NotFoundError, InvalidInputError naming the setting."""
    check_settings(store.get_endpoint(workspace.database, name), settings)
    with workspace.transaction() as tx:
        store.save_settings(tx, name, settings)
    spread(workspace)
    return get_endpoint(workspace, name)


def previous_champion(endpoint: EndpointInfo) -> Deployment | None:
    """The newest deployment of another version that was the champion once and is retired."""
    live = endpoint.live
    earlier = [
        deployment
        for deployment in endpoint.deployments
        if deployment.status is DeploymentStatus.retired
        and deployment.arm is Arm.champion
        and deployment.live_at is not None
        and (live is None or deployment.model_ref != live.model_ref)
    ]
    return max(earlier, key=lambda deployment: deployment.live_at or deployment.created_at, default=None)
