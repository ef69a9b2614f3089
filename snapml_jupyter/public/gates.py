"""`snap.gate` and `snap.test_endpoint`: is a version good enough, and does an endpoint do what it promises?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .current import workspace

if TYPE_CHECKING:
    from ..domain.checks import EndpointTest, GateOutcome


def gate(ref: str, gates: str | Path = "gates.toml") -> GateOutcome:
    """Judge a model version by a `gates.toml` (a path, or its text), and keep the outcome on the version.

    Raises InvalidInputError for gates that cannot be read; what the version fails is in `.checks`.
    """
    from ..domain.errors import InvalidInputError
    from ..gates import judging

    if isinstance(gates, str) and ("\n" in gates or gates.lstrip().startswith("[")):
        return judging.gate(workspace(), ref, gates)
    try:
        text = Path(gates).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{gates} cannot be read: {error}.") from None
    return judging.gate(workspace(), ref, text)


def test_endpoint(name: str, *, p99: str | None = None, memory: str | None = None) -> EndpointTest:  # noqa: PT028
    """Try what the endpoint's signature promises, with good and bad requests: `.passed`, `.checks`.

    `p99="50ms"` bounds the latency of single rows, `memory="200MB"` that of each worker.
    Raises NotFoundError, and UnavailableError when nothing is live.
    """
    from ..figures import parse_duration, parse_size
    from ..gates import endpoint_checks

    return endpoint_checks.check_endpoint(
        workspace(),
        name,
        p99_ms=None if p99 is None else parse_duration(p99) * 1000,
        memory_bytes=None if memory is None else parse_size(memory),
    )
