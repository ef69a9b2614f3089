"""Exporting a registered version: one ONNX graph, kept only when it answers like the model on its training rows."""

from __future__ import annotations

import math
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import settings
from ..domain.errors import ExportError, InvalidInputError, ParityError
from ..domain.model import ExportedModel, ModelVersion, Parity, RunModel
from ..operations import operation
from ..runs.models import get_run_model, load_run_model
from ..store import models as store
from ..store.workspace import Workspace
from .versions import get_model

if TYPE_CHECKING:
    import pandas as pd

    from ..store.remote import RemoteWorkspace


@operation(permission="models:export", audited=True)
def ensure_exported(workspace: Workspace, ref: str, trust: bool = False, accept_parity: bool = False) -> ModelVersion:
    """Export the version unless it is already, prove parity on rows of its training data, and keep graph and proof.

    Several processes may do it at once; the first to finish counts. With `accept_parity` a graph that answers otherwise
    is kept all the same; proof and audit log say who accepted what. Raises NotFoundError, ExportError naming the step
    that cannot be exported, ParityError when the graph answers differently, UntrustedModelError for another actor's
    pickle unless `trust`.
    """
    version = store.get_version(workspace.database, ref)
    if version.onnx_digest is not None:
        return version
    from ..export.onnx_graph import export_model
    from ..export.parity import check_parity

    kept = get_run_model(workspace, version.run_id)
    rows, positions = _parity_rows(workspace, version, kept)
    model = load_run_model(workspace, version.run_id, trust)
    content = export_model(
        model,
        version.signature,
        rows,
        {"run_id": version.run_id, "dataset_ref": str(kept.training_ref), "model_ref": version.ref},
    )
    parity = check_parity(model, content, rows, version.signature, settings.get_float("parity_tolerance"))
    parity = replace(parity, source_ref=kept.training_ref, worst_rows=[positions[row] for row in parity.worst_rows])
    accepted: dict[str, Any] = {}
    if not parity.passed:
        if not accept_parity or not math.isfinite(parity.max_difference):
            raise _failed(version, parity)
        parity = replace(parity, accepted_by=workspace.actor)
        accepted = {
            "accepted_parity": True,
            "label_agreement": parity.label_agreement,
            "tolerance": parity.tolerance,
            "worst_rows": parity.worst_rows,
        }
    digest = workspace.blobs.put(content)
    with workspace.transaction() as tx:
        found = store.get_version(workspace.database, version.ref)
        if found.onnx_digest is None:  # else another process was faster, and workers may serve its graph
            store.set_export(tx, version.name, version.number, digest, parity)
            tx.event(
                "model.exported",
                version.ref,
                onnx_digest=digest,
                size_bytes=len(content),
                n_rows=parity.n_rows,
                max_difference=parity.max_difference,
                **accepted,
            )
    return store.get_version(workspace.database, version.ref)


def export_onnx(
    workspace: Workspace | RemoteWorkspace,
    ref: str,
    path: str | Path | None = None,
    trust: bool = False,
    accept_parity: bool = False,
) -> ExportedModel:
    """Write the version's ONNX graph to a file (`NAME-N.onnx` here unless given), exporting it first if need be.

    Raises what `ensure_exported` raises, and InvalidInputError for a path that cannot be written.
    """
    found = get_model(workspace, ref)
    target = Path(path if path is not None else f"{found.name}-{found.number}.onnx").expanduser()
    if target.is_dir() or not target.absolute().parent.is_dir():
        raise InvalidInputError(f"{target} cannot be written: give the name of a file in a folder that exists.")
    version = ensure_exported(workspace, found.ref, trust=trust, accept_parity=accept_parity)
    assert version.onnx_digest is not None
    assert version.parity is not None
    _write(target, workspace.blobs.read(version.onnx_digest))
    return ExportedModel(
        ref=version.ref,
        path=str(target.absolute()),
        onnx_digest=version.onnx_digest,
        signature=version.signature,
        parity=version.parity,
    )


def _parity_rows(workspace: Workspace, version: ModelVersion, kept: RunModel) -> tuple[pd.DataFrame, list[int]]:
    """Evenly spaced rows of the training data with the signature's columns, and their positions in it."""
    import numpy as np
    import pandas as pd

    from ..datasets.dataset import open_dataset

    if kept.training_ref is None:
        raise ExportError(
            f"{version.ref} cannot be exported: its run kept no training data to prove it on. Log the model with the frame "
            "it was fitted on (run.log_model(model, example=df), or train in a %%snap_train cell), and register that run."
        )
    dataset = open_dataset(workspace, kept.training_ref)
    known = {column.name for column in dataset.schema if not column.is_index}
    names = [column.name for column in version.signature.inputs]
    missing = [name for name in names if name not in known]
    if missing:
        raise ExportError(
            f"{version.ref} cannot be exported: its training data {kept.training_ref} has no column '{missing[0]}', which "
            "the model takes. Log the model with the frame it was fitted on: run.log_model(model, example=df)."
        )
    frame = dataset.to_pandas(columns=names)
    # No client can send an infinite number, so rows that have one prove nothing.
    finite = np.ones(len(frame), dtype=bool)
    for name in frame.columns:
        if frame[name].dtype.kind == "f" and not isinstance(frame[name].dtype, pd.CategoricalDtype):
            finite &= ~np.isinf(frame[name].to_numpy(dtype=np.float64, na_value=np.nan))
    usable = np.flatnonzero(finite)
    if not len(usable):
        raise ExportError(
            f"{version.ref} cannot be exported: its training data {kept.training_ref} has no usable rows."
        )
    wanted = settings.get_int("parity_rows") or len(usable)
    positions = usable[np.linspace(0, len(usable) - 1, min(wanted, len(usable))).round().astype(np.int64)]
    return frame.iloc[positions], positions.tolist()


def _failed(version: ModelVersion, parity: Parity) -> ParityError:
    worst = ", ".join(
        f"{row} (by {difference:.3g})"
        for row, difference in zip(parity.worst_rows, parity.worst_differences, strict=True)
    )
    why = ""
    if "KNeigh" in version.estimator:
        why = " Neighbours at equal distances are taken in another order there."
    elif any(word in version.estimator for word in ("Tree", "Forest", "Boost", "XGB", "LGBM")):
        why = (
            " Where a tree compares in float32 (about 7 digits), a number at its threshold may go the other way: a few rows "
            "then differ much, all others hardly."
        )
    accept = " To deploy it as it is: --accept-parity (accept_parity=True), which the audit log keeps."
    if not math.isfinite(parity.max_difference):
        accept = " It cannot be accepted: for some row only one of the two gives a number."
    return ParityError(
        f"{version.ref} was not exported: on {parity.n_rows:,} rows of {parity.source_ref} its ONNX graph differs from the "
        f"model by up to {parity.max_difference:.3g} (allowed: {parity.tolerance:g}), and "
        f"{parity.label_agreement:.4%} of the labels agree (needed: 99.99%). Worst rows, counted from 0: {worst}.{why} Train with "
        "a model whose export is exact (HistGradientBoosting, RandomForest, LogisticRegression), or allow more with "
        f"SNAPML_PARITY_TOLERANCE if that difference does not matter.{accept}"
    )


def _write(target: Path, content: bytes) -> None:
    """Write beside the target first, so that a reader never sees half a file."""
    temporary: Any = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=".snapml-", suffix=".onnx", dir=target.absolute().parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)  # a temporary file is private, an exported one need not be
        os.replace(temporary, target)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise InvalidInputError(f"{target} cannot be written: {error.strerror}.") from error
