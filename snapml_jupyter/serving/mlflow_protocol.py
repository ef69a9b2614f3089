"""MLflow's scoring protocol: `/invocations` as JSON in four forms or CSV, `/ping`, `/health`, `/version`.

https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally. The paths name no model: the API key says which
endpoint is meant. Answers are `{"predictions": [...]}` with labels or numbers, errors `{"error_code", "message"}`.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from ..domain.errors import InvalidInputError
from ..domain.model import ColumnKind, SignatureColumn
from .routing import Served
from .rows import Row, RowDecoder, read_json
from .session import Answers

#: `GET` these to learn whether the key's endpoint answers.
HEALTH_PATHS = frozenset({"/ping", "/health"})
PATHS = HEALTH_PATHS | {"/version", "/invocations"}

_FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_SPLIT_KEYS = frozenset({"columns", "index", "data"})
_ERROR_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
#: What pandas, which MLflow reads CSV with, takes for a missing value.
_MISSING = frozenset(
    [
        "",
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "None",
        "n/a",
        "nan",
        "null",
    ]
)
_CONSTANTS = {"NaN": None, "Infinity": math.inf, "-Infinity": -math.inf}
_TRUTH = {"true": True, "false": False}
_encode = msgspec.json.Encoder().encode


class UnsupportedContentError(InvalidInputError):
    """A Content-Type that the protocol does not know."""


def decode_invocation(decoder: RowDecoder, content_type: bytes | None, body: bytes) -> list[Row]:
    """The rows of a request to `/invocations`. Raises InvalidInputError naming the row and the column."""
    rows = _read_csv(decoder, body) if _media_type(content_type) == "text/csv" else _read_json_forms(decoder, body)
    if not rows:
        raise InvalidInputError("There are no rows to predict. Send at least one.")
    return rows


def encode_invocation(answers: Answers) -> bytes:
    """The answer's JSON."""
    return _encode({"predictions": answers.values})


def encode_error(status: int, message: str) -> bytes:
    """An error as MLflow says it."""
    return _encode({"error_code": _ERROR_CODES.get(status, "BAD_REQUEST"), "message": message})


def health(served: Served | None) -> tuple[int, bytes]:
    """Status and body of `/ping`: 404 when there is no model, as MLflow has it."""
    return (200, b"\n") if served is not None else (404, b"\n")


def _media_type(content_type: bytes | None) -> str:
    text = content_type.decode("latin-1") if content_type is not None else "none"
    media_type, *parameters = [part.strip().lower() for part in text.split(";")]
    if media_type not in ("application/json", "text/csv"):
        raise UnsupportedContentError(
            f"The Content-Type is '{text[:60]}'; this server takes 'application/json' and 'text/csv'."
        )
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name != "charset" or value.strip('"') != "utf-8":
            raise UnsupportedContentError(
                f"The Content-Type has the parameter '{parameter[:60]}'; only 'charset=utf-8' may be there."
            )
    return media_type


def _read_json_forms(decoder: RowDecoder, body: bytes) -> list[Row]:
    content = _read_python_json(body)
    given = [form for form in _FORMS if isinstance(content, dict) and form in content]
    if len(given) != 1:
        came = f"fields {list(content)[:8]}" if isinstance(content, dict) else f"a {type(content).__name__}"
        raise InvalidInputError(
            "The input must be a JSON dictionary with exactly one of the input fields "
            f"{{{', '.join(map(repr, _FORMS))}}}. Received {came[:300]}."
        )
    (form,) = given
    if content.get("params") is not None and not isinstance(content["params"], dict):
        raise InvalidInputError("'params' must be an object.")
    value = content[form]
    if form == "dataframe_split":
        return _read_split(decoder, value)
    if form == "inputs" and isinstance(value, dict):
        # TensorFlow Serving's column form; one row may leave out the list.
        return decoder.take_columns({n: v if isinstance(v, list) else [v] for n, v in value.items()}) if value else []
    if not isinstance(value, list):
        raise InvalidInputError(f"'{form}' must be a list with one item a row, not {type(value).__name__}.")
    if form != "dataframe_records" and value and not isinstance(value[0], dict):
        return _by_position(decoder, value, f"'{form}'")
    return _read_records(decoder, value)


