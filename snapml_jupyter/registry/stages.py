"""Moving versions through stages, and pointing aliases at them."""

from __future__ import annotations

from ..domain.errors import ConflictError, InvalidInputError
from ..domain.model import STAGE_MOVES, ModelVersion, Stage
from ..domain.names import check_name
from ..operations import operation
from ..store import models as store
from ..store.workspace import Workspace

#: Words that references already use.
_RESERVED = ("latest",)


@operation(permission="models:promote", audited=True)
def promote(workspace: Workspace, ref: str, stage: Stage) -> ModelVersion:
    """Move a version to a stage. Raises ConflictError for a move that is not allowed, saying which are."""
    with workspace.transaction() as tx:
        version = store.get_version(workspace.database, ref)
        if stage is not version.stage:
            allowed = STAGE_MOVES[version.stage]
            if stage not in allowed:
                names = ", ".join(sorted(move.value for move in allowed))
                raise ConflictError(
                    f"{version.ref} is in stage '{version.stage.value}' and cannot go to '{stage.value}'. Allowed: {names}."
                )
            store.set_stage(tx, version.name, version.number, stage)
            tx.event("model.stage_changed", version.ref, before=version.stage.value, after=stage.value)
    return store.get_version(workspace.database, version.ref)


@operation(permission="models:promote", audited=True)
def set_alias(workspace: Workspace, ref: str, alias: str) -> ModelVersion:
    """Point `@alias` at a version, away from the one that had it."""
    check_name("alias", alias)
    if alias in _RESERVED or alias.isdigit():
        raise InvalidInputError(
            f"'{alias}' cannot be an alias: references use it already. Choose a word like 'challenger'."
        )
    with workspace.transaction() as tx:
        version = store.get_version(workspace.database, ref)
        number = store.find_alias(workspace.database, version.name, alias)
        if number != version.number:
            before = None if number is None else f"{version.name}:{number}"
            store.set_alias(tx, version.name, alias, version.number)
            tx.event("model.alias_changed", version.ref, alias=alias, before=before)
    return store.get_version(workspace.database, version.ref)
