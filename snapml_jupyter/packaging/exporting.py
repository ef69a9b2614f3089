"""Writing an endpoint for another server: which deployments, into which folder, in which form."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.endpoint import Deployment, EndpointInfo
from ..domain.errors import ConflictError, InvalidInputError, NotFoundError
from ..domain.packaging import ExportedDeployment
from ..registry.versions import get_model
from ..serving.deploying import get_endpoint

if TYPE_CHECKING:
    from ..domain.model import ModelVersion
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace

FORMS = ("docker", "kserve", "triton", "mlflow")

#: Text or bytes by path below the folder.
Files = dict[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One deployment with what is needed to serve it elsewhere."""

    deployment: Deployment
    version: ModelVersion
    graph: bytes

    @property
    def number(self) -> int:
        """The number of the model version, which other servers count by too."""
        return self.version.number


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """An endpoint on its way out. `canary` is the version that gets only `canary_percent` of the traffic."""

    endpoint: EndpointInfo
    main: Part
    canary: Part | None = None
    canary_percent: int = 0
    storage_uri: str | None = None
    parts: list[Part] = field(default_factory=list)


def export_deployment(
    workspace: Workspace | RemoteWorkspace,
    name: str,
    form: str,
    folder: str | Path,
    *,
    storage_uri: str | None = None,
    overwrite: bool = False,
) -> ExportedDeployment:
    """Write an endpoint into a folder for docker, kserve, triton or mlflow.

    Raises NotFoundError, ConflictError when nothing is live, InvalidInputError for an unknown form or a folder that has
    files already, unless `overwrite`.
    """
    if form not in FORMS:
        raise NotFoundError.of("form", form, FORMS)
    if storage_uri is not None and form != "kserve":
        raise InvalidInputError("Only kserve reads models from a storage URI. Leave --storage-uri out.")
    target = Path(folder).expanduser()
    if target.exists() and (not target.is_dir() or any(target.iterdir())) and not overwrite:
        raise InvalidInputError(f"{target} has files already. Name an empty or new folder, or pass --overwrite.")
    leaving = gather(workspace, get_endpoint(workspace, name), storage_uri)
    files = _files(form, leaving)
    try:
        for path, content in files.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(content)
    except OSError as error:
        raise InvalidInputError(f"{error.filename or target} cannot be written: {error.strerror}.") from error
    return ExportedDeployment(
        endpoint=name,
        form=form,
        path=str(target.absolute()),
        model_refs=[part.version.ref for part in leaving.parts],
        files=sorted(files),
    )


def gather(workspace: Workspace | RemoteWorkspace, endpoint: EndpointInfo, storage_uri: str | None = None) -> Exit:
    """The versions that answer: the champion, and the challenger as the canary. Raises ConflictError when there is none.

    A shadow stays behind: nobody hears its answers.
    """
    live, challenger = endpoint.live, endpoint.challenger
    if live is None:
        raise ConflictError(f"Endpoint '{endpoint.name}' has nothing live. Deploy a version: %snap_deploy MODEL")
    main = _part(workspace, live)
    canary = _part(workspace, challenger) if challenger is not None else None
    return Exit(
        endpoint=endpoint,
        main=main,
        canary=canary,
        canary_percent=round(100 * challenger.share_fraction) if challenger is not None else 0,
        storage_uri=storage_uri,
        parts=[main, *([canary] if canary else ())],
    )


def _part(workspace: Workspace | RemoteWorkspace, deployment: Deployment) -> Part:
    version = get_model(workspace, deployment.model_ref)
    return Part(deployment=deployment, version=version, graph=workspace.blobs.read(deployment.onnx_digest))


def _files(form: str, leaving: Exit) -> Files:
    if form == "docker":
        from .docker import docker_files

        return docker_files(leaving.main, leaving.canary)
    if form == "triton":
        from .triton import triton_files

        return triton_files(leaving)
    if form == "kserve":
        from .kserve import kserve_files

        return kserve_files(leaving)
    from .mlflow_model import mlflow_files

    return mlflow_files(leaving.main, leaving.canary)
