"""Object columns whose values have several types, or a type that no Arrow column says exactly: one JSON text a value.

Text, numbers, true/false and null are themselves, lists are lists; anything else is `{"type": ..., ...}`, so that a
tuple stays a tuple, a numpy scalar keeps its width and a dict its order and keys:

>>> to_text((1, 2.5)), to_text({"a": None})
('{"tuple":[1,2.5]}', '{"dict":[["a",null]]}')

Types that are not in the table below are refused: reading never runs code that data names.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd


class CannotSayError(ValueError):
    """A value of a type that has no exact text; `kind` is that type."""

    def __init__(self, kind: type) -> None:
        super().__init__(kind.__qualname__)
        self.kind = kind


def to_text(value: Any) -> str:
    """The value as JSON text. Raises CannotSayError for a type, inside too, that could not be read back exactly."""
    text = json.dumps(_say(value), ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
        same = same_value(value, from_text(text))
    except (ValueError, TypeError, OverflowError, LookupError):  # what was written cannot be read
        same = False
    if not same:
        raise CannotSayError(type(value))
    return text


def from_text(text: str) -> Any:
    """The value that `to_text` was given."""
    return _hear(json.loads(text))


def same_value(left: Any, right: Any) -> bool:
    """Equal in type and value, inside lists and dicts too. NaN equals NaN; 1.0 and 1.00, 0.0 and -0.0 differ."""
    if type(left) is not type(right):
        return False
    if isinstance(left, np.ndarray):
        return bool(left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes())
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same_value, left, right))
    if isinstance(left, dict):
        return len(left) == len(right) and all(
            same_value(a, b) and same_value(left[a], right[b]) for a, b in zip(left, right, strict=True)
        )
    if left is None or left is pd.NA or left is pd.NaT:
        return left is right
    if isinstance(left, float):
        return bool((left == right and str(left) == str(right)) or (left != left and right != right))
    if isinstance(left, datetime.datetime | datetime.time):
        # repr tells the zone, the fold and a Timestamp's unit apart
        unit = getattr(left, "unit", None) == getattr(right, "unit", None)
        return bool(unit and repr(left) == repr(right) and left.fold == right.fold)
    if isinstance(left, decimal.Decimal):
        return bool(left.as_tuple() == right.as_tuple())
    if isinstance(left, np.generic):
        return bool(left.dtype == right.dtype and left.tobytes() == right.tobytes())
    if isinstance(left, pd.Timedelta):
        return bool(left == right and left.unit == right.unit)
    return bool(left == right)


def _say(value: Any) -> Any:
    kind = type(value)
    if value is None or kind in (str, bool, int, float):
        return value
    if kind is list:
        return [_say(item) for item in value]
    if value is pd.NaT:
        return {"missing": "NaT"}
    if value is pd.NA:
        return {"missing": "NA"}
    writer = _WRITERS.get(kind)
    if writer is not None:
        return {kind.__name__: writer(value)}
    if isinstance(value, np.generic) and value.dtype.kind in "biufcmMSU":
        return {"numpy": [value.dtype.str, base64.b64encode(value.tobytes()).decode()]}
    raise CannotSayError(kind)


def _hear(said: Any) -> Any:
    if isinstance(said, list):
        return [_hear(item) for item in said]
    if isinstance(said, dict):
        ((kind, content),) = said.items()
        return _READERS[kind](content)
    return said


def _say_array(value: Any) -> list[Any]:
    if value.dtype.kind not in "biufcmMSU":
        raise CannotSayError(np.ndarray)
    return [value.dtype.str, list(value.shape), base64.b64encode(value.tobytes()).decode()]


def _hear_array(content: Any) -> Any:
    dtype, shape, text = content
    return np.frombuffer(base64.b64decode(text), dtype=dtype).reshape(shape).copy()


def _say_time(value: datetime.datetime | datetime.time) -> list[Any]:
    return [value.replace(tzinfo=None, fold=0).isoformat(), _say_zone(value.tzinfo), value.fold]


def _say_zone(zone: datetime.tzinfo | None) -> Any:
    if zone is None:
        return None
    if isinstance(zone, zoneinfo.ZoneInfo) and zone.key is not None:
        return zone.key
    if type(zone) is datetime.timezone:
        return zone.utcoffset(None).total_seconds()
    raise CannotSayError(type(zone))


def _hear_zone(said: Any) -> datetime.tzinfo | None:
    if said is None:
        return None
    if isinstance(said, str):
        return zoneinfo.ZoneInfo(said)
    return datetime.timezone.utc if said == 0 else datetime.timezone(datetime.timedelta(seconds=said))


def _hear_datetime(content: Any) -> datetime.datetime:
    text, zone, fold = content
    return datetime.datetime.fromisoformat(text).replace(tzinfo=_hear_zone(zone), fold=fold)


def _hear_time(content: Any) -> datetime.time:
    text, zone, fold = content
    return datetime.time.fromisoformat(text).replace(tzinfo=_hear_zone(zone), fold=fold)


def _say_timestamp(value: Any) -> list[Any]:
    return [value.asm8.view("i8").item(), value.unit, _say_zone(value.tz)]


def _hear_timestamp(content: Any) -> Any:
    number, unit, zone = content
    moment = pd.Timestamp(np.datetime64(number, unit))
    return moment if zone is None else moment.tz_localize("UTC").tz_convert(_hear_zone(zone))


def _say_timedelta(value: datetime.timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


_WRITERS: dict[type, Callable[[Any], Any]] = {
    tuple: lambda value: [_say(item) for item in value],
    dict: lambda value: [[_say(key), _say(item)] for key, item in value.items()],
    bytes: lambda value: base64.b64encode(value).decode(),
    decimal.Decimal: str,
    uuid.UUID: str,
    datetime.date: datetime.date.isoformat,
    datetime.datetime: _say_time,
    datetime.time: _say_time,
    datetime.timedelta: _say_timedelta,
    pd.Timestamp: _say_timestamp,
    pd.Timedelta: lambda value: [value.asm8.view("i8").item(), value.unit],
    np.ndarray: _say_array,
}

_READERS: dict[str, Callable[[Any], Any]] = {
    "tuple": lambda content: tuple(_hear(item) for item in content),
    "dict": lambda content: {_hear(key): _hear(item) for key, item in content},
    "bytes": base64.b64decode,
    "Decimal": decimal.Decimal,
    "UUID": uuid.UUID,
    "date": datetime.date.fromisoformat,
    "datetime": _hear_datetime,
    "time": _hear_time,
    "timedelta": lambda content: datetime.timedelta(*content),
    "Timestamp": _hear_timestamp,
    "Timedelta": lambda content: pd.Timedelta(np.timedelta64(*content)),
    "ndarray": _hear_array,
    "numpy": lambda content: np.frombuffer(base64.b64decode(content[1]), dtype=content[0])[0],
    "missing": lambda content: {"NaT": pd.NaT, "NA": pd.NA}[content],
}
