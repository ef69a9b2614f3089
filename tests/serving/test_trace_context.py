"""W3C trace context: what is valid goes back with the answer, what is not is as if it had not been sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from snapml_jupyter.serving.trace_context import read_trace

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def test_a_valid_parent_is_passed_through() -> None:
    found = read_trace([(b"host", b"x"), (b"traceparent", PARENT.encode())])
    assert found is not None
    assert (found.trace_id, found.headers) == (TRACE, ((b"traceparent", PARENT.encode()),))


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "00",
        PARENT.upper(),
        f"{PARENT}-more",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-00f067aa0ba902b7-01",
        f"00-{TRACE}-00f067aa0ba902b7-1",
        f"00-{TRACE}-00f067aa0ba902b7-0g",
        f"01-{TRACE}-00f067aa0ba902b7-01more",
    ],
)
def test_an_invalid_parent_is_ignored_with_its_state(parent: str) -> None:
    assert read_trace([(b"traceparent", parent.encode()), (b"tracestate", b"a=1")]) is None


def test_later_versions_may_say_more_and_two_parents_are_none() -> None:
    later = f"01-{TRACE}-00f067aa0ba902b7-01-what-comes"
    assert read_trace([(b"traceparent", later.encode())]) is not None
    assert read_trace([(b"traceparent", PARENT.encode())] * 2) is None


@pytest.mark.parametrize(
    ("states", "passed"),
    [
        (["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"], b"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        (["a=1", "b=2"], b"a=1,b=2"),
        (["fw529a3039@dt=FfAAAA"], b"fw529a3039@dt=FfAAAA"),
        (["a=1, ,b=2"], b"a=1, ,b=2"),
        (["a"], None),
        (["A=1"], None),
        (["a=1,a=2"], None),
        (["a=\x01"], None),
        (["a=" + "x" * 600], None),
        ([",".join(f"k{i}=1" for i in range(33))], None),
    ],
)
def test_a_state_goes_along_when_it_is_valid(states: list[str], passed: bytes | None) -> None:
    headers = [(b"traceparent", PARENT.encode()), *[(b"tracestate", state.encode()) for state in states]]
    found = read_trace(headers)
    assert found is not None
    assert dict(found.headers).get(b"tracestate") == passed


def test_answers_carry_it_and_request_ids_end_with_the_trace(
    served: Any, connect: Callable[..., Any], row: dict[str, Any]
) -> None:
    client = connect(served.port, served.api_key)
    sent = {"traceparent": PARENT, "tracestate": "a=1"}
    for path, body in (("/endpoints/tiny/predict", {"rows": [row]}), ("/endpoints/tiny/predict", {}), ("/v2", None)):
        _, headers, _ = client.request("POST" if body is not None else "GET", path, body, sent)
        assert (headers["traceparent"], headers["tracestate"]) == (PARENT, "a=1")
        assert headers["x-request-id"].endswith(f"-{TRACE}")
    _, headers, _ = client.request("GET", "/v2", None, {**sent, "x-request-id": "mine"})
    assert (headers["x-request-id"], headers["traceparent"]) == ("mine", PARENT)
    status, headers, _ = client.request("GET", "/v2", None, {"traceparent": "00-x", "tracestate": "a=1"})
    assert (status, "traceparent" in headers, "tracestate" in headers) == (200, False, False)
