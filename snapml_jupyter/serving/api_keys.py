"""API keys of an endpoint: make, limit, rotate and revoke them."""

from __future__ import annotations

from datetime import timedelta

from ..domain.endpoint import ApiKey, IssuedKey
from ..domain.errors import ConflictError, InvalidInputError
from ..domain.traffic import EndpointUsage, KeyUsage, Scope
from ..operations import operation
from ..store import api_keys as store
from ..store import endpoints
from ..store.limit_slots import read_slots
from ..store.workspace import Workspace
from .keys import hash_key, new_key, new_key_id
from .spreading import spread
from .usage import read_today, usage_path

_DEFAULT_SCOPES = (Scope.predict, Scope.feedback)


@operation(permission="keys:write", audited=True)
def create_key(
    workspace: Workspace,
    endpoint: str,
    client: str,
    scopes: list[Scope] | None = None,
    expires_in_seconds: float | None = None,
    rate_per_second: float | None = None,
    quota_per_day: int | None = None,
) -> IssuedKey:
    """Make an API key for a client of the endpoint. The key is in the answer and nowhere else, ever again.

    Without `scopes` it may predict and send feedback; `admin` may do all. Limits count requests, days are UTC.
    Raises NotFoundError for the endpoint, InvalidInputError for a limit that is not above 0.
    """
    endpoints.get_endpoint(workspace.database, endpoint)
    issued = issue_key(
        workspace,
        endpoint,
        client,
        tuple(scopes or _DEFAULT_SCOPES),
        expires_in_seconds,
        rate_per_second,
        quota_per_day,
    )
    spread(workspace)
    return issued


@operation(permission="keys:write", audited=True)
def rotate_key(workspace: Workspace, key_id: str, overlap_seconds: float = 86_400.0) -> IssuedKey:
    """A new key for the same client, scopes and limits; the old one goes on working for `overlap_seconds`, then expires.

    Raises NotFoundError, ConflictError for a key that was revoked.
    """
    key = store.get_key(workspace.database, key_id)
    if key.revoked_at is not None:
        raise ConflictError(f"Key {key_id} was revoked. Make a new one: snapml endpoint key create {key.endpoint}.")
    if overlap_seconds < 0:
        raise InvalidInputError(f"The overlap must not be negative; it is {overlap_seconds:g} seconds.")
    now = workspace.now()
    left = (key.expires_at - now).total_seconds() if key.expires_at else None
    if left is not None and left <= 0:
        raise ConflictError(f"Key {key_id} has expired. Make a new one: snapml endpoint key create {key.endpoint}.")
    issued = issue_key(
        workspace, key.endpoint, key.client, tuple(key.scopes), left, key.rate_per_second, key.quota_per_day
    )
    ends = now + timedelta(seconds=overlap_seconds)
    with workspace.transaction() as tx:
        store.change_key(
            tx,
            key,
            expires_at=min(ends, key.expires_at) if key.expires_at else ends,
            rate_per_second=key.rate_per_second,
            quota_per_day=key.quota_per_day,
        )
    spread(workspace)
    return issued


@operation(permission="keys:write", audited=True)
def change_key(
    workspace: Workspace,
    key_id: str,
    expires_in_seconds: float | None = None,
    rate_per_second: float | None = None,
    quota_per_day: int | None = None,
) -> ApiKey:
    """Replace a key's expiry and limits; what is left out is unlimited from now on. Raises NotFoundError, InvalidInputError."""
    _check(expires_in_seconds, rate_per_second, quota_per_day)
    key = store.get_key(workspace.database, key_id)
    expires_at = workspace.now() + timedelta(seconds=expires_in_seconds) if expires_in_seconds is not None else None
    with workspace.transaction() as tx:
        store.change_key(tx, key, expires_at=expires_at, rate_per_second=rate_per_second, quota_per_day=quota_per_day)
    spread(workspace)
    return store.get_key(workspace.database, key_id)


@operation(permission="keys:write", audited=True)
def revoke_key(workspace: Workspace, key_id: str) -> ApiKey:
    """Make a key invalid; workers refuse it from then on. Raises NotFoundError."""
    key = store.get_key(workspace.database, key_id)
    with workspace.transaction() as tx:
        store.revoke_key(tx, key)
    spread(workspace)
    return store.get_key(workspace.database, key_id)


@operation(permission="endpoints:read")
def get_usage(workspace: Workspace, endpoint: str) -> EndpointUsage:
    """How many requests of today (UTC) the endpoint and each of its keys let through. Raises NotFoundError."""
    found = endpoints.get_endpoint(workspace.database, endpoint)
    day = int(workspace.now().timestamp() // 86_400)
    counted = read_today(usage_path(workspace.folder), read_slots(workspace.database, endpoint), day)
    return EndpointUsage(
        endpoint=endpoint,
        n_today=counted.get(endpoint),
        keys=[KeyUsage(key_id=key.key_id, n_today=counted.get(key.key_id)) for key in found.keys],
    )


def issue_key(
    workspace: Workspace,
    endpoint: str,
    client: str,
    scopes: tuple[Scope, ...] = _DEFAULT_SCOPES,
    expires_in_seconds: float | None = None,
    rate_per_second: float | None = None,
    quota_per_day: int | None = None,
) -> IssuedKey:
    """Keep a new key of the endpoint, which must exist. Raises InvalidInputError."""
    _check(expires_in_seconds, rate_per_second, quota_per_day)
    if not client.strip():
        raise InvalidInputError("client must name who will use the key.")
    api_key, key_id = new_key(), new_key_id()
    expires_at = workspace.now() + timedelta(seconds=expires_in_seconds) if expires_in_seconds is not None else None
    with workspace.transaction() as tx:
        store.add_key(
            tx,
            key_id=key_id,
            endpoint=endpoint,
            client=client,
            key_hash=hash_key(api_key),
            scopes=scopes,
            expires_at=expires_at,
            rate_per_second=rate_per_second,
            quota_per_day=quota_per_day,
        )
    return IssuedKey(key=store.get_key(workspace.database, key_id), api_key=api_key)


def _check(expires_in_seconds: float | None, rate_per_second: float | None, quota_per_day: int | None) -> None:
    for name, value in (
        ("expires_in_seconds", expires_in_seconds),
        ("rate_per_second", rate_per_second),
        ("quota_per_day", quota_per_day),
    ):
        if value is not None and not value > 0:
            raise InvalidInputError(f"{name} must be above 0; it is {value:g}.")
