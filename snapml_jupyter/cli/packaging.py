"""`snapml export-deployment`: an endpoint as files for another server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..packaging.exporting import FORMS
from ..packaging.exporting import export_deployment as write_deployment
from .output import AnyWorkspace, answers


@click.command("export-deployment")
@click.argument("name")
@click.option("--to", "form", type=click.Choice(FORMS), required=True, help="What to write.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write to.")
@click.option("--storage-uri", metavar="URI", help="kserve: where the model folders will be uploaded to.")
@click.option("--overwrite", is_flag=True, help="Write into a folder that has files already.")
@answers
def export_deployment(
    workspace: AnyWorkspace, name: str, form: str, out: Path, storage_uri: str | None, overwrite: bool
) -> tuple[Any, str]:
    """Write endpoint NAME as a Docker build folder, a KServe manifest, a Triton repository or an MLflow model."""
    exported = write_deployment(workspace, name, form, out, storage_uri=storage_uri, overwrite=overwrite)
    lines = [f"{exported.endpoint} ({', '.join(exported.model_refs)}) for {exported.form} in {exported.path}:"]
    return exported, "\n".join([*lines, *(f"  {name}" for name in exported.files)])
