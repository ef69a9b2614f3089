"""Has a column moved? Pure functions of two samples; which measure decides is the table in `choose_measure`.

The choice is Evidently's, so that scores agree with it (wasserstein or jensenshannon above 1000 reference rows, tests
below). The verdict differs where Evidently's misleads: a distance must also exceed what chance does to samples of this
size, a test compares two samples rather than a sample with a truth, and a growing share of missing values is drift.
`preset="evidently"` gives its verdicts instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from ..domain.errors import InvalidInputError
from ..domain.monitoring import ColumnDrift, DriftReport, DriftStatus
from ..store.workspace import utc_now
from .samples import ColumnSample, SampleKind, check_columns, frame_rows, sample_frame

PRESETS = ("default", "evidently")

#: Up to here a test speaks, above it a distance: with many rows every difference is significant.
SMALL_REFERENCE_ROWS = 1000
#: Numbers with at most this many distinct values on both sides together are categories.
MAX_DISCRETE = 5
#: Fewer values on a side are not judged.
MIN_VALUES = 20
#: Text whose values hardly ever repeat is an identifier; it differs in every sample.
IDENTIFIER_FRACTION = 0.5
#: A share of missing values moved when it differs by this much, and by more than chance (z above 2.58, p below 1 %).
MISSING_THRESHOLD = 0.05
MISSING_Z = 2.58


def compare_frames(
    reference: Any,
    current: Any,
    *,
    columns: Iterable[str] | None = None,
    preset: str | None = None,
    reference_name: str = "reference",
    current_name: str = "current",
    at: datetime | None = None,
) -> DriftReport:
    """Compare two pandas DataFrames or pyarrow Tables column by column.

    `columns` limits what is judged. Columns of the current side that the reference lacks are listed as not comparable.
    Raises InvalidInputError for an unknown column or preset, and for what is no table.
    """
    check_preset(preset)
    wanted = list(columns) if columns is not None else None
    first = sample_frame(reference, wanted)
    if wanted is not None:
        check_columns(wanted, first if set(wanted) <= set(first) else sample_frame(reference))
    return compare_samples(
        first,
        sample_frame(current, wanted),
        n_reference_rows=frame_rows(reference),
        n_current_rows=frame_rows(current),
        preset=preset,
        reference_name=reference_name,
        current_name=current_name,
        at=at,
    )


def compare_samples(
    reference: Mapping[str, ColumnSample],
    current: Mapping[str, ColumnSample],
    *,
    n_reference_rows: int,
    n_current_rows: int,
    preset: str | None = None,
    reference_name: str = "reference",
    current_name: str = "current",
    at: datetime | None = None,
) -> DriftReport:
    """Compare columns that were read before, in the reference's order."""
    judged = [
        compare_column(sample, current[name], preset) if name in current else _absent(name, "the current rows")
        for name, sample in reference.items()
    ]
    judged += [_absent(name, "the reference") for name in current if name not in reference]
    return DriftReport(
        reference=reference_name,
        current=current_name,
        n_reference_rows=n_reference_rows,
        n_current_rows=n_current_rows,
        columns=judged,
        created_at=at or utc_now(),
    )


def compare_column(reference: ColumnSample, current: ColumnSample, preset: str | None = None) -> ColumnDrift:
    """Judge one column. Never raises: what cannot be judged has a status and a reason."""
    found = _compare_values(reference, current, preset)
    found = replace(
        found,
        reference_mean=reference.mean,
        current_mean=current.mean,
        reference_null_fraction=reference.missing_fraction,
        current_null_fraction=current.missing_fraction,
    )
    if preset != "evidently" and not found.drifted:
        found = _judge_missing(found, reference, current)
    if (reference.n_infinite or current.n_infinite) and found.reason is None:
        return replace(
            found, reason=f"infinities left out: {reference.n_infinite} in the reference, {current.n_infinite} now"
        )
    return found


def choose_measure(n_reference_values: int, n_distinct: int, kind: SampleKind, preset: str | None = None) -> str:
    """Name of the measure for a column of so many reference values and distinct values on both sides together.

    | reference values | numbers, more than 5 distinct | 3 to 5, or categories | at most 2 |
    |---|---|---|---|
    | up to 1000 | ks | chisquare | z |
    | above | wasserstein | jensenshannon | jensenshannon |
    """
    small = n_reference_values <= SMALL_REFERENCE_ROWS
    if kind is SampleKind.numbers and n_distinct > MAX_DISCRETE:
        return "ks" if small else "wasserstein"
    if not small:
        return "jensenshannon"
    if n_distinct <= 2:
        return "z"
    return "chisquare_of_fit" if preset == "evidently" else "chisquare"


def check_preset(preset: str | None) -> None:
    """Raise InvalidInputError for an unknown preset."""
    if preset is not None and preset not in PRESETS:
        raise InvalidInputError(f"There is no preset '{preset}'. Presets: {', '.join(PRESETS)}.")


