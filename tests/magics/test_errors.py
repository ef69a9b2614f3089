"""An error of SnapML in a cell is the user's own line and the sentence, however deep it was raised."""

from __future__ import annotations

import re
from typing import Any

import pytest

CELLS = {
    'import snapml_jupyter as snap\nsnap.dataset("nope")': "NotFoundError: There is no dataset 'nope'",
    'import snapml_jupyter as snap\nsnap.model("nope")': "NotFoundError: There is no model 'nope'",
    'import snapml_jupyter as snap\nsnap.run("nope")': "NotFoundError: There is no run 'nope'",
    'import snapml_jupyter as snap\nsnap.deploy("nope")': "NotFoundError: There is no model 'nope'",
    'import snapml_jupyter as snap\nsnap.snapshot("../x", {"a": [1]})': "InvalidInputError: '../x' cannot name a dataset",
}


@pytest.mark.parametrize("cell", CELLS)
def test_only_the_users_line_and_the_sentence_are_shown(kernel: Any, cell: str) -> None:
    kernel.run("%load_ext snapml_jupyter")
    outcome = kernel.run(cell)
    assert outcome.status == "error"
    shown = re.sub(r"\x1b\[[0-9;]*m", "", outcome.traceback)
    assert CELLS[cell] in shown
    assert "line 2" in shown
    assert not re.search(r"File .*\.py", shown), shown


def test_full_tracebacks_are_back_without_the_extension(kernel: Any) -> None:
    kernel.run("%load_ext snapml_jupyter")
    kernel.run("%unload_ext snapml_jupyter")
    outcome = kernel.run('import snapml_jupyter as snap\nsnap.dataset("nope")')
    kernel.run("%load_ext snapml_jupyter")
    assert "get_version" in outcome.traceback
