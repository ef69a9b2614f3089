"""Checking a frame by a suite: pandera's checks, one column at a time, with the rows that fail."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..datasets.display import json_value
from ..domain.validation import ExpectationResult
from .frames import plain_frame
from .suite import ColumnExpectations, Suite

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]

#: Failing values that are shown of an expectation.
_EXAMPLES = 5


@dataclass
class Judgement:
    """What was checked, and which rows fail in any way."""

    results: list[ExpectationResult]
    failing: Flags
    plain: pd.DataFrame = field(repr=False)

    def add(self, expectation: str, column: str | None, message: str, failing: Flags | None = None) -> None:
        """Note a failed expectation and its rows."""
        if failing is None:
            self.results.append(
                ExpectationResult(expectation=expectation, column=column, passed=False, message=message)
            )
            return
        self.failing |= failing
        rows = failing.nonzero()[0][:_EXAMPLES].tolist()
        examples = [(row, _shown(self.plain[column].iloc[row])) for row in rows] if column is not None else None
        self.results.append(
            ExpectationResult(
                expectation=expectation,
                column=column,
                passed=False,
                message=message,
                n_failing=int(failing.sum()),
                examples=examples,
            )
        )

    def passed(self, expectation: str, column: str | None, message: str) -> None:
        """Note an expectation that holds."""
        self.results.append(ExpectationResult(expectation=expectation, column=column, passed=True, message=message))


def judge(frame: pd.DataFrame, suite: Suite) -> Judgement:
    """Check every expectation of the suite; none stops the others."""
    import numpy as np

    plain = plain_frame(frame)
    found = Judgement([], np.zeros(len(plain), dtype=np.bool_), plain)
    _judge_table(found, suite)
    for name, column in suite.columns.items():
        if name in plain.columns:
            _judge_column(found, name, column)
        elif column.required:
            found.add("required", name, f"There is no column '{name}'.")
    return found


def _judge_table(found: Judgement, suite: Suite) -> None:
    plain = found.plain
    if suite.rows_at_least is not None or suite.rows_at_most is not None:
        low, high = suite.rows_at_least or 0, suite.rows_at_most
        said = f"{len(plain):,} rows; expected {low:,} or more" + (f", {high:,} at most" if high is not None else "")
        fits = low <= len(plain) and (high is None or len(plain) <= high)
        found.passed("rows", None, said) if fits else found.add("rows", None, said)
    if not suite.extra_columns:
        extra = [str(name) for name in plain.columns if name not in suite.columns]
        if extra:
            found.add("extra_columns", None, f"Columns that are not expected: {', '.join(extra)}.")
        else:
            found.passed("extra_columns", None, "No other columns.")
    for group in suite.unique:
        said = ", ".join(group)
        missing = [name for name in group if name not in plain.columns]
        if missing:
            found.add("unique", None, f"There is no column '{missing[0]}' to be unique with {said}.")
            continue
        twice = plain.duplicated(subset=group, keep=False).to_numpy()
        if twice.any():
            found.add("unique", None, f"{int(twice.sum()):,} rows have the same {said} as another.", twice)
        else:
            found.passed("unique", None, f"{said} are unique together.")


def _judge_column(found: Judgement, name: str, column: ColumnExpectations) -> None:
    values = found.plain[name]
    if column.type is not None:
        held = str(values.dtype)
        if _same_type(held, column.type):
            found.passed("type", name, held)
        else:
            found.add("type", name, f"Column '{name}' has the type {held}; expected {column.type}.")
    if column.nulls is not None:
        missing = values.isna().to_numpy()
        share = float(missing.mean()) if len(missing) else 0.0
        said = f"{share:.2%} of '{name}' are missing; expected {column.nulls * 100:.6g}% at most"
        found.add("nulls", name, said, missing) if share > column.nulls else found.passed("nulls", name, said)
    if column.unique:
        twice = (values.duplicated(keep=False) & values.notna()).to_numpy()
        if twice.any():
            found.add("unique", name, f"{int(twice.sum()):,} values of '{name}' are there more than once.", twice)
        else:
            found.passed("unique", name, f"'{name}' is unique.")
    for expectation, check, said in _checks(column, values):
        _judge_values(found, name, expectation, check, said)


def _judge_values(found: Judgement, name: str, expectation: str, check: Any, said: str) -> None:
    values = found.plain[name].dropna()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pandera tells of pandas' plans
            outcome = check(values)
        fits = outcome.check_output
    except (TypeError, ValueError, AttributeError) as error:
        found.add(expectation, name, f"'{name}' cannot be compared ({said}): {error}")
        return
    if not hasattr(fits, "index"):
        found.add(expectation, name, f"'{name}' cannot be compared ({said}).") if not fits else found.passed(
            expectation, name, said
        )
        return
    wrong = values.index[~fits.to_numpy(dtype=bool, na_value=True)] if len(values) else values.index
    if not len(wrong):
        found.passed(expectation, name, said)
        return
    failing = found.failing.copy()
    failing[:] = False
    failing[wrong.to_numpy()] = True
    count = f"1 value of '{name}' is" if len(wrong) == 1 else f"{len(wrong):,} values of '{name}' are"
    found.add(expectation, name, f"{count} not {said}.", failing)


def _checks(column: ColumnExpectations, values: Any) -> list[tuple[str, Any, str]]:
    if not any(
        (column.at_least is not None, column.at_most is not None, column.values is not None, column.matches)
    ) and (column.longest is None and column.shortest is None):
        return []
    import pandera.pandas as pa

    checks: list[tuple[str, Any, str]] = []
    if column.at_least is not None:
        checks.append(("at_least", pa.Check.ge(_bound(column.at_least, values)), f"at least {column.at_least}"))
    if column.at_most is not None:
        checks.append(("at_most", pa.Check.le(_bound(column.at_most, values)), f"at most {column.at_most}"))
    if column.values is not None:
        shown = ", ".join(map(str, column.values[:8])) + (", ..." if len(column.values) > 8 else "")
        checks.append(("values", pa.Check.isin([_bound(value, values) for value in column.values]), f"one of {shown}"))
    if column.longest is not None or column.shortest is not None:
        said = (
            f"{column.shortest or 0} to {column.longest if column.longest is not None else 'any number of'} characters"
        )
        checks.append(("length", pa.Check.str_length(column.shortest or 0, column.longest), said))
    if column.matches is not None:
        checks.append(("matches", pa.Check.str_matches(column.matches), f"like {column.matches}"))
    return checks


def _bound(value: Any, values: Any) -> Any:
    """A time as the column has it: with its zone."""
    import pandas as pd

    if not pd.api.types.is_datetime64_any_dtype(values.dtype):
        return value
    moment = pd.Timestamp(value)
    zone = getattr(values.dtype, "tz", None)
    if zone is None:
        return moment.tz_localize(None) if moment.tzinfo else moment
    return moment.tz_convert(zone) if moment.tzinfo else moment.tz_localize(zone)


def _same_type(held: str, expected: str) -> bool:
    # What pandas calls text differs between its versions: str, string, string[pyarrow], object.
    return held == expected or all(name.startswith("str") or name == "object" for name in (held, expected))


def _shown(value: Any) -> Any:
    return json_value(value.item() if hasattr(value, "item") and not hasattr(value, "isoformat") else value)
