"""Jupyter's start: nothing heavy is loaded, and what was deployed answers again."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import snapml_jupyter
from snapml_jupyter.serving.deploying import deploy
from snapml_jupyter.serving.host_process import get_host_status, stop_host
from snapml_jupyter.store.workspace import Workspace

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


@pytest.fixture
def endpoint_without_host(
    served_folder: Path, tiny_models_of: Any, host_settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    """A deployed endpoint whose host has been stopped since, as after a restart of the machine."""
    for name, value in host_settings.items():
        monkeypatch.setenv(name, value)
    workspace = Workspace(served_folder, actor="ada")
    deploy(workspace, tiny_models_of(workspace).add())
    stop_host(workspace)
    yield workspace
    stop_host(workspace)


async def test_what_was_deployed_answers_again_when_the_server_starts(
    endpoint_without_host: Workspace, jp_serverapp: Any
) -> None:
    deadline = time.monotonic() + 30
    # What started it waits until it answers, and would start another if this one were stopped before.
    while not get_host_status(endpoint_without_host).n_workers:
        assert time.monotonic() < deadline, "the host has no worker"
        await asyncio.sleep(0.05)
    await asyncio.sleep(1.0)
