"""Programs of recorded cells, what the cells left, and the verdicts of their replays."""

from __future__ import annotations

from dataclasses import replace

from ..domain.errors import NotFoundError
from ..domain.program import Program, ReplayReport
from ..operations import operation
from ..store import programs as kept
from ..store import runs as store
from ..store.blobs import check_digest
from ..store.workspace import Workspace


@operation(permission="runs:write")
def record_program(workspace: Workspace, run_id: str, program: Program, outcome_digest: str | None = None) -> None:
    """Tie a program, and the blob of what its cell left, to the run; the blobs must be there."""
    for digest in [*program.digests(), *([outcome_digest] if outcome_digest else [])]:
        if not workspace.blobs.exists(check_digest(digest)):
            raise NotFoundError(f"The program of run {run_id} has no content yet: put blob {digest} first.")
    with workspace.transaction() as tx:
        store.get_status(tx, run_id)
        kept.put_program(tx, run_id, replace(program, run_id=run_id), outcome_digest)


@operation(permission="runs:write")
def record_replay(workspace: Workspace, report: ReplayReport) -> None:
    """Keep the report of a replay with the original run, and with the replay's own."""
    with workspace.transaction() as tx:
        store.get_status(tx, report.original_run_id)
        kept.add_replay(tx, report)


@operation(permission="runs:read")
def get_program(workspace: Workspace, ref: str) -> Program:
    """What the run's cell needs to run again, with what could not be kept. Raises NotFoundError when it has none."""
    return _kept(workspace, ref).program


@operation(permission="runs:read")
def get_program_source(workspace: Workspace, ref: str) -> str:
    """The run's program as source to read: imports, values, definitions, the cell, and what is missing as comments."""
    return get_program(workspace, ref).source


@operation(permission="runs:read")
def find_outcome(workspace: Workspace, ref: str) -> str | None:
    """The digest of what the run's cell left, where that was recorded."""
    found = kept.find_program(workspace.database, store.resolve(workspace.database, ref))
    return None if found is None else found.outcome_digest


@operation(permission="runs:read")
def get_program_author(workspace: Workspace, ref: str) -> str:
    """Who recorded the run's program: replaying it runs their code."""
    return _kept(workspace, ref).written_by


@operation(permission="runs:read")
def list_replays(workspace: Workspace, ref: str, limit: int = 100) -> list[ReplayReport]:
    """Replays of the run, or of which it is the replay, newest first, with verdicts and differences."""
    return kept.list_replays(workspace.database, store.resolve(workspace.database, ref), max(0, min(limit, 1000)))


def _kept(workspace: Workspace, ref: str) -> kept.StoredProgram:
    run_id = store.resolve(workspace.database, ref)
    found = kept.find_program(workspace.database, run_id)
    if found is None:
        raise NotFoundError(
            f"Run {run_id} has no program to run again: only cells recorded with %%snap_train have one. Put %%snap_train on "
            "the first line of the cell."
        )
    return found
