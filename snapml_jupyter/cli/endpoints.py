"""`snapml endpoint deploy|list|show|traffic|promote|rollback|limit|remove|key ...`."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import click

from ..domain.traffic import Scope
from ..figures import parse_duration
from ..public.rollout_plan import read_arm, read_changes, read_rate, read_share, read_shares
from ..serving.api_keys import create_key, revoke_key, rotate_key
from ..serving.deploying import deploy, get_endpoint, list_endpoints, undeploy
from ..serving.traffic import change_endpoint, get_traffic, promote, roll_back, set_traffic
from .output import AnyWorkspace, answers, facts, table


@click.group()
def endpoint() -> None:
    """Deployed models."""


@endpoint.command("deploy")
@click.argument("model")
@click.option("--endpoint", "name", help="Endpoint name; without it the model's.")
@click.option("--canary", help="Share beside what is live (10%), or step by step (5,25,50,100).")
@click.option("--shadow", is_flag=True, help="Answer copies of the requests; answers are compared and dropped.")
@click.option("--ab", help="One side of an A/B test, with this share: 50%.")
@click.option("--guard", "guards", help="What a canary must keep: 'error_rate<1%, p99<50ms'.")
@click.option("--every", help="How long a step of a canary lasts (10m).")
@click.option("--workers", help="Fewest and most workers of the host, by load: 1:4.")
@click.option("--rate", help="Most requests of all clients: 100/s.")
@click.option("--public", is_flag=True, help="Let other machines reach it.")
@click.option("--accept-parity", is_flag=True, help="Although the graph answers otherwise; the audit log says who did.")
@answers
def deploy_command(
    workspace: AnyWorkspace,
    model: str,
    name: str | None,
    canary: str | None,
    shadow: bool,
    ab: str | None,
    guards: str | None,
    every: str | None,
    workers: str | None,
    rate: str | None,
    public: bool,
    accept_parity: bool,
) -> tuple[Any, str]:
    """Put MODEL (NAME, NAME:4, NAME@champion) behind an endpoint; starts the host when needed."""
    arm, share, plan = read_arm(canary, shadow, ab, guards, every)
    outcome = deploy(workspace, model, name, arm, share, plan, read_changes(rate, workers, public), accept_parity)
    text = facts(endpoint=outcome.endpoint.name, model=outcome.deployment.model_ref, url=outcome.endpoint.url)
    if outcome.api_key:
        text += f"\nAPI key (shown once): {outcome.api_key}"
    return outcome, text


@endpoint.command("list")
@answers
def list_command(workspace: AnyWorkspace) -> tuple[Any, str]:
    """All endpoints."""
    found = list_endpoints(workspace)
    rows = [
        (e.name, e.live.model_ref if e.live else None, e.deployments[-1].status if e.deployments else None, e.url)
        for e in found
    ]
    empty = "No endpoints yet. Deploy a model: %snap_deploy MODEL, or: snapml endpoint deploy MODEL"
    return found, table(["endpoint", "live", "newest", "url"], rows, empty)


@endpoint.command("show")
@click.argument("name")
@answers
def show_command(workspace: AnyWorkspace, name: str) -> tuple[Any, str]:
    """One endpoint: its deployments and keys."""
    found = get_endpoint(workspace, name)
    text = facts(
        endpoint=found.name, url=found.url, live=found.live.model_ref if found.live else None, by=found.created_by
    )
    deployments = [(d.number, d.model_ref, d.status, d.created_at, d.failure) for d in found.deployments]
    keys = [(k.key_id, k.client, k.created_at, "revoked" if k.revoked_at else "valid") for k in found.keys]
    return found, "\n\n".join(
        [
            text,
            table(["deployment", "model", "status", "age", "failure"], deployments, "No deployments."),
            table(["key", "client", "age", "state"], keys, "No keys."),
        ]
    )


@endpoint.command("traffic")
@click.argument("name")
@click.argument("shares", nargs=-1)
@answers
def traffic_command(workspace: AnyWorkspace, name: str, shares: tuple[str, ...]) -> tuple[Any, str]:
    """Who answers how much, and where a rollout stands; with SHARES (v4=90 v5=10) change it."""
    if shares:
        set_traffic(workspace, name, read_shares(shares))
    found = get_traffic(workspace, name)
    rows = [
        (a.model_ref, a.arm, f"{a.share_fraction:.0%}", a.n_requests, a.n_errors, a.p50_ms, a.p99_ms)
        for a in found.arms
    ]
    parts = [table(["version", "arm", "share", "requests", "errors", "p50 ms", "p99 ms"], rows, "Nothing is live.")]
    for each in found.agreements:
        parts.append(
            f"{each.model_ref} agrees with the champion on {each.n_equal:,} of {each.n_rows:,} rows; "
            f"the largest difference is {each.largest_difference:.3g}."
        )
    if found.rollout is not None:
        rollout = found.rollout
        share = rollout.plan.steps[rollout.step]
        parts.append(
            f"Rollout of {rollout.model_ref}: {rollout.state.value}, step {rollout.step + 1} of {len(rollout.plan.steps)} "
            f"({share:.0%}). {rollout.reason or ''}".rstrip()
        )
        parts += [f"  {each.guard}: {each.state}. {each.words}" for each in rollout.judgements]
    return found, "\n".join(parts)


@endpoint.command("promote")
@click.argument("name")
@answers
def promote_command(workspace: AnyWorkspace, name: str) -> tuple[Any, str]:
    """Make the canary (or shadow) the champion."""
    found = promote(workspace, name)
    return found, f"{found.live.model_ref if found.live else 'Nothing'} answers all requests of {name}."


@endpoint.command("rollback")
@click.argument("name")
@click.option("--reason", help="Why; kept in the audit.")
@answers
def rollback_command(workspace: AnyWorkspace, name: str, reason: str | None) -> tuple[Any, str]:
    """Take a canary or shadow away; without one, bring back the version that was live before."""
    found = roll_back(workspace, name, reason)
    return found, f"{found.live.model_ref if found.live else 'Nothing'} answers all requests of {name}."


@endpoint.command("limit")
@click.argument("name")
@click.option("--rate", help="Most requests of all clients: 100/s; none for no limit.")
@click.option("--quota", type=int, help="Most requests of all clients a day (UTC); 0 for no limit.")
@click.option("--max-rows", type=int, help="Most rows in one request.")
@click.option("--timeout", help="How long the model may take: 500ms is 0.5s.")
@click.option("--cors", multiple=True, help="A web origin that may ask from a browser (repeat).")
@click.option("--sticky", help="Keep clients with one version: key, or a header's name.")
@click.option("--sample", help="Share of the requests that is logged: 10%.")
@click.option("--sensitive", multiple=True, help="A column whose values are never logged (repeat).")
@answers
def limit_command(
    workspace: AnyWorkspace,
    name: str,
    rate: str | None,
    quota: int | None,
    max_rows: int | None,
    timeout: str | None,
    cors: tuple[str, ...],
    sticky: str | None,
    sample: str | None,
    sensitive: tuple[str, ...],
) -> tuple[Any, str]:
    """Change what the endpoint allows; what is not said stays."""
    changes: dict[str, Any] = {}
    if rate is not None:
        changes["rate_per_second"] = None if rate == "none" else read_rate(rate)
    if quota is not None:
        changes["quota_per_day"] = quota or None
    if max_rows is not None:
        changes["max_rows"] = max_rows
    if timeout is not None:
        changes["timeout_seconds"] = parse_duration(timeout)
    if cors:
        changes["cors_origins"] = list(cors)
    if sticky is not None:
        changes["sticky"] = None if sticky == "none" else sticky
    if sample is not None:
        changes["sample_fraction"] = read_share(sample)
    if sensitive:
        changes["sensitive"] = list(sensitive)
    settings = replace(get_endpoint(workspace, name).settings, **changes)
    found = change_endpoint(workspace, name, settings)
    return found, facts(**{key: value for key, value in asdict(found.settings).items() if value not in (None, [])})


@endpoint.command("remove")
@click.argument("name")
@answers
def remove_command(workspace: AnyWorkspace, name: str) -> tuple[Any, str]:
    """Take the endpoint away; its record and predictions stay."""
    found = undeploy(workspace, name)
    return found, f"Endpoint {name} no longer answers. Its predictions and audit entries stay."


@endpoint.group("key")
def key() -> None:
    """API keys of an endpoint."""


@key.command("create")
@click.argument("name")
@click.option("--client", required=True, help="Who the key is for.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice([scope.value for scope in Scope]), help="Repeat.")
@click.option("--expires", help="After how long it ends: 30d.")
@click.option("--rate", help="Most requests: 10/s.")
@click.option("--quota", type=int, help="Most requests a day (UTC).")
@answers
def create_command(
    workspace: AnyWorkspace,
    name: str,
    client: str,
    scopes: tuple[str, ...],
    expires: str | None,
    rate: str | None,
    quota: int | None,
) -> tuple[Any, str]:
    """Make a key and print it, this once."""
    created = create_key(
        workspace,
        name,
        client,
        [Scope(scope) for scope in scopes] or None,
        parse_duration(expires) if expires is not None else None,
        read_rate(rate) if rate is not None else None,
        quota,
    )
    return created, f"API key for {client} (shown once): {created.api_key}"


@key.command("rotate")
@click.argument("key_id")
@click.option("--overlap", default="1d", help="How long the old key goes on working (1d).")
@answers
def rotate_command(workspace: AnyWorkspace, key_id: str, overlap: str) -> tuple[Any, str]:
    """Make a new key like KEY_ID and print it, this once; the old one expires after the overlap."""
    created = rotate_key(workspace, key_id, parse_duration(overlap))
    return created, f"API key for {created.key.client} (shown once): {created.api_key}"


@key.command("revoke")
@click.argument("key_id")
@answers
def revoke_command(workspace: AnyWorkspace, key_id: str) -> tuple[Any, str]:
    """Make a key invalid."""
    revoked = revoke_key(workspace, key_id)
    return revoked, f"Key {revoked.key_id} of {revoked.client} is revoked."
