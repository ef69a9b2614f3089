"""How endpoints are kept: names, deployments behind them, hashed keys, and the batches of logged predictions."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from .. import wire
from ..domain.endpoint import DEPLOYMENT_MOVES, Deployment, DeploymentStatus, EndpointInfo
from ..domain.errors import ConflictError, NotFoundError
from ..domain.model import Signature
from ..domain.traffic import Arm, EndpointSettings, RolloutState
from .api_keys import KeyGrant, list_keys, read_grants
from .database import Database
from .limit_slots import free_slot
from .rollouts import end_rollout, find_last_rollout
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

    `keys` maps the SHA-256 of a key that was not revoked (hex) to what it opens; `compared` are the endpoints whose
    challenger is compared with the champion on the rows that it answers.
    """

    event_id: int
    deployments: list[Deployment]
    keys: dict[str, KeyGrant]
    settings: dict[str, EndpointSettings] = field(default_factory=dict)
    slots: dict[str, int] = field(default_factory=dict)
    compared: frozenset[str] = frozenset()


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
        """INSERT INTO endpoints (name, created_at, created_by, limit_slot) VALUES (:name, :now, :actor, :slot)
           ON CONFLICT (name) DO UPDATE
           SET created_at = :now, created_by = :actor, removed_at = NULL, limit_slot = :slot, settings = '{}'
           WHERE endpoints.removed_at IS NOT NULL""",
        {"name": name, "now": now, "actor": tx.workspace.actor, "slot": free_slot(tx)},
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
    tx.execute(
        """UPDATE rollouts SET state = 'stopped', ended_at = :now, reason = 'The endpoint was removed.'
           WHERE endpoint = :name AND state = 'running'""",
        {"now": now, "name": name},
    )
    tx.event("endpoint.removed", name)


def add_deployment(
    tx: Transaction,
    endpoint: str,
    model_name: str,
    model_number: int,
    arm: Arm = Arm.champion,
    wanted_share: float = 1.0,
) -> int:
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
        arm=arm.value,
        wanted_share=wanted_share,
        created_at=tx.workspace.now().isoformat(),
        created_by=tx.workspace.actor,
    )
    model_ref = f"{model_name}:{model_number}"
    tx.event("endpoint.deployed", endpoint, deployment=number, model_ref=model_ref, arm=arm.value)
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
    """Change one deployment's status. One that becomes live retires those it replaces, in the same transaction.

    A champion replaces every live deployment, a challenger or shadow the one of its kind; a challenger without a champion
    becomes the champion. Raises ConflictError for a move that the table of moves does not have.
    """
    row = tx.execute(
        "SELECT * FROM deployments WHERE endpoint = :endpoint AND number = :number",
        {"endpoint": endpoint, "number": number},
    ).fetchone()
    if row is None:
        raise NotFoundError(f"Endpoint '{endpoint}' has no deployment {number}.")
    was = DeploymentStatus(row["status"])
    if to not in DEPLOYMENT_MOVES[was]:
        raise ConflictError(f"Deployment {number} of '{endpoint}' is {was.value} and cannot become {to.value}.")
    arm = Arm(row["arm"])
    if to is DeploymentStatus.live:
        live = tx.execute(
            "SELECT number, arm FROM deployments WHERE endpoint = :endpoint AND status = 'live' AND number <> :number",
            {"endpoint": endpoint, "number": number},
        ).fetchall()
        if not any(other["arm"] == Arm.champion.value for other in live):
            arm = Arm.champion
        for other in live:
            if arm in (Arm.champion, Arm(other["arm"])):
                move_deployment(tx, endpoint, other["number"], DeploymentStatus.retired)
    tx.execute(
        """UPDATE deployments SET status = :status, failure = :failure, arm = :arm, share_fraction = 0,
               live_at = CASE WHEN :status = 'live' THEN :now ELSE live_at END
           WHERE endpoint = :endpoint AND number = :number""",
        {
            "status": to.value,
            "failure": failure,
            "arm": arm.value,
            "now": tx.workspace.now().isoformat(),
            "endpoint": endpoint,
            "number": number,
        },
    )
    share_out(tx, endpoint)
    if to is not DeploymentStatus.live:
        end_rollout(tx, endpoint, number, RolloutState.stopped, f"Deployment {number} is {to.value}.")
    model_ref = f"{row['model_name']}:{row['model_number']}"
    details = {"failure": failure} if failure else {}
    tx.event("deployment.status_changed", endpoint, deployment=number, status=to.value, model_ref=model_ref, **details)


