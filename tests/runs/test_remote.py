"""What a client on another machine does: the same operations, with arguments and answers that travelled as JSON."""

from __future__ import annotations

from typing import Any

import pytest

from snapml_jupyter import operations, wire
from snapml_jupyter.domain.errors import InvalidInputError, SnapMLError
from snapml_jupyter.domain.run import Run, RunStatus
from snapml_jupyter.operations import Operation
from snapml_jupyter.runs.queries import get_run, list_metric_points, list_runs
from snapml_jupyter.runs.tracking import start_run
from snapml_jupyter.store.workspace import Workspace


class Faraway:
    """A remote workspace with the network left out."""

    is_remote = True

    def __init__(self, workspace: Workspace) -> None:
        self.there = workspace
        self.blobs, self.actor, self.now = workspace.blobs, workspace.actor, workspace.now

    def check_permission(self, permission: str, operation: str) -> None:
        pass

    def call(self, operation: Operation, arguments: dict[str, Any]) -> Any:
        sent = wire.decode_json(wire.encode_json(arguments))
        try:
            answer = wire.encode_json(
                operations.run_operation(self.there, operations.get_operation(operation.name), sent)
            )
        except SnapMLError as error:
            raise wire.decode_error(wire.encode_error(error)) from None
        return wire.decode_json(answer, operation.types()["return"])


def test_a_run_on_a_remote_workspace_is_the_same_run(workspace: Workspace) -> None:
    faraway: Any = Faraway(workspace)
    with start_run(faraway, "remote", seed=3, tags={"a": "b"}) as run:
        run.log_params({"C": 1.5, "big": 10**30, "flag": False, "none": None, "text": "true"})
        run.log_metric("loss", float("nan"))
        run.log_metric("loss", float("inf"), step=7)
        run.log_artifact(b"x", "a.bin")
    here = get_run(workspace, "remote")
    there = get_run(faraway, run.run_id)
    assert isinstance(there, Run)
    assert there == here
    assert here.status is RunStatus.finished
    assert here.params == {"C": 1.5, "big": str(10**30), "flag": False, "none": None, "text": "true"}
    assert [p.step for p in list_metric_points(faraway, run.run_id)] == [0, 7]
    assert list_runs(faraway, where="metrics.loss > 5") == [here]
    with pytest.raises(InvalidInputError, match="Runs have no 'x'"):
        list_runs(faraway, where="x = 1")
