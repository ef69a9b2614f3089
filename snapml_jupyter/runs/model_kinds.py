"""What models outside scikit-learn's interface say of themselves: native boosters of LightGBM and XGBoost, torch modules.

They are recognised by the names of their classes, so that asking loads no library.
"""

from __future__ import annotations

import json
from typing import Any

from ..domain.errors import InvalidInputError
from ..domain.model import Task


def is_torch_module(model: Any) -> bool:
    """Whether it is a torch.nn.Module."""
    return any(
        f"{kind.__module__}.{kind.__qualname__}" == "torch.nn.modules.module.Module" for kind in type(model).__mro__
    )


def is_booster(model: Any) -> bool:
    """Whether it is what `lightgbm.train` or `xgboost.train` gives."""
    return f"{type(model).__module__}.{type(model).__name__}" in ("lightgbm.basic.Booster", "xgboost.core.Booster")


def column_names(model: Any) -> list[str] | None:
    """The columns a model was fitted on, in its order; None when it does not say, or made names up."""
    if is_booster(model):
        lightgbm = type(model).__module__ == "lightgbm.basic"
        found = model.feature_name() if lightgbm else model.feature_names
        return None if not found or (lightgbm and _made_up(found)) else list(found)
    try:
        fitted = getattr(model, "feature_names_in_", None)
    except AttributeError:  # a pipeline asks its first step, which may be missing
        fitted = None
    return None if fitted is None else [str(name) for name in fitted]


def booster_task(model: Any) -> tuple[Task, int]:
    """What a native booster answers, by its objective, and of how many classes (0 for a regression)."""
    if type(model).__module__ == "lightgbm.basic":
        header = dict(
            line.partition("=")[::2]
            for line in model.model_to_string(num_iteration=1).partition("Tree=")[0].split("\n")
        )
        objective, n_classes = header.get("objective", "").split(" ")[0], int(header["num_class"])
        known = objective in ("binary", "multiclass", "multiclassova")
    else:
        learner = json.loads(model.save_config())["learner"]
        objective, n_classes = learner["objective"]["name"], int(learner["learner_model_param"]["num_class"])
        known = objective in ("binary:logistic", "binary:logitraw", "binary:hinge", "multi:softprob", "multi:softmax")
    return (Task.classification, max(2, n_classes)) if known else (Task.regression, 0)


def checked_labels(labels: Any, n_classes: int | None) -> list[bool | int | float | str]:
    """The labels given for a model that keeps none, in the order of its outputs, as JSON scalars.

    Raises InvalidInputError when they are too few, repeated, or not text, numbers or booleans.
    """
    plain = [value.item() if hasattr(value, "item") else value for value in labels]
    if n_classes is not None and len(plain) != n_classes:
        raise InvalidInputError(f"The model has {n_classes} classes, but {len(plain)} labels are given: {plain}.")
    if len(plain) < 2 or len(set(plain)) < len(plain):
        raise InvalidInputError(f"A classifier needs two labels or more, each once, not {plain}.")
    wrong = [value for value in plain if not isinstance(value, (bool, int, float, str))]
    if wrong:
        raise InvalidInputError(f"The label {wrong[0]!r} is not text, a number or a boolean.")
    return plain


def _made_up(names: list[str]) -> bool:
    return names == [f"Column_{position}" for position in range(len(names))]
