"""`replay`: run the program of a run again in a clean process and judge the result."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ..domain.errors import InvalidInputError, PermissionDeniedError
from ..domain.program import Program, ReplayReport, Verdict
from ..domain.run import Run, RunSource, RunStatus
from ..runs.programs import get_program, get_program_author, record_replay
from ..runs.queries import find_environment, get_run
from ..runs.recording import finish_run, record_tags
from . import task as told
from .causes import likely_causes
from .comparing import worst_first
from .judging import compare_runs, span_of, verdict_of
from .overrides import with_data, with_params
from .recorded_environment import RecordedPython, python_of
from .working_folder import fill

if TYPE_CHECKING:
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace

#: Two numbers are equivalent when they differ by no more than this, relative to the larger.
TOLERANCE = 1e-9
#: A replay may take this many times as long as the original, and at least so many seconds.
_TIMES, _AT_LEAST_SECONDS = 20.0, 600.0
#: What kernels show figures with: it closes them where others keep them, so a replay shows them to nobody with it too.
_INLINE = "module://matplotlib_inline.backend_inline"
#: What is kept of what the process prints, for its error; it is stopped when it prints more than the second.
_KEPT_OUTPUT, _MAX_OUTPUT = 20_000, 200_000_000
#: Errors of a replay that say something was not there, rather than that the result is another.
_LACKING = (
    "ModuleNotFoundError",
    "ImportError",
    "FileNotFoundError",
    "NameError",
    "EOFError",
    "StdinNotImplementedError",
    "URLError",
    "ConnectionError",
    "HTTPError",
    "gaierror",
    "PermissionError",
)


def replay(
    workspace: Workspace | RemoteWorkspace,
    ref: str,
    *,
    data: str | Sequence[str] | Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    env: str = "current",
    tolerance: float = TOLERANCE,
    timeout_seconds: float | None = None,
    trust: bool = False,
) -> ReplayReport:
    """Run the cell of a run again in an empty folder and a clean process, and compare what it leaves.

    `data` gives other dataset versions (`"flights@latest"`, `{"df": "flights@v3"}`), `params` other values; `env` is
    "current" or "recorded". The replay is a run of its own, called `<name>-replay`.
    Raises NotFoundError for a run without a program, InvalidInputError for data or params that the cell does not have,
    PermissionDeniedError for another actor's code unless `trust`.
    """
    if env not in ("current", "recorded"):
        raise InvalidInputError(f"A replay runs in the environment 'current' or 'recorded', not {env!r}.")
    if tolerance < 0:
        raise InvalidInputError("A tolerance is zero or more.")
    original = get_run(workspace, ref)
    check_allowed(workspace, original, trust)
    program = get_program(workspace, original.run_id)
    refs = (
        [f"{k}={v}" for k, v in data.items()]
        if isinstance(data, Mapping)
        else ([data] if isinstance(data, str) else list(data or []))
    )
    changed_program, changed = with_data(workspace, program, refs)
    params = dict(params or {})
    changed_program = with_params(changed_program, params)
    python = RecordedPython(sys.executable)
    if env == "recorded":
        python = python_of(workspace, find_environment(workspace, original), program)
    limit = timeout_seconds or max(_AT_LEAST_SECONDS, _TIMES * (original.duration_seconds or 0.0))
    began = time.perf_counter()
    result, said, ended_by = _in_process(workspace, original, changed_program, python.executable, limit)
    report = _judge(
        workspace, original, changed_program, result, said, ended_by, tolerance, {**params, **dict.fromkeys(changed)}
    )
    report = replace(
        report,
        environment=env,
        data=changed,
        params=params,
        causes=_causes(workspace, original, report, changed_program, changed, params, python.left_out),
        duration_seconds=time.perf_counter() - began,
    )
    if report.run_id is not None:
        record_tags(workspace, report.run_id, {"verdict": report.verdict.value})
    record_replay(workspace, report)
    return report


def check_allowed(workspace: Workspace | RemoteWorkspace, original: Run, trust: bool) -> None:
    """Raise InvalidInputError for a run that left no result, PermissionDeniedError for another actor's without `trust`."""
    if original.status in (RunStatus.running, RunStatus.cancelled, RunStatus.interrupted):
        raise InvalidInputError(
            f"Run {original.name} ({original.run_id}) is {original.status.value}: it left no result that a replay could be "
            "compared with. `snapml export` writes its program."
        )
    author = get_program_author(workspace, original.run_id)
    if author != workspace.actor and not trust:
        raise PermissionDeniedError(
            f"{author} recorded run {original.name}: replaying it runs their code, as {workspace.actor}. If you trust {author} "
            "with everything you may do, replay it with trust=True (--trust). `snapml export` writes it to read."
        )


