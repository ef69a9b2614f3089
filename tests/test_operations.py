"""One declaration gives the local call, the wire call, the permission check and the OpenAPI document."""

from __future__ import annotations

import json
import math

import pytest

from snapml_jupyter import operations, wire
from snapml_jupyter.domain.errors import (
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    SnapMLError,
    error_types,
)
from snapml_jupyter.domain.event import Event
from snapml_jupyter.domain.run import MetricPoint
from snapml_jupyter.governance.status import get_status, list_events
from snapml_jupyter.store.workspace import Workspace, utc_now


def test_a_call_over_the_wire_gives_what_the_local_call_gives(workspace: Workspace) -> None:
    with workspace.transaction() as tx:
        tx.event("run.started", "r1", name="a")
    declared = operations.get_operation("governance.list_events")
    answer = operations.run_operation(workspace, declared, json.loads('{"after": 0}'))
    travelled = wire.decode_json(wire.encode_json(answer), list[Event])
    assert travelled == list_events(workspace) == answer


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"wrong": 1}, "governance.list_events has no argument 'wrong'. Its arguments: after, limit."),
        ({"after": "soon"}, "argument 'after' of governance.list_events is not usable"),
        ({"after": []}, "argument 'after' of governance.list_events is not usable"),
    ],
)
def test_unusable_arguments_are_named(workspace: Workspace, arguments: dict[str, object], sentence: str) -> None:
    declared = operations.get_operation("governance.list_events")
    with pytest.raises(InvalidInputError) as raised:
        operations.run_operation(workspace, declared, arguments)
    assert sentence in str(raised.value)


def test_an_unknown_operation_names_the_closest() -> None:
    with pytest.raises(NotFoundError, match=r"Did you mean 'governance\.list_events'"):
        operations.get_operation("governance.list_event")


def test_an_actor_without_the_permission_is_refused_locally_and_over_the_wire(workspace: Workspace) -> None:
    guest = workspace.acting_as("guest", permissions=frozenset())
    with pytest.raises(PermissionDeniedError, match=r"guest may not do governance\.get_status.*'workspace:read'"):
        get_status(guest)
    with pytest.raises(PermissionDeniedError):
        operations.run_operation(guest, operations.get_operation("governance.get_status"), {})
    assert get_status(workspace).actor == "ada"


def test_numbers_that_json_cannot_say_come_back() -> None:
    for value in (math.nan, math.inf, -math.inf, 0.1):
        point = MetricPoint(name="loss", value=value, step=0, logged_at=utc_now())
        text = wire.encode_json(point)
        json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
        back = wire.decode_json(text, MetricPoint)
        assert back.value == value or (math.isnan(value) and math.isnan(back.value))


def test_every_error_type_survives_the_wire() -> None:
    for code, kind in error_types().items():
        back = wire.decode_error(json.loads(json.dumps(wire.encode_error(kind("what to do")))))
        assert type(back) is kind
        assert back.code == code
        assert str(back) == "what to do"


def test_error_codes_are_distinct() -> None:
    def walk(kind: type[SnapMLError]) -> list[type[SnapMLError]]:
        return [kind, *(found for child in kind.__subclasses__() for found in walk(child))]

    kinds = [kind for kind in walk(SnapMLError) if kind.__module__.startswith("snapml_jupyter.domain")]
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_the_openapi_document_has_a_route_and_types_for_every_operation() -> None:
    declared = operations.list_operations()
    document = wire.openapi(declared, "0.1.0")
    assert set(document["paths"]) == {f"/snapml/api/{one.name}" for one in declared}
    text = json.dumps(document)
    for reference in {part.split(chr(34))[0] for part in text.split("#/components/schemas/")[1:]}:
        assert reference in document["components"]["schemas"]
    for one in declared:
        assert one.summary.endswith("."), f"{one.name} needs a docstring whose first line is a sentence"
        noun, _, verb = one.permission.partition(":")
        assert noun
        assert verb
