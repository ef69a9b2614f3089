"""What is different in every process though nothing is: addresses, and names that libraries make up."""

from __future__ import annotations

import re
import tempfile

_ADDRESS = re.compile(r"0x[0-9A-Fa-f]{5,}")
#: What optuna calls a study that was given no name.
_STUDY = re.compile(r"\bno-name-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
#: As `tempfile` names files and folders.
_TEMPORARY = re.compile(rf"(?<={re.escape(tempfile.gettempdir())}/)tmp[a-z0-9_]{{8}}(?![a-z0-9_])")


def without_chance(text: str) -> str:
    """The text with those left out.

    >>> without_chance("<Net at 0x7f00aa11bb22>")
    '<Net at 0x>'
    """
    text = _ADDRESS.sub("0x", text)
    return _TEMPORARY.sub("tmp", _STUDY.sub("no-name", text)) if "no-name-" in text or "tmp" in text else text
