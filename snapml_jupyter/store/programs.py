"""How programs, outcomes and replays of runs are kept."""

from __future__ import annotations

from dataclasses import dataclass

from .. import wire
from ..domain.program import Program, ReplayReport
from .database import Database
from .workspace import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredProgram:
    """A run's program, where its outcome lies, and who wrote them."""

    program: Program
    written_by: str
    outcome_digest: str | None


def put_program(tx: Transaction, run_id: str, program: Program, outcome_digest: str | None) -> None:
    """Tie a program and what its cell left to the run; a newer one takes its place."""
    key = {"run_id": run_id}
    tx.execute("DELETE FROM run_program_blobs WHERE run_id = :run_id", key)
    tx.execute(
        """INSERT INTO run_programs (run_id, program, written_by, outcome_digest)
           VALUES (:run_id, :program, :actor, :outcome)
           ON CONFLICT (run_id) DO UPDATE SET program = excluded.program, written_by = excluded.written_by,
               outcome_digest = excluded.outcome_digest""",
        {
            **key,
            "program": wire.encode_json(program).decode(),
            "actor": tx.workspace.actor,
            "outcome": outcome_digest,
        },
    )
    for digest in program.digests():
        tx.insert("run_program_blobs", run_id=run_id, digest=digest)
    tx.event("run.updated", run_id, what="program")


def find_program(database: Database, run_id: str) -> StoredProgram | None:
    """The run's program."""
    row = database.row("SELECT * FROM run_programs WHERE run_id = :run_id", {"run_id": run_id})
    if row is None:
        return None
    program: Program = wire.decode_json(row["program"], Program, f"program of run {run_id}")
    return StoredProgram(program=program, written_by=row["written_by"], outcome_digest=row["outcome_digest"])


def add_replay(tx: Transaction, report: ReplayReport) -> None:
    """Keep a report, for both runs."""
    tx.insert(
        "replays",
        original_run_id=report.original_run_id,
        run_id=report.run_id,
        verdict=report.verdict.value,
        report=wire.encode_json(report).decode(),
        created_at=report.created_at.isoformat(),
    )
    tx.event("run.replayed", report.original_run_id, verdict=report.verdict.value, replay=report.run_id)


def list_replays(database: Database, run_id: str, limit: int) -> list[ReplayReport]:
    """Reports of which the run is the original or the replay, newest first."""
    rows = database.rows(
        """SELECT report FROM replays WHERE original_run_id = :run_id OR run_id = :run_id
           ORDER BY replay_number DESC LIMIT :limit""",
        {"run_id": run_id, "limit": limit},
    )
    return [wire.decode_json(row["report"], ReplayReport, f"replay of run {run_id}") for row in rows]
