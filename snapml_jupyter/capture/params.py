"""The settings of a fitted estimator, as flat params a person would compare runs by."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from ..domain.run import ParamValue

#: Params of one estimator that are kept; a search over hundreds of columns has more than anyone reads.
MAX_PARAMS = 100
_MAX_TEXT = 200


def estimator_params(estimator: Any) -> dict[str, ParamValue]:
    """`estimator` (the class) and its params; of estimators made of others only what differs from the defaults.

    A pipeline gives `step` (its class) and `step__param`; a search is `GridSearchCV(Ridge)` and, once finished, also gives
    `best__param`. Values that are no
    JSON scalars are short texts; long ones (arrays, big dicts) are left out.
    """
    params: dict[str, ParamValue] = {"estimator": type(estimator).__name__}
    for name, value in _own_params(estimator):
        if name == "estimator":  # the one inside a search, a calibration, a wrapper
            if value is None:
                continue
            value = f"{type(estimator).__name__}({value})"
        _add(params, name, value)
    best = getattr(estimator, "best_params_", None)
    if isinstance(best, dict):
        for name, value in best.items():
            _add(params, f"best__{name}", value)
    return dict(list(params.items())[:MAX_PARAMS])


def _own_params(estimator: Any) -> Iterator[tuple[str, Any]]:
    named = _named_parts(estimator)
    # What a pipeline or a search is, its parts say; of a single estimator the defaults are worth comparing too.
    own = _changed_params(estimator) if named else _get_params(estimator).items()
    for name, value in own:
        if not any(part is value for _, part in named) and not _is_part_list(value):
            yield name, value
    for name, part in named:
        yield from _part_params(name, part)


def _part_params(name: str, part: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(part, "get_params") or isinstance(part, type):
        yield name, part
        return
    yield name, type(part).__name__
    named = _named_parts(part)
    for param, value in _changed_params(part):
        if not any(inner is value for _, inner in named) and not _is_part_list(value):
            yield f"{name}__{param}", value
    for inner_name, inner in named:
        yield from _part_params(f"{name}__{inner_name}", inner)


def _named_parts(estimator: Any) -> list[tuple[str, Any]]:
    """Estimators inside: steps of a pipeline, transformers of a column transformer, the estimator of a search."""
    parts: list[tuple[str, Any]] = []
    for name, value in _get_params(estimator).items():
        if _is_part_list(value):
            parts += [(str(item[0]), item[1]) for item in value]
        elif hasattr(value, "get_params") and not isinstance(value, type):
            parts.append((name, value))
    return parts


def _is_part_list(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) > 0
        and all(isinstance(item, tuple) and len(item) >= 2 and isinstance(item[0], str) for item in value)
        and any(hasattr(item[1], "get_params") or item[1] in ("passthrough", "drop", None) for item in value)
    )


def _get_params(estimator: Any) -> dict[str, Any]:
    if not hasattr(estimator, "get_params"):
        return {}
    try:
        return dict(estimator.get_params(deep=False))
    except AttributeError:  # a constructor argument that the class does not keep: its own mistake, not worth a warning
        return {}


def _changed_params(estimator: Any) -> Iterator[tuple[str, Any]]:
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(type(estimator).__init__).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    for name, value in _get_params(estimator).items():
        default = defaults.get(name, inspect.Parameter.empty)
        if value is default or (type(value) is type(default) and repr(value) == repr(default)):
            continue
        yield name, value


def _add(params: dict[str, ParamValue], name: str, value: Any) -> None:
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if value is None or isinstance(value, (bool, int, float)):
        params[name] = value
    elif isinstance(value, str):
        params[name] = value[:_MAX_TEXT]
    elif hasattr(value, "get_params") or type(value).__name__ in ("RandomState", "Generator"):
        params[name] = value.__name__ if isinstance(value, type) else type(value).__name__
    elif callable(value):
        params[name] = getattr(value, "__qualname__", type(value).__name__)
    elif isinstance(value, (list, tuple, dict, set, frozenset, range)) and len(value) <= 50:
        text = repr(value)
        if len(text) <= _MAX_TEXT:
            params[name] = text
