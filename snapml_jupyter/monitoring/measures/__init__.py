"""The drift measures: one algorithm a file, all in one dict, all held to `tests/contracts/test_drift_measures.py`."""

from __future__ import annotations

from .chi_square import CHI_SQUARE, CHI_SQUARE_OF_FIT
from .jensen_shannon import JENSEN_SHANNON
from .kolmogorov_smirnov import KOLMOGOROV_SMIRNOV
from .measure import Measure, Measured, Takes
from .proportions import PROPORTIONS
from .wasserstein import WASSERSTEIN

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (WASSERSTEIN, JENSEN_SHANNON, KOLMOGOROV_SMIRNOV, CHI_SQUARE, CHI_SQUARE_OF_FIT, PROPORTIONS)
}

__all__ = ["MEASURES", "Measure", "Measured", "Takes"]
