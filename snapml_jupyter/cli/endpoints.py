"""`snapml endpoint deploy|list|show|remove|key create|key revoke`."""

from __future__ import annotations

from typing import Any

import click

from ..serving.deploying import create_key, deploy, get_endpoint, list_endpoints, revoke_key, undeploy
from .output import AnyWorkspace, answers, facts, table


@click.group()
def endpoint() -> None:
    """Deployed models."""


@endpoint.command("deploy")
@click.argument("model")
@click.option("--endpoint", "name", help="Endpoint name; without it the model's.")
@answers
def deploy_command(workspace: AnyWorkspace, model: str, name: str | None) -> tuple[Any, str]:
    """Put MODEL (NAME, NAME:4, NAME@champion) behind an endpoint; starts the host when needed."""
    outcome = deploy(workspace, model, endpoint=name)
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
@answers
def create_command(workspace: AnyWorkspace, name: str, client: str) -> tuple[Any, str]:
    """Make a key and print it, this once."""
    created = create_key(workspace, name, client)
    return created, f"API key for {client} (shown once): {created.api_key}"


@key.command("revoke")
@click.argument("key_id")
@answers
def revoke_command(workspace: AnyWorkspace, key_id: str) -> tuple[Any, str]:
    """Make a key invalid."""
    revoked = revoke_key(workspace, key_id)
    return revoked, f"Key {revoked.key_id} of {revoked.client} is revoked."
