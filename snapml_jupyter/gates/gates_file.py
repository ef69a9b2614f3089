"""`gates.toml`: what a model version must be like. Every table is optional; what is not named is not judged."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from typing import Any, TypeVar, get_type_hints

import msgspec

from ..domain.errors import InvalidInputError
from ..domain.names import parse_dataset_ref, parse_model_ref
from ..figures import parse_duration, parse_size

T = TypeVar("T")

#: How the comparison with the champion is decided, see `paired.py`.
BOOTSTRAP, MCNEMAR = "bootstrap", "mcnemar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """`[data]`: the held-out rows that metrics and the champion's comparison are computed on."""

    ref: str
    target: str | None = None
    rows: int = 20_000
    allow_training_rows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One metric's limits."""

    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """`[champion]`: not worse than `against` (the model's champion unless named) in `metric`."""

    metric: str
    test: str = BOOTSTRAP
    margin: float | None = None
    confidence: float = 0.95
    resamples: int = 2_000
    against: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """`[validation]`: dataset versions that must have passed the suite of their dataset."""

    training: bool = False
    refs: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityLimits:
    """`[parity]`: how far the exported graph may be from the model."""

    max_difference: float | None = None
    label_agreement: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """`[latency]`: single rows through the graph, in this process, on one thread."""

    p50: str | None = None
    p99: str | None = None
    requests: int = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """`[size]`: of the ONNX graph, and of the fitted object."""

    graph: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatesFile:
    """A whole file. `metrics` are computed on `data`, `recorded` were recorded by the run."""

    data: Data | None = None
    metrics: dict[str, Threshold] = field(default_factory=dict)
    recorded: dict[str, Threshold] = field(default_factory=dict)
    champion: Champion | None = None
    validation: Validation | None = None
    parity: ParityLimits | None = None
    latency: Latency | None = None
    size: Size | None = None

    @property
    def needs_graph(self) -> bool:
        """Whether anything is judged on the ONNX graph."""
        return bool(
            self.metrics or self.champion or self.parity or self.latency or (self.size and self.size.graph is not None)
        )


def read_gates(text: str) -> GatesFile:
    """The gates of a TOML text. Raises InvalidInputError that names the key, with the closest one for a wrong name."""
    toml: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        content: dict[str, Any] = toml.loads(text)
    except toml.TOMLDecodeError as error:
        raise InvalidInputError(f"The gates are not TOML: {error}.") from None
    gates = _read(content, GatesFile, "")
    _check(gates)
    return gates


def _read(table: Any, kind: type[T], where: str) -> T:
    """A table as its record. `where` is its name, for errors."""
    if not isinstance(table, Mapping):
        raise InvalidInputError(f"gates.toml: '{where}' is {table!r}, expected a table like [{where}].")
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]  # only records come here
    hints = get_type_hints(kind)
    for key in table:
        if key not in known:
            raise InvalidInputError(_unknown(key, list(known), where))
    values: dict[str, Any] = {}
    for key, value in table.items():
        path = f"{where}.{key}" if where else key
        values[key] = _value(value, hints[key], path)
    needed = [one.name for one in known.values() if one.default is MISSING and one.default_factory is MISSING]
    missing = [name for name in needed if name not in values]
    if missing:
        raise InvalidInputError(f"gates.toml: [{where}] needs '{missing[0]}'.")
    return kind(**values)


def _value(value: Any, hint: Any, path: str) -> Any:
    tables = [kind for kind in getattr(hint, "__args__", (hint,)) if hasattr(kind, "__dataclass_fields__")]
    if tables and getattr(hint, "__origin__", None) is dict:
        if not isinstance(value, Mapping):
            raise InvalidInputError(f"gates.toml: '{path}' is {value!r}, expected a table like [{path}].")
        return {name: _read(one, tables[0], f"{path}.{name}") for name, one in value.items()}
    if tables:
        return _read(value, tables[0], path)
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        raise InvalidInputError(f"gates.toml: '{path}' is {value!r}: {error}.") from None


def _unknown(key: str, known: list[str], where: str) -> str:
    place = f"[{where}]" if where else "The file"
    close = get_close_matches(key, known, n=1)
    hint = f"Did you mean '{close[0]}'?" if close else f"Known: {', '.join(known)}."
    return f"gates.toml: {place} has the unknown key '{key}'. {hint}"


def _check(gates: GatesFile) -> None:
    """Raise InvalidInputError for values that cannot be meant."""
    from .scores import check_metric

    for table, thresholds in (("metrics", gates.metrics), ("recorded", gates.recorded)):
        for name, threshold in thresholds.items():
            if threshold.at_least is None and threshold.at_most is None:
                raise InvalidInputError(f"gates.toml: [{table}.{name}] needs 'at_least' or 'at_most'.")
    for name in gates.metrics:
        check_metric(name, "metrics")
    if (gates.metrics or gates.champion) and gates.data is None:
        table = "metrics" if gates.metrics else "champion"
        raise InvalidInputError(
            f"gates.toml: [{table}] is computed on held-out rows. Name a dataset version that has them: "
            f'[data] with ref = "NAME@v1".' + (" Metrics that the run recorded go to [recorded]." * bool(gates.metrics))
        )
    if gates.data is not None:
        parse_dataset_ref(gates.data.ref)
        _at_least("data.rows", gates.data.rows, 1)
    for ref in gates.validation.refs if gates.validation else ():
        parse_dataset_ref(ref)
    if gates.champion is not None:
        _check_champion(gates.champion)
    if gates.latency is not None:
        _at_least("latency.requests", gates.latency.requests, 100)
        for duration in (gates.latency.p50, gates.latency.p99):
            if duration is not None:
                parse_duration(duration)
    for limit in (gates.size.graph, gates.size.model) if gates.size else ():
        if limit is not None:
            parse_size(limit)


def _check_champion(champion: Champion) -> None:
    from .scores import check_metric

    check_metric(champion.metric, "champion")
    if champion.against is not None:
        parse_model_ref(champion.against)
    if champion.test not in (BOOTSTRAP, MCNEMAR):
        raise InvalidInputError(_unknown(champion.test, [BOOTSTRAP, MCNEMAR], "champion").replace("key", "test"))
    if champion.test == MCNEMAR and (champion.metric != "accuracy" or champion.margin is not None):
        raise InvalidInputError(
            'gates.toml: McNemar\'s test compares labels: [champion] test = "mcnemar" goes with metric = "accuracy" '
            'and without a margin. For other metrics, or with a margin, use test = "bootstrap".'
        )
    if champion.test == BOOTSTRAP and champion.margin is None:
        raise InvalidInputError(
            "gates.toml: [champion] needs 'margin': how much worse in that metric would not matter, as in margin = 0.01. "
            "With 0 a model that is exactly as good fails every other time."
        )
    if champion.margin is not None and not 0 <= champion.margin < float("inf"):
        raise InvalidInputError(f"gates.toml: 'champion.margin' is {champion.margin:g}, expected 0 or more.")
    if not 0.5 < champion.confidence < 1:
        raise InvalidInputError(
            f"gates.toml: 'champion.confidence' is {champion.confidence:g}, expected a share between 0.5 and 1."
        )
    _at_least("champion.resamples", champion.resamples, 200)


def _at_least(path: str, value: int, least: int) -> None:
    if value < least:
        raise InvalidInputError(f"gates.toml: '{path}' is {value}, expected {least} or more.")
