"""Seeing which estimators a cell fits, and on what, without the estimators or scikit-learn noticing.

While a cell is recorded, `fit` and its relatives of every class that derives from scikit-learn's `BaseEstimator` (also of
other libraries, also defined or imported meanwhile) pass through here. Fits inside other fits, or of joblib's workers,
are not the user's and are let through unseen. Afterwards every class has its own function again.
"""

from __future__ import annotations

import functools
import sys
import threading
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .stack import is_inside_a_library_call

_METHODS = ("fit", "partial_fit", "fit_transform", "fit_predict")
#: Fits that are remembered, with what they were fitted on: a loop over a thousand models must not hold a thousand frames.
MAX_FITS = 50
_watching: FitWatch | None = None


@dataclass(slots=True)
class Fit:
    """One call of `fit` by the user. `X` and `y` are the objects that were passed, `finished` whether it returned."""

    estimator: Any
    X: Any
    y: Any
    finished: bool = False


class FitWatch:
    """The outermost fits between `start` and `stop`, in order."""

    def __init__(self) -> None:
        self.fits: list[Fit] = []
        self._undo: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def start(self) -> None:
        """Watch every estimator class there is and every one that will be. Needs `sklearn.base` to be loaded."""
        global _watching
        base = sys.modules["sklearn.base"].BaseEstimator
        _watching = self
        for known in {base, *_subclasses(base)}:
            self._watch(known)
        watch = self._watch

        def __init_subclass__(cls: type, /, **kwargs: Any) -> None:
            super(base, cls).__init_subclass__(**kwargs)  # type: ignore[misc]  # called by Python for subclasses of `base` only
            watch(cls)

        if "__init_subclass__" not in vars(base):
            base.__init_subclass__ = classmethod(__init_subclass__)
            self._undo.append(lambda: delattr(base, "__init_subclass__"))

    def stop(self) -> None:
        """Give every class its own functions back."""
        global _watching
        _watching = None
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()

    def enter(
        self, estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], caller: types.FrameType
    ) -> Fit | None:
        """A new record when the call is the user's own."""
        if is_inside_a_library_call(caller):
            return None
        fit = Fit(
            estimator,
            args[0] if args else kwargs.get("X"),
            args[1] if len(args) > 1 else kwargs.get("y", kwargs.get("Y")),
        )
        with self._lock:
            # A loop over batches or folds is one estimator fitted again: the last time counts.
            self.fits = [earlier for earlier in self.fits if earlier.estimator is not estimator]
            self.fits = [*self.fits[1 - MAX_FITS :], fit]
        return fit

    def _watch(self, cls: type) -> None:
        for name in _METHODS:
            original = vars(cls).get(name)
            if isinstance(original, types.FunctionType):
                self._replace(cls, name, original, _seen(original))
            elif isinstance(getattr(original, "fn", None), types.FunctionType):  # `available_if` keeps it inside
                self._replace(original, "fn", original.fn, _seen(original.fn))  # type: ignore[union-attr]  # just looked

    def _replace(self, owner: Any, name: str, original: Any, seen: Any) -> None:
        setattr(owner, name, seen)

        def undo() -> None:
            if vars(owner).get(name) is seen:  # else someone replaced it meanwhile, and it is theirs
                setattr(owner, name, original)

        self._undo.append(undo)


def _seen(original: types.FunctionType) -> Callable[..., Any]:
    # It may be pickled by value with a class of the notebook, for joblib's processes: so it holds nothing but the
    # original and finds the watch by import. In such a process there is none.
    @functools.wraps(original)
    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        from snapml_jupyter.capture.estimators import entering

        record = entering(self, args, kwargs)
        result = original(self, *args, **kwargs)
        if record is not None:
            record.finished = True
        return result

    return fit


def entering(estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Fit | None:
    """Called by a watched `fit` as it begins."""
    watch = _watching
    frame = sys._getframe(1).f_back
    return watch.enter(estimator, args, kwargs, frame) if watch is not None and frame is not None else None


def _subclasses(cls: type[Any]) -> Iterator[type[Any]]:
    child: type[Any]
    for child in cls.__subclasses__():
        yield child
        yield from _subclasses(child)