def share_out(tx: Transaction, endpoint: str) -> None:
    """The champion answers what the live challenger does not."""
    tx.execute(
        """UPDATE deployments SET share_fraction = wanted_share
           WHERE endpoint = :endpoint AND status = 'live' AND arm = 'challenger'""",
        {"endpoint": endpoint},
    )
    tx.execute(
        """UPDATE deployments SET share_fraction = 1.0 - (
               SELECT COALESCE(SUM(c.share_fraction), 0) FROM deployments c
               WHERE c.endpoint = :endpoint AND c.status = 'live' AND c.arm = 'challenger')
           WHERE endpoint = :endpoint AND status = 'live' AND arm = 'champion'""",
        {"endpoint": endpoint},
    )


def set_share(tx: Transaction, endpoint: str, number: int, share: float) -> None:
    """Give the live challenger another share of the traffic."""
    tx.execute(
        "UPDATE deployments SET wanted_share = :share WHERE endpoint = :endpoint AND number = :number",
        {"share": share, "endpoint": endpoint, "number": number},
    )
    share_out(tx, endpoint)
    tx.event("endpoint.traffic_changed", endpoint, deployment=number, share=share)


def promote(tx: Transaction, endpoint: str, number: int) -> None:
    """Make a live challenger or shadow the champion; what was live beside it is retired."""
    live = tx.execute(
        "SELECT number FROM deployments WHERE endpoint = :endpoint AND status = 'live' AND number <> :number",
        {"endpoint": endpoint, "number": number},
    ).fetchall()
    tx.execute(
        "UPDATE deployments SET arm = 'champion', wanted_share = 1.0 WHERE endpoint = :endpoint AND number = :number",
        {"endpoint": endpoint, "number": number},
    )
    for other in live:
        move_deployment(tx, endpoint, other["number"], DeploymentStatus.retired)
    share_out(tx, endpoint)
    tx.event("endpoint.promoted", endpoint, deployment=number)


def save_settings(tx: Transaction, endpoint: str, settings: EndpointSettings) -> None:
    """Replace what the endpoint allows."""
    tx.execute(
        "UPDATE endpoints SET settings = :settings WHERE name = :name",
        {"settings": wire.encode_json(settings).decode(), "name": endpoint},
    )
    tx.event("endpoint.settings_changed", endpoint, settings=wire.encode(settings))


@lru_cache(maxsize=256)
def read_settings(text: str) -> EndpointSettings:
    """The settings of an endpoint from their JSON."""
    settings: EndpointSettings = wire.decode_json(text, EndpointSettings, "settings of an endpoint")
    return settings


def read_routing(database: Database) -> Routing:
    """What workers route by: starting and live deployments and every valid key, consistent with each other."""
    connection = database.connection
    connection.execute("BEGIN")  # one read snapshot for all queries
    try:
        event_id = connection.execute("SELECT COALESCE(MAX(event_id), 0) FROM events").fetchone()[0]
        deployments = connection.execute(
            _DEPLOYMENTS + " WHERE d.status IN ('starting', 'live') ORDER BY d.endpoint, d.number"
        ).fetchall()
        keys = read_grants(connection)
        endpoints = connection.execute(
            "SELECT name, settings, limit_slot FROM endpoints WHERE removed_at IS NULL"
        ).fetchall()
        compared = connection.execute("SELECT endpoint FROM rollouts WHERE state = 'running'").fetchall()
    finally:
        connection.execute("COMMIT")
    return Routing(
        event_id=int(event_id),
        deployments=[_deployment(row) for row in deployments],
        keys=keys,
        settings={row["name"]: read_settings(row["settings"]) for row in endpoints},
        slots={row["name"]: row["limit_slot"] for row in endpoints if row["limit_slot"] is not None},
        compared=frozenset(row["endpoint"] for row in compared),
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
    keys = list_keys(database, row["name"], since=row["created_at"])
    created_at = datetime.fromisoformat(row["created_at"])
    rollout = find_last_rollout(database, row["name"])
    return EndpointInfo(
        name=row["name"],
        model_name=deployments[-1].model_ref.partition(":")[0] if deployments else "",
        created_at=created_at,
        created_by=row["created_by"],
        deployments=deployments,
        keys=keys,
        settings=read_settings(row["settings"]),
        # Not one of an endpoint of this name that was removed.
        rollout=rollout if rollout is not None and rollout.created_at >= created_at else None,
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
        arm=Arm(row["arm"]),
        wanted_share=row["wanted_share"],
        live_at=datetime.fromisoformat(row["live_at"]) if row["live_at"] else None,
    )


@lru_cache(maxsize=256)
def _signature(text: str) -> Signature:
    # Workers read the same few signatures at every change in the workspace.
    signature: Signature = wire.decode_json(text, Signature, "signature of a model")
    return signature
