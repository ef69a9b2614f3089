"""One recorded cell, from the moment before the user's first line to the moment after the last."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..domain.errors import InvalidInputError, SnapMLError
from ..domain.names import check_name
from ..domain.run import RunError, RunSource, RunStatus
from .autolog import Autolog
from .cell_magics import expanded
from .imports import WhenImported
from .inputs import CellTable, KeptInput, find_tables, keep_table, known_inputs, why_not_kept
from .output import OutputCopy
from .replayable import CellCode, Replayable
from .resources import ResourceWatch
from .shown_figures import FigureWatch
from .stack import unlink_our_entries, users_traceback

if TYPE_CHECKING:
    from ..domain.model import RunModel
    from ..domain.program import MissingValue
    from ..domain.run import Run
    from ..runs.tracking import ActiveRun
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace

#: The name by which the cell finds its run.
RUN_VARIABLE = "run"
#: Kept of an error, in characters.
_MAX_MESSAGE, _MAX_TRACEBACK = 8_000, 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CellOptions:
    """What stood on the `%%snap_train` line. `data` is dataset name to variable."""

    name: str | None = None
    experiment: str | None = None
    seed: int | None = None
    params: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    register: str | None = None
    data: dict[str, str] = field(default_factory=dict)
    note: str | None = None
    require_valid: bool = False

    def check(self) -> None:
        """Raise InvalidInputError for a name that cannot be one, before anything is trained."""
        from ..runs.seeds import check_seed

        for kind, name in (("run", self.name), ("experiment", self.experiment), ("model", self.register)):
            if name is not None:
                check_name(kind, name)
        if self.seed is not None:
            check_seed(self.seed)


@dataclass(frozen=True, slots=True)
class CellReport:
    """What was recorded; `warnings` are sentences about what could not be, `missing` what a replay will lack."""

    run: Run
    inputs: list[KeptInput]
    model: RunModel | None
    warnings: list[str]
    missing: list[MissingValue] = field(default_factory=list)


class CellRecording:
    """A cell that is being recorded. `begin`, then the cell, then `end`, whatever happens in it."""

    def __init__(
        self,
        workspace: Workspace | RemoteWorkspace,
        options: CellOptions,
        namespace: MutableMapping[str, Any],
        active: ActiveRun,
    ) -> None:
        self.workspace = workspace
        self.options = options
        self.namespace = namespace
        self.active = active
        self.inputs: list[KeptInput] = []
        self.warnings: list[str] = []
        self.missing: list[MissingValue] = []
        self._replayable: Replayable | None = None
        self._autolog = Autolog(active, namespace)
        self._output = OutputCopy()
        self._resources = ResourceWatch()
        self._figures = FigureWatch()
        self._undo: list[Callable[[], None]] = []
        self._began = time.perf_counter()

    @classmethod
    def begin(
        cls,
        workspace: Workspace | RemoteWorkspace,
        options: CellOptions,
        source: RunSource,
        python_code: str,
        namespace: MutableMapping[str, Any],
        cell: CellCode | None = None,
    ) -> CellRecording:
        """Start the run. `python_code` is the cell as Python (magics translated), for what it reads; `cell` lets it be
        replayed.

        Raises InvalidInputError for options that cannot be, UnavailableError when the workspace cannot be written.
        """
        from ..runs.tracking import start_run

        options.check()
        python_code = expanded(python_code)
        replayed = cell.program if cell is not None else None
        tables = find_tables(python_code, namespace, options.data) if replayed is None else []
        active = start_run(
            workspace,
            options.name,
            experiment=options.experiment,
            seed=options.seed,
            tags=options.tags,
            note=options.note,
            source=source,
        )
        recording = cls(workspace, options, namespace, active)
        try:
            active.log_params(options.params)
            of_tables = []
            for table in tables:
                try:
                    kept = keep_table(workspace, active.run_id, table)
                    recording.inputs.append(kept)
                    of_tables.append((table, kept))
                    if kept.version.n_rows == 0:
                        recording.warnings.append(f"'{table.variable}' has no rows: nothing can be learned from it.")
                except Exception as error:  # keeping data must never stop the training: the card names what is missing
                    recording.warnings.append(why_not_kept(table.variable, error))
            if replayed is not None:
                recording.inputs = known_inputs(workspace, active.run_id, replayed, namespace)
            recording._check_inputs()
            if cell is not None:
                recording._keep_needs(python_code, cell, of_tables)
            recording._enter_cell()
        except BaseException as error:
            recording._leave_cell()
            active.finish(*_outcome(error, namespace))
            raise
        return recording

    def end(self, error: BaseException | None, value: Any = None) -> CellReport:
        """End the run as finished, failed (`error`) or cancelled (KeyboardInterrupt), and keep what the cell left.

        `value` is that of the cell's last expression.
        """
        seconds = time.perf_counter() - self._began  # of the cell itself, not of recording it
        self._leave_cell()
        status, problem = _outcome(error, self.namespace)
        model = None
        if self.active.is_active:  # the cell may have ended it itself
            try:
                with self._warning_of("Not everything was recorded"):
                    self._log_params()
                    self._log_output()
                    self._log_figures()
                if status is RunStatus.finished:
                    with self._warning_of("The model is not kept"):
                        model = self._keep_model()
                with self._warning_of("What the cell left is not kept, so it cannot be replayed"):
                    self._keep_outcome(value)
            except KeyboardInterrupt:
                self.warnings.append("Recording was interrupted after the cell: not everything is kept.")
        run = self.active.finish(status, problem, seconds)
        return CellReport(run, self.inputs, model, self.warnings, self.missing)

    def abandon(self) -> None:
        """The kernel ends while the cell runs."""
        self._leave_cell()
        self.active.finish(RunStatus.interrupted)

    def _check_inputs(self) -> None:
        """Say which inputs fail the expectations of their dataset. Raises InvalidInputError when none may."""
        from ..validation.checking import check_new_version

        invalid = []
        for kept in self.inputs:
            try:
                found = check_new_version(self.workspace, kept.version)
            except Exception as error:  # a check that cannot be made must not stop the training, unless that was asked
                self.warnings.append(f"{kept.version.ref} could not be checked. {type(error).__name__}: {error}")
                if self.options.require_valid:
                    raise
                continue
            if found is not None and not found.passed:
                failed = [result.message for result in found.results if not result.passed]
                more = f" And {len(failed) - 1} more." if len(failed) > 1 else ""
                invalid.append(kept.version.ref)
                self.warnings.append(f"{kept.version.ref} fails its suite: {failed[0]}{more}")
        if invalid:
            self.active.set_tag("invalid_data", ", ".join(invalid))
            if self.options.require_valid:
                raise InvalidInputError(
                    f"The cell was not run, as --require-valid asks: {self.warnings[-1]} "
                    f"See all: %snap_validate {invalid[-1]}"
                )

    def _keep_needs(self, python_code: str, cell: CellCode, tables: list[tuple[CellTable, KeptInput]]) -> None:
        """What the cell needs to be replayed. Whatever goes wrong with it, the cell runs."""
        with self._warning_of("What the cell needs is not kept, so it cannot be replayed"):
            self._replayable = Replayable.begin(
                self.workspace,
                self.active.run_id,
                python_code,
                self.namespace,
                cell,
                tables,
                seed=self.options.seed,
                given=self.options.params,
                skip=frozenset({RUN_VARIABLE}),
            )

    def _keep_outcome(self, value: Any) -> None:
        if self._replayable is None:
            return
        self.missing = self._replayable.end(value, [fit.estimator for fit in self._autolog.fits])
        if self.missing:
            self.active.set_tag("not_captured", ", ".join(missing.name for missing in self.missing))

    def _enter_cell(self) -> None:
        missing = object()
        before = self.namespace.get(RUN_VARIABLE, missing)
        self.namespace[RUN_VARIABLE] = self.active

        def give_back() -> None:
            if self.namespace.get(RUN_VARIABLE) is self.active:  # else the cell made a variable of that name
                if before is missing:
                    del self.namespace[RUN_VARIABLE]
                else:
                    self.namespace[RUN_VARIABLE] = before

        self._undo.append(give_back)
        self._output.start()
        self._undo.append(self._output.stop)
        self._watch_figures()
        self._autolog.start()
        self._undo.append(self._autolog.stop)
        self._resources.start()
        self._undo.append(self._resources.stop)
        if self.options.seed is not None:
            from ..runs.seeds import apply_seed

            apply_seed(self.options.seed)  # again: recording may have drawn numbers since the run began
        if self._replayable is not None:
            with self._warning_of("The state of the random generators is not kept, so a replay may differ"):
                self._replayable.enter()
            self._undo.append(self._replayable.leave)
        self._began = time.perf_counter()

    def _leave_cell(self) -> None:
        while self._undo:
            self._undo.pop()()

    def _log_params(self) -> None:
        given = self.active.run.params
        found = self._autolog.params(self.namespace)
        self.active.log_params({name: value for name, value in found.items() if name not in given})
        if self._autolog.fit_seconds:
            self.active.set_tag("fit_seconds", round(self._autolog.fit_seconds, 6))

    def _log_output(self) -> None:
        for name in ("stdout", "stderr"):
            text = self._output.text(name)
            if text:
                self.active.log_artifact(text.encode("utf-8", "replace"), f"{name}.txt", media_type="text/plain")
            if self._output.was_cut(name):
                self.warnings.append(f"The cell printed more to {name} than is kept; {name}.txt ends with how much.")

        used = self._resources.to_json()
        if used is not None:
            self.active.log_artifact(used, "resources.json", media_type="application/json")

    def _watch_figures(self) -> None:
        imports = WhenImported({"matplotlib.backend_bases": self._figures.start})
        imports.start()
        self._undo += [imports.stop, self._figures.stop]

    def _log_figures(self) -> None:
        for path, content in self._figures.figures:
            self.active.log_artifact(content, path)
        if self._figures.n_left_out:
            self.warnings.append(f"{self._figures.n_left_out} more figures were shown than are kept.")

    def _keep_model(self) -> RunModel | None:
        from ..domain.errors import NotFoundError
        from ..runs.models import get_run_model
        from .training import choose_model, keep_chosen

        try:
            return get_run_model(self.workspace, self.active.run_id)  # the cell called run.log_model itself
        except NotFoundError:
            pass
        chosen = choose_model(self._autolog.fits, self.namespace)
        if chosen is None:
            return None
        model = keep_chosen(self.workspace, self.active.run_id, self.active.name, chosen, self.inputs)
        labels = model.signature.labels
        if labels is not None and len(labels) == 1:
            self.warnings.append(
                f"The target had one class, {labels[0]!r}, in all rows: the model can only answer that. "
                "Fit it on rows of two classes or more."
            )
        return model

    @contextmanager
    def _warning_of(self, what: str) -> Iterator[None]:
        try:
            yield
        except SnapMLError as error:
            self.warnings.append(f"{what}. {error}")
        except Exception as error:  # the cell's own result stands, whatever recording runs into; the card says it
            self.warnings.append(f"{what}. {type(error).__name__}: {error}")


def _outcome(error: BaseException | None, namespace: MutableMapping[str, Any]) -> tuple[RunStatus, RunError | None]:
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return RunStatus.finished, None
    unlink_our_entries(error)
    cancelled = isinstance(error, KeyboardInterrupt) or type(error).__name__ == "CancelledError"
    return RunStatus.cancelled if cancelled else RunStatus.failed, describe_error(error, namespace)


def describe_error(error: BaseException, namespace: MutableMapping[str, Any]) -> RunError:
    """The error with its line in the cell (the deepest one, when the cell's functions called each other)."""
    entry = users_traceback(error, namespace)
    line, each = None, entry
    while each is not None:
        if entry is not None and each.tb_frame.f_code.co_filename == entry.tb_frame.f_code.co_filename:
            line = each.tb_lineno
        each = each.tb_next
    return RunError(
        type=type(error).__name__,
        message=_message(error)[:_MAX_MESSAGE],
        line=line,
        traceback="".join(traceback.format_exception(type(error), error, entry))[-_MAX_TRACEBACK:],
    )


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # an exception of the notebook whose own text fails must not hide that the cell failed
        return f"<{type(error).__name__} has no readable text>"
