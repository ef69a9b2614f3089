"""Suites and checks as the outside asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.dataset import DatasetVersion
from ..domain.errors import NotFoundError
from ..domain.names import check_name
from ..domain.validation import SuiteVersion, ValidationRecord
from ..operations import operation
from ..store import datasets as versions
from ..store import validation as kept
from ..store.workspace import Workspace

if TYPE_CHECKING:
    from ..store.remote import RemoteWorkspace

#: Row numbers of failing rows that a record holds.
MOST_ROWS = 10_000


@operation(permission="datasets:read")
def propose_suite(workspace: Workspace, ref: str) -> SuiteVersion:
    """A suite inferred from a version; it is not kept."""
    from ..datasets.dataset import open_dataset
    from .proposing import propose

    dataset = open_dataset(workspace, ref)
    suite = propose(dataset.to_pandas())
    return SuiteVersion(
        dataset=dataset.version.name, number=0, content=suite.to_yaml(), proposed_from=dataset.version.ref
    )


@operation(permission="datasets:write", audited=True)
def save_suite(workspace: Workspace, name: str, content: str, proposed_from: str | None = None) -> SuiteVersion:
    """Keep a suite (YAML) for the dataset `name`; every new version is checked by it from now on.

    Raises InvalidInputError for a suite that cannot be read, NotFoundError for a dataset that is not there.
    """
    from .suite import Suite

    Suite.from_yaml(content)
    with workspace.transaction() as tx:
        return kept.add_suite(tx, check_name("dataset", name), content, proposed_from)


@operation(permission="datasets:read")
def get_suite(workspace: Workspace, name: str, number: int | None = None) -> SuiteVersion | None:
    """A suite of a dataset, the newest without a number; None when it has none."""
    return kept.get_suite(workspace.database, check_name("dataset", name), number)


@operation(permission="datasets:read")
def list_suites(workspace: Workspace, name: str) -> list[SuiteVersion]:
    """All suites of a dataset, newest first."""
    return kept.list_suites(workspace.database, check_name("dataset", name))


@operation(permission="datasets:write", audited=True)
def validate_version(workspace: Workspace, ref: str, suite_number: int | None = None) -> ValidationRecord:
    """Check a version by a suite of its dataset, the newest without a number, and keep what was found.

    Raises NotFoundError when there is no such suite.
    """
    from ..datasets.dataset import open_dataset
    from .judging import judge
    from .suite import Suite

    dataset = open_dataset(workspace, ref)
    version = dataset.version
    suite = kept.get_suite(workspace.database, version.name, suite_number)
    if suite is None:
        which = f" number {suite_number}" if suite_number is not None else ""
        raise NotFoundError(
            f"Dataset '{version.name}' has no suite{which}. Propose one: %snap_validate {version.ref} --propose."
        )
    found = judge(dataset.to_pandas(), Suite.from_yaml(suite.content))
    rows = found.failing.nonzero()[0]
    record = ValidationRecord(
        dataset_ref=version.ref,
        suite_number=suite.number,
        passed=all(result.passed for result in found.results),
        n_rows=version.n_rows,
        n_failing_rows=len(rows),
        failing_rows=rows[:MOST_ROWS].tolist(),
        results=found.results,
        checked_at=workspace.now(),
    )
    with workspace.transaction() as tx:
        kept.add_validation(tx, version.name, version.number, record)
    return record


@operation(permission="datasets:read")
def get_validation(workspace: Workspace, ref: str) -> ValidationRecord | None:
    """What the last check of a version found; None when it was never checked."""
    version = versions.get_version(workspace.database, ref)
    return kept.get_validation(workspace.database, version.name, version.number)


def check_new_version(workspace: Workspace | RemoteWorkspace, version: DatasetVersion) -> ValidationRecord | None:
    """Check a version that was just taken, when its dataset has a suite by which it was not checked yet."""
    suite = get_suite(workspace, version.name)
    if suite is None:
        return None
    known = get_validation(workspace, version.ref)
    if known is not None and known.suite_number == suite.number:
        return known
    return validate_version(workspace, version.ref)
