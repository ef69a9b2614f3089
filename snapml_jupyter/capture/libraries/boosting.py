"""LightGBM and XGBoost: the numbers they compute on the evaluation sets after every iteration, as steps of a metric.

Both go through one method of a class, from `train` and from the scikit-learn classes alike, however they were imported.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .patching import Patches

if TYPE_CHECKING:
    from ..watching import Seen


class LightGBMWatch:
    """`valid_0.auc` for every iteration of every evaluation set."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._patches = Patches()

    def start(self) -> None:
        """Begin. Needs `lightgbm.basic` to be loaded."""
        booster = sys.modules["lightgbm.basic"].Booster
        for name in ("eval_train", "eval_valid"):
            self._patches.replace(booster, name, self._watched)

    def stop(self) -> None:
        """Give the methods back."""
        self._patches.undo()

    def _watched(self, original: Callable[..., Any]) -> Callable[..., Any]:
        seen = self._seen

        def evaluate(booster: Any, *args: Any, **kwargs: Any) -> Any:
            results = original(booster, *args, **kwargs)
            if sys._getframe(1).f_code.co_name == "handler_function":  # the folds of `cv`, many boosters of one name
                return results
            with seen.quietly():
                found = seen.target()
                if found is not None:
                    autolog, active = found
                    ending = autolog.ending_of(f"{active.run_id} lightgbm", booster)
                    step = booster.current_iteration() - 1
                    autolog.note_params(_settings(getattr(booster, "params", None)))
                    for data_name, metric, value, *_ in results:
                        active.log_metric(f"{data_name}.{metric}{ending}", float(value), step)
            return results

        return evaluate


class XGBoostWatch:
    """`validation_0.logloss` for every iteration of every evaluation set; of `cv` the mean over its folds."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._patches = Patches()

    def start(self) -> None:
        """Begin. Needs `xgboost.callback` to be loaded."""
        self._patches.replace(sys.modules["xgboost.callback"].CallbackContainer, "after_iteration", self._watched)

    def stop(self) -> None:
        """Give the method back."""
        self._patches.undo()

    def _watched(self, original: Callable[..., Any]) -> Callable[..., Any]:
        seen = self._seen

        def after_iteration(container: Any, model: Any, epoch: int, *args: Any, **kwargs: Any) -> Any:
            answer = original(container, model, epoch, *args, **kwargs)
            with seen.quietly():
                found = seen.target()
                if found is not None:
                    autolog, active = found
                    ending = autolog.ending_of(f"{active.run_id} xgboost", container)
                    if epoch == 0:
                        autolog.note_params(_settings(_given_to_train(sys._getframe(1))))
                    for data_name, metrics in container.history.items():
                        for metric, values in metrics.items():
                            last = values[-1]
                            value = last[0] if isinstance(last, tuple) else last
                            active.log_metric(f"{data_name}.{metric}{ending}", float(value), epoch)
            return answer

        return after_iteration


def _given_to_train(frame: types.FrameType) -> dict[str, Any] | None:
    """What the user gave to `xgboost.train`; None for the scikit-learn classes, whose params are those of the estimator."""
    above = frame.f_back
    while above is not None and above.f_globals.get("__name__") == "xgboost.core":  # its checks of arguments
        above = above.f_back
    if frame.f_code.co_name != "train" or above is None or above.f_globals.get("__name__") == "xgboost.sklearn":
        return None
    given = frame.f_locals
    params = given.get("params")
    return {**params, "num_boost_round": given.get("num_boost_round")} if isinstance(params, dict) else None


def _settings(params: Any) -> dict[str, bool | int | float | str | None]:
    if not isinstance(params, dict):
        return {}
    return {
        name: value for name, value in params.items() if value is None or isinstance(value, (bool, int, float, str))
    }