def _compare_values(reference: ColumnSample, current: ColumnSample, preset: str | None) -> ColumnDrift:
    from .measures import MEASURES, Takes

    name = reference.name
    fewest = 1 if preset == "evidently" else MIN_VALUES
    if reference.kind is SampleKind.nothing or current.kind is SampleKind.nothing:
        return _unjudged(name, DriftStatus.not_enough_data, _emptiness(reference, current))
    if reference.kind is SampleKind.times:
        return _unjudged(
            name, DriftStatus.not_comparable, "datetimes always move on; compare what is derived from them"
        )
    if reference.kind is not current.kind:
        return _unjudged(
            name, DriftStatus.not_comparable, f"{reference.type} in the reference, {current.type} in the current rows"
        )
    if reference.kind is SampleKind.other:
        return _unjudged(name, DriftStatus.not_comparable, f"columns of type {reference.type} are not compared")
    if min(reference.n_values, current.n_values) < fewest:
        return _unjudged(name, DriftStatus.not_enough_data, _emptiness(reference, current))

    n_distinct = _count_distinct(reference, current)
    if reference.kind is SampleKind.categories and n_distinct > 100 and preset != "evidently":
        n_values = reference.n_values + current.n_values
        if n_distinct > IDENTIFIER_FRACTION * n_values:
            why = f"{n_distinct} distinct values in {n_values} rows: an identifier or free text"
            return _unjudged(name, DriftStatus.not_comparable, why)
    measure = MEASURES[choose_measure(reference.n_values, n_distinct, reference.kind, preset)]
    if measure.takes is Takes.counts:
        measured = measure(*_aligned_counts(reference, current))
    else:
        assert reference.numbers is not None
        assert current.numbers is not None
        measured = measure(reference.numbers, current.numbers)
    if preset == "evidently" and not measure.is_test:
        measured = replace(measured, threshold=measure.base)
    reason: str | None = None
    if not measured.exceeds and not measure.is_test and measured.score >= measure.base:
        reason = f"no more than chance does to {min(reference.n_values, current.n_values)} values"
    return ColumnDrift(
        name=name,
        measure=measure.name,
        score=measured.score,
        threshold=measured.threshold,
        drifted=measured.exceeds,
        status=DriftStatus.drifted if measured.exceeds else DriftStatus.stable,
        p_value=measured.p_value,
        reason=reason,
    )


def _judge_missing(found: ColumnDrift, reference: ColumnSample, current: ColumnSample) -> ColumnDrift:
    """The column as drifted when its share of missing values moved; unchanged otherwise."""
    from .measures.proportions import z_of_shares

    before, now = reference.missing_fraction, current.missing_fraction
    if before is None or now is None or abs(now - before) <= MISSING_THRESHOLD:
        return found
    z = z_of_shares(reference.n_missing, reference.n_rows, current.n_missing, current.n_rows)
    if abs(z) < MISSING_Z:
        return found
    return replace(
        found,
        measure="missing_fraction",
        score=abs(now - before),
        threshold=MISSING_THRESHOLD,
        drifted=True,
        status=DriftStatus.drifted,
        p_value=None,
        reason=f"missing values went from {before:.1%} to {now:.1%}",
    )


def _count_distinct(reference: ColumnSample, current: ColumnSample) -> int:
    """Distinct values on both sides together; for numbers counted exactly only up to MAX_DISCRETE."""
    import numpy as np

    if reference.counts is not None and current.counts is not None:
        return len(reference.counts.keys() | current.counts.keys())
    assert reference.numbers is not None
    assert current.numbers is not None
    most = 0
    for numbers in (reference.numbers, current.numbers):
        most = max(most, 1 + int(np.count_nonzero(numbers[1:] != numbers[:-1])))
        if most > MAX_DISCRETE:
            return most
    return len(np.union1d(reference.numbers, current.numbers))


def _aligned_counts(reference: ColumnSample, current: ColumnSample) -> tuple[Any, Any]:
    """Counts of both sides over the same categories, in order of the categories."""
    import numpy as np

    first, second = _counts(reference), _counts(current)
    categories = sorted(first.keys() | second.keys())
    before = np.array([first.get(category, 0) for category in categories], dtype=np.float64)
    return before, np.array([second.get(category, 0) for category in categories], dtype=np.float64)


def _counts(sample: ColumnSample) -> Mapping[Any, int]:
    import numpy as np

    if sample.counts is not None:
        return sample.counts
    values, counts = np.unique(sample.numbers if sample.numbers is not None else [], return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def _emptiness(reference: ColumnSample, current: ColumnSample) -> str:
    return f"{reference.n_values} values in the reference, {current.n_values} now; {MIN_VALUES} are needed"


def _unjudged(name: str, status: DriftStatus, reason: str) -> ColumnDrift:
    return ColumnDrift(
        name=name, measure="none", score=None, threshold=0.0, drifted=False, status=status, reason=reason
    )


def _absent(name: str, where: str) -> ColumnDrift:
    return _unjudged(name, DriftStatus.not_comparable, f"not in {where}")
