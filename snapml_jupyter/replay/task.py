"""What a replay's process is told, and what it tells back: JSON files in the replay's folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import wire
from ..domain.program import Program
from ..domain.run import ParamValue, RunSource

TASK, RESULT = "task.json", "result.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Which program to run, for which workspace, and how its run is called; `original_span` in seconds since 1970."""

    workspace: str
    actor: str
    original_run_id: str
    original_span: tuple[float, float]
    program: Program
    folder: str
    name: str
    experiment: str
    source: RunSource
    seed: int | None = None
    params: dict[str, ParamValue] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How far it came: `prepared` once everything was restored, `run_id` once the cell began, `ended` when it was done."""

    prepared: bool = False
    run_id: str | None = None
    ended: bool = False
    problem: str = ""
    missing: list[str] = field(default_factory=list)


def write(path: Path, record: Any) -> None:
    """Write a record so that a reader finds it whole or not at all."""
    temporary = path.with_suffix(".new")
    temporary.write_bytes(wire.encode_json(record))
    temporary.replace(path)


def read_task(folder: Path) -> Task:
    """The task in the folder."""
    task: Task = wire.decode_json((folder / TASK).read_bytes(), Task, "task of a replay")
    return task


def read_result(folder: Path) -> Result:
    """How far the process came; nothing when it did not come to say so."""
    path = folder / RESULT
    if not path.exists():
        return Result()
    result: Result = wire.decode_json(path.read_bytes(), Result, "result of a replay")
    return result
