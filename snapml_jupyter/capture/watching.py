"""Watching libraries while at least one run wants to know: put in once, told to the run that is active, taken out again."""

from __future__ import annotations

import threading
import types
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from ..domain.errors import SnapMLWarning
from .estimators import Fit, FitWatch
from .imports import WhenImported
from .libraries.boosting import LightGBMWatch, XGBoostWatch
from .libraries.optuna_studies import OptunaWatch
from .libraries.torch_loops import TorchWatch
from .libraries.transformers_trainer import TrainerWatch
from .measures import MeasureWatch
from .stack import is_inside_a_library_call, is_users_code

if TYPE_CHECKING:
    from ..runs.tracking import ActiveRun
    from .autolog import Autolog


class Watch(Protocol):
    """Knows one library."""

    def start(self) -> None:
        """The library is loaded: begin."""

    def stop(self) -> None:
        """Leave it as it was."""


class Quietly:
    """A block whose errors are said once and go no further."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Exception):  # an interrupt is the user's
            return False
        self._seen.say(error)
        return True


class Seen:
    """What the watches tell, given to the run it belongs to. Nothing that goes wrong here reaches the user's code."""

    def __init__(self) -> None:
        self.autologs: list[Autolog] = []
        self._warned = False

    def target(self) -> tuple[Autolog, ActiveRun] | None:
        """The run that is active here, and the recording that it or the run around it belongs to."""
        from ..runs.current import active_run

        autologs = self.autologs
        if not autologs:
            return None
        active = active_run() or autologs[-1].active
        if not active.is_active or not active.is_autologged:
            return None
        chain = {active.run_id, active.parent_run_id}
        autolog = next((each for each in reversed(autologs) if each.active.run_id in chain), autologs[-1])
        return autolog, active

    def users_target(self, caller: types.FrameType) -> tuple[Autolog, ActiveRun] | None:
        """The same when the caller is the user's own code."""
        found = self.target()
        return found if found is not None and is_users_code(caller, found[0].namespace) else None

    def quietly(self) -> Quietly:
        """For everything that runs inside a library's call: a training is never broken by being watched."""
        return Quietly(self)

    def say(self, error: Exception) -> None:
        """Warn of what could not be recorded, once."""
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"Not everything could be recorded by itself. {type(error).__name__}: {error}",
                SnapMLWarning,
                stacklevel=4,
            )

    def fit_began(self, fit: Fit) -> None:
        """The user fits an estimator."""
        with self.quietly():
            found = self.target()
            if found is None:
                return
            _, active = found
            run_id: str | None = active.run_id
            known = {autolog.active.run_id: autolog for autolog in self.autologs}
            if run_id not in known:
                found[0].add_fit(fit, is_own=False)
                return
            is_own = True
            while run_id in known:
                known[run_id].add_fit(fit, is_own)
                run_id, is_own = known[run_id].active.parent_run_id, False

    def fit_ended(self, fit: Fit, seconds: float) -> None:
        """How long it took is part of what its run is tagged with."""
        with self.quietly():
            found = self.target()
            if found is not None and found[0].active is found[1]:
                found[0].fit_seconds += seconds

    def measured(self, name: str, result: Any, caller: types.FrameType) -> None:
        """A function of `sklearn.metrics` gave a number."""
        with self.quietly():
            found = self.users_target(caller)
            if found is None or is_inside_a_library_call(caller):
                return
            if isinstance(result, (int, float)) or (hasattr(result, "item") and getattr(result, "shape", None) == ()):
                autolog, active = found
                active.log_metric(autolog.name_of(active.run_id, name, caller), float(result))


_lock = threading.RLock()
_seen = Seen()
_stop: Callable[[], None] | None = None


def start_watching(autolog: Autolog) -> None:
    """Tell this recording what the libraries do."""
    global _stop
    with _lock:
        _seen.autologs = [*_seen.autologs, autolog]
        if _stop is None:
            _stop = _watch_libraries(_seen)


def stop_watching(autolog: Autolog) -> None:
    """Tell it no more; with the last one every library is as it was."""
    global _stop
    with _lock:
        _seen.autologs = [each for each in _seen.autologs if each is not autolog]
        if not _seen.autologs and _stop is not None:
            stop, _stop = _stop, None
            stop()


def _watch_libraries(seen: Seen) -> Callable[[], None]:
    watches: dict[str, Watch] = {
        "sklearn.base": FitWatch(seen),
        "sklearn.metrics": MeasureWatch(seen.measured),
        "lightgbm.basic": LightGBMWatch(seen),
        "xgboost.callback": XGBoostWatch(seen),
        "torch.optim.optimizer": TorchWatch(seen),
        "transformers.trainer": TrainerWatch(seen),
        "optuna.study.study": OptunaWatch(seen),
    }
    imports = WhenImported({module: watch.start for module, watch in watches.items()})
    imports.start()

    def stop() -> None:
        imports.stop()
        for watch in reversed(list(watches.values())):
            watch.stop()

    return stop
