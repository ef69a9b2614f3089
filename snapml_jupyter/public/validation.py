"""`snap.validate`, `snap.propose_suite`, `snap.save_suite`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .current import workspace

if TYPE_CHECKING:
    from ..domain.validation import SuiteVersion
    from ..validation.report import ValidationReport
    from ..validation.suite import Suite


def propose_suite(ref: str) -> Suite:
    """A suite inferred from a version: `.to_yaml()` to edit, `.to_python()` as a pandera schema, `snap.save_suite` keeps it."""
    from ..validation import checking
    from ..validation.suite import Suite

    return Suite.from_yaml(checking.propose_suite(workspace(), ref).content)


def save_suite(name: str, suite: Any) -> SuiteVersion:
    """Keep a suite for the dataset `name`: a `Suite`, YAML text, or a pandera schema. New versions are checked by it."""
    from ..validation import checking

    return checking.save_suite(workspace(), name, _suite(suite).to_yaml() if not isinstance(suite, str) else suite)


def validate(data: Any, suite: Any = None) -> ValidationReport:
    """Check a version by the newest suite of its dataset and keep the outcome; or a version or frame by a given `suite`.

    `suite`: a `Suite`, YAML text, or a pandera schema. Raises NotFoundError when a version's dataset has no suite,
    InvalidInputError for a frame without a suite.
    """
    from ..datasets.dataset import open_dataset
    from ..domain.errors import InvalidInputError
    from ..validation.checking import validate_version
    from ..validation.report import report_of, report_of_frame

    if isinstance(data, str):
        if suite is None:
            return report_of(workspace(), validate_version(workspace(), data))
        return report_of_frame(open_dataset(workspace(), data).to_pandas(), _suite(suite))
    if suite is None:
        raise InvalidInputError(
            "A frame is checked by a suite: snap.validate(df, suite=snap.propose_suite('flights'))."
        )
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        raise InvalidInputError(f"snap.validate takes a dataset reference or a DataFrame, not {type(data).__name__}.")
    return report_of_frame(data, _suite(suite))


def _suite(suite: Any) -> Suite:
    from ..domain.errors import InvalidInputError
    from ..validation.schemas import is_schema, suite_of_schema
    from ..validation.suite import Suite

    if isinstance(suite, Suite):
        return suite
    if isinstance(suite, str):
        return Suite.from_yaml(suite)
    if is_schema(suite):
        return suite_of_schema(suite)
    raise InvalidInputError(f"A suite is YAML text, a Suite or a pandera schema, not {type(suite).__name__}.")
