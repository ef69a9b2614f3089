"""How endpoints are kept: names, deployments behind them, hashed keys, and the batches of logged predictions."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from .. import wire
from ..domain.endpoint import DEPLOYMENT_MOVES, ApiKey, Deployment, DeploymentStatus, EndpointInfo
from ..domain.errors import ConflictError, NotFoundError
from ..domain.model import Signature
from .database import Database
from .workspace import Transaction, Workspace

_DEPLOYMENTS = """
    SELECT d.*, v.onnx_digest, r.signature
    FROM deployments d
    JOIN model_versions v ON v.name = d.model_name AND v.number = d.model_number
    JOIN run_models r ON r.run_id = v.run_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Everything a worker needs to answer requests, read in one snapshot; `event_id` says how new it is.

    `keys` maps the SHA-256 of a valid key (hex) to the endpoint it opens.
    """

    event_id: int
    deployments: list[Deployment]
    keys: dict[str, str]


def find_endpoint(database: Database, name: str) -> EndpointInfo | None:
    """The endpoint with all its deployments and keys, or None when there is none of that name."""
    row = database.row("SELECT * FROM endpoints WHERE name = :name AND removed_at IS NULL", {"name": name})
    return _endpoint(database, row) if row else None


def get_endpoint(database: Database, name: str) -> EndpointInfo:
    """The endpoint. Raises NotFoundError with the closest names."""
    found = find_endpoint(database, name)
    if found is None:
        rows = database.rows("SELECT name FROM endpoints WHERE removed_at IS NULL")
        raise NotFoundError.of("endpoint", name, [r["name"] for r in rows], "Make one: %snap_deploy MODEL.")
    return found


def list_endpoints(database: Database) -> list[EndpointInfo]:
    """All endpoints that were not removed, by name."""
    rows = database.rows("SELECT * FROM endpoints WHERE removed_at IS NULL ORDER BY name")
    return [_endpoint(database, row) for row in rows]


def ensure_endpoint(tx: Transaction, name: str) -> None:
    """Make the endpoint, or bring a removed one back without its old deployments and keys."""
    now = tx.workspace.now().isoformat()
    made = tx.execute(
        """INSERT INTO endpoints (name, created_at, created_by) VALUES (:name, :now, :actor)
           ON CONFLICT (name) DO UPDATE SET created_at = :now, created_by = :actor, removed_at = NULL
           WHERE endpoints.removed_at IS NOT NULL""",
        {"name": name, "now": now, "actor": tx.workspace.actor},
    )
    if made.rowcount:
        tx.event("endpoint.created", name)


def remove_endpoint(tx: Transaction, name: str) -> None:
    """Retire its deployments, revoke its keys, and forget the name. What was logged stays."""
    now = tx.workspace.now().isoformat()
    tx.execute("UPDATE endpoints SET removed_at = :now WHERE name = :name", {"now": now, "name": name})
    tx.execute(
        "UPDATE deployments SET status = 'retired', share_fraction = 0 WHERE endpoint = :name AND status IN ('starting', 'live')",
        {"name": name},
    )
    tx.execute(
        "UPDATE api_keys SET revoked_at = :now WHERE endpoint = :name AND revoked_at IS NULL",
        {"now": now, "name": name},
    )
    tx.event("endpoint.removed", name)


def add_deployment(tx: Transaction, endpoint: str, model_name: str, model_number: int) -> int:
    """Record a deployment as starting and return its number. It gets its traffic when it becomes live."""
    row = tx.execute(
        "SELECT COALESCE(MAX(number), 0) + 1 AS next FROM deployments WHERE endpoint = :endpoint",
        {"endpoint": endpoint},
    ).fetchone()
    number = int(row["next"])
    tx.insert(
        "deployments",
        endpoint=endpoint,
        number=number,
        model_name=model_name,
        model_number=model_number,
        status=DeploymentStatus.starting.value,
        share_fraction=0.0,
        created_at=tx.workspace.now().isoformat(),
        created_by=tx.workspace.actor,
    )
    tx.event("endpoint.deployed", endpoint, deployment=number, model_ref=f"{model_name}:{model_number}")
    return number


def get_deployment(database: Database, endpoint: str, number: int) -> Deployment:
    """One deployment, whatever its status. Raises NotFoundError."""
    row = database.row(
        _DEPLOYMENTS + " WHERE d.endpoint = :endpoint AND d.number = :number", {"endpoint": endpoint, "number": number}
    )
    if row is None:
        raise NotFoundError(f"Endpoint '{endpoint}' has no deployment {number}.")
    return _deployment(row)


def move_deployment(
    tx: Transaction, endpoint: str, number: int, to: DeploymentStatus, failure: str | None = None
) -> None:
    """Change one deployment's status. Making it live retires the one that was live, in the same transaction.

    Raises ConflictError for a move that the table of moves does not have.
    """
    row = tx.execute(
        "SELECT status, model_name, model_number FROM deployments WHERE endpoint = :endpoint AND number = :number",
        {"endpoint": endpoint, "number": number},
    ).fetchone()
    if row is None:
        raise NotFoundError(f"Endpoint '{endpoint}' has no deployment {number}.")
    was = DeploymentStatus(row["status"])
    if to not in DEPLOYMENT_MOVES[was]:
        raise ConflictError(f"Deployment {number} of '{endpoint}' is {was.value} and cannot become {to.value}.")
    if to is DeploymentStatus.live:
        replaced = tx.execute(
            "SELECT number FROM deployments WHERE endpoint = :endpoint AND status = 'live' AND number <> :number",
            {"endpoint": endpoint, "number": number},
        ).fetchall()
        for other in replaced:
            move_deployment(tx, endpoint, other["number"], DeploymentStatus.retired)
    tx.execute(
        """UPDATE deployments SET status = :status, failure = :failure, share_fraction = :share
           WHERE endpoint = :endpoint AND number = :number""",
        {
            "status": to.value,
            "failure": failure,
            "share": 1.0 if to is DeploymentStatus.live else 0.0,
            "endpoint": endpoint,
            "number": number,
        },
    )
    model_ref = f"{row['model_name']}:{row['model_number']}"
    details = {"failure": failure} if failure else {}
    tx.event("deployment.status_changed", endpoint, deployment=number, status=to.value, model_ref=model_ref, **details)


def add_key(tx: Transaction, *, key_id: str, endpoint: str, client: str, key_hash: str) -> None:
    """Keep a new key's hash. The event names the key's id and client, never the key or its hash."""
    tx.insert(
        "api_keys",
        key_id=key_id,
        endpoint=endpoint,
        client=client,
        key_hash=key_hash,
        created_at=tx.workspace.now().isoformat(),
    )
    tx.event("key.created", endpoint, key_id=key_id, client=client)


def get_key(database: Database, key_id: str) -> ApiKey:
    """One key, revoked or not. Raises NotFoundError."""
    row = database.row("SELECT * FROM api_keys WHERE key_id = :key_id", {"key_id": key_id})
    if row is None:
        known = [r["key_id"] for r in database.rows("SELECT key_id FROM api_keys WHERE revoked_at IS NULL")]
        raise NotFoundError.of("API key", key_id, known, "`snapml endpoint show NAME` lists an endpoint's keys.")
    return _key(row)


def revoke_key(tx: Transaction, key: ApiKey) -> None:
    """Revoke; a key that already is stays revoked at its first time and leaves no second event."""
    done = tx.execute(
        "UPDATE api_keys SET revoked_at = :now WHERE key_id = :key_id AND revoked_at IS NULL",
        {"now": tx.workspace.now().isoformat(), "key_id": key.key_id},
    )
    if done.rowcount:
        tx.event("key.revoked", key.endpoint, key_id=key.key_id, client=key.client)


def read_routing(database: Database) -> Routing:
    """What workers route by: starting and live deployments and every valid key, consistent with each other."""
    connection = database.connection
    connection.execute("BEGIN")  # one read snapshot for the three queries
    try:
        event_id = connection.execute("SELECT COALESCE(MAX(event_id), 0) FROM events").fetchone()[0]
        deployments = connection.execute(
            _DEPLOYMENTS + " WHERE d.status IN ('starting', 'live') ORDER BY d.endpoint, d.number"
        ).fetchall()
        keys = connection.execute("SELECT key_hash, endpoint FROM api_keys WHERE revoked_at IS NULL").fetchall()
    finally:
        connection.execute("COMMIT")
    return Routing(
        event_id=int(event_id),
        deployments=[_deployment(row) for row in deployments],
        keys={row["key_hash"]: row["endpoint"] for row in keys},
    )


def list_starting(database: Database) -> list[Deployment]:
    """Deployments that wait for the workers, oldest first."""
    return [
        _deployment(row)
        for row in database.rows(_DEPLOYMENTS + " WHERE d.status = 'starting' ORDER BY d.created_at, d.number")
    ]


def record_batch(
    workspace: Workspace,
    *,
    endpoint: str,
    batch: str,
    deployment: int,
    digest: str,
    n_rows: int,
    started_at: datetime,
    ended_at: datetime,
) -> bool:
    """Keep one batch of logged predictions, whose blob is durable. False when it already was recorded."""
    with workspace.transaction() as tx:
        done = tx.execute(
            """INSERT INTO prediction_batches (endpoint, batch, deployment, digest, n_rows, started_at, ended_at)
               VALUES (:endpoint, :batch, :deployment, :digest, :n_rows, :started_at, :ended_at)
               ON CONFLICT (endpoint, batch) DO NOTHING""",
            {
                "endpoint": endpoint,
                "batch": batch,
                "deployment": deployment,
                "digest": digest,
                "n_rows": n_rows,
                "started_at": started_at.isoformat(),
                "ended_at": ended_at.isoformat(),
            },
        )
        return bool(done.rowcount)


def has_batch(database: Database, endpoint: str, batch: str) -> bool:
    """Whether that batch was recorded, so that its file may go."""
    found = database.row(
        "SELECT 1 FROM prediction_batches WHERE endpoint = :endpoint AND batch = :batch",
        {"endpoint": endpoint, "batch": batch},
    )
    return found is not None


def _endpoint(database: Database, row: sqlite3.Row) -> EndpointInfo:
    deployments = [
        _deployment(found)
        for found in database.rows(
            _DEPLOYMENTS + " WHERE d.endpoint = :name AND d.created_at >= :since ORDER BY d.number",
            {"name": row["name"], "since": row["created_at"]},
        )
    ]
    keys = database.rows(
        "SELECT * FROM api_keys WHERE endpoint = :name AND created_at >= :since ORDER BY created_at, key_id",
        {"name": row["name"], "since": row["created_at"]},
    )
    return EndpointInfo(
        name=row["name"],
        model_name=deployments[-1].model_ref.partition(":")[0] if deployments else "",
        created_at=datetime.fromisoformat(row["created_at"]),
        created_by=row["created_by"],
        deployments=deployments,
        keys=[_key(key) for key in keys],
    )


def _deployment(row: sqlite3.Row) -> Deployment:
    return Deployment(
        endpoint=row["endpoint"],
        number=row["number"],
        model_ref=f"{row['model_name']}:{row['model_number']}",
        onnx_digest=row["onnx_digest"] or "",
        signature=_signature(row["signature"]),
        status=DeploymentStatus(row["status"]),
        share_fraction=row["share_fraction"],
        created_at=datetime.fromisoformat(row["created_at"]),
        created_by=row["created_by"],
        failure=row["failure"],
    )


@lru_cache(maxsize=256)
def _signature(text: str) -> Signature:
    # Workers read the same few signatures at every change in the workspace.
    signature: Signature = wire.decode_json(text, Signature, "signature of a model")
    return signature


def _key(row: sqlite3.Row) -> ApiKey:
    return ApiKey(
        key_id=row["key_id"],
        endpoint=row["endpoint"],
        client=row["client"],
        key_hash=row["key_hash"],
        created_at=datetime.fromisoformat(row["created_at"]),
        revoked_at=datetime.fromisoformat(row["revoked_at"]) if row["revoked_at"] else None,
    )
