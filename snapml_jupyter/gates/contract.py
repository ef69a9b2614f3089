"""What an endpoint's signature promises, as requests with the answers that keep the promise.

Every wrong request must be answered with a status below 500 and a sentence, which names the column where there is one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .. import settings
from ..domain.model import ColumnKind, Signature, SignatureColumn, Task

#: Says what is wrong with an answer (status, parsed body), None when it is as promised.
Judge = Callable[[int, Any], "str | None"]

_DATATYPES = {
    ColumnKind.boolean: "BOOL",
    ColumnKind.integer: "INT64",
    ColumnKind.float: "FP64",
    ColumnKind.string: "BYTES",
    ColumnKind.datetime: "BYTES",
}
_WRONG: dict[ColumnKind, Any] = {
    ColumnKind.boolean: "maybe",
    ColumnKind.integer: "many",
    ColumnKind.float: "much",
    ColumnKind.string: 7,
    ColumnKind.datetime: 7,
}
#: Columns that are tried one by one; a frame of thousands says no more than this many of them.
_MOST_COLUMNS = 40
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request. `key` None sends none, "" the right one."""

    name: str
    judge: Judge
    method: str = "POST"
    path: str
    body: bytes | None = None
    key: str | None = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What is known of the endpoint. `used` are the columns the graph reads; others may be left out of a request."""

    endpoint: str
    model_refs: list[str]
    signature: Signature
    used: frozenset[str]

    @property
    def row(self) -> dict[str, Any]:
        """The signature's example as a request has it."""
        from .held_out import example_rows

        return example_rows(self.signature, None)[0]

    @property
    def path(self) -> str:
        """Where rows are posted to."""
        return f"/endpoints/{self.endpoint}/predict"

    def body(self, *rows: dict[str, Any]) -> bytes:
        """A request of these rows, of the example without any."""
        return json.dumps({"rows": rows or [self.row]}).encode()


def cases(contract: Contract) -> Iterator[Case]:
    """Every request of the contract, the good ones first."""
    yield from _health(contract)
    yield from _good(contract)
    yield from _bad_rows(contract)
    yield from _bad_bodies(contract)
    yield from _bad_access(contract)
    yield Case(name="after.answers", path=contract.path, body=contract.body(), judge=_answers(contract, 1))


def _health(contract: Contract) -> Iterator[Case]:
    model = f"/v2/models/{contract.endpoint}"
    for word in ("live", "ready"):
        yield Case(name=f"health.{word}", method="GET", path=f"/v2/health/{word}", key=None, judge=_says(word, True))
    yield Case(name="health.model_ready", method="GET", path=f"{model}/ready", judge=_says("ready", True))
    yield Case(name="metadata.inputs", method="GET", path=model, judge=_has_inputs(contract))


def _good(contract: Contract) -> Iterator[Case]:
    path, row = contract.path, contract.row
    yield Case(name="answers.one_row", path=path, body=contract.body(), judge=_answers(contract, 1))
    yield Case(name="answers.three_rows", path=path, body=contract.body(row, row, row), judge=_answers(contract, 3))
    inputs = [
        {"name": c.name, "shape": [1, 1], "datatype": _DATATYPES[c.kind], "data": [row[c.name]]}
        for c in contract.signature.inputs
    ]
    yield Case(
        name="answers.open_inference",
        path=f"/v2/models/{contract.endpoint}/infer",
        body=json.dumps({"id": "snapml-test", "inputs": inputs}).encode(),
        judge=_infers(contract),
    )
    for column in _some(contract, lambda c: c.nullable):
        body = contract.body({**row, column.name: None})
        yield Case(name=f"answers.null.{column.name}", path=path, body=body, judge=_answers(contract, 1))
    unused = [name for name in row if name not in contract.used]
    if unused:
        body = contract.body({name: value for name, value in row.items() if name in contract.used})
        yield Case(name="answers.without_unused", path=path, body=body, judge=_answers(contract, 1))


def _bad_rows(contract: Contract) -> Iterator[Case]:
    path, row = contract.path, contract.row
    for column in _some(contract, lambda c: True):
        name = column.name
        without = {key: value for key, value in row.items() if key != name}
        wrong = {**row, name: _WRONG[column.kind]}
        yield Case(name=f"missing.{name}", path=path, body=contract.body(without), judge=_refuses(400, name))
        yield Case(name=f"wrong_type.{name}", path=path, body=contract.body(wrong), judge=_refuses(400, name))
        if not column.nullable:
            gone = contract.body({**row, name: None})
            yield Case(name=f"null.{name}", path=path, body=gone, judge=_refuses(400, name))
    stranger = "column_nobody_trained_on"
    yield Case(
        name="unknown_column", path=path, body=contract.body({**row, stranger: 1}), judge=_refuses(400, stranger)
    )


