"""Models in Python: `snap.register`, `snap.model`, `snap.promote`, `snap.load_model`, `snap.export_onnx`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .current import workspace

if TYPE_CHECKING:
    from pathlib import Path

    from ..domain.dataset import DatasetVersion
    from ..domain.model import ExportedModel, ModelVersion, RegisteredModel, Stage


def register(run_ref: str, name: str) -> ModelVersion:
    """Make the model that a run kept the next version of `name`; the first one becomes `@champion`.

    Raises NotFoundError when there is no such run or it kept no model.
    """
    from ..registry import versions

    return versions.register(workspace(), run_ref, name)


def model(ref: str) -> ModelVersion:
    """The version that `churn:4`, `churn@champion` or `churn` (champion, else newest) names. Raises NotFoundError."""
    from ..registry import versions

    return versions.get_model(workspace(), ref)


def models() -> list[RegisteredModel]:
    """Every registered model with its newest version and its champion."""
    from ..registry import versions

    return versions.list_models(workspace())


def promote(ref: str, stage: Stage | str) -> ModelVersion:
    """Move a version to `staging`, `production`, `archived` or `none`. Raises ConflictError for a move not allowed."""
    from .. import wire
    from ..domain.model import Stage
    from ..registry import stages

    return stages.promote(workspace(), ref, wire.decode(stage, Stage, "stage"))


def set_alias(ref: str, alias: str) -> ModelVersion | DatasetVersion:
    """Point `@alias` at a version, away from the one that had it: of a model (`churn:4`), of a dataset (`flights@v3`)."""
    from ..domain.names import is_dataset_version

    if is_dataset_version(ref):
        from ..datasets import aliases

        return aliases.set_alias(workspace(), ref, alias)
    from ..registry import stages

    return stages.set_alias(workspace(), ref, alias)


def load_model(ref: str, *, trust: bool = False) -> Any:
    """The fitted object itself. Raises UntrustedModelError for another actor's pickle, unless `trust`."""
    from ..registry import versions

    return versions.load_model(workspace(), ref, trust)


def export_onnx(
    ref: str, path: str | Path | None = None, *, trust: bool = False, accept_parity: bool = False
) -> ExportedModel:
    """Write the version as one ONNX graph (`NAME-N.onnx` here unless given), proved on training rows to answer alike.

    `accept_parity` keeps a graph that answers otherwise, and the audit log says who did.
    Raises ExportError naming the step that cannot be exported, ParityError when the graph answers differently,
    UntrustedModelError for another actor's pickle, unless `trust`.
    """
    from ..registry import exporting

    return exporting.export_onnx(workspace(), ref, path, trust, accept_parity)
