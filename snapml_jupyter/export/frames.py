"""Between DataFrames and raw columns: what a client would send for a frame, and what the model is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..domain.errors import InvalidInputError
from ..domain.model import ColumnKind, Signature
from ..runs.model_kinds import column_names, is_booster, is_torch_module

if TYPE_CHECKING:
    import pandas as pd


def frame_to_columns(frame: pd.DataFrame, signature: Signature) -> dict[str, list[Any]]:
    """The signature's columns of a frame as Python values, missing ones as None: what a request would hold.

    Columns of the frame that the signature does not have are left out. Raises InvalidInputError for one it lacks.
    """
    import pandas as pd

    names = {str(name): name for name in frame.columns}
    columns: dict[str, list[Any]] = {}
    for column in signature.inputs:
        if column.name not in names:
            raise InvalidInputError(
                f"The frame has no column '{column.name}', which the model needs. "
                f"Its columns: {', '.join(list(names)[:20])}."
            )
        series = frame[names[column.name]]
        values: list[Any]
        if column.kind is ColumnKind.datetime:
            values = [None if pd.isna(value) else str(value) for value in series]
        else:
            values = series.astype(object).where(series.notna(), None).tolist() if series.hasnans else series.tolist()
        columns[column.name] = values
    return columns


def model_columns(model: Any, signature: Signature) -> list[str]:
    """Names of the columns a model was fitted on, in that order; the signature's when the model kept none."""
    known = [column.name for column in signature.inputs]
    names = None if is_torch_module(model) else column_names(model)
    if names is None:
        return known
    underlined = {"_".join(name.split()): name for name in known}  # how LightGBM writes names with blanks
    return [name if name in known else underlined.get(name, name) for name in names]


def model_input(model: Any, frame: pd.DataFrame, signature: Signature) -> Any:
    """What to give `model.predict`: the frame, or the array or text series the model was fitted on instead of one."""
    names = {str(name): name for name in frame.columns}
    wanted = frame[[names[name] for name in model_columns(model, signature) if name in names]]
    if column_names(model) is not None or (is_booster(model) and type(model).__module__ == "lightgbm.basic"):
        return wanted
    if _takes_text(model):
        return wanted.iloc[:, 0]
    return wanted if _has_column_names(model) else wanted.to_numpy()


def missing_marker(frame: pd.DataFrame, name: str) -> str | None:
    """How missing text looks to a model in this column: "nan", "none", "na", or None when nothing is missing."""
    import pandas as pd

    names = {str(column): column for column in frame.columns}
    if name not in names:
        return None
    series = frame[names[name]]
    missing = series[series.isna()]
    if missing.empty:
        return None
    if str(series.dtype) == "category":
        return "nan"
    kinds = {type(value) for value in missing}
    if type(None) in kinds:
        return "none"
    return "na" if type(pd.NA) in kinds else "nan"


def _takes_text(model: Any) -> bool:
    """Whether the first thing a model does is to read words."""
    while hasattr(model, "steps"):
        model = model.steps[0][1]
    return hasattr(model, "build_analyzer")


def _has_column_names(model: Any) -> bool:
    """Whether some first step chooses columns, so that an array would not do."""
    while hasattr(model, "steps"):
        model = model.steps[0][1]
    return any(
        isinstance(columns, (str, list)) and _named(columns) for _, _, columns in getattr(model, "transformers", [])
    )


def _named(columns: Any) -> bool:
    return isinstance(columns, str) or any(isinstance(column, str) for column in columns)
