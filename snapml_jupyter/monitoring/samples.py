"""One column as the measures take it: sorted numbers or counted categories, and what was missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..domain.errors import InvalidInputError
from ..profiles.columns import ColumnContent, as_arrow_table, column_content

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class SampleKind(str, Enum):
    """What the values of a column are."""

    numbers = "numbers"
    categories = "categories"
    times = "times"
    nothing = "nothing"
    other = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSample:
    """A column of one side. `numbers` float64 (n_values,), sorted and finite; `counts` rows by category.

    Missing (null or NaN) and infinite values are counted and left out.
    """

    name: str
    kind: SampleKind
    type: str
    n_rows: int
    n_missing: int
    n_infinite: int = 0
    numbers: NDArray[np.float64] | None = None
    counts: dict[str, int] | None = None

    @property
    def n_values(self) -> int:
        """Rows that hold a value to compare."""
        return self.n_rows - self.n_missing - self.n_infinite

    @property
    def missing_fraction(self) -> float | None:
        """Share of the rows without a value, None without rows."""
        return self.n_missing / self.n_rows if self.n_rows else None

    @property
    def mean(self) -> float | None:
        """Mean of the numbers."""
        return float(self.numbers.mean()) if self.numbers is not None and len(self.numbers) else None


def sample_column(name: str, column: Any) -> ColumnSample:
    """Read one Arrow column (Array or ChunkedArray)."""
    return _sample(column_content(name, column))


def sample_numbers(name: str, values: NDArray[Any]) -> ColumnSample:
    """Read a numpy array of numbers (n,); NaN is missing."""
    import numpy as np

    values = np.asarray(values, dtype=np.float64)
    missing, finite = int(np.isnan(values).sum()), np.isfinite(values)
    kept = np.sort(values if finite.all() else values[finite])
    return ColumnSample(
        name=name,
        kind=SampleKind.numbers,
        type="double",
        n_rows=len(values),
        n_missing=missing,
        n_infinite=len(values) - len(kept) - missing,
        numbers=kept,
    )


def count_categories(name: str, counts: dict[str, int], n_missing: int = 0) -> ColumnSample:
    """A column that is already counted."""
    return ColumnSample(
        name=name,
        kind=SampleKind.categories,
        type="string",
        n_rows=sum(counts.values()) + n_missing,
        n_missing=n_missing,
        counts=counts,
    )


def sample_frame(data: Any, columns: Iterable[str] | None = None) -> dict[str, ColumnSample]:
    """Every column of a pandas DataFrame or pyarrow Table, or those named.

    Names that the frame does not have are left out. Raises InvalidInputError for what is no table.
    """
    table = as_arrow_table(data)
    if columns is not None:
        wanted = set(columns)
        table = table.select([name for name in table.column_names if name in wanted])
    names = table.column_names
    if table.num_rows * len(names) < 200_000:
        return {name: sample_column(name, table.column(name)) for name in names}
    # Sorting is most of the work and numpy sorts without the interpreter's lock.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=4) as pool:
        found = pool.map(lambda name: sample_column(name, table.column(name)), names)
        return dict(zip(names, found, strict=True))


def frame_rows(data: Any) -> int:
    """Number of rows of a table or frame."""
    return int(data.num_rows) if hasattr(data, "num_rows") else len(data)


def check_columns(columns: Iterable[str], known: Iterable[str]) -> list[str]:
    """The columns asked for, when all are known. Raises InvalidInputError naming the first that is not."""
    asked, names = list(columns), list(known)
    for name in asked:
        if name not in names:
            raise InvalidInputError(f"The reference has no column '{name}'. Its columns: {', '.join(names)}.")
    return asked


def _sample(content: ColumnContent) -> ColumnSample:
    if content.n_rows == content.n_nulls:
        kind = SampleKind.nothing
    elif content.type.startswith(("timestamp", "date")):
        kind = SampleKind.times
    elif content.numbers is not None:
        kind = SampleKind.numbers
    elif content.values is not None:
        kind = SampleKind.categories
    else:
        kind = SampleKind.other
    counts: dict[str, int] | None = None
    if kind is SampleKind.categories and content.values is not None and content.counts is not None:
        counts = {}
        for value, count in zip(content.values, content.counts, strict=True):  # long values may be equal once cut
            counts[value] = counts.get(value, 0) + count
    numbers = None
    if kind is SampleKind.numbers and content.numbers is not None:
        import numpy as np

        numbers = np.sort(content.numbers)
    return ColumnSample(
        name=content.name,
        kind=kind,
        type=content.type,
        n_rows=content.n_rows,
        n_missing=content.n_nulls,
        n_infinite=content.n_infinite,
        numbers=numbers,
        counts=counts,
    )
