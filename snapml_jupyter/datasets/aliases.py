"""Names that point at a version and can be moved: `flights@approved`."""

from __future__ import annotations

from ..domain.dataset import DatasetVersion
from ..domain.errors import NotFoundError
from ..domain.names import check_dataset_alias, check_name
from ..operations import operation
from ..store import datasets as kept
from ..store.workspace import Workspace


@operation(permission="datasets:write", audited=True)
def set_alias(workspace: Workspace, ref: str, alias: str) -> DatasetVersion:
    """Point an alias at a version; `flights@approved` then names it. An alias that points elsewhere is moved."""
    check_dataset_alias(alias)
    with workspace.transaction() as tx:
        version = kept.get_version(workspace.database, ref)
        kept.set_alias(tx, version.name, alias, version.number)
        tx.event("dataset.alias_changed", version.ref, name=version.name, alias=alias)
    return kept.get_version(workspace.database, version.ref)


@operation(permission="datasets:write", audited=True)
def remove_alias(workspace: Workspace, name: str, alias: str) -> None:
    """Forget an alias of the dataset `name`. Raises NotFoundError when there is none."""
    check_name("dataset", name)
    with workspace.transaction() as tx:
        found = kept.list_aliases(workspace.database, name)
        if alias not in found:
            raise NotFoundError.of("alias", alias, list(found), f"Dataset '{name}' has {len(found)} aliases.")
        kept.remove_alias(tx, name, alias)
        tx.event("dataset.alias_changed", f"{name}@v{found[alias]}", name=name, alias=alias)
