"""`%snap_replay`."""

from __future__ import annotations

from typing import Any

from ..domain.errors import InvalidInputError
from .registration import Call, argument, line_magic


@line_magic(
    "snap_replay",
    argument("ref", metavar="RUN", help="a run by id, the beginning of it, or name (its newest run)"),
    argument(
        "--data", "-d", action="append", default=[], metavar="REF", help="other data: flights@latest, df=flights@v3"
    ),
    argument("--param", "-p", action="append", default=[], metavar="KEY=VALUE", help="another value; repeatable"),
    argument("--env", choices=["current", "recorded"], default="current", help="recorded: build the recorded versions"),
    argument(
        "--tolerance", type=float, default=1e-9, metavar="X", help="relative difference that is equivalent (1e-9)"
    ),
    argument(
        "--timeout", metavar="TIME", help="stop it after 90s, 10m, 2h; without it 20 times what the original took"
    ),
    argument("--trust", action="store_true", help="run code that another person recorded"),
    examples=(
        "%snap_replay late-flights",
        "%snap_replay late-flights --data flights@latest --param depth=8",
        "%snap_replay late-flights --env recorded",
    ),
    completes={"ref": "run", "--data": "dataset"},
)
def snap_replay(
    call: Call,
    ref: str,
    data: list[str],
    param: list[str],
    env: str,
    tolerance: float,
    timeout: str | None,
    trust: bool,
) -> Any:
    """Run a recorded cell again in a clean process and say whether the result is the same."""
    from ..figures import parse_duration
    from ..public.current import workspace
    from ..replay.replaying import replay
    from .arguments import pair, scalar

    params = {}
    for text in param:
        key, value = pair(text, "--param")
        if key in params:
            raise InvalidInputError(f"%snap_replay: --param {key}=... is given more than once.")
        params[key] = scalar(value)
    return replay(
        workspace(),
        ref,
        data=data,
        params=params,
        env=env,
        tolerance=tolerance,
        timeout_seconds=parse_duration(timeout) if timeout else None,
        trust=trust,
    )
