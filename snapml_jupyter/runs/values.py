"""What may be recorded: the values users hand over, turned into what is kept or refused with a sentence."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from typing import Any

from ..domain.errors import InvalidInputError
from ..domain.run import ParamValue

#: Longest name of a param, metric or tag, in characters.
MAX_NAME = 250
#: Longest kept text of a param that is not a JSON scalar, in characters.
MAX_REPR = 500
#: Longest text of a param or tag, in characters.
MAX_TEXT = 8000

_INT64 = range(-(2**63), 2**63)
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")

# Bounded while it is made, so that a list of a million items costs nothing, and never stopped by an object whose own
# repr raises.
_repr = reprlib.Repr()
_repr.maxlevel = 4
_repr.maxlist = _repr.maxtuple = _repr.maxset = _repr.maxfrozenset = _repr.maxdict = _repr.maxdeque = 50
_repr.maxstring = _repr.maxother = _repr.maxlong = MAX_REPR


def check_key(kind: str, name: object) -> str:
    """Return `name` when a param, metric or tag may be called so: printable text of 1 to 250 characters."""
    if not isinstance(name, str):
        raise InvalidInputError(f"A {kind} name is text, not {type(name).__name__}: {_repr.repr(name)[:80]}.")
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidInputError(
            f"{name[:40]!r} cannot name a {kind}: use 1 to {MAX_NAME} printable characters, not only spaces."
        )
    return str(name)


def param_value(value: Any) -> ParamValue:
    """A JSON scalar as it is, a NumPy scalar as its Python value, anything else as its text of at most 500 characters.

    Memory addresses are taken out of such texts, so that the same setting reads the same in every run.
    """
    plain = _plain(value)
    if plain is None or isinstance(plain, (bool, float)):
        return plain
    if isinstance(plain, int) and plain in _INT64:
        return int(plain)
    if isinstance(plain, str):
        return _text(plain)[:MAX_TEXT]
    return _text(_ADDRESS.sub("", _repr.repr(plain)))[:MAX_REPR]


def metric_value(name: str, value: Any) -> float:
    """The number, as float. NaN and infinities are numbers. Raises InvalidInputError naming the metric."""
    if type(value) is int and -(2**53) <= value <= 2**53:  # by far the most that are no floats
        return float(value)
    problem = f"Metric '{name}' must be one number, not {type(value).__name__}"
    if value is None or isinstance(value, (str, bytes, bytearray)):
        raise InvalidInputError(f"{problem} ({_repr.repr(value)[:80]}).")
    shape = getattr(value, "shape", ())
    if shape not in ((), None) and len(shape) > 0:
        raise InvalidInputError(
            f"{problem} of shape {tuple(shape)}. Log one number of it, such as its mean, or log_artifact for all."
        )
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidInputError(f"{problem} ({_repr.repr(value)[:80]}).") from None
    except OverflowError:
        raise InvalidInputError(f"Metric '{name}' is too large for a 64-bit float.") from None


def metric_step(name: str, step: Any) -> int | None:
    """The step as a whole number. Raises InvalidInputError naming the metric."""
    if step is None:
        return None
    plain = _plain(step)
    if isinstance(plain, float) and plain.is_integer():
        plain = int(plain)
    if isinstance(plain, bool) or not isinstance(plain, int) or plain not in _INT64:
        raise InvalidInputError(f"The step of metric '{name}' must be a whole number, not {_repr.repr(step)[:80]}.")
    return int(plain)


def tag_values(tags: Mapping[str, Any]) -> dict[str, str]:
    """Tags with their values as text. Raises InvalidInputError naming the tag."""
    kept = {}
    for name, value in check_mapping("tags", tags).items():
        check_key("tag", name)
        plain = _plain(value)
        if isinstance(plain, bool):
            plain = "true" if plain else "false"
        if not isinstance(plain, (str, int, float)):
            raise InvalidInputError(f"Tag '{name}' must be text or a number, not {type(value).__name__}.")
        kept[name] = _text(str(plain))[:MAX_TEXT]
    return kept


def check_mapping(kind: str, values: object) -> Mapping[str, Any]:
    """Return `values` when it is a mapping of names to values."""
    if not isinstance(values, Mapping):
        raise InvalidInputError(
            f"{kind.capitalize()} are given as a dict of names and values, not {type(values).__name__}."
        )
    return values


def check_artifact_path(path: object) -> str:
    """Return `path` when it is a relative path that stays inside the run: `plots/roc.png`.

    Raises InvalidInputError for `..`, absolute and drive paths, backslashes, empty parts and control characters.
    """
    if not isinstance(path, str):
        raise InvalidInputError(f"An artifact path is text, not {type(path).__name__}.")
    parts = path.split("/")
    if (
        not path
        or len(path.encode(errors="replace")) > 500
        or not path.isprintable()
        or "\\" in path
        or ":" in parts[0]
        or any(part in ("", ".", "..") or part != part.strip() for part in parts)
    ):
        raise InvalidInputError(
            f"{path[:80]!r} cannot be an artifact's path: use a relative path such as plots/roc.png, without '..', "
            "backslashes, empty parts or control characters, of at most 500 bytes."
        )
    return path


def _plain(value: Any) -> Any:
    """NumPy and PyTorch scalars as Python values, without importing either."""
    if type(value).__module__.partition(".")[0] in ("numpy", "torch") and getattr(value, "shape", None) == ():
        return value.item()
    if isinstance(value, str):
        return str(value)
    return value


def _text(value: str) -> str:
    """Text that UTF-8 can hold: lone surrogates become question marks."""
    return value.encode("utf-8", "replace").decode("utf-8")
