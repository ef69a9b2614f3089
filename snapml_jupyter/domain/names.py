"""Which names are allowed, and how references to versions are written.

`flights@v3`, `flights@latest`, `flights@2026-11-01`, `flights@approved` name a dataset version;
`churn:4`, `churn@champion`, `churn` name a model version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from .errors import InvalidInputError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}")
_VERSION = re.compile(r"v([1-9][0-9]{0,9})")
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_\-]{0,63}")
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")


def check_name(kind: str, name: object) -> str:
    """Return `name` when it can name a dataset, model, endpoint, run or experiment.

    Letters, digits, `_`, `-` and `.`, at most 128 of them, no `..`: safe in paths, URLs and references.
    Raises InvalidInputError otherwise.
    """
    article = "an" if kind[:1] in "aeio" else "a"
    if not isinstance(name, str):
        raise InvalidInputError(f"{article.title()} {kind} name is text, not {type(name).__name__}.")
    if not _NAME.fullmatch(name) or ".." in name:
        shown = name if len(name) <= 40 else name[:40] + "..."
        raise InvalidInputError(
            f"{shown!r} cannot name {article} {kind}: use 1 to 128 letters, digits, '_', '-' or '.', "
            "starting with a letter, digit or '_', without '..'."
        )
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRef:
    """`name@selector`; at most one of number, day and alias is set, none means the newest version."""

    name: str
    number: int | None = None
    day: date | None = None
    alias: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRef:
    """`name:number` or `name@alias`; neither means the champion, else the newest version."""

    name: str
    number: int | None = None
    alias: str | None = None


def parse_dataset_ref(ref: str) -> DatasetRef:
    """Read `flights`, `flights@latest`, `flights@v3`, `flights@2026-11-01` or `flights@approved` (an alias).

    >>> parse_dataset_ref("flights@v3").number
    3
    """
    name, _, selector = _text("dataset reference", ref).partition("@")
    check_name("dataset", name)
    if selector in ("", "latest"):
        return DatasetRef(name=name)
    if match := _VERSION.fullmatch(selector):
        return DatasetRef(name=name, number=int(match.group(1)))
    try:
        return DatasetRef(name=name, day=date.fromisoformat(selector))
    except ValueError:
        pass
    if not _ALIAS.fullmatch(selector):
        raise InvalidInputError(
            f"'{ref}' is not a dataset reference. Write flights@v3, flights@latest, flights@2026-11-01 or "
            "flights@ALIAS (an alias starts with a letter)."
        )
    return DatasetRef(name=name, alias=selector)


def is_dataset_version(ref: str) -> bool:
    """Whether a reference can only be one of a dataset version: `flights@v3`, `flights@latest`, `flights@2026-11-01`.

    >>> is_dataset_version("flights@v3"), is_dataset_version("churn:4"), is_dataset_version("churn@champion")
    (True, False, False)
    """
    name, _, selector = ref.partition("@")
    day = re.fullmatch(r"\d{4}-\d{2}-\d{2}", selector)
    return ":" not in name and bool(selector == "latest" or _VERSION.fullmatch(selector) or day)


def check_dataset_alias(alias: object) -> str:
    """Return `alias` when it can stand for a dataset version. Raises InvalidInputError."""
    if not isinstance(alias, str) or not _ALIAS.fullmatch(alias) or alias == "latest" or _VERSION.fullmatch(alias):
        raise InvalidInputError(
            f"{str(alias)[:40]!r} cannot be an alias of a dataset version: use a letter, then up to 63 letters, digits, "
            "'_' or '-'; 'latest' and v1, v2, ... are taken."
        )
    return alias


def parse_model_ref(ref: str) -> ModelRef:
    """Read `churn`, `churn:4` or `churn@champion`.

    >>> parse_model_ref("churn@champion").alias
    'champion'
    """
    text = _text("model reference", ref)
    if ":" in text:
        name, _, number = text.partition(":")
        check_name("model", name)
        if _NUMBER.fullmatch(number):
            return ModelRef(name=name, number=int(number))
    elif "@" in text:
        name, _, alias = text.partition("@")
        check_name("model", name)
        if alias:
            return ModelRef(name=name, alias=check_name("alias", alias))
    else:
        return ModelRef(name=check_name("model", text))
    raise InvalidInputError(f"'{ref}' is not a model reference. Write churn:4, churn@champion or churn.")


def _text(kind: str, ref: object) -> str:
    if not isinstance(ref, str):
        raise InvalidInputError(f"A {kind} is text, not {type(ref).__name__}.")
    return ref
