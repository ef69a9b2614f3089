"""`snap.export_deployment`: an endpoint as files for another server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .current import workspace

if TYPE_CHECKING:
    from pathlib import Path

    from ..domain.packaging import ExportedDeployment


def export_deployment(
    name: str, to: str, out: str | Path, *, storage_uri: str | None = None, overwrite: bool = False
) -> ExportedDeployment:
    """Write an endpoint as a folder for "docker", "kserve", "triton" or "mlflow".

    `storage_uri` is where KServe will find the model folders. Raises NotFoundError, InvalidInputError for a folder
    that has files already, unless `overwrite`.
    """
    from ..packaging import exporting

    return exporting.export_deployment(workspace(), name, to, out, storage_uri=storage_uri, overwrite=overwrite)
