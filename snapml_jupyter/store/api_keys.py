"""How API keys are kept: their SHA-256, what they open, until when, and how much of it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from ..domain.endpoint import ApiKey
from ..domain.errors import NotFoundError
from ..domain.traffic import Scope
from .database import Database
from .limit_slots import free_slot
from .workspace import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyGrant:
    """What a key opens, as workers know it. `expires_at` in seconds since 1970; None for an endless key or limit."""

    key_id: str
    endpoint: str
    scopes: frozenset[Scope]
    expires_at: float | None = None
    rate_per_second: float | None = None
    quota_per_day: int | None = None
    slot: int | None = None


def add_key(
    tx: Transaction,
    *,
    key_id: str,
    endpoint: str,
    client: str,
    key_hash: str,
    scopes: tuple[Scope, ...] = (Scope.predict, Scope.feedback),
    expires_at: datetime | None = None,
    rate_per_second: float | None = None,
    quota_per_day: int | None = None,
) -> None:
    """Keep a new key's hash. The event names the key's id, client and limits, never the key or its hash."""
    tx.insert(
        "api_keys",
        key_id=key_id,
        endpoint=endpoint,
        client=client,
        key_hash=key_hash,
        created_at=tx.workspace.now().isoformat(),
        scopes=",".join(scope.value for scope in scopes),
        expires_at=expires_at.isoformat() if expires_at else None,
        rate_per_second=rate_per_second,
        quota_per_day=quota_per_day,
        limit_slot=free_slot(tx),
    )
    said = {
        "scopes": [scope.value for scope in scopes],
        "expires_at": expires_at.isoformat() if expires_at else None,
        "rate_per_second": rate_per_second,
        "quota_per_day": quota_per_day,
    }
    tx.event("key.created", endpoint, key_id=key_id, client=client, **{k: v for k, v in said.items() if v is not None})


def get_key(database: Database, key_id: str) -> ApiKey:
    """One key, revoked or not. Raises NotFoundError."""
    row = database.row("SELECT * FROM api_keys WHERE key_id = :key_id", {"key_id": key_id})
    if row is None:
        known = [r["key_id"] for r in database.rows("SELECT key_id FROM api_keys WHERE revoked_at IS NULL")]
        raise NotFoundError.of("API key", key_id, known, "`snapml endpoint show NAME` lists an endpoint's keys.")
    return _key(row)


def list_keys(database: Database, endpoint: str, since: str = "") -> list[ApiKey]:
    """The keys that were made for the endpoint at `since` (ISO time) or later, oldest first."""
    rows = database.rows(
        "SELECT * FROM api_keys WHERE endpoint = :name AND created_at >= :since ORDER BY created_at, key_id",
        {"name": endpoint, "since": since},
    )
    return [_key(row) for row in rows]


def revoke_key(tx: Transaction, key: ApiKey) -> None:
    """Revoke; a key that already is stays revoked at its first time and leaves no second event."""
    done = tx.execute(
        "UPDATE api_keys SET revoked_at = :now WHERE key_id = :key_id AND revoked_at IS NULL",
        {"now": tx.workspace.now().isoformat(), "key_id": key.key_id},
    )
    if done.rowcount:
        tx.event("key.revoked", key.endpoint, key_id=key.key_id, client=key.client)


def change_key(
    tx: Transaction,
    key: ApiKey,
    *,
    expires_at: datetime | None,
    rate_per_second: float | None,
    quota_per_day: int | None,
) -> None:
    """Replace a key's expiry and limits."""
    expires = expires_at.isoformat() if expires_at else None
    tx.execute(
        """UPDATE api_keys SET expires_at = :expires, rate_per_second = :rate, quota_per_day = :quota
           WHERE key_id = :key_id""",
        {"expires": expires, "rate": rate_per_second, "quota": quota_per_day, "key_id": key.key_id},
    )
    tx.event(
        "key.changed",
        key.endpoint,
        key_id=key.key_id,
        client=key.client,
        expires_at=expires,
        rate_per_second=rate_per_second,
        quota_per_day=quota_per_day,
    )


def read_grants(connection: sqlite3.Connection) -> dict[str, KeyGrant]:
    """What every key that was not revoked opens, by the key's hash."""
    rows = connection.execute("SELECT * FROM api_keys WHERE revoked_at IS NULL").fetchall()
    return {
        row["key_hash"]: KeyGrant(
            key_id=row["key_id"],
            endpoint=row["endpoint"],
            scopes=_scopes(row["scopes"]),
            expires_at=datetime.fromisoformat(row["expires_at"]).timestamp() if row["expires_at"] else None,
            rate_per_second=row["rate_per_second"],
            quota_per_day=row["quota_per_day"],
            slot=row["limit_slot"],
        )
        for row in rows
    }


def _scopes(text: str) -> frozenset[Scope]:
    return frozenset(Scope(word) for word in text.split(",") if word)


def _key(row: sqlite3.Row) -> ApiKey:
    scopes = _scopes(row["scopes"])
    return ApiKey(
        key_id=row["key_id"],
        endpoint=row["endpoint"],
        client=row["client"],
        key_hash=row["key_hash"],
        created_at=datetime.fromisoformat(row["created_at"]),
        revoked_at=datetime.fromisoformat(row["revoked_at"]) if row["revoked_at"] else None,
        scopes=[scope for scope in Scope if scope in scopes],
        expires_at=datetime.fromisoformat(row["expires_at"]) if row["expires_at"] else None,
        rate_per_second=row["rate_per_second"],
        quota_per_day=row["quota_per_day"],
    )
