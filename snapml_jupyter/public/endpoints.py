"""`snap.deploy`, `snap.endpoint`, `snap.endpoints`: endpoints of the current workspace."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..domain.errors import SnapMLError
from .current import workspace

if TYPE_CHECKING:
    from ..serving.client import Endpoint
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace
    from .rollout_plan import Share

#: Keys that this process knows, by workspace and endpoint. They are never written anywhere.
_keys: dict[tuple[str, str], str] = {}


def deploy(
    model_ref: str,
    *,
    endpoint: str | None = None,
    canary: Share | Sequence[Share] | None = None,
    shadow: bool = False,
    ab: Share | None = None,
    guards: str | Iterable[str] | None = None,
    every: str | float | None = None,
    min_requests: int | None = None,
    workers: str | int | None = None,
    rate: str | float | None = None,
    public: bool = False,
    accept_parity: bool = False,
) -> Endpoint:
    """Put a model version behind an endpoint and wait until it answers.

    `endpoint` is named like the model unless given. Deploying again swaps the version without a dropped request.
    `canary="10%"` gives it that share of the requests beside what is live; `canary="5,25,50,100"` raises the share every
    `every` ("10m") while the `guards` hold ("error_rate<1%, p99<50ms, metrics.auc>=champion-0.01") and each step has had
    `min_requests` (100), and rolls back by itself when one is broken. `ab="50%"` splits for a comparison, `shadow=True`
    answers copies whose answers are compared and dropped. `workers="1:4"` lets the host have so many, by load, `rate="100/s"`
    limits the endpoint, `public=True` lets other machines reach it (put a TLS proxy in front).
    `accept_parity` deploys a graph that answers otherwise than its model; the audit log says who did.
    The returned endpoint's `api_key` is set when the endpoint is new; it is shown this once.
    Raises NotFoundError, ExportError, ParityError, InvalidInputError or UnavailableError, each with what to do.
    """
    from ..serving import deploying
    from .rollout_plan import read_arm, read_changes

    arm, share, plan = read_arm(canary, shadow, ab, guards, every, min_requests)
    here = workspace()
    changes = read_changes(rate, workers, public)
    outcome = deploying.deploy(here, model_ref, endpoint, arm, share, plan, changes, accept_parity)
    if outcome.api_key is not None:
        _keys[here.location, outcome.endpoint.name] = outcome.api_key
    return _endpoint(here, outcome.endpoint.name, outcome.api_key)


def endpoint(name: str, *, api_key: str | None = None) -> Endpoint:
    """The endpoint of that name. Raises NotFoundError.

    Requests use `api_key`, else the key this process got when it deployed, else SNAPML_API_KEY, else a new key for
    this process that is revoked when it ends.
    """
    from ..serving.deploying import get_endpoint

    here = workspace()
    return _endpoint(here, get_endpoint(here, name).name, api_key)


def endpoints() -> list[Endpoint]:
    """All endpoints, by name."""
    from ..serving.deploying import list_endpoints

    here = workspace()
    return [_endpoint(here, info.name, None) for info in list_endpoints(here)]


def _endpoint(here: Workspace | RemoteWorkspace, name: str, api_key: str | None) -> Endpoint:
    from ..serving.client import Endpoint

    return Endpoint(here, name, api_key=api_key, find_key=lambda: _find_key(here, name))


def _find_key(here: Workspace | RemoteWorkspace, name: str) -> str:
    from ..serving.api_keys import create_key

    known = _keys.get((here.location, name)) or os.environ.get("SNAPML_API_KEY")
    if known is None:
        issued = create_key(here, name, f"{here.actor}, process {os.getpid()}")
        known = _keys[here.location, name] = issued.api_key
        atexit.register(_revoke, here, issued.key.key_id)
    return known


def _revoke(here: Workspace | RemoteWorkspace, key_id: str) -> None:
    from ..serving.api_keys import revoke_key

    try:
        revoke_key(here, key_id)
    except SnapMLError as error:
        print(f"The key {key_id} of this process could not be revoked: {error}")