def _read_python_json(body: bytes) -> Any:
    """JSON with the NaN that Python writes for a missing number, as MLflow's own client does."""
    if b"NaN" not in body and b"Infinity" not in body:
        return read_json(body)
    try:
        content = json.loads(body.decode(), parse_constant=_CONSTANTS.get)
        if b"\\u" in body:
            json.dumps(content, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        return read_json(body)  # for its error
    return content


def _read_split(decoder: RowDecoder, value: Any) -> list[Row]:
    if not isinstance(value, dict) or not set(value) <= _SPLIT_KEYS or "columns" not in value or "data" not in value:
        raise InvalidInputError("'dataframe_split' must be an object with 'columns' and 'data' (and maybe 'index').")
    columns, data = value["columns"], value["data"]
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise InvalidInputError("'columns' of 'dataframe_split' must be a list of column names.")
    if not isinstance(data, list):
        raise InvalidInputError("'data' of 'dataframe_split' must be a list with a list of values for each row.")
    return _table(decoder, columns, data, "'data' of 'dataframe_split'")


def _read_records(decoder: RowDecoder, rows: list[Any]) -> list[Row]:
    """A key that only some objects have is missing in the others, as in pandas."""
    decoder.check_count(len(rows))
    known = set(decoder.names)
    if any(not isinstance(row, dict) or not known.issuperset(row) for row in rows):
        return decoder.take_rows(rows)  # for its error
    names = set().union(*rows)
    return decoder.take_rows([{name: row.get(name) for name in names} for row in rows]) if rows else []


def _by_position(decoder: RowDecoder, rows: list[Any], what: str) -> list[Row]:
    """Rows without names: values in the order of the signature's columns; of a single column also bare values."""
    if len(decoder.names) == 1:
        rows = [row if isinstance(row, list) else [row] for row in rows]
    return _table(decoder, decoder.names, rows, what)


def _table(decoder: RowDecoder, columns: Sequence[str], data: list[Any], what: str) -> list[Row]:
    decoder.check_count(len(data))
    if len(set(columns)) < len(columns):
        twice = Counter(columns).most_common(1)[0][0]
        raise InvalidInputError(f"The column '{twice[:60]}' is there more than once.")
    for number, row in enumerate(data, 1):
        if not isinstance(row, list) or len(row) != len(columns):
            came = f"{len(row)} values" if isinstance(row, list) else f"a {type(row).__name__}"
            raise InvalidInputError(
                f"Row {number} of {what} is {came}, not a list of {len(columns)} values: {', '.join(columns)[:200]}."
            )
    return decoder.take_columns(dict(zip(columns, zip(*data, strict=True), strict=True))) if data else []


def _read_csv(decoder: RowDecoder, body: bytes) -> list[Row]:
    try:
        lines = [line for line in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInputError(f"The body is not CSV in UTF-8: {error}.") from None
    if not lines:
        raise InvalidInputError("The CSV is empty: send a line with the columns' names, then one line a row.")
    columns = {column.name: column for column in decoder.columns}
    names, data = lines[0], lines[1:]
    for number, line in enumerate(data, 1):
        if len(line) == len(names):
            data[number - 1] = [
                _csv_value(text, columns[name]) if name in columns else text
                for text, name in zip(line, names, strict=True)
            ]
    return _table(decoder, names, data, "the CSV")


def _csv_value(text: str, column: SignatureColumn) -> Any:
    """The value that a field says; text that says none of its column's kind stays text, which is refused by name."""
    if column.kind in (ColumnKind.string, ColumnKind.datetime):
        return None if text in _MISSING and column.nullable else text
    if text in _MISSING:
        return None
    if "_" in text:  # Python reads 1_000 as a number, nobody else does
        return text
    try:
        if column.kind is ColumnKind.boolean:
            return _TRUTH.get(text.lower(), text)
        return int(text) if column.kind is ColumnKind.integer and text.lstrip("+-").isdigit() else float(text)
    except ValueError:
        return text
