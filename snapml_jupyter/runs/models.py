"""The fitted object that a run keeps, with the signature of the frame it was fitted on."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..domain.errors import CannotKeepError, InvalidInputError, NotFoundError, SnapMLWarning
from ..domain.model import RunModel
from ..operations import operation
from ..store import runs as store
from ..store.workspace import Workspace
from . import recording
from .model_files import dump_model, estimator_name, load_model_bytes
from .signature import Label, infer_signature

if TYPE_CHECKING:
    from ..store.remote import RemoteWorkspace


def keep_model(
    workspace: Workspace | RemoteWorkspace,
    run_id: str,
    model: Any,
    *,
    example: Any,
    target: str | None = None,
    variable: str = "model",
    training_ref: str | None = None,
    labels: Sequence[Label] | None = None,
) -> RunModel:
    """Keep a fitted model with the run; a run keeps one, and the last counts until it is registered.

    `example` is the DataFrame it was fitted on, `training_ref` the dataset version of that frame; without one the frame is
    kept as `<run>-training`, because an export is proved on it. `labels` are the classes of a torch module or a native
    booster, in the order of its outputs.
    Raises InvalidInputError for a model that is not fitted or a frame without named columns, CannotKeepError for a model
    that cannot be written.
    """
    _check_fitted(model)
    signature = infer_signature(model, example, target, labels)
    content, kind = dump_model(model)
    if training_ref is None:
        training_ref = _keep_training_frame(workspace, run_id, example)
    return recording.record_model(
        workspace,
        run_id,
        RunModel(
            run_id=run_id,
            variable=variable,
            estimator=estimator_name(model),
            format=kind,
            model_digest=workspace.blobs.put(content),
            size_bytes=len(content),
            signature=signature,
            written_by=workspace.actor,
            training_ref=training_ref,
        ),
    )


@operation(permission="runs:read")
def get_run_model(workspace: Workspace, run_id: str) -> RunModel:
    """The model a run kept (the run by id, its beginning, or name). Raises NotFoundError when it kept none."""
    found = store.resolve(workspace.database, run_id)
    model = store.find_model(workspace.database, found)
    if model is None:
        raise NotFoundError(
            f"Run '{run_id}' kept no model. Fit one in a `%%snap_train` cell, or call run.log_model(model, example=df)."
        )
    return model


def load_run_model(workspace: Workspace | RemoteWorkspace, run_id: str, trust: bool = False) -> Any:
    """The fitted object a run kept. Raises UntrustedModelError for another actor's pickle, unless `trust`."""
    model = get_run_model(workspace, run_id)
    content = workspace.blobs.read(model.model_digest)
    return load_model_bytes(content, model.format, model.written_by, workspace.actor, trust)


def _keep_training_frame(workspace: Workspace | RemoteWorkspace, run_id: str, example: Any) -> str | None:
    """The frame as a dataset version, also the run's input when it has none; None, with a warning, when it cannot be kept."""
    from ..datasets.snapshot import snapshot
    from .queries import get_run

    run = get_run(workspace, run_id)
    try:
        version = snapshot(workspace, f"{run.name[:110]}-training", example, run_id=run_id)
    except CannotKeepError as error:
        warnings.warn(
            f"The model of run {run.name} is kept, but not the data it was fitted on, so it cannot be deployed. {error}",
            SnapMLWarning,
            stacklevel=4,
        )
        return None
    if not run.inputs:
        recording.record_input(workspace, run_id, "example", version.ref)
    return version.ref


def _check_fitted(model: Any) -> None:
    if isinstance(model, type):
        raise InvalidInputError(f"{model.__name__} is a class, not a fitted model. Make one and fit it.")
    if hasattr(model, "__sklearn_tags__") and hasattr(model, "fit"):
        from sklearn.exceptions import NotFittedError
        from sklearn.utils.validation import check_is_fitted

        try:
            check_is_fitted(model)
        except NotFittedError:
            raise InvalidInputError(f"{estimator_name(model)} is not fitted yet. Call fit before it is kept.") from None
