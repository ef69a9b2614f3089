"""`%snap_deploy`, `%snap_endpoints`."""

from __future__ import annotations

from typing import Any

from .registration import Call, argument, line_magic


@line_magic(
    "snap_deploy",
    argument("model", metavar="MODEL", help="a version: churn:4, churn@champion, churn"),
    argument("--endpoint", metavar="NAME", help="endpoint to put it behind; without it, the model's name"),
    examples=("endpoint = %snap_deploy late-flights", "%snap_deploy late-flights:2 --endpoint late"),
    completes={"model": "model", "--endpoint": "endpoint"},
)
def snap_deploy(call: Call, model: str, endpoint: str | None) -> Any:
    """Put a model version behind an HTTP endpoint and give the live endpoint."""
    from ..public.endpoints import deploy

    return deploy(model, endpoint=endpoint)


@line_magic("snap_endpoints", examples=("%snap_endpoints",))
def snap_endpoints(call: Call) -> Any:
    """Endpoints with the model version that is live behind each."""
    from ..public.current import workspace
    from ..serving.deploying import list_endpoints
    from .tables import Records, endpoints

    return Records(list_endpoints(workspace()), endpoints)
