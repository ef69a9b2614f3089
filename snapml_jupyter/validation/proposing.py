"""A suite inferred from a version: true of it, and of the next ones when nothing is wrong with them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .frames import plain_frame
from .suite import ColumnExpectations, Suite

if TYPE_CHECKING:
    import pandas as pd

#: A set of allowed values is proposed for so many at most, each seen so often: then an unseen one is a surprise.
_MOST_VALUES, _SEEN = 20, 5
#: So many of the largest numbers tell how far the next ones go; a proposed range holds for all but one in so many samples.
_TAIL, _RARE = 20, 100
#: Uniqueness is proposed from so many rows on.
_ENOUGH_ROWS = 50


def propose(frame: pd.DataFrame) -> Suite:
    """What the frame is, with room around it: ranges as wide again on both sides, wider where ends are rare; half to twice the rows.

    Ids and times that only grow get no upper end, which the next day would break.
    """
    plain = plain_frame(frame)
    n_rows = len(plain)
    return Suite(
        columns={str(name): _column(plain[name]) for name in plain.columns},
        rows_at_least=max(1, n_rows // 2) if n_rows else 0,
        rows_at_most=2 * n_rows if n_rows >= _ENOUGH_ROWS else None,
    )


def _column(values: pd.Series[Any]) -> ColumnExpectations:
    import pandas as pd

    found: dict[str, Any] = {"type": str(values.dtype)}
    there = values.dropna()
    share = 1 - len(there) / len(values) if len(values) else 0.0
    found["nulls"] = 0.0 if share == 0 else min(1.0, math.ceil((share * 1.5 + 0.02) * 100) / 100)
    if there.empty:
        return ColumnExpectations(**{**found, "nulls": 1.0 if len(values) else None})
    types = pd.api.types
    is_text = isinstance(values.dtype, pd.StringDtype) or (
        values.dtype == object and all(type(value) is str for value in there)
    )
    if types.is_bool_dtype(values.dtype):
        return ColumnExpectations(**found)
    if isinstance(values.dtype, pd.CategoricalDtype) or is_text:
        counts = there.value_counts()
        counts = counts[counts > 0]
        if (
            len(counts) <= _MOST_VALUES
            and counts.min() >= _SEEN
            and all(isinstance(value, str) for value in counts.index)
        ):
            found["values"] = sorted(counts.index)
        elif is_text:
            found["longest"] = 2 * int(there.str.len().max())
            found["unique"] = _is_key(values, there)
        return ColumnExpectations(**found)
    if types.is_numeric_dtype(values.dtype) and not types.is_complex_dtype(values.dtype):
        return ColumnExpectations(**found, **_range(values, there))
    if types.is_datetime64_any_dtype(values.dtype):
        least, greatest = there.min(), there.max()
        found["at_least"] = (least - (greatest - least)).to_pydatetime(warn=False)
        found["unique"] = _is_key(values, there)
    return ColumnExpectations(**found)


def _range(values: pd.Series[Any], there: pd.Series[Any]) -> dict[str, Any]:
    import pandas as pd

    least, greatest = float(there.min()), float(there.max())
    if not (math.isfinite(least) and math.isfinite(greatest)):
        return {}
    whole = pd.api.types.is_integer_dtype(values.dtype)
    unique = whole and _is_key(values, there)
    if least == greatest:
        below = above = max(1.0, abs(greatest))
    else:
        numbers = there.to_numpy(dtype=float)
        with np.errstate(over="ignore"):
            away = numbers - np.median(numbers)
        below, above = max(greatest - least, _beyond(-away)), max(greatest - least, _beyond(away))
    at_least = max(0.0, least - below) if least >= 0 else least - below
    at_most = min(0.0, greatest + above) if greatest <= 0 and least < 0 else greatest + above
    grows = unique and bool(there.is_monotonic_increasing)
    said = {"at_least": _rounded(at_least, whole, -1), "at_most": None if grows else _rounded(at_most, whole, 1)}
    return {**said, "unique": unique}


def _beyond(away: Any) -> float:
    """How far beyond the farthest of these numbers, distances from the middle, only every hundredth sample goes.

    By how the largest of them grow (Hill, "A Simple General Approach to Inference About the Tail of a Distribution", 1975):
    as wide again for a bell, ten times and more where few are far out.
    """
    away = away[away > 0]
    count = min(_TAIL, len(away) // 5)
    if count < 2:  # too few to tell: what is mostly one value
        return float(away.max()) * _TAIL / 2 if len(away) else 0.0
    largest = np.sort(np.partition(away, len(away) - count)[-count:])
    with np.errstate(over="ignore"):
        grows = float(np.log(largest[1:] / largest[0]).mean())
        return float(largest[-1] * (np.float64(_RARE) ** grows - 1))


def _rounded(value: float, whole: bool, direction: int) -> float | int | None:
    """To three digits, outward; None for what no number is beyond."""
    if not math.isfinite(value):
        return None
    if value == 0:
        return 0 if whole else 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    rounded = (math.floor if direction < 0 else math.ceil)(value / unit) * unit
    return int(rounded) if whole else float(f"{rounded:.6g}")


def _is_key(values: pd.Series[Any], there: pd.Series[Any]) -> bool:
    return len(values) >= _ENOUGH_ROWS and len(there) == len(values) and bool(there.is_unique)
