"""How runs are kept. Every function that writes takes the caller's transaction and appends the event of its change."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .. import wire
from ..domain.errors import ConflictError, InvalidInputError, NotFoundError
from ..domain.model import ModelFormat, RunModel, Signature
from ..domain.run import Artifact, ParamValue, Run, RunError, RunInput, RunProcess, RunSource, RunStatus
from .database import Database, insert_many
from .workspace import Transaction

#: Ids in one query; SQLite allows 32,766 parameters, other engines fewer.
_CHUNK = 500
_NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningRun:
    """A run that says it runs, and the process that is said to run it."""

    run_id: str
    process: RunProcess | None


def insert_run(
    tx: Transaction,
    *,
    run_id: str,
    name: str,
    experiment: str,
    started_at: datetime,
    seed: int | None,
    note: str | None,
    source: RunSource,
    environment_digest: str | None,
    process: RunProcess | None,
    tags: Mapping[str, str],
    parent_run_id: str | None = None,
) -> None:
    """Add a running run with its tags."""
    tx.insert(
        "runs",
        run_id=run_id,
        name=name,
        experiment=experiment,
        status=RunStatus.running.value,
        actor=tx.workspace.actor,
        started_at=started_at.isoformat(),
        seed=seed,
        note=note,
        source=_json(source),
        environment_digest=environment_digest,
        process=_json(process) if process else None,
        parent_run_id=parent_run_id,
    )
    insert_many(tx.connection, "run_tags", [{"run_id": run_id, "name": n, "value": v} for n, v in tags.items()])
    tx.event("run.started", run_id, name=name, experiment=experiment)


def end_run(
    tx: Transaction,
    run_id: str,
    status: RunStatus,
    *,
    finished_at: datetime | None,
    duration_seconds: float | None,
    error: RunError | None,
    only_from: Sequence[RunStatus],
) -> bool:
    """Set the final status when the run still has one of `only_from`; whether it had."""
    found = tx.execute(
        f"""UPDATE runs SET status = :status, finished_at = :finished_at, duration_seconds = :duration_seconds,
                   error = :error
            WHERE run_id = :run_id AND status IN ({_marks(len(only_from))}) RETURNING name, experiment""",
        {
            "run_id": run_id,
            "status": status.value,
            "finished_at": finished_at.isoformat() if finished_at else None,
            "duration_seconds": duration_seconds,
            "error": _json(error) if error else None,
            **_numbered([status.value for status in only_from]),
        },
    ).fetchone()
    if found is None:
        return False
    tx.event("run.finished", run_id, name=found["name"], experiment=found["experiment"], status=status.value)
    return True


def reopen_run(tx: Transaction, run_id: str, process: RunProcess | None) -> None:
    """Let a run that ended run again, in that process."""
    found = tx.execute(
        """UPDATE runs SET status = 'running', finished_at = NULL, error = NULL, process = :process
           WHERE run_id = :run_id RETURNING name, experiment""",
        {"run_id": run_id, "process": _json(process) if process else None},
    ).fetchone()
    tx.event("run.started", run_id, name=found["name"], experiment=found["experiment"], resumed=True)


def add_params(tx: Transaction, run_id: str, params: Mapping[str, ParamValue]) -> None:
    """Add params. The same value again is fine; raises ConflictError, naming the param, when it has another one."""
    kept = _values(tx, "run_params", run_id, params)
    new = {name: json.dumps(value) for name, value in params.items() if name not in kept}
    for name, text in kept.items():
        before, value = json.loads(text), params[name]
        if not _same(before, value):
            raise ConflictError(
                f"Param '{name}' of run {run_id} is already {before!r} and cannot become {value!r}: params are what a run "
                "was given. Use another name, or start another run."
            )
    if new:
        insert_many(tx.connection, "run_params", [{"run_id": run_id, "name": n, "value": v} for n, v in new.items()])
        tx.event("run.updated", run_id, what="params")


def set_tags(tx: Transaction, run_id: str, tags: Mapping[str, str]) -> None:
    """Set tags; the last value of a name counts."""
    kept = _values(tx, "run_tags", run_id, tags)
    changed = {name: value for name, value in tags.items() if kept.get(name) != value}
    for name, value in changed.items():
        tx.execute(
            """INSERT INTO run_tags (run_id, name, value) VALUES (:run_id, :name, :value)
               ON CONFLICT (run_id, name) DO UPDATE SET value = excluded.value""",
            {"run_id": run_id, "name": name, "value": value},
        )
    if changed:
        tx.event("run.updated", run_id, what="tags")


def put_artifact(tx: Transaction, run_id: str, artifact: Artifact) -> None:
    """Add an artifact; the same path again replaces it."""
    tx.execute(
        """INSERT INTO run_artifacts (run_id, path, digest, size_bytes, media_type)
           VALUES (:run_id, :path, :digest, :size_bytes, :media_type)
           ON CONFLICT (run_id, path) DO UPDATE
           SET digest = excluded.digest, size_bytes = excluded.size_bytes, media_type = excluded.media_type""",
        {
            "run_id": run_id,
            "path": artifact.path,
            "digest": artifact.digest,
            "size_bytes": artifact.size_bytes,
            "media_type": artifact.media_type,
        },
    )
    tx.event("run.updated", run_id, what="artifacts")


def add_input(tx: Transaction, run_id: str, variable: str, dataset: str, number: int) -> None:
    """Tie a dataset version to the run. Raises NotFoundError, or ConflictError when the variable has another version."""
    wanted = {"run_id": run_id, "variable": variable, "dataset_name": dataset, "dataset_number": number}
    known = tx.execute("SELECT 1 FROM dataset_versions WHERE name = :dataset_name AND number = :dataset_number", wanted)
    if known.fetchone() is None:
        raise NotFoundError(f"There is no dataset version '{dataset}@v{number}' that run {run_id} could have read.")
    before = tx.execute(
        "SELECT dataset_name, dataset_number FROM run_inputs WHERE run_id = :run_id AND variable = :variable", wanted
    ).fetchone()
    if before is None:
        tx.insert("run_inputs", **wanted)
        tx.event("run.updated", run_id, what="inputs")
    elif tuple(before) != (dataset, number):
        raise ConflictError(
            f"Input '{variable}' of run {run_id} is already {before['dataset_name']}@v{before['dataset_number']} and cannot "
            f"become {dataset}@v{number}. Record it under another variable name."
        )


def put_model(tx: Transaction, run_id: str, model: RunModel) -> None:
    """Keep the run's model; it may be replaced until it is registered, afterwards ConflictError."""
    before = tx.execute("SELECT model_digest FROM run_models WHERE run_id = :run_id", {"run_id": run_id}).fetchone()
    if before is not None and before["model_digest"] != model.model_digest:
        version = tx.execute(
            "SELECT name, number FROM model_versions WHERE run_id = :run_id", {"run_id": run_id}
        ).fetchone()
        if version is not None:
            raise ConflictError(
                f"The model of run {run_id} is registered as {version['name']}:{version['number']} and cannot be replaced. "
                "Keep the other model in a run of its own."
            )
    tx.execute(
        """INSERT INTO run_models (run_id, variable, estimator, format, model_digest, size_bytes, signature,
                                   written_by, training_ref)
           VALUES (:run_id, :variable, :estimator, :format, :model_digest, :size_bytes, :signature,
                   :written_by, :training_ref)
           ON CONFLICT (run_id) DO UPDATE SET variable = excluded.variable, estimator = excluded.estimator,
               format = excluded.format, model_digest = excluded.model_digest, size_bytes = excluded.size_bytes,
               signature = excluded.signature, written_by = excluded.written_by, training_ref = excluded.training_ref""",
        {
            "run_id": run_id,
            "variable": model.variable,
            "estimator": model.estimator,
            "format": model.format.value,
            "model_digest": model.model_digest,
            "size_bytes": model.size_bytes,
            "signature": _json(model.signature),
            "written_by": model.written_by,
            "training_ref": model.training_ref,
        },
    )
    tx.event("run.updated", run_id, what="model")


