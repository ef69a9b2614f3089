"""Seeing which estimators a cell fits, and on what, without the estimators or scikit-learn noticing.

While a cell is recorded, `fit` and its relatives of every class that derives from scikit-learn's `BaseEstimator` (also of
other libraries, also defined or imported meanwhile) pass through here. Fits inside other fits, or of joblib's workers,
are not the user's and are let through unseen. Afterwards every class has its own function again.
"""

from __future__ import annotations

import functools
import sys
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from .stack import is_inside_a_library_call

_METHODS = ("fit", "partial_fit", "fit_transform", "fit_predict")
_watching: FitWatch | None = None


@dataclass(slots=True)
class Fit:
    """One call of `fit` by the user. `X` and `y` are the objects that were passed, `finished` whether it returned."""

    estimator: Any
    X: Any
    y: Any
    finished: bool = False
    began: float = 0.0


class FitListener(Protocol):
    """Is told of the user's fits."""

    def fit_began(self, fit: Fit) -> None:
        """It is about to run."""

    def fit_ended(self, fit: Fit, seconds: float) -> None:
        """It returned."""


class FitWatch:
    """Tells of the outermost fits between `start` and `stop`."""

    def __init__(self, listener: FitListener) -> None:
        self._listener = listener
        self._undo: list[Callable[[], None]] = []

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
        self._listener.fit_began(fit)
        fit.began = time.perf_counter()
        return fit

    def leave(self, fit: Fit) -> None:
        """The call returned."""
        seconds = time.perf_counter() - fit.began
        fit.finished = True
        self._listener.fit_ended(fit, seconds)

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
        from snapml_jupyter.capture.estimators import entering, left

        record = entering(self, args, kwargs)
        result = original(self, *args, **kwargs)
        if record is not None:
            left(record)
        return result

    return fit


def entering(estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Fit | None:
    """Called by a watched `fit` as it begins."""
    watch = _watching
    frame = sys._getframe(1).f_back
    return watch.enter(estimator, args, kwargs, frame) if watch is not None and frame is not None else None


def left(fit: Fit) -> None:
    """Called by a watched `fit` that returns."""
    if _watching is not None:
        _watching.leave(fit)
    else:
        fit.finished = True


def _subclasses(cls: type[Any]) -> Iterator[type[Any]]:
    child: type[Any]
    for child in cls.__subclasses__():
        yield child
        yield from _subclasses(child)
