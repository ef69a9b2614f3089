"""`%snap_data`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..domain.dataset import DatasetSource, SourceKind
from ..domain.errors import InvalidInputError
from .registration import Call, argument, line_magic


@line_magic(
    "snap_data",
    argument("name", nargs="?", metavar="NAME", help="a dataset: its versions; or diff, profile, alias, export"),
    argument("df", nargs="?", metavar="DF", help="variable to keep as the next version of NAME; or a reference"),
    argument("other", nargs="?", metavar="OTHER", help="the later version, the alias, or the file to write"),
    argument("-m", "--message", metavar="TEXT", help="a sentence to keep with the new version"),
    argument(
        "--on", metavar="COLUMNS", help="diff: columns that say which rows are the same, with commas between them"
    ),
    argument("--overwrite", action="store_true", help="export: replace the file"),
    examples=(
        "%snap_data",
        "%snap_data flights",
        '%snap_data flights df -m "May added"',
        "%snap_data diff flights@v1 flights@v2 --on flight,day",
        "%snap_data profile flights@v2",
        "%snap_data alias flights@v2 approved",
        "%snap_data export flights@v2 flights.parquet",
    ),
    completes={"name": "dataset name", "df": "variable or dataset", "other": "dataset", "--on": "nothing"},
)
def snap_data(
    call: Call,
    name: str | None,
    df: str | None,
    other: str | None,
    message: str | None,
    on: str | None,
    overwrite: bool,
) -> Any:
    """Datasets, the versions of one, a new version from a variable; what differs between two, profile, alias, export."""
    from ..datasets.snapshot import snapshot
    from ..datasets.versions import list_datasets, list_versions
    from ..public.current import workspace
    from .tables import Records, dataset_versions, datasets

    if name is None:
        return Records(list_datasets(workspace()), datasets)
    verb = _VERBS.get(name)
    if verb is not None and (df is not None or other is not None):
        return verb(df, other, on, overwrite)
    if other is not None:
        raise InvalidInputError(f"%snap_data {name}: '{other}' is one word too many. Verbs: {', '.join(_VERBS)}.")
    if df is not None:
        source = DatasetSource(kind=SourceKind.FRAME, name=df)
        version = snapshot(workspace(), name, call.variable(df), message=message, source=source)
        return _checked(version)
    if message is not None:
        raise InvalidInputError(f"%snap_data {name} -m: say which variable to keep: %snap_data {name} df -m TEXT.")
    return Records(list_versions(workspace(), name), dataset_versions)


def _checked(version: Any) -> Any:
    """The version, checked by the suite of its dataset when there is one."""
    from dataclasses import replace

    from ..public.current import workspace
    from ..validation.checking import check_new_version

    found = check_new_version(workspace(), version)
    return version if found is None else replace(version, validity="passed" if found.passed else "failed")


def _diff(before: str | None, after: str | None, on: str | None, overwrite: bool) -> Any:
    from ..datasets.diff import diff_versions
    from ..public.current import workspace

    if before is None or after is None:
        raise InvalidInputError("%snap_data diff: name two versions: %snap_data diff flights@v1 flights@v2.")
    keys = [key.strip() for key in on.split(",") if key.strip()] if on else None
    return diff_versions(workspace(), before, after, keys)


def _profile(ref: str | None, other: str | None, on: str | None, overwrite: bool) -> Any:
    from ..datasets.versions import get_profile
    from ..public.current import workspace

    if ref is None or other is not None:
        raise InvalidInputError("%snap_data profile: name one version: %snap_data profile flights@v2.")
    return get_profile(workspace(), ref)


def _alias(ref: str | None, alias: str | None, on: str | None, overwrite: bool) -> Any:
    from ..datasets.aliases import set_alias
    from ..public.current import workspace

    if ref is None or alias is None:
        raise InvalidInputError("%snap_data alias: name a version and an alias: %snap_data alias flights@v2 approved.")
    return set_alias(workspace(), ref, alias)


def _export(ref: str | None, path: str | None, on: str | None, overwrite: bool) -> Any:
    from ..public.datasets import dataset

    if ref is None or path is None:
        raise InvalidInputError("%snap_data export: name a version and a file: %snap_data export flights@v2 f.parquet.")
    return dataset(ref).export(path, overwrite=overwrite)


#: First words that are not the name of a dataset.
_VERBS: dict[str, Callable[[str | None, str | None, str | None, bool], Any]] = {
    "diff": _diff,
    "profile": _profile,
    "alias": _alias,
    "export": _export,
}
