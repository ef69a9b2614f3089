"""The plain protocol: `POST /endpoints/NAME/predict` with rows as objects, and `/feedback` with labels."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from ..domain.errors import InvalidInputError
from .routing import Served
from .session import Answers

#: Whole numbers beyond 64 bits have no place in the log.
Label = bool | Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | float | str


class _LabelPrediction(msgspec.Struct, omit_defaults=True, gc=False):
    label: Any
    probabilities: dict[str, float] | None = None


class _NumberPrediction(msgspec.Struct, gc=False):
    prediction: float | None


class _PredictAnswer(msgspec.Struct, gc=False):
    endpoint: str
    model: str
    request_id: str
    predictions: list[_LabelPrediction] | list[_NumberPrediction]


class FeedbackLabel(msgspec.Struct, forbid_unknown_fields=True):
    """What was right: the label of one row of one answered request."""

    request_id: str
    label: Label
    row: int = 0


class _Feedback(msgspec.Struct, forbid_unknown_fields=True):
    labels: list[FeedbackLabel]


_encode = msgspec.json.Encoder().encode
_feedback_decoder = msgspec.json.Decoder(_Feedback)


def encode_predictions(served: Served, request_id: str, answers: Answers) -> bytes:
    """The answer's JSON: `{"endpoint", "model", "request_id", "predictions"}`."""
    predictions: Any
    if answers.probabilities is not None and served.label_names is not None:
        names = served.label_names
        predictions = [
            _LabelPrediction(label, dict(zip(names, row, strict=True)))
            for label, row in zip(answers.values, answers.probabilities, strict=True)
        ]
    elif served.label_names is not None:
        predictions = [_LabelPrediction(label) for label in answers.values]
    else:
        predictions = [_NumberPrediction(value) for value in answers.values]
    return _encode(_PredictAnswer(served.target.endpoint, served.target.model_ref, request_id, predictions))


def decode_feedback(body: bytes, max_rows: int) -> list[dict[str, Any]]:
    """The labels of a feedback body. Raises InvalidInputError with the form that is expected."""
    try:
        labels = _feedback_decoder.decode(body).labels
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInputError(
            f'The body is not feedback: {error}. Send {{"labels": [{{"request_id": "...", "row": 0, "label": ...}}]}}.'
        ) from None
    if not labels:
        raise InvalidInputError("There are no labels: send at least one object in 'labels'.")
    if len(labels) > max_rows:
        raise InvalidInputError(f"{len(labels)} labels in one request; at most {max_rows} are allowed.")
    for label in labels:
        if not 0 <= label.row < 2**31 or not 0 < len(label.request_id) <= 128:
            raise InvalidInputError(
                f"A label names request {label.request_id[:40]!r}, row {label.row}: send the request_id of the answer and a row from 0."
            )
    return [{"request_id": label.request_id, "row": label.row, "label": label.label} for label in labels]
