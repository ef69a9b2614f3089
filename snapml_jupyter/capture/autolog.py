"""What libraries do while a run is recorded, kept without a word in the code: fits, params, measured numbers, losses."""

from __future__ import annotations

import types
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..domain.run import ParamValue
from .estimators import Fit
from .params import MAX_PARAMS, estimator_params
from .stack import CallSite, call_site
from .watching import start_watching, stop_watching

if TYPE_CHECKING:
    from ..runs.tracking import ActiveRun

#: Fits that are remembered, with what they were fitted on: a loop over a thousand models must not hold a thousand frames.
MAX_FITS = 50


class Autolog:
    """What is seen for one run between `start` and `stop`. No library is imported for it."""

    def __init__(self, active: ActiveRun, namespace: Mapping[str, Any]) -> None:
        self.active = active
        self.namespace = namespace
        self.fits: list[Fit] = []
        #: What the user's fits in this run took together. A tag and not a metric: it never comes out the same twice.
        self.fit_seconds = 0.0
        self._own: list[Fit] = []
        self._params: dict[str, ParamValue] = {}
        self._sites: dict[tuple[str, str], list[CallSite]] = {}
        self._trainings: dict[str, list[weakref.ref[Any]]] = {}

    def start(self) -> None:
        """Begin to watch."""
        start_watching(self)

    def stop(self) -> None:
        """Leave no trace, once the last run that is watched has stopped."""
        stop_watching(self)

    def params(self, namespace: Mapping[str, Any], *, own_only: bool = False) -> dict[str, ParamValue]:
        """Params of the model (the predictor that would be kept) by their names, those of other estimators behind theirs.

        `own_only` leaves out what was fitted in runs inside of this one.
        """
        from .training import choose_model

        fits = self._own if own_only else self._own or self.fits
        chosen = choose_model(fits, namespace)
        first = chosen.fit if chosen is not None else (fits[-1] if fits else None)
        if first is None:
            return dict(self._params)
        params = estimator_params(first.estimator)
        names = {id(value): name for name, value in namespace.items() if not name.startswith("_")}
        for fit in fits:
            prefix = names.get(id(fit.estimator))
            if fit is not first and prefix is not None:
                params.update((f"{prefix}.{name}", value) for name, value in estimator_params(fit.estimator).items())
        return dict(list({**self._params, **params}.items())[:MAX_PARAMS])

    def note_params(self, params: Mapping[str, ParamValue]) -> None:
        """Settings that a library was given; those of its first use count."""
        for name, value in params.items():
            self._params.setdefault(name, value)

    def replace_params(self, params: Mapping[str, ParamValue]) -> None:
        """Settings of which the last count: the best that a search knows so far."""
        self._params.update(params)

    def add_fit(self, fit: Fit, is_own: bool) -> None:
        """The user fits an estimator, in this run (`is_own`) or in one inside of it."""
        # A loop over batches or folds is one estimator fitted again: the last time counts.
        self.fits = [*_without(self.fits, fit)[1 - MAX_FITS :], fit]
        if is_own:
            self._own = [*_without(self._own, fit)[1 - MAX_FITS :], fit]

    def name_of(self, run_id: str, name: str, caller: types.FrameType) -> str:
        """The metric of a number that is measured there.

        Turns of a loop are steps of one metric; a second place in the code that measures the same is another metric,
        `name_2`.
        """
        sites = self._sites.setdefault((run_id, name), [])
        site = call_site(caller, self.namespace)
        if site not in sites:
            sites.append(site)
        number = sites.index(site) + 1
        return name if number == 1 else f"{name}_{number}"

    def ending_of(self, kind: str, training: Any) -> str:
        """Behind the metric names of a training: nothing for the first of its kind in a run, `_2` for the second."""
        trainings = self._trainings.setdefault(kind, [])
        places = [place for place, known in enumerate(trainings) if known() is training]
        if not places:
            places = [len(trainings)]
            trainings.append(weakref.ref(training))
        return f"_{places[0] + 1}" if places[0] else ""


def _without(fits: list[Fit], fit: Fit) -> list[Fit]:
    return [earlier for earlier in fits if earlier.estimator is not fit.estimator]
