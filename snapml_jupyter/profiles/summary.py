"""Profile bytes to the record that people and the sidebar read."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..domain.dataset import ColumnProfile, DatasetProfile

if TYPE_CHECKING:
    from .tables import ProfileLayout

N_BINS = 20
N_TOP_VALUES = 20

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def summarise_profile(content: bytes, *, dataset_ref: str, n_rows: int) -> DatasetProfile:
    """The statistics in a profile, one entry per column in the table's order.

    Counts are scaled to `n_rows` when the profile was taken of a sample; `sampled_rows` then says of how many rows.
    Datetime columns carry seconds since 1970 UTC, with the ends also as ISO text.
    Raises DamagedContentError when the bytes are not a profile.
    """
    from .sketches import read_view
    from .tables import read_layout

    view = read_view(content)
    layout = read_layout(view)
    found = view.get_columns()
    return DatasetProfile(
        dataset_ref=dataset_ref,
        n_rows=n_rows,
        columns=[_column(name, shown, found[name], layout, n_rows) for name, shown in layout.types.items()],
        sampled_rows=layout.n_sampled if layout.n_sampled < layout.n_rows else None,
    )


def _column(name: str, shown_type: str, view: Any, layout: ProfileLayout, n_rows: int) -> ColumnProfile:
    from .sketches import frequent_values, number_sketch

    counts, cardinality = view.get_metric("counts"), view.get_metric("cardinality")
    n_sketched, n_nulls = int(counts.n.value), int(counts.null.value)
    scale = n_rows / layout.n_sampled if layout.n_sampled else 1.0
    statistics: dict[str, Any] = {}
    distribution = number_sketch(view)
    if distribution is not None:
        edges, shares = _histogram(distribution)
        statistics = {
            "mean": distribution.avg,
            "standard_deviation": distribution.stddev,
            "minimum": distribution.min,
            "median": distribution.median,
            "maximum": distribution.max,
            "histogram_edges": edges,
            "histogram_counts": [share * distribution.n * scale for share in shares],
        }
        if shown_type.startswith(("timestamp", "date")):
            statistics["minimum_text"] = _iso(distribution.min)
            statistics["maximum_text"] = _iso(distribution.max)
    top = frequent_values(view, N_TOP_VALUES)
    n_distinct = float(cardinality.estimate or 0.0) if cardinality is not None else 0.0
    return ColumnProfile(
        name=name,
        type=shown_type,
        n_rows=round(n_sketched * scale),
        n_nulls=round(n_nulls * scale),
        # Below a few thousand the sketch is exact but for rounding: 3.0000001 distinct values would read oddly.
        n_distinct=float(round(n_distinct)) if n_distinct < 4096 else n_distinct,
        top_values=[(value, count * scale) for value, count in top] if top else None,
        **statistics,
    )


def _histogram(distribution: Any) -> tuple[list[float], list[float]]:
    """Edges (bins + 1) and the share of the numbers in each bin."""
    low, high = float(distribution.min), float(distribution.max)
    width = (high - low) / N_BINS
    edges = [low + width * i for i in range(N_BINS)] + [high]
    inner = edges[1:-1]
    # A constant, or a spread too small for floats to tell the edges apart, is one bin.
    if not math.isfinite(width) or any(a >= b for a, b in pairwise(edges)):
        return [low, high], [1.0]
    return edges, [float(share) for share in distribution.kll.value.get_pmf(inner)]


def _iso(seconds: float) -> str:
    try:
        return (_EPOCH + timedelta(seconds=seconds)).isoformat()
    except OverflowError:  # Arrow's datetimes reach further than Python's
        return f"{seconds:.0f} s since 1970"
