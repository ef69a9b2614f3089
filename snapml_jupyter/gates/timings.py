"""Reading a quantile off sorted timings."""

from __future__ import annotations

import math
from collections.abc import Sequence


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the sorted values does not exceed.

    >>> quantile([1.0, 2.0, 3.0, 4.0], 0.5)
    2.0
    """
    return float(ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)])
