"""Studies of optuna: every trial as a run inside of the run that searches, with its params and what it gave."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .patching import Patches

if TYPE_CHECKING:
    from ...runs.tracking import ActiveRun
    from ..autolog import Autolog
    from ..watching import Seen


class OptunaWatch:
    """Watches `Study.optimize`, `Study.tell` and `Trial.report`."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._patches = Patches()

    def start(self) -> None:
        """Begin. Needs `optuna.study.study` to be loaded."""
        study = sys.modules["optuna.study.study"].Study
        self._patches.replace(study, "optimize", self._watched_optimize)
        self._patches.replace(study, "tell", self._watched_tell)
        trial = sys.modules.get("optuna.trial._trial")
        if trial is not None:
            self._patches.replace(trial.Trial, "report", self._watched_report)

    def stop(self) -> None:
        """Give the methods back."""
        self._patches.undo()

    def _watched_optimize(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def optimize(study: Any, func: Callable[[Any], Any], *args: Any, **kwargs: Any) -> Any:
            found = self._seen.users_target(sys._getframe(1))
            if found is None:
                return original(study, func, *args, **kwargs)
            autolog, active = found
            try:
                return original(study, self._recorded(func, active), *args, **kwargs)
            finally:
                with self._seen.quietly():
                    if len(study.directions) == 1 and any(trial.state.name == "COMPLETE" for trial in study.trials):
                        active.log_metric("best_value", study.best_value)
                        autolog.note_params(_best_params(study))

        return optimize

    def _watched_tell(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Trials that the user asks for and tells of: what lies between is code of the run itself, not of the trial's."""

        def tell(study: Any, *args: Any, **kwargs: Any) -> Any:
            told = original(study, *args, **kwargs)
            with self._seen.quietly():
                found = self._seen.users_target(sys._getframe(1))
                if found is not None:
                    self._keep_told(*found, study, told)
            return told

        return tell

    def _keep_told(self, autolog: Autolog, parent: ActiveRun, study: Any, told: Any) -> None:
        from ...domain.run import RunStatus

        is_complete = told.state.name == "COMPLETE"
        value = (told.values[0] if len(told.values) == 1 else told.values) if is_complete else None
        child = _start(parent, told.number, study.study_name)
        _note(child, told, value)
        if is_complete:
            child.finish()
            if isinstance(value, float):
                parent.log_metric("value", value, told.number)
                parent.log_metric("best_value", study.best_value, told.number)
                autolog.replace_params(_best_params(study))
        elif told.state.name == "PRUNED":
            _prune(child)
        else:
            child.finish(RunStatus.failed)

    def _recorded(self, func: Callable[[Any], Any], parent: ActiveRun) -> Callable[[Any], Any]:
        seen = self._seen

        def objective(trial: Any) -> Any:
            child = None
            with seen.quietly():
                child = _start(parent, trial.number, trial.study.study_name)
            if child is None:
                return func(trial)
            try:
                value = func(trial)
            except BaseException as error:
                with seen.quietly():
                    _end(child, trial, None, error)
                raise
            with seen.quietly():
                _end(child, trial, value, None)
                if isinstance(value, (int, float)) and parent.is_active:
                    parent.log_metric("value", value, trial.number)
            return value

        return objective

    def _watched_report(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def report(trial: Any, value: float, step: int) -> Any:
            answer = original(trial, value, step)
            with self._seen.quietly():
                found = self._seen.target()
                if found is not None:
                    found[1].log_metric("reported", value, step)
            return answer

        return report


def _best_params(study: Any) -> dict[str, Any]:
    return {f"best__{name}": value for name, value in study.best_params.items()}


def _start(parent: ActiveRun, number: int, study_name: str) -> ActiveRun:
    from ...runs.tracking import start_run

    child = start_run(
        parent.workspace,
        f"trial-{number}",
        parent=parent,
        tags={"study": study_name, "trial": number},
        capture_environment=False,
    )
    child.is_autologged = True
    return child


def _end(child: ActiveRun, trial: Any, value: Any, error: BaseException | None) -> None:
    if not child.is_active:  # the objective ended it
        return
    _note(child, trial, value)
    if error is not None and type(error).__name__ == "TrialPruned":
        _prune(child)
    else:
        child.finish_after(error)


def _note(child: ActiveRun, trial: Any, value: Any) -> None:
    """A trial's params, and its value or values where it has any."""
    child.log_params(trial.params)
    if isinstance(value, (int, float)):
        child.log_metric("value", value)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        child.log_metrics({f"value_{place}": each for place, each in enumerate(value)})


def _prune(child: ActiveRun) -> None:
    from ...domain.run import RunStatus

    child.set_tag("pruned", True)
    child.finish(RunStatus.cancelled)
