"""Request bodies to rows, checked against the signature before they may join a batch.

A compiled decoder reads and checks a good body in about a microsecond a row. Only when it refuses is the body read
again by `GraphInputs`, which takes what is harmless (3.0 for a whole number, a column the model does not use left
out) and says exactly what is wrong with the rest.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping, Sequence
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
#: Kinds whose values may come as several Python types.
_SETTLE: dict[ColumnKind, Callable[[Any], Any]] = {ColumnKind.integer: int, ColumnKind.float: float}
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
        self._column_types: list[Any] = [types.GenericAlias(list, (kind,)) for kind in kinds]
        #: Columns that the model does not use; requests may leave them out.
        self.unused = unused
        self._column_decoders: list[Any] = [msgspec.json.Decoder(kind) for kind in self._column_types]

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

    def decode_columns(self, columns: Sequence[bytes | list[Any] | None], n_rows: int) -> list[Row]:
        """`n_rows` values for each column of the signature, as JSON arrays or lists (None: left out), as rows.

        Raises InvalidInputError naming the column.
        """
        decoded: list[Any] = []
        is_checked = True
        for index, data in enumerate(columns):
            values: Any = data
            if type(data) is bytes:
                try:
                    values = self._column_decoders[index].decode(data)
                except _UNREADABLE:
                    values = read_json(data)
                    is_checked = False
            elif data is not None:
                is_checked = False
            decoded.append(values)
        if is_checked and None not in decoded:
            for name, values in zip(self.names, decoded, strict=True):
                self._check_length(name, values, n_rows)
            return list(zip(*decoded, strict=True))
        return self.take_columns(
            {name: values for name, values in zip(self.names, decoded, strict=True) if values is not None}, n_rows
        )

    def take_columns(self, columns: Mapping[str, Any], n_rows: int | None = None) -> list[Row]:
        """Columns of Python values as rows; NaN is a missing value, `[[1], [2]]` is `[1, 2]`.

        Raises InvalidInputError naming the row and the column, and when the columns have not `n_rows` values.
        """
        self._inputs.columns_to_feeds(columns)  # for its errors
        flat = {name: _flat(values) for name, values in columns.items()}
        if n_rows is None:
            n_rows = max(map(len, flat.values()), default=0)
        for name, values in flat.items():
            self._check_length(name, values, n_rows)
        self.check_count(n_rows)
        return self._settled([flat.get(name) or [None] * n_rows for name in self.names])

    def take_rows(self, rows: Sequence[Any]) -> list[Row]:
        """Objects that map columns to values as rows. Raises InvalidInputError naming the row and the column."""
        self.check_count(len(rows))
        self._inputs.rows_to_feeds(rows)  # for its errors
        return self._settled([[row.get(name) for row in rows] for name in self.names])

    def _check_length(self, name: str, values: list[Any], n_rows: int) -> None:
        if len(values) != n_rows:
            raise InvalidInputError(f"Input '{name}' has {len(values)} values in 'data', but its shape says {n_rows}.")

    def _settled(self, columns: list[list[Any]]) -> list[Row]:
        """Checked columns as rows in which a column's values are all of its kind, as the compiled decoder leaves them.

        Raises InvalidInputError for values of another kind in columns that the model does not use, which nobody else
        checks.
        """
        for index, name in enumerate(self.names):
            if name not in self.unused:
                continue
            try:
                msgspec.convert(columns[index], self._column_types[index])
            except (msgspec.ValidationError, OverflowError) as error:
                raise InvalidInputError(f"Column '{name}': {error}. The model does not use it; leave it out.") from None
        settle = [_SETTLE.get(column.kind) for column in self.columns]
        return list(
            zip(
                *(
                    values if convert is None else [None if v is None or v != v else convert(v) for v in values]
                    for convert, values in zip(settle, columns, strict=True)
                ),
                strict=True,
            )
        )

    def check_count(self, n_rows: int) -> None:
        """Raise TooManyRowsError above `max_rows`."""
        if n_rows > self.max_rows:
            raise TooManyRowsError(
                f"{n_rows} rows in one request; at most {self.max_rows} are allowed. Send them in several requests."
            )

    def example_row(self) -> Row:
        """A row of the signature's examples, for the smoke request."""
        return tuple(example_value(column) for column in self.columns)

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
        return self.take_rows(rows) if rows else []


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


def example_value(column: SignatureColumn) -> Any:
    """The column's example in its own type; where the signature has none, null if it may be, else a plain value."""
    example = column.example
    if column.kind is ColumnKind.float and example is not None:
        example = float(example)
        if not math.isfinite(example):
            example = None
    if example is None and not column.nullable:
        return _PLAIN_EXAMPLES[column.kind]
    return example
