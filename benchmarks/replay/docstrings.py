"""Cells out of the Examples of scikit-learn's docstrings: what stands before the first fit, and the rest as the recorded cell."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass

_FITS = re.compile(r"\.fit\w*\(|\bfit\w*\(|\.score\(|\.predict\w*\(|\.transform\(|_score\(|_loss\(|_error\(")


@dataclass(frozen=True)
class Case:
    """Cells to run first, and the one to record."""

    name: str
    before: list[str]
    cell: str


def docstring_cases() -> Iterator[Case]:
    """One case for every docstring of a public class, method or function of scikit-learn that has examples."""
    import sklearn

    seen: set[str] = set()
    names = ["sklearn"]
    for module in pkgutil.walk_packages(sklearn.__path__, "sklearn."):
        if not any(
            part.startswith("_") or part in ("tests", "externals", "conftest") for part in module.name.split(".")
        ):
            names.append(module.name)
    for name in names:
        try:
            module = importlib.import_module(name)
        except Exception as error:  # optional parts of scikit-learn
            print(f"# {name}: {error}")
            continue
        for public in getattr(module, "__all__", []):
            thing = getattr(module, public, None)
            for label, text in _docstrings(f"{name}.{public}", thing):
                if text in seen:
                    continue
                seen.add(text)
                case = _case(label, text)
                if case is not None:
                    yield case


def _docstrings(label: str, thing: object) -> Iterator[tuple[str, str]]:
    text = inspect.getdoc(thing) or ""
    if ">>>" in text:
        yield label, text
    if inspect.isclass(thing):
        for name, member in vars(thing).items():
            text = getattr(member, "__doc__", None) or ""
            if not name.startswith("_") and isinstance(text, str) and ">>>" in text:
                yield f"{label}.{name}", inspect.cleandoc(text)


def _case(label: str, text: str) -> Case | None:
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:
        return None
    if "clear_data_home" in text:
        return None  # it removes files of the user's
    sources = [example.source.rstrip("\n") for example in examples]
    if not sources:
        return None
    at = next(
        (i for i, source in enumerate(sources) if _FITS.search(source) and not source.startswith("from ")),
        len(sources) - 1,
    )
    before = sources[:at]
    # Imports and data as notebooks have them: a few cells, not one a line.
    middle = len(before) // 2
    cells = ["\n".join(part) for part in (before[:middle], before[middle:]) if part]
    return Case(label, cells, "\n".join(sources[at:]))
