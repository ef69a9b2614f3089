"""The live run: what `with snap.start_run() as run:` gives and the log functions write to.

Wrong use (a metric that is no number, a param that changes) raises at once. A workspace that cannot be written (locked,
disk full, server away) never stops the training: metrics stay in their journal, what else the run was given is held in
memory, the run warns once and writes it when the workspace answers again.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import struct
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..domain.errors import ConflictError, InvalidInputError, SnapMLError, SnapMLWarning, UnavailableError
from ..domain.model import RunModel
from ..domain.run import Artifact, MetricValue, Run, RunError, RunSource, RunStatus
from ..store.journal_file import FOLDER_NAME, JournalClosedError, JournalWriter
from ..store.points import from_microseconds, nanoseconds
from . import current, recording, values
from .artifacts import artifact_content, figure_content
from .artifacts import media_type as media_type_of
from .current import active_run as active_run
from .journals import fold_pending
from .live import keep_live
from .point_buffer import PointBuffer
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
#: Points sent to a remote workspace in one request.
_POINTS_A_REQUEST = 10_000


class ActiveRun:
    """A run that is being recorded. As a context manager it ends itself; else call `finish`. Safe to share by threads."""

    def __init__(self, workspace: Workspace | RemoteWorkspace, run: Run) -> None:
        self.workspace = workspace
        self.pid = os.getpid()
        #: Whether runs that are started in its block are its children.
        self.encloses = False
        #: Whether what libraries do while it is the active one is recorded in it.
        self.is_autologged = True
        self._run = run
        self._began = time.perf_counter() - (run.duration_seconds or 0.0)  # a resumed run goes on counting
        self._ended: RunStatus | None = None
        self._lock = threading.RLock()
        self._held_back: list[Callable[[], None]] = []
        self._n_dropped = 0
        self._held_points: list[MetricValue] = []
        self._points_are_held = False
        self._retry_at = 0.0
        self._warned = False
        self._before_end: list[Callable[[], None]] = []
        self._metric_names: set[str] = set()  # those that were found fit
        self._now_ns = _clock(workspace)
        self._points: JournalWriter | PointBuffer
        if workspace.is_remote:
            self._points = PointBuffer()
        else:
            self._points = JournalWriter(workspace.folder / FOLDER_NAME, run.run_id, this_process)  # type: ignore[union-attr]
        self._append = self._points.append

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
    def parent_run_id(self) -> str | None:
        """The run it was started inside of."""
        return self._run.parent_run_id

    @property
    def is_active(self) -> bool:
        """Whether it has not been ended yet."""
        return self._ended is None

    @property
    def run(self) -> Run:
        """The record as it is kept right now; the last one known while the workspace is away."""
        self.flush_points()
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
        # Called millions of times: what is usual needs no other call than to keep it.
        if (
            type(value) is float
            and type(name) is str
            and name in self._metric_names
            and (step is None or type(step) is int)
            and not self._points_are_held
        ):
            try:
                self._append(name, value, step, self._now_ns())
                return
            except (struct.error, JournalClosedError, OSError):  # again below, where it is said
                pass
        self.log_metrics({name: value}, step)

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Record several numbers at once, of the same step if one is given."""
        at_ns = self._now_ns()
        kept = [
            (self._new_metric(name), values.metric_value(name, value), values.metric_step(name, step))
            for name, value in values.check_mapping("metrics", metrics).items()
        ]
        for name, value, each_step in kept:
            self.log_point(name, value, each_step, at_ns)

    def log_point(self, name: str, value: float, step: int | None, at_ns: int) -> None:
        """Record a number that was measured at that time (nanoseconds since 1970), of a name that was checked."""
        if self._points_are_held:
            self._hold_point(name, value, step, at_ns)
            return
        try:
            self._append(name, value, step, at_ns)
        except struct.error:
            values.metric_step(name, step)
            raise
        except JournalClosedError:
            raise self._has_ended() from None
        except OSError as error:  # no room for another file, or none can be made there
            self._warn(error)
            self._hold_point(name, value, step, at_ns)

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
        body, path = artifact_content(content, name)
        self._keep(body, path, media_type or media_type_of(path))

    def log_figure(self, figure: Any, name: str) -> None:
        """Keep a matplotlib figure (anything with `savefig`, or `.figure` that has it) as PNG."""
        body, path = figure_content(figure, name)
        self._keep(body, path, "image/png")

    def log_model(
        self, model: Any, example: Any, *, target: str | None = None, variable: str = "model", labels: Any = None
    ) -> RunModel | None:
        """Keep a fitted model, with the signature of the DataFrame it was fitted on; None when it could not be written.

        `labels` are the classes of a model that keeps none. Raises CannotKeepError naming the step that cannot be kept.
        """
        from .models import keep_model

        given = {"example": example, "target": target, "variable": variable, "labels": labels}
        try:
            return keep_model(self.workspace, self.run_id, model, **given)
        except _CANNOT_WRITE as error:
            self._warn(error)
            return None

    def before_end(self, action: Callable[[], None]) -> None:
        """Call this when the run ends, while it can still be logged to. What goes wrong in it is a warning."""
        self._before_end.append(action)

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
            self._end_what_watches()
            self._points.end()
            self._ended = status
            self._metric_names.clear()
            current.leave(self)
            try:
                self._flush()
                self._send_points()
                self._run = recording.finish_run(self.workspace, self.run_id, status, error, seconds)
            except _CANNOT_WRITE as problem:
                self._warn(problem)
            self._say_what_is_lost()
            return self._run

    def flush_points(self) -> None:
        """Write what was logged to the database; when that is not possible now, the next time does it."""
        if not self.workspace.is_remote:
            fold_pending(self.workspace, self.run_id)  # type: ignore[arg-type]  # local
            return
        with self._lock:
            try:
                self._send_points()
            except (*_CANNOT_WRITE, SnapMLError) as error:
                self._warn(error)

    def __enter__(self) -> ActiveRun:
        self.encloses = True
        current.enter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish_after(problem)

    def finish_after(self, problem: BaseException | None) -> None:
        """End it as what ran in it ended: finished, cancelled by an interrupt, or failed."""
        if problem is None:
            self.finish()
        elif isinstance(problem, (KeyboardInterrupt, GeneratorExit)):
            self.finish(RunStatus.cancelled, run_error(problem))
        elif isinstance(problem, SystemExit) and problem.code in (None, 0):
            self.finish()
        else:
            self.finish(RunStatus.failed, run_error(problem))

    def _new_metric(self, name: object) -> str:
        if self._ended is not None:
            raise self._has_ended()
        checked = values.check_key("metric", name)
        self._metric_names.add(checked)
        return checked

    def _has_ended(self) -> ConflictError:
        ended = f"ended ({self._ended.value})" if self._ended else "ended in another process"
        return ConflictError(f"Run {self.name} ({self.run_id}) has {ended}. Start another run to log to.")

    def _keep(self, body: bytes, path: str, media_type: str) -> None:
        def write() -> None:
            digest = self.workspace.blobs.put(body)
            recording.record_artifact(
                self.workspace,
                self.run_id,
                Artifact(path=path, digest=digest, size_bytes=len(body), media_type=media_type),
            )

        self._write(write)

    def _hold_point(self, name: str, value: float, step: int | None, at_ns: int) -> None:
        """Write a point without the journal: at once when the database answers, else with what is held back."""
        at = from_microseconds(at_ns // 1000)
        with self._lock:
            if self._ended is not None:
                raise self._has_ended()
            if len(self._held_points) < _MAX_HELD_BACK:
                self._held_points.append(MetricValue(name=name, value=value, step=step, logged_at=at))
            else:
                self._n_dropped += 1
            if not self._points_are_held:
                self._points_are_held = True
                self._write_now(self._write_held_points)
            elif time.monotonic() >= self._retry_at:
                self._write_now(None)

    def _write_held_points(self) -> None:
        points = list(self._held_points)
        recording.record_metrics(self.workspace, self.run_id, points)
        del self._held_points[: len(points)]
        self._points_are_held = False

    def _send_points(self) -> None:
        """Send what is held of a run on a remote workspace."""
        if isinstance(self._points, PointBuffer):
            points = self._points.take()
            for start in range(0, len(points), _POINTS_A_REQUEST):
                some = points[start : start + _POINTS_A_REQUEST]
                self._write_now(lambda some=some: recording.record_metrics(self.workspace, self.run_id, some))  # type: ignore[misc]

    def _write(self, write: Callable[[], None]) -> None:
        """Write now, after what was held back; or hold it back, in order, while the workspace is away."""
        with self._lock:
            if self._ended is not None:
                raise self._has_ended()
            self._write_now(write)

    def _write_now(self, write: Callable[[], None] | None) -> None:
        if self._held_back and time.monotonic() < self._retry_at:
            self._hold_back(write)
            return
        tried_at = time.monotonic()
        try:
            self._flush()
            if write is not None:
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

    def _hold_back(self, write: Callable[[], None] | None) -> None:
        if write is None:
            return
        if len(self._held_back) < _MAX_HELD_BACK:
            self._held_back.append(write)
        else:
            self._n_dropped += 1

    def _end_what_watches(self) -> None:
        while self._before_end:
            try:
                self._before_end.pop()()
            except Exception as error:  # the training is done and its result stands, whatever recording runs into
                warnings.warn(
                    f"Run {self.name} ({self.run_id}) left something out: {error}", SnapMLWarning, stacklevel=4
                )

    def _warn(self, error: BaseException) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"Run {self.name} ({self.run_id}) cannot be recorded for now: {error} The work goes on; what is logged is "
                "kept in its journal or held in memory, and written when the workspace answers again.",
                SnapMLWarning,
                stacklevel=4,
            )

    def _say_what_is_lost(self) -> None:
        n_lost = len(self._held_back) + self._n_dropped + len(self._held_points) - self._points_are_held
        if n_lost:
            warnings.warn(
                f"Run {self.name} ({self.run_id}) ended while the workspace could not be written: the last {n_lost:,} things "
                "it was given (params, tags, artifacts, metrics without room for a journal) are not recorded.",
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
    parent: str | ActiveRun | None = None,
    resume: str | None = None,
) -> ActiveRun:
    """Start recording a run; it is the active one until it ends, with or without `with`.

    `seed` is recorded and given to the global generators of `random`, NumPy and, where it is loaded, PyTorch. Inside the
    block of another run it is that run's child; `parent` names another one. `resume` goes on with a run that ended.
    Raises UnavailableError when the workspace cannot be written: nothing was trained yet.
    """
    from .environment import current_environment

    if resume is not None:
        if name is not None or experiment is not None or seed is not None or parent is not None:
            raise InvalidInputError("A resumed run keeps its name, experiment, seed and parent: give resume= alone.")
        run = recording.resume_run(workspace, resume, process=this_process())
        active = ActiveRun(workspace, run)
        current.enter(active)
        keep_live(active)
        for tag, value in (tags or {}).items():
            active.set_tag(tag, value)
        return active
    if parent is None:
        outer = current.enclosing_run()
        if outer is not None and outer.workspace.location == workspace.location:
            parent = outer
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
        parent=parent.run_id if isinstance(parent, ActiveRun) else parent,
    )
    if seed is not None:
        apply_seed(seed)
    active = ActiveRun(workspace, run)
    active.encloses = source is not None and source.kind == "cell"
    current.enter(active)
    keep_live(active)
    return active


def run_error(problem: BaseException, line: int | None = None) -> RunError:
    """An exception as it is recorded."""
    return RunError(
        type=type(problem).__name__,
        message=str(problem),
        line=line,
        traceback="".join(traceback.format_exception(type(problem), problem, problem.__traceback__)),
    )


def _clock(workspace: Workspace | RemoteWorkspace) -> Callable[[], int]:
    """The workspace's time as nanoseconds since 1970; the system's own clock without the way through a datetime."""
    from ..store.workspace import utc_now

    now = workspace.now
    if now is utc_now or workspace.is_remote:
        return time.time_ns
    return lambda: nanoseconds(now())


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
    for active in [active for active in current.list_active() if active.pid == os.getpid()]:
        if problem is None:
            active.finish()
        else:
            active.finish(RunStatus.failed, run_error(problem))


atexit.register(_finish_at_exit)