def _bad_bodies(contract: Contract) -> Iterator[Case]:
    bodies = {
        "empty_body": b"",
        "no_rows": b'{"rows": []}',
        "no_object": b"{}",
        "not_json": b'{"rows": [',
        "nan": json.dumps({"rows": [{**contract.row, next(iter(contract.row)): math.nan}]}).encode(),
        "rows_of_lists": b'{"rows": [[1, 2, 3]]}',
        "binary": bytes(range(256)),
    }
    for name, body in bodies.items():
        yield Case(name=f"bad_body.{name}", path=contract.path, body=body, judge=_refuses(400))
    n_rows, most_bytes = settings.get_int("max_rows") + 1, settings.get_int("max_body_mb") * 2**20
    one = json.dumps(contract.row).encode()
    if (len(one) + 1) * n_rows > most_bytes:
        one = b"{}"  # counted before it is read
    yield Case(
        name="limits.rows",
        path=contract.path,
        body=b'{"rows":[' + b",".join([one] * n_rows) + b"]}",
        judge=_refuses(413, hint=f"SNAPML_MAX_ROWS is {n_rows - 1} here; the host may have been started with another"),
    )
    yield Case(
        name="limits.body",
        path=contract.path,
        body=b" " * (most_bytes + 1),
        judge=_refuses(413, hint=f"SNAPML_MAX_BODY_MB is {most_bytes >> 20} here; the host may have another"),
    )


def _bad_access(contract: Contract) -> Iterator[Case]:
    body = contract.body()
    yield Case(name="access.no_key", path=contract.path, body=body, key=None, judge=_refuses(401))
    yield Case(name="access.wrong_key", path=contract.path, body=body, key="snapml_wrong", judge=_refuses(401))
    yield Case(name="access.method", method="GET", path=contract.path, judge=_refuses(405))
    yield Case(name="access.path", method="GET", path=f"/endpoints/{contract.endpoint}/nowhere", judge=_refuses(404))


def _some(contract: Contract, wanted: Callable[[SignatureColumn], bool]) -> list[SignatureColumn]:
    used = [column for column in contract.signature.inputs if column.name in contract.used]
    return [column for column in used if wanted(column)][:_MOST_COLUMNS]


def _says(word: str, value: object) -> Judge:
    def judge(status: int, answer: Any) -> str | None:
        if status == 200 and isinstance(answer, dict) and answer.get(word) is value:
            return None
        return f"expected 200 with {word} true, came {_shown(status, answer)}"

    return judge


def _has_inputs(contract: Contract) -> Judge:
    def judge(status: int, answer: Any) -> str | None:
        expected = [(c.name, _DATATYPES[c.kind]) for c in contract.signature.inputs]
        if status != 200 or not isinstance(answer, dict):
            return f"expected the metadata, came {_shown(status, answer)}"
        found = [(one.get("name"), one.get("datatype")) for one in answer.get("inputs", [])]
        return None if found == expected else f"the inputs are {found}, the signature says {expected}"

    return judge


def _answers(contract: Contract, n_rows: int) -> Judge:
    def judge(status: int, answer: Any) -> str | None:
        if status != 200 or not isinstance(answer, dict):
            return f"expected an answer, came {_shown(status, answer)}"
        predictions = answer.get("predictions")
        if not isinstance(predictions, list) or len(predictions) != n_rows:
            return f"expected {n_rows} predictions, came {_shown(status, predictions)}"
        if answer.get("model") not in contract.model_refs:
            return f"{answer.get('model')!r} answered, expected {' or '.join(contract.model_refs)}"
        return next((wrong for one in predictions if (wrong := _wrong_prediction(contract.signature, one))), None)

    return judge


def _wrong_prediction(signature: Signature, prediction: Any) -> str | None:
    if signature.task is not Task.classification:
        value = prediction.get("prediction") if isinstance(prediction, dict) else None
        is_number = isinstance(value, (int, float)) and math.isfinite(value)
        return None if is_number else f"expected a finite number, came {prediction!r}"
    labels = signature.labels or []
    if not isinstance(prediction, dict) or prediction.get("label") not in labels:
        return f"expected a label of {labels}, came {prediction!r}"
    probabilities = prediction.get("probabilities")
    if probabilities is not None and (
        len(probabilities) != len(labels) or abs(math.fsum(probabilities.values()) - 1) > 1e-3
    ):
        return f"expected {len(labels)} probabilities that add up to 1, came {probabilities!r}"
    return None


def _infers(contract: Contract) -> Judge:
    wanted = "label" if contract.signature.task is Task.classification else "prediction"

    def judge(status: int, answer: Any) -> str | None:
        if status != 200 or not isinstance(answer, dict) or answer.get("model_name") != contract.endpoint:
            return f"expected an answer of '{contract.endpoint}', came {_shown(status, answer)}"
        if answer.get("id") != "snapml-test":
            return f"the id 'snapml-test' came back as {answer.get('id')!r}"
        found = {one["name"]: one for one in answer.get("outputs", [])}
        if wanted not in found or len(found[wanted]["data"]) != 1:
            return f"expected one value in the output '{wanted}', came {_shown(status, answer)}"
        return None

    return judge


def _refuses(expected: int, column: str | None = None, hint: str = "") -> Judge:
    def judge(status: int, answer: Any) -> str | None:
        if status != expected:
            return f"expected {expected}, came {_shown(status, answer)}" + f" ({hint})" * bool(hint)
        sentence = answer.get("error") if isinstance(answer, dict) else None
        if not isinstance(sentence, str) or len(sentence.split()) < 3:
            return f"{status} without a sentence that says what is wrong: {_shown(status, answer)}"
        if column is not None and column not in sentence:
            return f"the sentence does not name '{column}': {sentence}"
        return None

    return judge


def _shown(status: int, answer: Any) -> str:
    text = answer if isinstance(answer, str) else json.dumps(answer, default=str)
    return f"{status}: {text[:200]}"
