"""How what gates and endpoint tests found is shown."""

from __future__ import annotations

from ..domain.checks import Check, EndpointTest, GateOutcome
from ..figures import duration
from .display import Card, Status, Table


def gate_outcome(found: GateOutcome) -> Card:
    """A version judged by gates."""
    return _card(f"{found.model_ref} by gates", found.checks, found.passed, found.duration_seconds)


def endpoint_test(found: EndpointTest) -> Card:
    """What the tests of an endpoint found."""
    return _card(f"Tests of {found.endpoint} ({found.model_ref})", found.checks, found.passed, found.duration_seconds)


def _card(title: str, checks: list[Check], passed: bool, seconds: float) -> Card:
    ordered = sorted(checks, key=lambda check: check.status.value)  # what failed comes first
    table = Table(["check", "result", "found"], [(one.name, Status(one.status.value), one.message) for one in ordered])
    return Card(
        title,
        f"{len(checks)} checks in {duration(seconds)}",
        Status("passed" if passed else "failed"),
        table=table,
    )
