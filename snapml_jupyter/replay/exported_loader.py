"""Values, files and conditions of a recorded cell, put back where the cell found them.

This module and the two beside it stand alone: they are the part of SnapML that an exported program takes with it.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

try:
    from .conditions import (  # type: ignore[import-not-found]  # beside this file once it is exported
        Entropy,
        restore_library_settings,
        restore_random_state,
    )
    from .state import load_state  # type: ignore[import-not-found]  # as above
except ImportError:  # inside SnapML, where the three lie in two packages
    from ..capture.conditions import Entropy, restore_library_settings, restore_random_state
    from ..capture.state import load_state

HERE = Path(__file__).resolve().parent
_CLASS_ATTRIBUTES = "__class_attributes__"


def early(namespace: dict[str, Any]) -> None:
    """Values that definitions read as they are executed."""
    namespace.update(_load("early.pkl", namespace))


def restore(namespace: dict[str, Any]) -> None:
    """Every value and table."""
    values = _load("state.pkl", namespace)
    for (name, attribute), value in values.pop(_CLASS_ATTRIBUTES, {}).items():
        setattr(namespace[name], attribute, value)
    namespace.update(values)
    for path in sorted((HERE / "tables").glob("*.pkl")) if (HERE / "tables").is_dir() else []:
        if path.stem.isidentifier():
            namespace.setdefault(path.stem, _table(path.stem))


def enter(folder: str = "") -> None:
    """Work in the folder with the files that the cell reads; library options and random generators as they were."""
    work = HERE / "work" / folder
    if work.is_dir():
        os.chdir(work)
        sys.path.insert(0, str(work))


def conditions() -> None:
    """Library options and the state of the random generators, the last thing before the cell."""
    said = json.loads((HERE / "conditions.json").read_text())
    restore_library_settings(said["settings"])
    if (HERE / "random.pkl").exists():
        restore_random_state(pickle.loads((HERE / "random.pkl").read_bytes()))
    if said["entropy"]:
        Entropy(said["entropy"]).start()


class Run:
    """Stands for the active run: what the cell logs is printed."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def say(*args: Any, **kwargs: Any) -> None:
            shown = [repr(a)[:200] for a in args] + [f"{k}={v!r}"[:200] for k, v in kwargs.items()]
            print(f"run.{name}({', '.join(shown)})")

        return say


def run_async(code: str, namespace: dict[str, Any]) -> None:
    """Run a cell that awaits at its top level."""
    import ast
    import asyncio
    import inspect

    compiled = compile(code, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    value = eval(compiled, namespace)
    if inspect.isawaitable(value):

        async def wait() -> None:
            await value

        asyncio.run(wait())


_tables: dict[str, Any] = {}


def _table(place: str) -> Any:
    if place not in _tables:
        _tables[place] = pickle.loads((HERE / "tables" / f"{place}.pkl").read_bytes())
    return _tables[place]


def _load(name: str, namespace: dict[str, Any]) -> dict[str, Any]:
    path = HERE / name
    return load_state(path.read_bytes(), namespace, _table) if path.exists() else {}
