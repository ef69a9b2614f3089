"""Recording code as a cell, without a kernel: the same engine, `exec` in place of IPython."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from snapml_jupyter.capture.cell import CellOptions, CellRecording, CellReport
from snapml_jupyter.domain.run import RunSource
from snapml_jupyter.store.workspace import Workspace

Record = Callable[..., CellReport]


@pytest.fixture
def namespace() -> dict[str, Any]:
    """The notebook's variables."""
    return {"__name__": "__main__"}


@pytest.fixture
def record(workspace: Workspace, namespace: dict[str, Any]) -> Record:
    """`record(code, **options)` runs the code recorded and gives the report; the code's own error is not raised."""

    def run(code: str, **options: Any) -> CellReport:
        recording = CellRecording.begin(
            workspace, CellOptions(**options), RunSource(kind="cell", code=code), code, namespace
        )
        error: BaseException | None = None
        try:
            exec(compile(code, "<cell>", "exec"), namespace)
        except BaseException as raised:
            error = raised
        return recording.end(error)

    return run
