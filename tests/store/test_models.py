"""How versions are kept: numbers without gaps or doubles, aliases that point at one version, whoever writes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from snapml_jupyter.domain.errors import InvalidInputError, NotFoundError
from snapml_jupyter.domain.model import Parity, Stage
from snapml_jupyter.store import models as store
from snapml_jupyter.store.workspace import Workspace

REGISTER = """
import sys
import pandas as pd
from sklearn.linear_model import LogisticRegression
from snapml_jupyter.registry.versions import register
from snapml_jupyter.runs.models import keep_model
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store.workspace import Workspace

workspace = Workspace(sys.argv[1], actor="ada")
frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
model = LogisticRegression().fit(frame, [0, 0, 1, 1])
for _ in range(4):
    with start_run(workspace, "trainer", capture_environment=False) as run:
        keep_model(workspace, run.run_id, model, example=frame)
    print(register(workspace, run.run_id, "churn").number)
"""


def test_numbers_have_no_gaps_or_doubles_when_processes_register_at_once(workspace: Workspace) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", REGISTER, workspace.location], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    numbers = [int(line) for process in started for line in process.communicate(timeout=180)[0].split()]
    assert [process.returncode for process in started] == [0, 0]
    assert sorted(numbers) == list(range(1, 9))
    versions = store.list_versions(workspace.database, "churn")
    assert [version.number for version in versions] == list(range(8, 0, -1))
    assert [version.ref for version in versions if store.CHAMPION in version.aliases] == ["churn:1"]


def test_what_an_export_proved_comes_back_exactly(workspace: Workspace, tiny_models: object) -> None:
    ref = tiny_models.add()  # type: ignore[attr-defined]  # a fixture class of the conftest
    parity = Parity(n_rows=9, max_difference=1.25e-9, label_agreement=0.99995, tolerance=1e-5, passed=True, source_ref="d@v1", worst_rows=[3, 1])  # fmt: skip
    with workspace.transaction() as tx:
        store.set_export(tx, "tiny", 1, "ab" * 32, parity)
        store.set_stage(tx, "tiny", 1, Stage.staging)
        store.set_alias(tx, "tiny", "challenger", 1)
    version = store.get_version(workspace.database, ref)
    assert (version.parity, version.onnx_digest) == (parity, "ab" * 32)
    assert (version.stage, version.aliases) == (Stage.staging, ["challenger"])
    assert store.get_version(workspace.database, "tiny@challenger") == version


def test_an_alias_points_at_one_version(workspace: Workspace, tiny_models: object) -> None:
    for _ in range(2):
        tiny_models.add()  # type: ignore[attr-defined]  # a fixture class of the conftest
    for number in (1, 2):
        with workspace.transaction() as tx:
            store.set_alias(tx, "tiny", "best", number)
    assert [version.aliases for version in store.list_versions(workspace.database, "tiny")] == [["best"], []]


@pytest.mark.parametrize("ref", ["tiny:0", "tiny:x", "tiny@", "a b", "tiny:1:2"])
def test_what_is_no_reference_is_said_to_be_none(workspace: Workspace, ref: str) -> None:
    with pytest.raises(InvalidInputError):
        store.get_version(workspace.database, ref)


def test_an_empty_workspace_says_how_to_register(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError, match="Register one: %%snap_train NAME --register MODEL"):
        store.get_version(workspace.database, "churn")
    assert store.list_models(workspace.database) == []
