"""One host with two endpoints for all tests of the protocols."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from snapml_jupyter.serving.deploying import deploy
from snapml_jupyter.serving.host_process import get_host_status, stop_host
from snapml_jupyter.store.workspace import Workspace


@dataclass(frozen=True)
class Served:
    """The endpoints 'tiny' and 'other' of one host, with a key for each."""

    workspace: Workspace
    port: int
    api_key: str
    other_key: str


@pytest.fixture(scope="session")
def served(
    tmp_path_factory: pytest.TempPathFactory, tiny_models_of: Any, host_settings: dict[str, str]
) -> Iterator[Served]:
    """One host for all tests of a process: starting it is what takes time."""
    workspace = Workspace(tmp_path_factory.mktemp("served"), actor="ada")
    models = tiny_models_of(workspace)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in host_settings.items():
            patch.setenv(name, value)
        outcome = deploy(workspace, models.add())
    try:
        other = deploy(workspace, models.add("other"))
        port = get_host_status(workspace).port
        assert port
        assert outcome.api_key
        assert other.api_key
        yield Served(workspace, port, outcome.api_key, other.api_key)
    finally:
        stop_host(workspace)