def find_model(database: Database, run_id: str) -> RunModel | None:
    """The model that the run kept."""
    row = database.row("SELECT * FROM run_models WHERE run_id = :run_id", {"run_id": run_id})
    if row is None:
        return None
    values = dict(row)
    values["format"] = ModelFormat(values["format"])
    values["signature"] = wire.decode_json(values["signature"], Signature, f"signature of run {run_id}")
    return RunModel(**values)


def get_status(tx: Transaction, run_id: str) -> RunStatus:
    """The run's status, inside a transaction. Raises NotFoundError."""
    row = tx.execute("SELECT status FROM runs WHERE run_id = :run_id", {"run_id": run_id}).fetchone()
    if row is None:
        raise missing_run(run_id)
    return RunStatus(row["status"])


def get_process(tx: Transaction, run_id: str) -> RunProcess | None:
    """The process that is said to run it."""
    row = tx.execute("SELECT process FROM runs WHERE run_id = :run_id", {"run_id": run_id}).fetchone()
    return wire.decode_json(row["process"], RunProcess, f"process of run {run_id}") if row and row["process"] else None


def is_known(tx: Transaction, run_id: str) -> bool:
    """Whether there is such a run."""
    return tx.execute("SELECT 1 FROM runs WHERE run_id = :run_id", {"run_id": run_id}).fetchone() is not None


