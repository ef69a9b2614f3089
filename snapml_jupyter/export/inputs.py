"""How named raw values become the input arrays of an exported graph, and its outputs answers.

Shared by the exporter, the parity check and the serving workers, and on the path of every request: numpy and msgspec
only. Columns of one kind are checked and converted together, so a row costs a handful of numpy calls however many
columns it has; what looks wrong is looked at again value by value, to say which row, which column and why.

Conventions of the graph, kept in its metadata: one input per used column, shape [rows, 1]; a missing number is NaN;
a missing text is `MISSING_TEXT`, because ONNX strings have no null.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain
from operator import itemgetter
from typing import Any, NoReturn

import msgspec
import numpy as np

from ..domain.errors import ExportError, InvalidInputError
from ..domain.model import ColumnKind, Signature, SignatureColumn, Task

#: Stands for a missing text. Unicode reserves these two characters for use inside a program, never in exchanged text.
MISSING_TEXT = "\ufdd0missing\ufdd1"

#: Keys of the graph's metadata.
SIGNATURE_KEY = "snapml.signature"
COLUMNS_KEY = "snapml.columns"
OUTPUTS_KEY = "snapml.outputs"

#: A request names at most this many known categories in an error.
_SHOWN_CATEGORIES = 8
#: Characters of an unknown column's name in an error; a request may send any.
_SHOWN_NAME = 200

_DTYPES: dict[str, Any] = {
    "double": np.float64,
    "float": np.float32,
    "int64": np.int64,
    "bool": np.bool_,
    "string": np.object_,
}

_DATATYPES = {
    ColumnKind.boolean: "BOOL",
    ColumnKind.integer: "INT64",
    ColumnKind.float: "FP64",
    ColumnKind.string: "BYTES",
    ColumnKind.datetime: "BYTES",
}

#: Types that need no second look, by column kind. A float for an integer column gets one: 3.0 will do, 3.5 will not.
_PLAIN_TYPES: dict[ColumnKind, frozenset[type]] = {
    ColumnKind.boolean: frozenset({bool}),
    ColumnKind.integer: frozenset({int}),
    ColumnKind.float: frozenset({float, int}),
    ColumnKind.string: frozenset({str}),
    ColumnKind.datetime: frozenset({str}),
}

_EXPECTED = {
    ColumnKind.boolean: "true or false",
    ColumnKind.integer: "a whole number",
    ColumnKind.float: "a number",
    ColumnKind.string: "text",
    ColumnKind.datetime: "an ISO date and time as text",
}

_NONE = type(None)
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphColumn:
    """How one column of the signature enters the graph.

    `input` is the graph's input, None when the model does not use the column (then requests may leave it out).
    `tensor` is its element type; `categories` are the only values that the model takes (None: any). The model reads
    `lowered` text in lower case only.
    """

    name: str
    input: str | None
    tensor: str
    categories: list[bool | int | float | str] | None = None
    lowered: bool = False


@dataclass(frozen=True, slots=True)
class Answers:
    """What a graph answered: labels or numbers, one per row.

    `probabilities` has shape (rows, classes), classes in the order of `signature.labels`; None for regression, and for
    classifiers that have no probabilities.
    """

    predictions: list[Any]
    probabilities: np.ndarray[Any, np.dtype[np.float64]] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Columns that are checked and converted together."""

    columns: tuple[SignatureColumn, ...]
    inputs: tuple[str, ...]
    dtype: Any
    plain: frozenset[type]
    nullable: bool
    pick: Callable[[Any], tuple[Any, ...]]
    pick_ordered: Callable[[Any], tuple[Any, ...]]
    categories: tuple[tuple[int, frozenset[Any]], ...]
    lowered: bool


