"""One seed for the global random generators a cell may use."""

from __future__ import annotations

import operator
import random
import sys

from ..domain.errors import InvalidInputError


def check_seed(seed: object) -> int:
    """The seed as an int. Raises InvalidInputError unless it is a whole number from 0 to 2**32 - 1 (NumPy's range)."""
    try:
        number = operator.index(seed)  # type: ignore[arg-type]  # what is no number is what the except is for
    except TypeError:
        number = -1
    if isinstance(seed, bool) or not 0 <= number < 2**32:
        raise InvalidInputError(f"A seed is a whole number from 0 to {2**32 - 1}, not {seed!r}.")
    return number


def apply_seed(seed: int) -> None:
    """Seed `random`, NumPy's global generator and, where it is already loaded, PyTorch.

    NumPy is imported for it: a generator that is seeded only when someone happened to import it would make the same cell
    differ from run to run.
    """
    import numpy as np

    number = check_seed(seed)
    random.seed(number)
    np.random.seed(number)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(number)
