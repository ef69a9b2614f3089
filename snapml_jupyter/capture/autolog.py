"""What scikit-learn does in a cell, recorded without a word in the cell: estimators, their params, measured numbers."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..domain.run import ParamValue
from .estimators import Fit, FitWatch
from .imports import WhenImported
from .measures import MeasureWatch
from .params import MAX_PARAMS, estimator_params
from .stack import call_site, is_inside_a_library_call, is_users_code

if TYPE_CHECKING:
    from ..runs.tracking import ActiveRun


class Autolog:
    """Active between `start` and `stop`, and only there. scikit-learn is never imported for it."""

    def __init__(self, active: ActiveRun, namespace: Mapping[str, Any]) -> None:
        self._active = active
        self._namespace = namespace
        self._fits = FitWatch()
        self._measures = MeasureWatch(self._measured)
        self._imports = WhenImported({"sklearn.base": self._fits.start, "sklearn.metrics": self._measures.start})
        self._sites: dict[tuple[str, str], list[tuple[tuple[int, int], ...]]] = {}

    @property
    def fits(self) -> list[Fit]:
        """The estimators that the user fitted, each once, in the order of their last fit."""
        return self._fits.fits

    def start(self) -> None:
        """Begin to watch."""
        self._imports.start()

    def stop(self) -> None:
        """Leave no trace."""
        self._imports.stop()
        self._measures.stop()
        self._fits.stop()

    def params(self, namespace: Mapping[str, Any]) -> dict[str, ParamValue]:
        """Params of the model (the predictor that would be kept) by their names, those of other estimators behind theirs."""
        from .training import choose_model

        chosen = choose_model(self.fits, namespace)
        first = chosen.fit if chosen is not None else (self.fits[-1] if self.fits else None)
        if first is None:
            return {}
        params = estimator_params(first.estimator)
        names = {id(value): name for name, value in namespace.items() if not name.startswith("_")}
        for fit in self.fits:
            prefix = names.get(id(fit.estimator))
            if fit is not first and prefix is not None:
                params.update((f"{prefix}.{name}", value) for name, value in estimator_params(fit.estimator).items())
        return dict(list(params.items())[:MAX_PARAMS])

    def _measured(self, name: str, result: Any, caller: types.FrameType) -> None:
        """Record a number under the function's name.

        Turns of a loop are steps of one metric; a second place in the code that calls the same function is another
        metric, `name_2`.
        """
        from ..runs.tracking import active_run

        if not is_users_code(caller, self._namespace) or is_inside_a_library_call(caller):
            return
        if not isinstance(result, (int, float)) and not (
            hasattr(result, "item") and getattr(result, "shape", None) == ()
        ):
            return
        run = active_run() or self._active
        if not run.is_active:
            return
        sites = self._sites.setdefault((run.run_id, name), [])
        site = call_site(caller, self._namespace)
        if site not in sites:
            sites.append(site)
        number = sites.index(site) + 1
        run.log_metric(name if number == 1 else f"{name}_{number}", float(result))
