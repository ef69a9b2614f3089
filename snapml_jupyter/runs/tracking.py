"""The live run: what `with snap.start_run() as run:` gives and the log functions write to.

Wrong use (a metric that is no number, a param that changes) raises at once. A workspace that cannot be written (locked,
disk full, server away) never stops the training: the run warns once, holds back what it was given and writes it when
the workspace answers again.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..domain.errors import ConflictError, InvalidInputError, SnapMLWarning, UnavailableError
from ..domain.model import RunModel
from ..domain.run import Artifact, MetricValue, Run, RunError, RunSource, RunStatus
from . import recording, values
from .processes import this_process
from .queries import get_run
from .seeds import apply_seed, check_seed

if TYPE_CHECKING:
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace

#: What makes recording impossible without being the user's mistake.
_CANNOT_WRITE = (UnavailableError, OSError, sqlite3.Error)
#: How long to leave an unavailable workspace alone, in seconds.
_PAUSE_SECONDS = 30.0
#: Most writes held back while it is away.
_MAX_HELD_BACK = 100_000

_here: ContextVar[tuple[ActiveRun, ...]] = ContextVar("snapml_active_runs", default=())
_everywhere: list[ActiveRun] = []


class ActiveRun:
    """A run that is being recorded. As a context manager it ends itself; else call `finish`. Safe to share by threads."""

    def __init__(self, workspace: Workspace | RemoteWorkspace, run: Run) -> None:
        self.workspace = workspace
        self.pid = os.getpid()
        self._run = run
        self._began = time.perf_counter()
        self._ended: RunStatus | None = None
        self._lock = threading.RLock()
        self._held_back: list[Callable[[], None]] = []
        self._retry_at = 0.0
        self._warned = False

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker process (joblib, multiprocessing) that is handed the run logs to it over a connection of its own.
        return _attached, (self.workspace.location, self.workspace.actor, self._run)

    def __repr__(self) -> str:
        return f"<ActiveRun {self.name} ({self.run_id}): {self._ended.value if self._ended else 'running'}>"

    @property
    def run_id(self) -> str:
        """Its id in the workspace."""
        return self._run.run_id

    @property
    def name(self) -> str:
        """Its name."""
        return self._run.name

    @property
    def is_active(self) -> bool:
        """Whether it has not been ended yet."""
        return self._ended is None

    @property
    def run(self) -> Run:
        """The record as it is kept right now; the last one known while the workspace is away."""
        try:
            self._run = get_run(self.workspace, self.run_id)
        except _CANNOT_WRITE as error:
            self._warn(error)
        return self._run

    def log_param(self, name: str, value: Any) -> None:
        """Record one setting. Raises ConflictError when it is already recorded with another value."""
        self.log_params({name: value})

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Record settings. JSON scalars are kept as they are, anything else as its text."""
        kept = {
            values.check_key("param", name): values.param_value(value)
            for name, value in values.check_mapping("params", params).items()
        }
        self._write(lambda: recording.record_params(self.workspace, self.run_id, kept))

    def log_metric(self, name: str, value: Any, step: int | None = None) -> None:
        """Record one measured number; it is safe from a killed process on return.

        Without a step it gets the next one of its name, counted from 0.
        """
        self.log_metrics({name: value}, step)

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Record several numbers at once, of the same step if one is given."""
        now = self.workspace.now()
        kept = [
            MetricValue(
                name=values.check_key("metric", name),
                value=values.metric_value(name, value),
                step=values.metric_step(name, step),
                logged_at=now,
            )
            for name, value in values.check_mapping("metrics", metrics).items()
        ]
        self._write(lambda: recording.record_metrics(self.workspace, self.run_id, kept))

    def set_tag(self, name: str, value: Any) -> None:
        """Set a label; the last value counts."""
        kept = values.tag_values({name: value})
        self._write(lambda: recording.record_tags(self.workspace, self.run_id, kept))

    def log_artifact(
        self,
        content: str | Path | bytes | bytearray | memoryview,
        name: str | None = None,
        *,
        media_type: str | None = None,
    ) -> None:
        """Keep a file (a path), or bytes or text under the given name.

        With a name, a `str` is the text itself unless it is the path of an existing file. Without one it is a path, and
        the file keeps its name. Raises InvalidInputError for a missing file or a name that would leave the run.
        """
        body, path = _artifact(content, name)
        self._keep(body, path, media_type or _media_type(path))

    def log_figure(self, figure: Any, name: str) -> None:
        """Keep a matplotlib figure (anything with `savefig`, or `.figure` that has it) as PNG."""
        import io

        drawn = figure if hasattr(figure, "savefig") else getattr(figure, "figure", None)
        if drawn is None or not hasattr(drawn, "savefig"):
            raise InvalidInputError(f"A figure has a savefig method; {type(figure).__name__} has none.")
        path = values.check_artifact_path(name)
        buffer = io.BytesIO()
        drawn.savefig(buffer, format="png")
        self._keep(buffer.getvalue(), path if path.lower().endswith(".png") else f"{path}.png", "image/png")

    def log_model(
        self, model: Any, example: Any, *, target: str | None = None, variable: str = "model"
    ) -> RunModel | None:
        """Keep a fitted model, with the signature of the DataFrame it was fitted on; None when it could not be written.

        Raises CannotKeepError naming the step that cannot be kept.
        """
        from .models import keep_model

        try:
            return keep_model(self.workspace, self.run_id, model, example=example, target=target, variable=variable)
        except _CANNOT_WRITE as error:
            self._warn(error)
            return None

    def finish(
        self,
        status: RunStatus = RunStatus.finished,
        error: RunError | None = None,
        duration_seconds: float | None = None,
    ) -> Run:
        """End the run and return its record. Ending it twice changes nothing."""
        with self._lock:
            if self._ended is not None:
                return self._run
            seconds = time.perf_counter() - self._began if duration_seconds is None else duration_seconds
            self._ended = status
            _leave(self)
            try:
                self._flush()
                self._run = recording.finish_run(self.workspace, self.run_id, status, error, seconds)
            except _CANNOT_WRITE as problem:
                self._warn(problem)
            return self._run

    def __enter__(self) -> ActiveRun:
        _enter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if problem is None:
            self.finish()
        elif isinstance(problem, (KeyboardInterrupt, GeneratorExit)):
            self.finish(RunStatus.cancelled, run_error(problem))
        elif isinstance(problem, SystemExit) and problem.code in (None, 0):
            self.finish()
        else:
            self.finish(RunStatus.failed, run_error(problem))

    def _keep(self, body: bytes, path: str, media_type: str) -> None:
        def write() -> None:
            digest = self.workspace.blobs.put(body)
            recording.record_artifact(
                self.workspace,
                self.run_id,
                Artifact(path=path, digest=digest, size_bytes=len(body), media_type=media_type),
            )

        self._write(write)

    def _write(self, write: Callable[[], None]) -> None:
        """Write now, after what was held back; or hold it back, in order, while the workspace is away."""
        with self._lock:
            if self._ended is not None:
                raise ConflictError(
                    f"Run {self.name} ({self.run_id}) has ended ({self._ended.value}). Start another run to log to."
                )
            if self._held_back and time.monotonic() < self._retry_at:
                self._hold_back(write)
                return
            tried_at = time.monotonic()
            try:
                self._flush()
                write()
            except _CANNOT_WRITE as error:
                self._hold_back(write)
                now = time.monotonic()
                # A locked database costs its whole waiting time: give the training ten times as much before the next try.
                self._retry_at = now + max(_PAUSE_SECONDS, 10 * (now - tried_at))
                self._warn(error)

    def _flush(self) -> None:
        while self._held_back:
            try:
                self._held_back[0]()
            except (ConflictError, InvalidInputError) as error:  # such as a param that another process set meanwhile
                warnings.warn(
                    f"Run {self.name} ({self.run_id}) left something out: {error}", SnapMLWarning, stacklevel=4
                )
            del self._held_back[0]

    def _hold_back(self, write: Callable[[], None]) -> None:
        if len(self._held_back) < _MAX_HELD_BACK:
            self._held_back.append(write)

    def _warn(self, error: BaseException) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"Run {self.name} ({self.run_id}) cannot be recorded for now: {error} The work goes on; what is logged is "
                "held in memory and written when the workspace answers again.",
                SnapMLWarning,
                stacklevel=4,
            )


def start_run(
    workspace: Workspace | RemoteWorkspace,
    name: str | None = None,
    *,
    experiment: str | None = None,
    seed: int | None = None,
    tags: Mapping[str, Any] | None = None,
    note: str | None = None,
    source: RunSource | None = None,
    capture_environment: bool = True,
) -> ActiveRun:
    """Start recording a run; it is the active one until it ends, with or without `with`.

    `seed` is recorded and given to the global generators of `random`, NumPy and, where it is loaded, PyTorch.
    Raises UnavailableError when the workspace cannot be written: nothing was trained yet.
    """
    from .environment import current_environment

    run = recording.create_run(
        workspace,
        name=name,
        experiment=experiment,
        seed=None if seed is None else check_seed(seed),
        tags=values.tag_values(tags or {}),
        note=note,
        source=source,
        environment=current_environment() if capture_environment else None,
        process=this_process(),
    )
    if seed is not None:
        apply_seed(seed)
    active = ActiveRun(workspace, run)
    _enter(active)
    return active


def active_run() -> ActiveRun | None:
    """The run to log to here: the newest unfinished one of this thread or task, else of the whole process.

    The second rule lets worker threads, and cells after the one that called `start_run`, find it.
    """
    for active in reversed(_here.get()):
        if active.is_active:
            return active
    return next((active for active in reversed(_everywhere) if active.is_active), None)


def run_error(problem: BaseException, line: int | None = None) -> RunError:
    """An exception as it is recorded."""
    return RunError(
        type=type(problem).__name__,
        message=str(problem),
        line=line,
        traceback="".join(traceback.format_exception(type(problem), problem, problem.__traceback__)),
    )


def _artifact(content: Any, name: str | None) -> tuple[bytes, str]:
    """The bytes to keep and their path inside the run."""
    if isinstance(content, (bytes, bytearray, memoryview)):
        if name is None:
            raise InvalidInputError("Bytes need a name to be kept under: log_artifact(content, 'report.html').")
        return bytes(content), values.check_artifact_path(name)
    if not isinstance(content, (str, Path)):
        raise InvalidInputError(
            f"An artifact is a path, bytes or text, not {type(content).__name__}. Write it to a file first."
        )
    file = Path(content)
    try:
        is_file = file.is_file()
    except (OSError, ValueError):  # a text too long for a path, or with a null character
        is_file = False
    if not is_file:
        if isinstance(content, str) and name is not None:
            return content.encode("utf-8", "replace"), values.check_artifact_path(name)
        what = "is a folder; log its files one by one" if file.is_dir() else "does not exist"
        raise InvalidInputError(f"The file {str(content)[:200]!r} {what}.")
    path = values.check_artifact_path(file.name if name is None else name)
    try:
        return file.read_bytes(), path
    except OSError as error:
        raise InvalidInputError(f"The file {str(file)!r} cannot be read: {error.strerror}.") from error


def _media_type(path: str) -> str:
    import mimetypes

    return mimetypes.guess_type(path)[0] or "application/octet-stream"


def _attached(location: str, actor: str, run: Run) -> ActiveRun:
    from ..store.workspace import open_workspace

    return ActiveRun(open_workspace(location, actor=actor), run)


def _finish_at_exit() -> None:
    """End what a script left open. A kernel is different: that it stops says nothing about its cells, so their runs are
    left to be marked as interrupted."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        return
    problem = getattr(sys, "last_value", None)  # what ended the script, if anything did
    for active in [active for active in _everywhere if active.pid == os.getpid()]:
        if problem is None:
            active.finish()
        else:
            active.finish(RunStatus.failed, run_error(problem))


atexit.register(_finish_at_exit)


def _enter(active: ActiveRun) -> None:
    unfinished = tuple(other for other in _here.get() if other.is_active and other is not active)
    _here.set((*unfinished, active))
    if active not in _everywhere:
        _everywhere.append(active)


def _leave(active: ActiveRun) -> None:
    _here.set(tuple(other for other in _here.get() if other is not active))
    if active in _everywhere:
        _everywhere.remove(active)
