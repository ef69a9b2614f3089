"""`%snap_deploy`, `%snap_endpoints`, `%snap_traffic`, `%snap_rollback`."""

from __future__ import annotations

from typing import Any

from .registration import Call, argument, line_magic


@line_magic(
    "snap_deploy",
    argument("model", metavar="MODEL", help="a version: churn:4, churn@champion, churn"),
    argument("--endpoint", metavar="NAME", help="endpoint to put it behind; without it, the model's name"),
    argument(
        "--canary", metavar="SHARES", help="beside what is live, with this share (10%%), or step by step (5,25,50,100)"
    ),
    argument("--shadow", action="store_true", help="answer copies of the requests; answers are compared and dropped"),
    argument("--ab", metavar="SHARE", help="one side of an A/B test, with this share: 50%%"),
    argument(
        "--guard",
        metavar="GUARDS",
        help="what a canary must keep: error_rate<1%%, p99<50ms, metrics.auc>=champion-0.01",
    ),
    argument("--every", metavar="TIME", help="how long a step of a canary lasts (10m)"),
    argument("--workers", metavar="N:M", help="fewest and most workers of the host, by load: 1:4"),
    argument("--public", action="store_true", help="let other machines reach it"),
    argument("--rate", metavar="RATE", help="most requests of all clients: 100/s"),
    argument(
        "--accept-parity",
        action="store_true",
        help="deploy although the graph answers otherwise than the model; the audit log says who did",
    ),
    examples=(
        "endpoint = %snap_deploy late-flights",
        "%snap_deploy late-flights:2 --endpoint late",
        '%snap_deploy late-flights:2 --canary 5,25,50,100 --every 10m --guard "error_rate<1%, agreement>95%"',
    ),
    completes={"model": "model", "--endpoint": "endpoint"},
)
def snap_deploy(
    call: Call,
    model: str,
    endpoint: str | None,
    canary: str | None,
    shadow: bool,
    ab: str | None,
    guard: str | None,
    every: str | None,
    workers: str | None,
    public: bool,
    rate: str | None,
    accept_parity: bool,
) -> Any:
    """Put a model version behind an HTTP endpoint and give the live endpoint."""
    from ..public.endpoints import deploy

    deployed = deploy(
        model,
        endpoint=endpoint,
        canary=canary,
        shadow=shadow,
        ab=ab,
        guards=guard,
        every=every,
        workers=workers,
        rate=rate,
        public=public,
        accept_parity=accept_parity,
    )
    if deployed.api_key is not None:
        from .endpoint_card import show_key

        show_key(call.shell, deployed.api_key)
    return deployed


@line_magic(
    "snap_traffic",
    argument("endpoint", metavar="ENDPOINT", help="an endpoint"),
    argument("shares", nargs="*", metavar="VERSION=SHARE", help="new shares: v4=90 v5=10"),
    examples=("%snap_traffic late-flights", "%snap_traffic late-flights v1=90 v2=10"),
    completes={"endpoint": "endpoint"},
)
def snap_traffic(call: Call, endpoint: str, shares: list[str]) -> Any:
    """Who answers how much of an endpoint's traffic, how, and where a rollout stands; with shares, change it."""
    from ..public.current import workspace
    from ..public.rollout_plan import read_shares
    from ..serving.traffic import get_traffic, set_traffic

    if shares:
        set_traffic(workspace(), endpoint, read_shares(shares))
    return get_traffic(workspace(), endpoint)


@line_magic(
    "snap_rollback",
    argument("endpoint", metavar="ENDPOINT", help="an endpoint"),
    examples=("%snap_rollback late-flights",),
    completes={"endpoint": "endpoint"},
)
def snap_rollback(call: Call, endpoint: str) -> Any:
    """Take a canary or shadow away; without one, bring back the version that was live before."""
    from ..public.current import workspace
    from ..serving.traffic import roll_back

    return roll_back(workspace(), endpoint)


@line_magic("snap_endpoints", examples=("%snap_endpoints",))
def snap_endpoints(call: Call) -> Any:
    """Endpoints with the model version that is live behind each."""
    from ..public.current import workspace
    from ..serving.deploying import list_endpoints
    from .tables import Records, endpoints

    return Records(list_endpoints(workspace()), endpoints)
