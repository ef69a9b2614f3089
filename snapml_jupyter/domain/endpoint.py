"""What an endpoint is: a stable name clients call, with model versions (deployments) live behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from .model import Signature
from .traffic import Arm, EndpointSettings, Rollout, Scope


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
    """One model version behind an endpoint. `share_fraction` is its part of the traffic now, `wanted_share` when it becomes live."""

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
    arm: Arm = Arm.champion
    wanted_share: float = 1.0
    live_at: datetime | None = None

    @property
    def version(self) -> str:
        """The number of the model version, as text."""
        return self.model_ref.partition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A client's key, without the secret: only `key_hash` (SHA-256 of the key, hex) is ever stored.

    `rate_per_second` and `quota_per_day` (UTC) count requests; None is no limit.
    """

    key_id: str
    endpoint: str
    client: str
    key_hash: str
    created_at: datetime
    revoked_at: datetime | None = None
    scopes: list[Scope] = field(default_factory=lambda: [Scope.predict, Scope.feedback])
    expires_at: datetime | None = None
    rate_per_second: float | None = None
    quota_per_day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key at the one moment it is known in full."""

    key: ApiKey
    api_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointInfo:
    """An endpoint as kept; the live object users hold (`Endpoint`) wraps it. `rollout` is the one that runs or ran last."""

    name: str
    model_name: str
    created_at: datetime
    created_by: str
    deployments: list[Deployment] = field(default_factory=list)
    keys: list[ApiKey] = field(default_factory=list)
    url: str | None = None
    settings: EndpointSettings = field(default_factory=EndpointSettings)
    rollout: Rollout | None = None

    @property
    def live(self) -> Deployment | None:
        """The champion: the deployment that answers what no other one does."""
        return self._live(Arm.champion)

    @property
    def challenger(self) -> Deployment | None:
        """The deployment that answers a share of the traffic beside the champion."""
        return self._live(Arm.challenger)

    @property
    def shadow(self) -> Deployment | None:
        """The deployment that gets copies of the requests; its answers are compared and dropped."""
        return self._live(Arm.shadow)

    def _live(self, arm: Arm) -> Deployment | None:
        found = [d for d in self.deployments if d.status is DeploymentStatus.live and d.arm is arm]
        return found[-1] if found else None


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
class HostLog:
    """The newest lines that the host and its workers have written, oldest first. `has_more` when there are older ones."""

    path: str
    lines: list[str]
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointMetrics:
    """Traffic counts since the workers started, summed over them. Latencies in milliseconds.

    `n_workers` answer now; `busy_fraction` is the share of the last ten seconds in which the busiest of them computed.
    """

    endpoint: str
    n_requests: int
    n_errors: int
    n_rows: int
    n_predictions_dropped: int
    requests_per_second: float
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    n_workers: int = 0
    busy_fraction: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One row answered: label and class probabilities for classification, a number for regression."""

    label: bool | int | float | str | None
    probabilities: dict[str, float] | None = None
