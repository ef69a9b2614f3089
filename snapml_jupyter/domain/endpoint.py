"""What an endpoint is: a stable name clients call, with one model version (deployment) live behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from .model import Signature


class DeploymentStatus(str, Enum):
    """`starting` until a worker has answered the smoke request, then `live`; `retired` when replaced."""

    starting = "starting"
    live = "live"
    failed = "failed"
    retired = "retired"

    @property
    def is_routable(self) -> bool:
        """Whether workers load it."""
        return self in (DeploymentStatus.starting, DeploymentStatus.live)


#: Which status may follow which.
DEPLOYMENT_MOVES: dict[DeploymentStatus, frozenset[DeploymentStatus]] = {
    DeploymentStatus.starting: frozenset({DeploymentStatus.live, DeploymentStatus.failed, DeploymentStatus.retired}),
    DeploymentStatus.live: frozenset({DeploymentStatus.retired, DeploymentStatus.failed}),
    DeploymentStatus.failed: frozenset({DeploymentStatus.retired}),
    DeploymentStatus.retired: frozenset({DeploymentStatus.starting}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One model version behind an endpoint. `share_fraction` is its part of the traffic."""

    endpoint: str
    number: int
    model_ref: str
    onnx_digest: str
    signature: Signature
    status: DeploymentStatus
    share_fraction: float
    created_at: datetime
    created_by: str
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A client's key, without the secret: only `key_hash` (SHA-256 of the key, hex) is ever stored."""

    key_id: str
    endpoint: str
    client: str
    key_hash: str
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key at the one moment it is known in full."""

    key: ApiKey
    api_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointInfo:
    """An endpoint as kept; the live object users hold (`Endpoint`) wraps it."""

    name: str
    model_name: str
    created_at: datetime
    created_by: str
    deployments: list[Deployment] = field(default_factory=list)
    keys: list[ApiKey] = field(default_factory=list)
    url: str | None = None

    @property
    def live(self) -> Deployment | None:
        """The deployment that answers requests now."""
        routed = [d for d in self.deployments if d.status is DeploymentStatus.live]
        return routed[-1] if routed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployOutcome:
    """What a deploy gave. `api_key` is shown here once and never again; None when the endpoint existed."""

    endpoint: EndpointInfo
    deployment: Deployment
    api_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStatus:
    """The workspace's background process. `port` is where endpoints answer."""

    running: bool
    pid: int | None = None
    port: int | None = None
    url: str | None = None
    started_at: datetime | None = None
    heartbeat_at: datetime | None = None
    n_workers: int = 0
    version: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointMetrics:
    """Traffic counts since the workers started, summed over them. Latencies in milliseconds."""

    endpoint: str
    n_requests: int
    n_errors: int
    n_rows: int
    n_predictions_dropped: int
    requests_per_second: float
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One row answered: label and class probabilities for classification, a number for regression."""

    label: bool | int | float | str | None
    probabilities: dict[str, float] | None = None