class GraphInputs:
    """The raw columns of one exported graph. Immutable after construction, so threads may share it.

    `metadata` is `session.get_modelmeta().custom_metadata_map`. Raises ExportError when SnapML did not write it.
    """

    def __init__(self, metadata: Mapping[str, str]) -> None:
        if SIGNATURE_KEY not in metadata or COLUMNS_KEY not in metadata:
            raise ExportError("The ONNX graph has no SnapML signature. Export the model again: snap.export_onnx(REF).")
        self.signature: Signature = msgspec.json.decode(metadata[SIGNATURE_KEY], type=Signature)
        self.graph_columns: list[GraphColumn] = msgspec.json.decode(metadata[COLUMNS_KEY], type=list[GraphColumn])
        #: Names for `session.run`, in the order that `decode` expects.
        self.output_names: list[str] = msgspec.json.decode(metadata[OUTPUTS_KEY], type=list[str])
        self.columns: dict[str, SignatureColumn] = {column.name: column for column in self.signature.inputs}
        #: Column -> datatype of the Open Inference Protocol.
        self.datatypes: dict[str, str] = {name: _DATATYPES[column.kind] for name, column in self.columns.items()}
        self._used = {column.name: column for column in self.graph_columns if column.input is not None}
        self.groups = _group(self.signature, self._used)

    def rows_to_feeds(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Rows (column -> value) as arrays for `session.run`, each of shape [rows, 1].

        Raises InvalidInputError naming the row (counted from 1), the column, what came and what is expected.
        """
        feeds: dict[str, Any] = {}
        n_used = len(self._used)
        try:
            for row in rows:
                if len(row) != n_used:
                    self._check_names(rows)
                    break
            for group in self.groups:
                feeds.update(zip(group.inputs, _convert(group, [group.pick(row) for row in rows]), strict=True))
        except (KeyError, TypeError, AttributeError):
            self._check_names(rows)
            raise
        if not rows:
            raise InvalidInputError("There are no rows to predict. Send at least one.")
        return feeds

    def tuples_to_feeds(self, rows: Sequence[Sequence[Any]], *, has_types: bool = False) -> dict[str, Any]:
        """Rows as values in the order of `signature.inputs`, one for each, as arrays of shape [rows, 1].

        For callers that have checked the columns already, and with `has_types` the values too: finite numbers, None
        only where it may be, as a worker's decoder leaves them. That saves two thirds of the time of a request's
        conversion. Raises InvalidInputError for values, like `rows_to_feeds`; with `has_types` for categories only.
        """
        feeds: dict[str, Any] = {}
        for group in self.groups:
            picked = [group.pick_ordered(row) for row in rows]
            feeds.update(zip(group.inputs, _convert(group, picked, has_types), strict=True))
        if not rows:
            raise InvalidInputError("There are no rows to predict. Send at least one.")
        return feeds

    def columns_to_feeds(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """Columns (name -> values, as lists or numpy arrays) as arrays for `session.run`, each of shape [rows, 1].

        Values may be nested as [[1], [2]]. Raises InvalidInputError like `rows_to_feeds`, and for unequal lengths.
        """
        self._check_columns(columns)
        lists = {name: _flat(name, values) for name, values in columns.items()}
        lengths = {name: len(values) for name, values in lists.items()}
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"'{name}' {length}" for name, length in list(lengths.items())[:8])
            raise InvalidInputError(f"The columns differ in length: {shown}. Send one value per row in each.")
        if not next(iter(lengths.values()), 1):
            raise InvalidInputError("There are no rows to predict. Send at least one.")
        feeds: dict[str, Any] = {}
        for group in self.groups:
            rows = list(zip(*(lists[column.name] for column in group.columns), strict=True))
            feeds.update(zip(group.inputs, _convert(group, rows), strict=True))
        return feeds

    def decode(self, outputs: Sequence[Any]) -> Answers:
        """What `session.run(output_names, feeds)` gave, as Python labels or numbers and an array of probabilities."""
        if self.signature.task is Task.classification:
            return Answers(outputs[0].ravel().tolist(), outputs[1] if len(outputs) > 1 else None)
        return Answers(outputs[0].ravel().tolist())

    def _check_names(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Raise InvalidInputError when a row lacks a column or has one that the model does not know."""
        for number, row in enumerate(rows, 1):
            if not isinstance(row, Mapping):
                raise InvalidInputError(
                    f"Row {number} is {_shown(row)}, not an object that maps columns to values. "
                    f"Example: {self._example()}."
                )
            self._check_columns(row, f"Row {number}")

    def _check_columns(self, names: Mapping[str, Any], who: str = "The request") -> None:
        for name in names:
            if name not in self.columns:
                shown = str(name) if len(str(name)) <= _SHOWN_NAME else str(name)[:_SHOWN_NAME] + "..."
                close = get_close_matches(shown, list(self.columns), n=1)
                hint = f"Did you mean '{close[0]}'?" if close else f"Its columns: {', '.join(self.columns)}."
                raise InvalidInputError(f"{who} has the column '{shown}', which the model does not know. {hint}")
        missing = [name for name in self._used if name not in names]
        if missing:
            rest = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            column = self.columns[missing[0]]
            null = ", or null" if column.nullable else ""
            raise InvalidInputError(
                f"{who} lacks the column '{missing[0]}'{rest}: expected {_EXPECTED[column.kind]}{null}, "
                f"for example {_shown(column.example)}."
            )

    def _example(self) -> str:
        return msgspec.json.encode({name: column.example for name, column in self.columns.items()}).decode()


def _convert(group: Group, rows: list[tuple[Any, ...]], has_types: bool = False) -> Any:
    """Values [rows, columns] as one array [columns, rows, 1] of the group's type, contiguous for each column.

    Raises InvalidInputError for the first value that will not do.
    """
    types = set() if has_types else set(map(type, chain.from_iterable(rows)))
    has_missing = group.nullable if has_types else _NONE in types
    if has_missing and not has_types:
        types.discard(_NONE)
    if not types <= group.plain or (has_missing and not group.nullable):  # types are empty when they are known
        rows = _clean_rows(group, rows)
        has_missing = any(value is None for value in chain.from_iterable(rows))
    for position, known in group.categories:
        if not known.issuperset({row[position] for row in rows} - {None}):
            _refuse_category(group, rows, position, known)
    if group.dtype is np.object_:
        if has_missing:
            rows = [tuple([MISSING_TEXT if value is None else value for value in row]) for row in rows]
        if group.lowered:
            rows = [tuple([value.lower() for value in row]) for row in rows]
        return _columns(rows, group)
    try:
        array = _columns(rows, group)
    except OverflowError:
        _clean_rows(group, rows)
        raise
    # A sum is finite only when every number is; NaN may be a missing value, so it is the clean rows that decide.
    if float in types and not math.isfinite(array.sum()):
        array = _columns(_clean_rows(group, rows), group)
    return array


def _columns(rows: list[tuple[Any, ...]], group: Group) -> Any:
    if len(rows) == 1:
        return np.array(rows[0], dtype=group.dtype).reshape(-1, 1, 1)
    array = np.array(rows, dtype=group.dtype).reshape(len(rows), len(group.columns))
    return np.ascontiguousarray(array.T)[:, :, None]


def _group(signature: Signature, used: Mapping[str, GraphColumn]) -> list[Group]:
    gathered: dict[tuple[str, ColumnKind, bool, bool], list[SignatureColumn]] = {}
    for column in signature.inputs:
        if column.name in used:
            graph_column = used[column.name]
            key = (graph_column.tensor, column.kind, column.nullable, graph_column.lowered)
            gathered.setdefault(key, []).append(column)
    places = {column.name: place for place, column in enumerate(signature.inputs)}
    groups = []
    for (tensor, kind, nullable, lowered), columns in gathered.items():
        names = [column.name for column in columns]
        categories = [
            (position, frozenset(known))
            for position, name in enumerate(names)
            if (known := used[name].categories) is not None
        ]
        groups.append(
            Group(
                columns=tuple(columns),
                inputs=tuple(str(used[name].input) for name in names),
                dtype=_DTYPES[tensor],
                plain=_PLAIN_TYPES[kind],
                nullable=nullable,
                pick=_picker(names),
                pick_ordered=_picker([places[name] for name in names]),
                categories=tuple(categories),
                lowered=lowered,
            )
        )
    return groups


def _picker(keys: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """What takes these values out of a row, as a tuple."""
    if len(keys) > 1:
        return itemgetter(*keys)
    (key,) = keys
    return lambda row: (row[key],)


def _clean_rows(group: Group, rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows with every value in its column's plain type. Raises InvalidInputError for the first that cannot be."""
    return [
        tuple(_clean(value, column, number) for value, column in zip(row, group.columns, strict=True))
        for number, row in enumerate(rows, 1)
    ]


def _clean(value: Any, column: SignatureColumn, number: int) -> Any:
    kind = column.kind
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        if not column.nullable:
            raise InvalidInputError(
                f"Row {number}, column '{column.name}': null came, expected {_EXPECTED[kind]}, for example "
                f"{_shown(column.example)}. The model was trained without missing values here."
            )
        return None
    if kind is ColumnKind.boolean and isinstance(value, bool):
        return value
    if kind is ColumnKind.integer and not isinstance(value, bool):
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and value in _INT64:
            return value
    if kind is ColumnKind.float and isinstance(value, (int, float)) and not isinstance(value, bool) and _finite(value):
        return value
    if kind in (ColumnKind.string, ColumnKind.datetime):
        if isinstance(value, bytes):
            value = _text(value, column, number)
        if isinstance(value, str):
            return str(value)
    _refuse(value, column, number)


def _text(value: bytes, column: SignatureColumn, number: int) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInputError(f"Row {number}, column '{column.name}': the bytes are not UTF-8 text.") from None


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond the largest float
        return False


def _refuse(value: Any, column: SignatureColumn, number: int) -> NoReturn:
    hint = ""
    if isinstance(value, str) and column.kind in (ColumnKind.integer, ColumnKind.float):
        hint = " Numbers are sent without quotes."
    elif isinstance(value, float) and not math.isfinite(value):
        hint = " Send null for a missing value." if column.nullable else " Infinite values are not taken."
    raise InvalidInputError(
        f"Row {number}, column '{column.name}': {_shown(value)} came, expected {_EXPECTED[column.kind]}"
        f"{', or null' if column.nullable else ''}, for example {_shown(column.example)}.{hint}"
    )


def _refuse_category(group: Group, rows: list[tuple[Any, ...]], position: int, known: frozenset[Any]) -> NoReturn:
    number, value = next((n, row[position]) for n, row in enumerate(rows, 1) if row[position] not in known)
    ordered = sorted(known, key=str)
    shown = ", ".join(_shown(item) for item in ordered[:_SHOWN_CATEGORIES])
    rest = f", ... ({len(ordered)} in all)" if len(ordered) > _SHOWN_CATEGORIES else ""
    raise InvalidInputError(
        f"Row {number}, column '{group.columns[position].name}': the model does not know the category {_shown(value)}. "
        f"It knows {shown}{rest}. To accept others, train with handle_unknown='ignore' in the encoder."
    )


def _flat(name: str, values: Any) -> list[Any]:
    """A column's values as a flat list; numpy arrays and [[1], [2]] too. Raises InvalidInputError for other shapes."""
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if not isinstance(values, (list, tuple)):
        raise InvalidInputError(f"Column '{name}' is {_shown(values)}, not a list with one value per row.")
    if any(type(value) in (list, tuple) for value in values):
        if not all(isinstance(value, (list, tuple)) and len(value) == 1 for value in values):
            raise InvalidInputError(
                f"Column '{name}' has not one value per row: its shape must be [rows] or [rows, 1]."
            )
        values = [value[0] for value in values]
    return list(values)


def _shown(value: Any) -> str:
    """A value as JSON would say it, short enough for a sentence."""
    if value is None or isinstance(value, (bool, int, float, str)):
        text = str(value) if isinstance(value, float) else msgspec.json.encode(value).decode()
    else:
        text = f"{type(value).__name__} {value!r}"
    return text if len(text) <= 60 else text[:57] + "..."
