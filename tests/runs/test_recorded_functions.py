"""`@snap.run` on a function, and the rest of the Python face that has no operation of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import snapml_jupyter as snap
from snapml_jupyter.domain.errors import InvalidInputError
from snapml_jupyter.domain.run import RunStatus
from snapml_jupyter.store.workspace import Workspace


@pytest.fixture(autouse=True)
def here(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNAPML_WORKSPACE", workspace.location)  # and back afterwards
    snap.workspace(workspace.location)


def test_every_call_of_a_recorded_function_is_a_run() -> None:
    @snap.run
    def train(depth: int, data: Any, *, kind: str = "tree") -> float:
        """Kept."""
        snap.log_metric("auc", depth / 10)
        return depth / 10

    assert train.__name__ == "train" and train.__doc__ == "Kept."
    assert train(3, object()) == 0.3
    assert train(4, [1, 2], kind="forest") == 0.4
    runs = snap.runs(sort="-auc")
    assert [(run.name, run.params) for run in runs] == [
        ("train", {"depth": 4, "data": "[1, 2]", "kind": "forest"}),
        ("train", {"depth": 3, "kind": "tree"}),
    ]
    assert runs[0].code is not None and runs[0].code.startswith("@snap.run\ndef train(depth: int")
    assert snap.run("train").metrics == {"auc": 0.4}


def test_a_recorded_function_has_options_and_fails_as_it_fails() -> None:
    @snap.run(name="named", experiment="trees", seed=7, tags={"a": "b"})
    def train() -> None:
        raise ZeroDivisionError("no")

    with pytest.raises(ZeroDivisionError):
        train()
    run = snap.run("named")
    assert (run.status, run.experiment, run.seed, run.tags) == (RunStatus.failed, "trees", 7, {"a": "b"})
    with pytest.raises(InvalidInputError, match="has no option 'nme'"):

        @snap.run(nme="x")  # type: ignore[call-overload]  # that is the point
        def other() -> None:
            pass


def test_a_coroutine_can_be_recorded_and_a_generator_cannot() -> None:
    @snap.run()
    async def later() -> int:
        snap.log_metric("x", 1.0)
        return 3

    assert asyncio.run(later()) == 3
    assert snap.run("later").metrics == {"x": 1.0}
    with pytest.raises(InvalidInputError, match="is a generator"):

        @snap.run
        def rows() -> Iterator[int]:
            yield 1


def test_runs_are_resumed_compared_and_drawn_by_name() -> None:
    with snap.start_run("a") as run:
        run.log_metric("loss", 1.0)
    with snap.start_run(resume="a"):
        snap.log_metric("loss", 0.5)
        snap.log_metrics({"loss": 0.25})
    with snap.start_run("b"):
        snap.log_metric("loss", 2.0)
    assert [point.value for point in snap.metric_points("a", "loss")] == [1.0, 0.5, 0.25]
    assert snap.compare("a", "b").metrics[0].values == [0.25, 2.0]
    (curve,) = snap.curves("a", "b")
    assert curve.steps == [0, 1, 2]
