"""A model's signature from the DataFrame it was fitted on: the raw named columns a client will send."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from ..domain.errors import InvalidInputError
from ..domain.model import ColumnKind, Signature, SignatureColumn, Task
from .model_kinds import booster_task, checked_labels, column_names, is_booster, is_torch_module

if TYPE_CHECKING:
    import pandas as pd

Label = bool | int | float | str


def infer_signature(
    model: Any, frame: Any, target: str | None = None, labels: Sequence[Label] | None = None
) -> Signature:
    """Names, kinds and examples of the inputs, the task, and the labels in the order of the probabilities.

    `frame` is what the model was fitted on (n rows, named columns); columns the model never saw are left out. A column
    is nullable when it has missing values here. `labels` are the classes of a model that keeps none (a native booster, a
    torch module), in the order of its outputs; they make a torch module a classifier.
    Raises InvalidInputError for a frame without rows or named columns, for columns that JSON clients cannot send, and for
    labels that do not fit the model.
    """
    table = as_frame(frame)
    _check_names(table)
    if len(table) == 0:
        raise InvalidInputError("The example DataFrame has no rows. Give the rows the model was fitted on.")
    task, classes = _task_and_labels(model, labels)
    return Signature(
        task=task,
        inputs=[_column(name, table[name]) for name in _used_columns(model, list(table.columns))],
        labels=classes,
        target=target,
    )


def as_frame(frame: Any) -> pd.DataFrame:
    """A pandas DataFrame; polars and Arrow tables are converted. Raises InvalidInputError for anything else."""
    import pandas as pd

    if isinstance(frame, pd.DataFrame):
        return frame
    if type(frame).__module__.partition(".")[0] in ("polars", "pyarrow") and hasattr(frame, "to_pandas"):
        converted = frame.to_pandas()
        if isinstance(converted, pd.DataFrame):
            return converted
    raise InvalidInputError(
        f"A model is kept with an example DataFrame whose named columns become its inputs, not {type(frame).__name__}. "
        "Give the DataFrame it was fitted on: log_model(model, example=df)."
    )


def _check_names(table: pd.DataFrame) -> None:
    if len(table.columns) == 0:
        raise InvalidInputError("The example DataFrame has no columns.")
    for name in table.columns:
        if not isinstance(name, str):
            raise InvalidInputError(
                f"Column {name!r} is named by {type(name).__name__}, not by text. Clients send columns by name: use "
                "df.columns = df.columns.astype(str), and fit again."
            )
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        raise InvalidInputError(f"Column '{repeated[0]}' appears more than once. Give every column its own name.")


def _used_columns(model: Any, columns: list[str]) -> list[str]:
    """The columns the model was fitted on, in its order; all of the frame's when it does not say."""
    names = column_names(model)
    if names is None:
        return columns
    underlined = {"_".join(column.split()): column for column in columns}
    # LightGBM writes underlines for blanks.
    names = [name if name in columns else underlined.get(name, name) for name in names]
    missing = [name for name in names if name not in columns]
    if missing:
        raise InvalidInputError(
            f"The model was fitted on column '{missing[0]}', which the example DataFrame does not have. Give the "
            "DataFrame it was fitted on."
        )
    return names


def _task_and_labels(model: Any, labels: Sequence[Label] | None) -> tuple[Task, list[Label] | None]:
    if is_booster(model):
        task, n_classes = booster_task(model)
        if task is Task.classification:
            return task, checked_labels(range(n_classes) if labels is None else labels, n_classes)
    elif is_torch_module(model):
        if labels is not None:
            return Task.classification, checked_labels(labels, None)
        task = Task.regression
    else:
        task = _task(model)
        if task is Task.classification:
            own = _labels(model)
            if labels is not None and list(labels) != own:
                raise InvalidInputError(
                    f"The labels {list(labels)} are given, but the model knows {own}. Leave labels out."
                )
            return task, own
    if labels is not None:
        raise InvalidInputError(
            f"Labels are given, but a {type(model).__name__} with this objective does not classify. Leave labels out."
        )
    return task, None


def _task(model: Any) -> Task:
    kind = getattr(model, "_estimator_type", None)
    if hasattr(model, "__sklearn_tags__"):
        from sklearn.base import is_classifier, is_regressor

        kind = "classifier" if is_classifier(model) else "regressor" if is_regressor(model) else None
    if kind == "classifier":
        return Task.classification if _classes(model) is not None else Task.other
    return Task.regression if kind == "regressor" else Task.other


def _classes(model: Any) -> Any:
    """The classes of a classifier with one target; None for several targets (a list of arrays) or none."""
    found = getattr(model, "classes_", None)
    return None if found is None or isinstance(found, list) else found


def _labels(model: Any) -> list[Label]:
    labels: list[Label] = []
    for value in _classes(model):
        plain = value.item() if hasattr(value, "item") else value
        labels.append(plain if isinstance(plain, (bool, int, float, str)) else str(plain))
    return labels


def _column(name: str, column: pd.Series[Any]) -> SignatureColumn:
    present = column.dropna()
    return SignatureColumn(
        name=name,
        kind=_kind(name, column, present),
        nullable=len(present) < len(column),
        example=_example(present),
    )


def _kind(name: str, column: pd.Series[Any], present: pd.Series[Any]) -> ColumnKind:
    import pandas as pd
    from pandas.api import types

    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = dtype.categories.dtype
    if types.is_bool_dtype(dtype):
        return ColumnKind.boolean
    if types.is_integer_dtype(dtype):
        return ColumnKind.integer
    if types.is_float_dtype(dtype):
        return ColumnKind.float
    if types.is_datetime64_any_dtype(dtype):
        return ColumnKind.datetime
    if types.is_object_dtype(dtype):
        return _kind_of_objects(name, present)
    if types.is_string_dtype(dtype):
        return ColumnKind.string
    raise InvalidInputError(
        f"Column '{name}' has the type {dtype}, which JSON clients cannot send. Turn it into numbers or text, and fit again."
    )


def _kind_of_objects(name: str, present: pd.Series[Any]) -> ColumnKind:
    kinds = {_kind_of(value) for value in present}
    if not kinds:
        return ColumnKind.string
    if kinds == {ColumnKind.integer, ColumnKind.float}:
        return ColumnKind.float
    if len(kinds) == 1 and None not in kinds:
        return next(kind for kind in kinds if kind is not None)
    found = ", ".join(sorted({type(value).__name__ for value in present})[:4])
    raise InvalidInputError(
        f"Column '{name}' holds {found} side by side. Make it one type of bool, int, float, str or datetime, and fit again."
        if len(kinds) > 1
        else f"Column '{name}' holds {found}, which JSON clients cannot send. Turn it into numbers or text, and fit again."
    )


def _kind_of(value: Any) -> ColumnKind | None:
    if isinstance(value, str):
        return ColumnKind.string
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return ColumnKind.boolean
    if isinstance(value, numbers.Integral):
        return ColumnKind.integer
    if isinstance(value, numbers.Real):
        return ColumnKind.float
    return ColumnKind.datetime if isinstance(value, (date, datetime)) else None


def _example(present: pd.Series[Any]) -> Label | None:
    """The first value that JSON can say."""
    for value in present.head(1000):
        plain = value.item() if hasattr(value, "item") else value
        if isinstance(plain, (date, datetime)):
            return plain.isoformat()
        if isinstance(plain, float) and not math.isfinite(plain):
            continue
        if isinstance(plain, (bool, int, float, str)):
            return plain
    return None