def resolve(database: Database, ref: str) -> str:
    """The id meant by an id, a run's name (its newest run) or an id's beginning of 6 characters or more.

    Raises NotFoundError with close names, or InvalidInputError when several ids begin so.
    """
    if not isinstance(ref, str):
        raise InvalidInputError(f"A run reference is text (an id or a name), not {type(ref).__name__}.")
    row = database.row("SELECT run_id FROM runs WHERE run_id = :ref", {"ref": ref}) or database.row(
        "SELECT run_id FROM runs WHERE name = :ref ORDER BY started_at DESC, run_id DESC LIMIT 1", {"ref": ref}
    )
    if row is not None:
        return str(row["run_id"])
    if len(ref) >= 6 and ref.isascii() and ref.isalnum():
        rows = database.rows(
            "SELECT run_id FROM runs WHERE run_id >= :ref AND run_id < :after ORDER BY run_id LIMIT 4",
            {"ref": ref, "after": ref + "~"},
        )
        if len(rows) == 1:
            return str(rows[0]["run_id"])
        if rows:
            shown = ", ".join(str(row["run_id"]) for row in rows[:3]) + (", ..." if len(rows) > 3 else "")
            raise InvalidInputError(f"Several runs begin with '{ref}': {shown}. Write more of the id.")
    names = database.rows("SELECT DISTINCT name FROM runs ORDER BY started_at DESC LIMIT 1000")
    raise NotFoundError.of("run", ref, [row["name"] for row in names], "`%snap_runs` lists them.")