def _in_process(
    workspace: Workspace | RemoteWorkspace, original: Run, program: Program, python: str, limit: float
) -> tuple[told.Result, str, str]:
    """Run the program in a process of its own: how far it came, what it printed last, and what ended it early."""
    root = Path(tempfile.mkdtemp(prefix="snapml-replay-"))
    try:
        folder = fill(workspace, program, root)
        name = original.name if original.source.kind == "replay" else f"{original.name[:120]}-replay"
        task = told.Task(
            workspace=workspace.location,
            actor=workspace.actor,
            original_run_id=original.run_id,
            original_span=span_of(original),
            program=program,
            folder=str(folder),
            name=name,
            experiment=original.experiment,
            source=RunSource(
                kind="replay",
                code=original.source.code,
                notebook_path=original.source.notebook_path,
                cell_id=original.source.cell_id,
            ),
            seed=original.seed,
            tags={"replay_of": original.run_id},
        )
        told.write(root / told.TASK, task)
        process = subprocess.Popen(
            [python, "-m", "snapml_jupyter.replay.child", str(root)],
            cwd=folder,
            env=_variables(original, workspace, program),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        said, ended_by = "", "interrupted"
        try:
            said, ended_by = _watch(process, limit)
        finally:
            _end(process)
            result = told.read_result(root)
            if ended_by == "interrupted" and result.run_id is not None and not result.ended:
                with contextlib.suppress(Exception):  # the interrupt is what the user must see
                    finish_run(workspace, result.run_id, RunStatus.cancelled)
        if result.run_id is not None and not result.ended and ended_by:
            finish_run(workspace, result.run_id, RunStatus.interrupted)
        return result, said, ended_by
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _variables(original: Run, workspace: Workspace | RemoteWorkspace, program: Program) -> dict[str, str]:
    """The process's environment: this one's, with what the original's results depended on."""
    variables = dict(os.environ)
    environment = find_environment(workspace, original)
    recorded = environment.variables if environment is not None else {}
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "PYTHONHASHSEED"):
        variables.pop(name, None)
        if name in recorded:
            variables[name] = recorded[name]
    for kind, names in (("blas", ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")), ("openmp", ("OMP_NUM_THREADS",))):
        for name in names:
            if kind in program.threads and name not in recorded:
                variables[name] = str(program.threads[kind])
    if "PYTHONHASHSEED" not in recorded and original.seed is not None:
        variables["PYTHONHASHSEED"] = str(original.seed)
    variables["MPLBACKEND"] = "Agg"
    if program.kernel == "kernel" and json.loads(program.settings).get("backend") == "inline":
        variables["MPLBACKEND"] = _INLINE
    variables["SNAPML_WORKSPACE"] = workspace.location
    variables.pop("JPY_SESSION_NAME", None)
    return variables


def _watch(process: subprocess.Popen[bytes], limit: float) -> tuple[str, str]:
    """Wait for the end; the last of what it printed, and why it was ended: "", "timeout" or "output"."""
    tail: list[bytes] = [b""]
    total = [0]

    def read(stream: IO[bytes]) -> None:
        while chunk := os.read(stream.fileno(), 65536):
            total[0] += len(chunk)
            tail[0] = (tail[0] + chunk)[-_KEPT_OUTPUT:]

    assert process.stdout is not None
    reader = threading.Thread(target=read, args=(process.stdout,), daemon=True)
    reader.start()
    until = time.monotonic() + limit
    ended_by = ""
    while process.poll() is None:
        if time.monotonic() > until:
            ended_by = "timeout"
        elif total[0] > _MAX_OUTPUT:
            ended_by = "output"
        if ended_by:
            break
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    if not ended_by:
        reader.join(2.0)  # a process it left behind may hold the pipe open
    return tail[0].decode("utf-8", "replace"), ended_by


def _end(process: subprocess.Popen[bytes]) -> None:
    """No process of the replay is left, also none that it started."""
    for sign, seconds in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(OSError):
            os.killpg(process.pid, sign)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        break
    if process.stdout is not None:
        process.stdout.close()


def _judge(
    workspace: Workspace | RemoteWorkspace,
    original: Run,
    program: Program,
    result: told.Result,
    said: str,
    ended_by: str,
    tolerance: float,
    given: Mapping[str, Any],
) -> ReplayReport:
    report = ReplayReport(
        verdict=Verdict.not_replayable,
        original_run_id=original.run_id,
        run_id=result.run_id,
        created_at=workspace.now(),
        missing=program.missing,
        tolerance=tolerance,
    )
    if ended_by:
        why = {"timeout": "it took too long and was stopped", "output": "it printed too much and was stopped"}[ended_by]
        return replace(report, reason=f"The replay has no result: {why}.")
    if not result.ended or result.run_id is None:
        problem = result.problem or _last_error(said)
        return replace(report, reason=f"The replay could not be run: {problem}")
    run = get_run(workspace, result.run_id)
    if run.error is not None and original.status is RunStatus.finished:
        lacking = _lacking(run, program)
        if lacking:
            return replace(report, reason=lacking)
    comparison = compare_runs(workspace, program, original.run_id, result.run_id, tolerance, list(given))
    verdict = verdict_of(comparison)
    reason = ""
    if verdict is Verdict.not_replayable:
        reason = "The cell ran again, but it left nothing that could be compared: no metric, value, output or model."
    elif comparison.n_hidden:
        reason = f"{comparison.n_hidden} more differences are not listed."
    return replace(
        report,
        verdict=verdict,
        reason=reason,
        differences=list(worst_first(comparison.differences)),
        compared=comparison.compared,
        not_compared=comparison.not_compared[:100],
    )


def _lacking(run: Run, program: Program) -> str:
    """The sentence when the replay failed because something was not there; else nothing."""
    assert run.error is not None
    said = f"{run.error.type}: {run.error.message.strip().partition(chr(10))[0]}"
    if program.missing:
        return f"It fails ({said}). Not captured: " + "; ".join(str(each) for each in program.missing) + "."
    if run.error.type in _LACKING:
        return f"The cell could not be run again: {said}."
    return ""


def _last_error(said: str) -> str:
    lines = [line for line in said.strip().splitlines() if line.strip()]
    return lines[-1][:500] if lines else "its process ended without a word."


def _causes(
    workspace: Workspace | RemoteWorkspace,
    original: Run,
    report: ReplayReport,
    program: Program,
    data: Mapping[str, str],
    params: Mapping[str, Any],
    left_out: Mapping[str, str],
) -> list[str]:
    if report.verdict.is_good:
        return []
    lacking = [f"{name} {version}" for name, version in left_out.items()]
    said = f"the package index does not have {', '.join(lacking[:5])}: the environment is without" if lacking else ""
    current = None
    if report.run_id is not None:
        current = find_environment(workspace, get_run(workspace, report.run_id))
    causes = likely_causes(program, find_environment(workspace, original), current, data=data, params=params)
    return [said, *causes] if said else causes
