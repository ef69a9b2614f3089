"""Matplotlib figures that a recorded cell shows, in a real kernel, are kept with its run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat

from snapml_jupyter.runs.queries import get_run
from snapml_jupyter.store.workspace import Workspace

CELLS = [
    "%load_ext snapml_jupyter",
    """%%snap_train drawn
import matplotlib.pyplot as plt
from IPython.display import display
plt.plot([1, 2, 3])
plt.show()
shown, axes = plt.subplots()
axes.bar(["a", "b"], [1, 2])
display(shown)
plt.close(shown)
saved, axes = plt.subplots()
axes.plot([3, 2, 1])
saved.savefig("saved.png")
plt.close(saved)
plt.scatter([1, 2], [2, 1])""",
    "plt.plot([5, 6])",
]


def test_figures_are_kept_as_they_are_shown(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbformat.write(notebook, tmp_path / "drawn.ipynb")
    environment = {
        **os.environ,
        "SNAPML_WORKSPACE": str(tmp_path / "workspace"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "MPLCONFIGDIR": str(tmp_path / "matplotlib"),
        "SNAPML_ACTOR": "ada",
    }
    command = ["nbconvert", "--to", "notebook", "--execute", "--output", "done.ipynb", "drawn.ipynb"]
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    workspace = Workspace(tmp_path / "workspace", actor="ada")
    kept = {artifact.path: artifact for artifact in get_run(workspace, "drawn").artifacts}
    assert sorted(path for path in kept if path.startswith("figures/")) == [
        "figures/figure-1.png",
        "figures/figure-2.png",
        "figures/figure-3.png",
    ]
    import base64

    executed = nbformat.read(tmp_path / "done.ipynb", as_version=4)
    shown = [
        base64.b64decode(output.data["image/png"])
        for output in executed.cells[1].outputs
        if "image/png" in output.get("data", {})
    ]
    contents = [workspace.blobs.read(kept[f"figures/figure-{n}.png"].digest) for n in (1, 2, 3)]
    assert contents == shown
