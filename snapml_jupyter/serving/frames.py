"""DataFrames to request rows and answers back to a DataFrame."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..domain.errors import InvalidInputError
from ..domain.model import ColumnKind, Signature

if TYPE_CHECKING:
    import pandas as pd


def as_frame(data: Any) -> pd.DataFrame:
    """A DataFrame, a list of dicts, or one dict as a DataFrame. Raises InvalidInputError for anything else or no rows."""
    import pandas as pd

    if isinstance(data, Mapping):
        data = [data]
    if isinstance(data, list) and all(isinstance(row, Mapping) for row in data):
        data = pd.DataFrame(data)
    if not isinstance(data, pd.DataFrame):
        raise InvalidInputError(
            f"predict() takes a DataFrame, a dict or a list of dicts, not {type(data).__name__}. "
            "Example: endpoint.predict(df.head())"
        )
    if not len(data):
        raise InvalidInputError("The frame has no rows to predict.")
    return data


def frame_to_columns(frame: pd.DataFrame, signature: Signature) -> dict[str, list[Any]]:
    """Every column as JSON-safe values: missing ones as None, times as ISO text, numpy scalars as Python's.

    Raises InvalidInputError naming a column that JSON has no form for.
    """
    kinds = {column.name: column.kind for column in signature.inputs}
    twice = [str(name) for name in frame.columns[frame.columns.duplicated()]]
    if twice:
        raise InvalidInputError(f"The frame has the column '{twice[0]}' twice.")
    return {str(name): _values(frame[name], str(name), kinds.get(str(name))) for name in frame.columns}


def _values(series: pd.Series[Any], name: str, kind: ColumnKind | None) -> list[Any]:
    dtype = series.dtype
    missing = series.isna().to_numpy()
    if dtype.kind == "M":
        values = (
            [value.isoformat() for value in series]
            if not missing.any()
            else [None if gone else value.isoformat() for value, gone in zip(series, missing, strict=True)]
        )
        return values
    values = series.tolist()
    if missing.any():
        values = [None if gone else value for value, gone in zip(values, missing, strict=True)]
    if dtype.kind == "f":
        if any(value is not None and math.isinf(value) for value in values):
            raise InvalidInputError(f"Column '{name}' has infinite values, which JSON cannot say. Replace them first.")
        if kind is ColumnKind.integer:  # pandas keeps whole numbers with gaps as floats
            values = [int(v) if v is not None and v.is_integer() else v for v in values]
        return values
    if dtype.kind in "iub":
        return values
    return [_plain(value, name) for value in values]


def _plain(value: Any, name: str) -> Any:
    if value is None or type(value) in (str, bool, int, float):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:  # numpy scalars
        return _plain(value.item(), name)
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, decimal.Decimal):
        return float(value)
    raise InvalidInputError(
        f"Column '{name}' has a value of type {type(value).__name__}, which cannot be sent. "
        "Convert the column to numbers, text, booleans or times."
    )


def answers_to_frame(predictions: list[dict[str, Any]], origins: list[tuple[str, int]], index: Any) -> pd.DataFrame:
    """One row per answer: `prediction`, `probability_<class>` where there are any, and `request_id` and `row`,
    by which labels that come later are joined."""
    import pandas as pd

    columns: dict[str, Any] = {"prediction": [p["label"] if "label" in p else p["prediction"] for p in predictions]}
    for name in predictions[0].get("probabilities") or ():
        columns[f"probability_{name}"] = [p["probabilities"][name] for p in predictions]
    columns["request_id"] = [request_id for request_id, _ in origins]
    columns["row"] = [row for _, row in origins]
    answers: pd.DataFrame = pd.DataFrame(columns, index=index)
    return answers
