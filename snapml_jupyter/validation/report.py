"""A check in hand: what failed, and the failing rows as a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..domain.validation import ExpectationResult, ValidationRecord

if TYPE_CHECKING:
    import pandas as pd

    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace


class ValidationReport:
    """What `snap.validate` gives. `failing_rows` are read when they are asked for, at most 10,000 of them."""

    def __init__(self, record: ValidationRecord, rows: Callable[[list[int]], pd.DataFrame]) -> None:
        self.record = record
        self._rows = rows

    @property
    def passed(self) -> bool:
        """Whether every expectation holds."""
        return self.record.passed

    @property
    def failures(self) -> list[ExpectationResult]:
        """The expectations that do not hold."""
        return [result for result in self.record.results if not result.passed]

    @property
    def failing_rows(self) -> pd.DataFrame:
        """The rows that fail in any way, as they are in the data: dtypes, index and all."""
        return self._rows(self.record.failing_rows)

    def __repr__(self) -> str:
        word = "passed" if self.passed else f"failed {len(self.failures)} of {len(self.record.results)} expectations"
        return f"ValidationReport({self.record.dataset_ref!r}, {word})"


def report_of(workspace: Workspace | RemoteWorkspace, record: ValidationRecord) -> ValidationReport:
    """The report of a version that was checked."""

    def rows(numbers: list[int]) -> pd.DataFrame:
        from ..datasets.dataset import open_dataset

        frame = open_dataset(workspace, record.dataset_ref).to_pandas()
        chosen: pd.DataFrame = frame.iloc[numbers]
        return chosen

    return ValidationReport(record, rows)


def report_of_frame(frame: pd.DataFrame, suite: Any) -> ValidationReport:
    """Check a frame that is no version; nothing is kept."""
    from datetime import datetime, timezone

    from .checking import MOST_ROWS
    from .judging import judge

    found = judge(frame, suite)
    rows = found.failing.nonzero()[0]
    record = ValidationRecord(
        dataset_ref="",
        suite_number=0,
        passed=all(result.passed for result in found.results),
        n_rows=len(frame),
        n_failing_rows=len(rows),
        failing_rows=rows[:MOST_ROWS].tolist(),
        results=found.results,
        checked_at=datetime.now(timezone.utc),
    )
    return ValidationReport(record, lambda numbers: frame.iloc[numbers])
