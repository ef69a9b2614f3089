"""Registering the model of a run, and finding registered versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..domain.model import ModelVersion, RegisteredModel
from ..domain.names import check_name
from ..operations import operation
from ..runs.models import get_run_model, load_run_model
from ..runs.queries import get_run
from ..store import models as store
from ..store.workspace import Workspace

if TYPE_CHECKING:
    from ..store.remote import RemoteWorkspace


@operation(permission="models:write", audited=True)
def register(workspace: Workspace, run_ref: str, name: str) -> ModelVersion:
    """Make the model that a run kept the next version of `name`; the first version becomes `@champion`.

    The same run registered again under the same name gives the version it already is. Raises NotFoundError when there
    is no such run or it kept no model, InvalidInputError for an unusable name.
    """
    check_name("model", name)
    run = get_run(workspace, run_ref)
    model = get_run_model(workspace, run.run_id)
    with workspace.transaction() as tx:
        number = store.find_run_version(workspace.database, name, run.run_id)
        if number is None:
            number = store.add_version(tx, name, run.run_id, run.metrics)
            tx.event(
                "model.version_created",
                f"{name}:{number}",
                name=name,
                run_id=run.run_id,
                model_digest=model.model_digest,
            )
            if number == 1:
                tx.event("model.alias_changed", f"{name}:{number}", alias=store.CHAMPION, before=None)
    return store.get_version(workspace.database, f"{name}:{number}")


@operation(permission="models:read")
def get_model(workspace: Workspace, ref: str) -> ModelVersion:
    """The version that `churn:4`, `churn@champion` or `churn` (champion, else newest) names."""
    return store.get_version(workspace.database, ref)


@operation(permission="models:read")
def list_models(workspace: Workspace) -> list[RegisteredModel]:
    """Every model with its newest version and its champion."""
    return store.list_models(workspace.database)


@operation(permission="models:read")
def list_model_versions(workspace: Workspace, name: str) -> list[ModelVersion]:
    """The versions of one model, newest first."""
    return store.list_versions(workspace.database, check_name("model", name))


def load_model(workspace: Workspace | RemoteWorkspace, ref: str, trust: bool = False) -> Any:
    """The fitted object itself. Raises UntrustedModelError for another actor's pickle, unless `trust`."""
    return load_run_model(workspace, get_model(workspace, ref).run_id, trust)
