"""W3C trace context: a valid `traceparent` (and its `tracestate`) goes back with the answer, anything else is ignored.

https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .http_errors import Headers

_PARENT = re.compile(rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]*)?")
_MEMBER = re.compile(
    rb"(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
    rb"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
#: Longer ones need not be passed on.
_MAX_STATE_BYTES = 512
_MAX_MEMBERS = 32


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The trace that a request belongs to, and the headers that say so."""

    trace_id: str
    headers: Headers


def read_trace(headers: Iterable[tuple[bytes, bytes]]) -> TraceContext | None:
    """The trace context of a request's headers (names in lower case); None when there is no valid one."""
    parents = [value.strip() for name, value in headers if name == b"traceparent"]
    found = _PARENT.fullmatch(parents[0]) if len(parents) == 1 else None
    # Version 00 ends after the flags; later versions may say more.
    if found is None or (found[1] == b"00" and found[3]):
        return None
    sent: Headers = ((b"traceparent", parents[0]),)
    state = b",".join(value for name, value in headers if name == b"tracestate")
    if state and _is_state(state):
        sent = (*sent, (b"tracestate", state))
    return TraceContext(found[2].decode(), sent)


def _is_state(state: bytes) -> bool:
    members = [member.strip(b" \t") for member in state.split(b",")]
    members = [member for member in members if member]
    names = {member.partition(b"=")[0] for member in members}
    return (
        len(state) <= _MAX_STATE_BYTES
        and 0 < len(members) <= _MAX_MEMBERS
        and len(names) == len(members)
        and all(_MEMBER.fullmatch(member) for member in members)
    )
