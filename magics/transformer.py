"""Making `%%snap_train` on the first line begin a recording and leave every other line to IPython as it stands.

So the cell is ordinary code: line numbers, top-level `await`, interrupts, nested magics and the last expression's value
are IPython's own, and a cell with a syntax error begins no run.
"""

from __future__ import annotations

import re
from typing import Any

_CELL_MAGIC = re.compile(r"%%(\w+)(?:[ \t]([^\n]*))?\n?")
_FIRST_LINE = re.compile(r"%%snap_train(?![\w?])(.*)", re.S)


def transform(lines: list[str]) -> list[str]:
    """IPython's input transformer: the magic's line becomes one call, on the same line."""
    match = _FIRST_LINE.fullmatch(lines[0].rstrip("\n")) if lines else None
    if match is None or match.group(1).strip().endswith("?"):
        return lines
    begun = f"get_ipython().run_line_magic('snap_train', {match.group(1).strip()!r})\n"
    below = next((number for number, line in enumerate(lines) if number and line.strip()), None)
    magic = _CELL_MAGIC.fullmatch(lines[below]) if below is not None else None
    if below is None or magic is None:
        return [begun, *lines[1:]]
    # `%%time` below %%snap_train is no longer the first line, where IPython looks for it.
    name, line, body = magic.group(1), (magic.group(2) or "").strip(), "".join(lines[below + 1 :])
    return [begun, *lines[1:below], f"get_ipython().run_cell_magic({name!r}, {line!r}, {body!r})\n"]


def body_of(raw_cell: str) -> str | None:
    """The cell below its `%%snap_train` line, with blank lines in its place so that line numbers hold; else None.

    The magic may stand below `%%time` or another cell magic that runs its body as a cell. Blank lines above the first
    magic do not count, as they do not in IPython's tracebacks.
    """
    lines = raw_cell.lstrip().splitlines(keepends=True)
    for number, line in enumerate(lines):
        if _FIRST_LINE.match(line):
            return "\n" * (number + 1) + "".join(lines[number + 1 :])
        if line.strip() and not line.startswith("%%"):
            return None
    return None


def python_of(shell: Any, body: str) -> str:
    """A cell's body as Python, line for line: IPython drops the blank lines that stand for the magic's own line."""
    lines = body.splitlines(keepends=True)
    n_blank = next((number for number, line in enumerate(lines) if line.strip()), 0)
    python: str = shell.transform_cell(body)
    return "\n" * n_blank + python
