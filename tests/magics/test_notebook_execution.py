"""A notebook with recorded cells runs under nbconvert, and as the script nbconvert makes of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat

from snapml_jupyter.domain.run import RunStatus
from snapml_jupyter.magics.card import MIME_TYPE
from snapml_jupyter.runs.queries import get_run
from snapml_jupyter.store.workspace import Workspace

CELLS = [
    "%load_ext snapml_jupyter",
    "import pandas as pd\ntable = pd.DataFrame({'a': [1.0, 2.0, 3.0, 4.0], 'late': [0, 0, 1, 1]})",
    "%%snap_train late --seed 1 --register late\nfrom sklearn.tree import DecisionTreeClassifier\n"
    "model = DecisionTreeClassifier().fit(table[['a']], table['late'])\nmodel.score(table[['a']], table['late'])",
]


def test_a_notebook_runs_under_nbconvert_and_as_a_script(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbformat.write(notebook, tmp_path / "small.ipynb")
    environment = {
        **os.environ,
        "SNAPML_WORKSPACE": str(tmp_path / "workspace"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "SNAPML_ACTOR": "ada",
    }

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("nbconvert", "--to", "notebook", "--execute", "--output", "done.ipynb", "small.ipynb")
    executed = nbformat.read(tmp_path / "done.ipynb", as_version=4)
    outputs = executed.cells[2].outputs
    assert outputs[0].data["text/plain"] == "1.0"
    assert "late  ● finished" in outputs[1].data["text/plain"]
    # One display, whatever shows it: the lab extension's form, HTML and text. Nobody watched, so it was never changed.
    assert [output.output_type for output in outputs] == ["execute_result", "display_data"]
    assert outputs[1].data[MIME_TYPE]["model_ref"] == "late:1"
    run("nbconvert", "--to", "html", "--output", "page", "done.ipynb")
    page = (tmp_path / "page.html").read_text()
    assert re.search(r'<div style="[^"]*border-left:3px solid[^"]*"><div><span[^>]*>late</span>', page)
    assert "table@v1 (4 × 2)" in page
    assert "late:1 champion" in page
    assert "Error displaying widget" not in page
    assert "<button" not in page[page.index("border-left:3px solid") : page.index("late:1 champion")]
    run("nbconvert", "--to", "markdown", "--output", "page", "done.ipynb")
    assert "finished" in (tmp_path / "page.md").read_text()

    workspace = Workspace(tmp_path / "workspace", actor="ada")
    first = get_run(workspace, "late")
    assert first.status is RunStatus.finished
    assert first.model_refs == ["late:1"]

    run("nbconvert", "--to", "python", "--output", "small", "done.ipynb")
    assert "run_cell_magic" in (tmp_path / "small.py").read_text()
    run("IPython", "--colors=NoColor", "small.py")
    second = get_run(workspace, "late")
    assert second.run_id != first.run_id
    assert second.status is RunStatus.finished
    assert second.model_refs == ["late:2"]
    assert [i.dataset_ref for i in second.inputs] == ["table@v1"]
