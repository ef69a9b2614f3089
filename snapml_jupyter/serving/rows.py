"""Request bodies to rows, checked against the signature before they may join a batch.

A compiled decoder reads and checks a good body in about a microsecond a row. Only when it refuses is the body read
again by `GraphInputs`, which takes what is harmless (3.0 for a whole number, a column the model does not use left
out) and says exactly what is wrong with the rest.
"""

from __future__ import annotations

import math
import types
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from ..domain.errors import InvalidInputError
from ..domain.model import ColumnKind, SignatureColumn
from ..export.inputs import GraphInputs

#: One row: values in the order of the signature's columns.
Row = tuple[Any, ...]

_Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_TYPES: dict[ColumnKind, Any] = {
    ColumnKind.boolean: bool,
    ColumnKind.integer: _Whole,
    ColumnKind.float: float,
    ColumnKind.string: str,
    ColumnKind.datetime: str,
}
_PLAIN_EXAMPLES: dict[ColumnKind, bool | int | float | str] = {
    ColumnKind.boolean: False,
    ColumnKind.integer: 0,
    ColumnKind.float: 0.0,
    ColumnKind.string: "",
    ColumnKind.datetime: "2000-01-01T00:00:00",
}
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class TooManyRowsError(InvalidInputError):
    """More rows than the setting `max_rows` in one request."""


class RowDecoder:
    """Reads `{"rows": [{column: value}]}` and single columns for one graph."""

    def __init__(self, inputs: GraphInputs, max_rows: int) -> None:
        self.columns = inputs.signature.inputs
        self.names = [column.name for column in self.columns]
        self.max_rows = max_rows
        self._inputs = inputs
        unused = {column.name for column in inputs.graph_columns if column.input is None}
        kinds = [_TYPES[c.kind] | None if c.nullable or c.name in unused else _TYPES[c.kind] for c in self.columns]
        # Column names need not be identifiers, so fields have names of their own and the JSON keys are renamed.
        row: Any = msgspec.defstruct(
            "Row",
            [
                (f"c{i}", kind, None) if column.name in unused else (f"c{i}", kind)
                for i, (column, kind) in enumerate(zip(self.columns, kinds, strict=True))
            ],
            rename={f"c{i}": column.name for i, column in enumerate(self.columns)},
            forbid_unknown_fields=True,
            kw_only=True,
            gc=False,
        )
        body = msgspec.defstruct("Body", [("rows", list[row])], forbid_unknown_fields=True, gc=False)
        self._decoder: Any = msgspec.json.Decoder(body)
        self._column_decoders: list[Any] = [msgspec.json.Decoder(types.GenericAlias(list, (kind,))) for kind in kinds]

    def decode(self, body: bytes) -> list[Row]:
        """The rows of a request body. Raises InvalidInputError that names the row and the column."""
        try:
            rows = [msgspec.structs.astuple(row) for row in self._decoder.decode(body).rows]
        except _UNREADABLE:
            rows = self._decode_slowly(body)
        if not rows:
            raise InvalidInputError("There are no rows to predict: send at least one object in 'rows'.")
        self.check_count(len(rows))
        return rows

    def decode_columns(self, columns: Sequence[bytes | None], n_rows: int) -> list[Row]:
        """JSON arrays of `n_rows` values each, one per column of the signature (None: left out), as rows.

        Raises InvalidInputError naming the column.
        """
        decoded: list[Any] = []
        is_checked = True
        for index, data in enumerate(columns):
            try:
                values = self._column_decoders[index].decode(data) if data is not None else None
            except _UNREADABLE:
                values = read_json(data or b"")
                is_checked = False
            decoded.append(values)
        given = {name: values for name, values in zip(self.names, decoded, strict=True) if values is not None}
        if not is_checked or len(given) < len(self.names):
            self._inputs.columns_to_feeds(given)  # for its errors
        flat = [_flat(values) if values is not None else [None] * n_rows for values in decoded]
        for name, values in zip(self.names, flat, strict=True):
            if len(values) != n_rows:
                raise InvalidInputError(
                    f"Input '{name}' has {len(values)} values in 'data', but its shape says {n_rows}."
                )
        return list(zip(*flat, strict=True))

    def check_count(self, n_rows: int) -> None:
        """Raise TooManyRowsError above `max_rows`."""
        if n_rows > self.max_rows:
            raise TooManyRowsError(
                f"{n_rows} rows in one request; at most {self.max_rows} are allowed. Send them in several requests."
            )

    def example_row(self) -> Row:
        """A row of the signature's examples, for the smoke request."""
        return tuple(_example(column) for column in self.columns)

    def _decode_slowly(self, body: bytes) -> list[Row]:
        content = read_json(body)
        if not isinstance(content, dict) or not isinstance(content.get("rows"), list):
            raise InvalidInputError(
                "The body must be {\"rows\": [{...}, ...]}: an object whose 'rows' is a list of objects, one a row."
            )
        extra = [key for key in content if key != "rows"]
        if extra:
            raise InvalidInputError(f"The body has '{extra[0][:60]}' beside 'rows'; send only 'rows'.")
        rows = content["rows"]
        self.check_count(len(rows))
        if rows:
            self._inputs.rows_to_feeds(rows)  # for its errors
        return [tuple([row.get(name) for name in self.names]) for row in rows]


def read_json(body: bytes) -> Any:
    """The JSON value. Raises InvalidInputError that says where it breaks off."""
    try:
        return msgspec.json.decode(body)
    except _UNREADABLE as error:
        hint = " NaN and Infinity are not JSON: send null for a missing value." if b"NaN" in body else ""
        raise InvalidInputError(f"The body is not JSON: {error}.{hint}") from None


def _flat(values: list[Any]) -> list[Any]:
    """`[[1], [2]]` as `[1, 2]`; the protocol allows both."""
    return [value[0] if isinstance(value, list) else value for value in values]


def _example(column: SignatureColumn) -> Any:
    """The column's example in its own type; where the signature has none, null if it may be, else a plain value."""
    example = column.example
    if column.kind is ColumnKind.float and example is not None:
        example = float(example)
        if not math.isfinite(example):
            example = None
    if example is None and not column.nullable:
        return _PLAIN_EXAMPLES[column.kind]
    return example