def load_runs(database: Database, run_ids: Sequence[str]) -> list[Run]:
    """Whole runs in the order of the ids; ids that do not exist are left out."""
    found: dict[str, Run] = {}
    for start in range(0, len(run_ids), _CHUNK):
        chunk = run_ids[start : start + _CHUNK]
        marks = ", ".join("?" * len(chunk))

        def named(sql: str, marks: str = marks, chunk: Sequence[str] = chunk) -> dict[str, list[tuple[Any, ...]]]:
            return _grouped(database.tuples(sql.format(marks=marks), chunk))

        params = named("SELECT run_id, name, value FROM run_params WHERE run_id IN ({marks}) ORDER BY run_id, name")
        metrics = named(
            "SELECT run_id, name, value FROM run_metric_series WHERE run_id IN ({marks}) ORDER BY run_id, name"
        )
        tags = named("SELECT run_id, name, value FROM run_tags WHERE run_id IN ({marks}) ORDER BY run_id, name")
        artifacts = named(
            """SELECT run_id, path, digest, size_bytes, media_type FROM run_artifacts
               WHERE run_id IN ({marks}) ORDER BY run_id, path"""
        )
        inputs = named(
            """SELECT run_inputs.run_id, variable, dataset_name, dataset_number, digest, n_rows, n_columns
               FROM run_inputs JOIN dataset_versions
                 ON dataset_versions.name = dataset_name AND dataset_versions.number = dataset_number
               WHERE run_inputs.run_id IN ({marks}) ORDER BY variable"""
        )
        versions = named(
            "SELECT run_id, name, number FROM model_versions WHERE run_id IN ({marks}) ORDER BY name, number"
        )
        for (
            run_id,
            name,
            experiment,
            status,
            actor,
            started_at,
            finished_at,
            seconds,
            seed,
            note,
            source,
            environment_digest,
            error,
            parent_run_id,
            has_model,
            has_program,
            n_children,
        ) in database.tuples(
            f"""SELECT run_id, name, experiment, status, actor, started_at, finished_at, duration_seconds, seed, note,
                       source, environment_digest, error, parent_run_id,
                       EXISTS (SELECT 1 FROM run_models WHERE run_models.run_id = runs.run_id),
                       EXISTS (SELECT 1 FROM run_programs WHERE run_programs.run_id = runs.run_id),
                       (SELECT COUNT(*) FROM runs AS child WHERE child.parent_run_id = runs.run_id)
                FROM runs WHERE run_id IN ({marks})""",
            chunk,
        ):
            found[run_id] = Run(
                run_id=run_id,
                name=name,
                experiment=experiment,
                status=RunStatus(status),
                actor=actor,
                started_at=datetime.fromisoformat(started_at),
                finished_at=datetime.fromisoformat(finished_at) if finished_at else None,
                duration_seconds=seconds,
                seed=seed,
                note=note,
                source=wire.decode_json(source, RunSource, f"source of run {run_id}"),
                params={key: param(text) for _, key, text in params.get(run_id, ())},
                metrics={key: _NAN if value is None else value for _, key, value in metrics.get(run_id, ())},
                tags={key: value for _, key, value in tags.get(run_id, ())},
                inputs=[
                    RunInput(
                        variable=variable, dataset_ref=f"{key}@v{count}", digest=digest, n_rows=rows, n_columns=columns
                    )
                    for _, variable, key, count, digest, rows, columns in inputs.get(run_id, ())
                ],
                artifacts=[
                    Artifact(path=path, digest=digest, size_bytes=size, media_type=media_type)
                    for _, path, digest, size, media_type in artifacts.get(run_id, ())
                ],
                environment_digest=environment_digest,
                error=wire.decode_json(error, RunError, f"error of run {run_id}") if error else None,
                model_refs=[f"{key}:{count}" for _, key, count in versions.get(run_id, ())],
                has_model=bool(has_model),
                has_program=bool(has_program),
                parent_run_id=parent_run_id,
                n_children=n_children,
            )
    return [found[run_id] for run_id in run_ids if run_id in found]


@functools.lru_cache(maxsize=10_000)
def param(text: str) -> ParamValue:
    """A stored param; the same few come again in hundreds of runs."""
    value: ParamValue = json.loads(text)
    return value


def list_running(database: Database) -> list[RunningRun]:
    """Every run whose status is running."""
    rows = database.rows("SELECT run_id, process FROM runs WHERE status = 'running'")
    return [
        RunningRun(
            run_id=row["run_id"],
            process=wire.decode_json(row["process"], RunProcess, f"process of run {row['run_id']}")
            if row["process"]
            else None,
        )
        for row in rows
    ]


def number(value: float | None) -> float:
    """A stored metric; SQLite keeps NaN as NULL."""
    return float("nan") if value is None else float(value)


def missing_run(run_id: str) -> NotFoundError:
    """The error for an id that no run has."""
    return NotFoundError(f"There is no run '{run_id}' in this workspace. `%snap_runs` lists them.")


def _values(tx: Transaction, table: str, run_id: str, names: Iterable[str]) -> dict[str, str]:
    """The stored values of those of the names that the run has in the table."""
    wanted = list(names)
    found: dict[str, str] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        found.update(
            (row["name"], row["value"])
            for row in tx.execute(
                f"SELECT name, value FROM {table} WHERE run_id = :run_id AND name IN ({_marks(len(chunk))})",
                {"run_id": run_id, **_numbered(chunk)},
            )
        )
    return found


def _same(before: ParamValue, value: ParamValue) -> bool:
    if json.dumps(before) == json.dumps(value):  # also NaN, which equals nothing
        return True
    return before == value and not isinstance(before, bool) and not isinstance(value, bool)


def _json(record: object) -> str:
    return wire.encode_json(record).decode()


def _marks(count: int) -> str:
    return ", ".join(f":value{index}" for index in range(count))


def _numbered(values: Iterable[str]) -> dict[str, str]:
    return {f"value{index}": value for index, value in enumerate(values)}


def _grouped(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    groups: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row)
    return groups
