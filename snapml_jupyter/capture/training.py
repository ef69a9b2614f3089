"""The model that a cell leaves behind: which of the fitted estimators it is, what it was fitted on, kept with both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..domain.dataset import DatasetSource, SourceKind
from .estimators import Fit
from .frames import dataset_name, holds_columns_of
from .inputs import KeptInput

if TYPE_CHECKING:
    from ..domain.model import RunModel
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Chosen:
    """The fit whose estimator is kept, and the variable that holds it."""

    fit: Fit
    variable: str


def choose_model(fits: Sequence[Fit], namespace: Mapping[str, Any]) -> Chosen | None:
    """The predictor fitted last, one that a variable holds before one that none does; None without a predictor."""
    names: dict[int, str] = {}
    for name, value in namespace.items():
        if not name.startswith("_"):
            names.setdefault(id(value), name)
    predictors = [fit for fit in fits if fit.finished and hasattr(fit.estimator, "predict")]
    held = [fit for fit in predictors if id(fit.estimator) in names]
    for fit in reversed(held or predictors):
        return Chosen(fit, names.get(id(fit.estimator), "model"))
    return None


def keep_chosen(
    workspace: Workspace | RemoteWorkspace, run_id: str, run_name: str, chosen: Chosen, inputs: Sequence[KeptInput]
) -> RunModel:
    """Keep the model with its signature and the version of the frame it was fitted on.

    That version is an input when the fitted frame is some of its columns; otherwise the frame itself is kept as
    `<run>-training` (its columns are shared with what is kept already).
    Raises what keeping a model or a table raises.
    """
    from ..datasets.snapshot import snapshot
    from ..runs.models import keep_model

    example = as_named_columns(chosen.fit.X)
    training_ref = next(
        (
            kept.version.ref
            for kept in inputs
            if kept.content is not None and holds_columns_of(kept.content, chosen.fit.X)
        ),
        None,
    )
    if training_ref is None:
        source = DatasetSource(kind=SourceKind.FRAME, name=chosen.variable, detail="what the model was fitted on")
        name = dataset_name(f"{run_name[:110]}-training")
        version = snapshot(workspace, name, example, run_id=run_id, source=source)
        training_ref = version.ref
    return keep_model(
        workspace,
        run_id,
        chosen.fit.estimator,
        example=example,
        target=target_name(chosen.fit.y),
        variable=chosen.variable,
        training_ref=training_ref,
    )


def as_named_columns(X: Any) -> Any:
    """Arrays as a DataFrame with scikit-learn's own column names `x0`, `x1`, ...; a Series or texts as one column.

    Anything else is given back as it is.
    """
    if type(X).__module__.partition(".")[0] == "pandas" and getattr(X, "ndim", 2) == 1:
        return X.to_frame(name=X.name if isinstance(X.name, str) else "x0")
    if type(X).__module__.partition(".")[0] == "numpy" or isinstance(X, (list, tuple)):
        import numpy as np
        import pandas as pd

        array = np.asarray(X)
        if array.ndim == 1:
            array = array.reshape(-1, 1)
        if array.ndim == 2:
            return pd.DataFrame(array, columns=[f"x{position}" for position in range(array.shape[1])])
    return X


def target_name(y: Any) -> str | None:
    """What the target is called, when it is a named Series or a frame of one column."""
    name = getattr(y, "name", None)
    if name is None and getattr(y, "ndim", 1) == 2:
        columns = list(getattr(y, "columns", ()))
        name = columns[0] if len(columns) == 1 else None
    return name if isinstance(name, str) else None
