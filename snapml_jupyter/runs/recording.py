"""Recording a run: the operations an active run, a replay or a remote client writes with.

Each is one transaction: what it was given is there when it returns, whatever happens to the process afterwards.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime

from ..domain.errors import ConflictError, InvalidInputError, NotFoundError
from ..domain.model import RunModel
from ..domain.names import check_name, parse_dataset_ref
from ..domain.run import (
    Artifact,
    Environment,
    MetricValue,
    Run,
    RunError,
    RunProcess,
    RunSource,
    RunStatus,
)
from ..operations import operation
from ..store import environments, run_metrics
from ..store import runs as store
from ..store.blobs import check_digest
from ..store.workspace import Transaction, Workspace
from . import values
from .journals import open_journals
from .processes import is_gone

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_OPEN = (RunStatus.running, RunStatus.interrupted)


def new_run_id(at: datetime, randomness: int | None = None) -> str:
    """17 characters that sort by time: 8 of time in 1/256 s, 9 (45 bits) at random, in Crockford's base 32.

    >>> from datetime import timezone
    >>> new_run_id(datetime(2026, 11, 1, tzinfo=timezone.utc), 0)
    'da6jf800000000000'
    """
    bits = int.from_bytes(os.urandom(6), "big") if randomness is None else randomness
    count = (int(at.timestamp() * 256) << 45) | (bits & (2**45 - 1))
    return "".join(_ALPHABET[(count >> shift) & 31] for shift in range(80, -1, -5))


@operation(permission="runs:write")
def create_run(
    workspace: Workspace,
    name: str | None = None,
    experiment: str | None = None,
    seed: int | None = None,
    tags: dict[str, str] | None = None,
    note: str | None = None,
    source: RunSource | None = None,
    environment: Environment | None = None,
    process: RunProcess | None = None,
    parent: str | None = None,
) -> Run:
    """Start a run, inside of the run `parent` when that is given.

    Without a name it is called `run-` and the beginning of its id; without an experiment it is in that of its parent,
    else in `default`.
    """
    now = workspace.now()
    run_id = new_run_id(now)
    kept_tags = values.tag_values(tags or {})
    name = f"run-{run_id[:10]}" if name is None else check_name("run", name)
    outer = _run(workspace, store.resolve(workspace.database, parent)) if parent is not None else None
    if experiment is None:
        experiment = outer.experiment if outer else "default"
    with workspace.transaction() as tx:
        store.insert_run(
            tx,
            run_id=run_id,
            name=name,
            experiment=check_name("experiment", experiment),
            started_at=now,
            seed=seed,
            note=note,
            source=source or RunSource(kind="python"),
            environment_digest=environments.put_environment(tx, environment) if environment else None,
            process=process,
            tags=kept_tags,
            parent_run_id=outer.run_id if outer else None,
        )
    return _run(workspace, run_id)


@operation(permission="runs:write")
def resume_run(workspace: Workspace, ref: str, process: RunProcess | None = None) -> Run:
    """Let a run that ended go on: what is recorded stays, what is logged comes behind it.

    Raises ConflictError when it is still being recorded by a living process.
    """
    run_id = store.resolve(workspace.database, ref)
    with open_journals(workspace, run_id) as journals:
        with workspace.transaction() as tx:
            if store.get_status(tx, run_id) is RunStatus.running:
                held_by = store.get_process(tx, run_id)
                if held_by is None or not is_gone(held_by):
                    who = f"process {held_by.pid} on {held_by.host}" if held_by else "another process"
                    raise ConflictError(f"Run {run_id} is still being recorded by {who}. End it there first.")
            journals.fold(tx)
            store.reopen_run(tx, run_id, process)
        journals.remove()
    return _run(workspace, run_id)


@operation(permission="runs:write")
def finish_run(
    workspace: Workspace,
    run_id: str,
    status: RunStatus = RunStatus.finished,
    error: RunError | None = None,
    duration_seconds: float | None = None,
) -> Run:
    """End a run as finished, failed or cancelled; `duration_seconds` None means until now.

    Ending it again the same way changes nothing; another way is a ConflictError. A run that was taken for dead
    (`interrupted`) may still end itself.
    """
    if status is RunStatus.running:
        raise InvalidInputError(f"Run {run_id} cannot end as running. End it as finished, failed or cancelled.")
    now = workspace.now()
    with open_journals(workspace, run_id) as journals:
        journals.shut()  # before they are read: what is logged from here on is refused
        with workspace.transaction() as tx:
            before = store.get_status(tx, run_id)
            if before not in _OPEN and before is not status:
                raise ConflictError(f"Run {run_id} already ended as {before.value} and cannot end as {status.value}.")
            journals.fold(tx)
            if before in _OPEN:
                if duration_seconds is None:
                    started_at = _run(workspace, run_id).started_at
                    duration_seconds = max(0.0, (now - started_at).total_seconds())
                store.end_run(
                    tx,
                    run_id,
                    status,
                    finished_at=now,
                    duration_seconds=duration_seconds,
                    error=error,
                    only_from=_OPEN,
                )
        journals.remove()
    return _run(workspace, run_id)


@operation(permission="runs:write")
def record_params(workspace: Workspace, run_id: str, params: dict[str, bool | int | float | str | None]) -> None:
    """Add params to a running run. They never change: the same value again is fine, another is a ConflictError."""
    kept = {values.check_key("param", name): values.param_value(value) for name, value in params.items()}
    with workspace.transaction() as tx:
        _check_open(tx, run_id, "params")
        store.add_params(tx, run_id, kept)


@operation(permission="runs:write")
def record_metrics(workspace: Workspace, run_id: str, metrics: list[MetricValue]) -> None:
    """Append measured numbers to a running run, all in one transaction. NaN and infinities are kept."""
    kept = [
        replace(
            metric,
            name=values.check_key("metric", metric.name),
            value=values.metric_value(metric.name, metric.value),
            step=values.metric_step(metric.name, metric.step),
        )
        for metric in metrics
    ]
    with open_journals(workspace, run_id) as journals:  # what was logged before has the steps before
        with workspace.transaction() as tx:
            _check_open(tx, run_id, "metrics")
            journals.fold(tx)
            if kept:
                run_metrics.add_metrics(tx, run_id, kept, workspace.now())
        journals.remove()


@operation(permission="runs:write")
def record_tags(workspace: Workspace, run_id: str, tags: dict[str, str]) -> None:
    """Set tags, also on runs that ended; the last value of a name counts."""
    kept = values.tag_values(tags)
    with workspace.transaction() as tx:
        store.get_status(tx, run_id)
        store.set_tags(tx, run_id, kept)


@operation(permission="runs:write")
def record_artifact(workspace: Workspace, run_id: str, artifact: Artifact) -> Artifact:
    """Tie a kept blob to the run under a path; the same path again replaces it."""
    values.check_artifact_path(artifact.path)
    kept = replace(artifact, size_bytes=_size(workspace, artifact.digest, f"artifact '{artifact.path}'"))
    with workspace.transaction() as tx:
        store.get_status(tx, run_id)
        store.put_artifact(tx, run_id, kept)
    return kept


@operation(permission="runs:write")
def record_input(workspace: Workspace, run_id: str, variable: str, dataset_ref: str) -> None:
    """Tie a dataset version (`flights@v3`) to the run as what it read through `variable`."""
    values.check_key("variable", variable)
    ref = parse_dataset_ref(dataset_ref)
    if ref.number is None:
        raise InvalidInputError(f"'{dataset_ref}' can move. A run's input is one version: {ref.name}@v1, for example.")
    with workspace.transaction() as tx:
        store.get_status(tx, run_id)
        store.add_input(tx, run_id, variable, ref.name, ref.number)


@operation(permission="runs:write")
def record_model(workspace: Workspace, run_id: str, model: RunModel) -> RunModel:
    """Tie a kept model to the run. Who wrote it is whoever calls; a registered model cannot be replaced."""
    kept = replace(
        model,
        run_id=run_id,
        written_by=workspace.actor,
        size_bytes=_size(workspace, model.model_digest, f"model of run {run_id}"),
    )
    with workspace.transaction() as tx:
        store.get_status(tx, run_id)
        store.put_model(tx, run_id, kept)
    return kept


def _check_open(tx: Transaction, run_id: str, what: str) -> None:
    status = store.get_status(tx, run_id)
    if status not in _OPEN:
        raise ConflictError(
            f"Run {run_id} has ended ({status.value}), so its {what} are fixed. Start another run, or set a tag."
        )


def _size(workspace: Workspace, digest: str, what: str) -> int:
    if not workspace.blobs.exists(check_digest(digest)):
        raise NotFoundError(f"The {what} has no content yet: put blob {digest} first.")
    return workspace.blobs.size(digest)


def _run(workspace: Workspace, run_id: str) -> Run:
    runs = store.load_runs(workspace.database, [run_id])
    if not runs:
        raise store.missing_run(run_id)
    return runs[0]
