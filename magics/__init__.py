"""The IPython face: `%load_ext snapml_jupyter` registers the magics; nothing heavy is loaded before one is used."""

from __future__ import annotations

from typing import Any

_KEY = "snapml_jupyter"
_loaded: dict[int, Any] = {}


def load_ipython_extension(shell: Any) -> None:
    """Register magics, the `%%snap_train` transformer, completion and the display of records. Twice is once."""
    if id(shell) in _loaded:
        return
    from .extension import Extension

    extension = Extension(shell)
    extension.load()
    _loaded[id(shell)] = extension


def unload_ipython_extension(shell: Any) -> None:
    """Take everything out again."""
    extension = _loaded.pop(id(shell), None)
    if extension is not None:
        extension.unload()


def magic_names() -> list[str]:
    """Every magic as it is written: `%%snap_train`, `%snap_runs`."""
    from .registration import all_magics

    return [magic.written for magic in all_magics()]
