"""Jupyter's start costs nothing: neither heavy libraries nor the workspace are touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import snapml_jupyter

_HEAVY = ("pandas", "pyarrow", "sklearn", "scipy", "onnx", "onnxruntime", "whylogs", "numpy", "sqlite_utils", "IPython")

_LOAD = """
import json, sys
import jupyter_server.serverapp
before = set(sys.modules)
import snapml_jupyter
snapml_jupyter._jupyter_server_extension_points()
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def test_loading_the_extension_imports_nothing_heavy(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(Path(snapml_jupyter.__file__).parents[1])}
    said = subprocess.run([sys.executable, "-c", _LOAD], cwd=tmp_path, env=environ, capture_output=True, check=True)
    assert not set(json.loads(said.stdout)) & set(_HEAVY)
