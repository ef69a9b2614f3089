"""What a drift measure is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: How often chance alone may push an unmoved column over the threshold of a distance.
CHANCE = 0.01


class Takes(str, Enum):
    """What a measure is computed from.

    `numbers`: finite float64 values, sorted, at least one on each side.
    `counts`: how often each of k categories occurs, aligned between the sides, each side's sum above 0.
    """

    numbers = "numbers"
    counts = "counts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How far a column moved. At or above `threshold` it is more than the base and more than chance explains."""

    score: float
    threshold: float
    p_value: float | None = None

    @property
    def exceeds(self) -> bool:
        """Whether the score has reached the threshold."""
        return self.score >= self.threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One algorithm. `base` is the conventional threshold: a distance, or the p-value below which it speaks."""

    name: str
    takes: Takes
    base: float
    is_test: bool
    function: Callable[[Array, Array], Measured]

    def __call__(self, reference: Array, current: Array) -> Measured:
        """Measure `current` against `reference`, both as `takes` says."""
        return self.function(reference, current)


def tested(statistic: float, p_value: float, critical: float, alpha: float) -> Measured:
    """The outcome of a test: its statistic is the score, its critical value the threshold, the p-value decides.

    Critical values are asymptotic and p-values often exact; where they disagree the threshold gives way.
    """
    drifted = p_value <= alpha
    threshold = min(critical, statistic) if drifted else max(critical, float(np.nextafter(statistic, np.inf)))
    return Measured(score=statistic, threshold=threshold, p_value=p_value)
