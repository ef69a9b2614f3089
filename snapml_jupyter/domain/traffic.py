"""Who answers how much of an endpoint's traffic, what its clients may ask of it, and how a new version is led in.

A version behind an endpoint is one arm: the champion answers what nobody else does, a challenger a share of the requests, a
shadow none (it gets copies, and its answers are compared and dropped). A rollout raises a challenger's share step by step
while guards hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class Arm(str, Enum):
    """What a deployment is to its endpoint."""

    champion = "champion"
    challenger = "challenger"
    shadow = "shadow"


class Scope(str, Enum):
    """What a key may do; `admin` may do all, and read the endpoint's traffic."""

    predict = "predict"
    feedback = "feedback"
    admin = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSettings:
    """What an endpoint allows. Rates in requests a second and quotas a day (UTC), of all keys together; None is no limit.

    `sticky` is "key", the name of a header, or None: requests of one client then always meet the same version.
    `sample_fraction` of the requests are logged; values of `sensitive` columns never are. Workers serve all endpoints of the
    host, so the largest wish for `min_workers` and `max_workers` counts. Other machines reach only endpoints that are public.
    """

    rate_per_second: float | None = None
    max_rows: int | None = None
    max_body_bytes: int | None = None
    timeout_seconds: float | None = None
    cors_origins: list[str] = field(default_factory=list)
    sticky: str | None = None
    sample_fraction: float = 1.0
    sensitive: list[str] = field(default_factory=list)
    min_workers: int | None = None
    max_workers: int | None = None
    is_public: bool = False
    quota_per_day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUsage:
    """Requests with one key today (UTC) that were let through; None for a key that was revoked."""

    key_id: str
    n_today: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointUsage:
    """Requests today (UTC) that an endpoint and each of its keys let through; None beyond the 2,048 that are counted."""

    endpoint: str
    n_today: int | None
    keys: list[KeyUsage]


class RolloutState(str, Enum):
    """`running` until the last step held (`promoted`), a guard was broken (`rolled_back`) or somebody stopped it."""

    running = "running"
    promoted = "promoted"
    rolled_back = "rolled_back"
    stopped = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One condition on a challenger: `metric` `relation` `threshold`, the threshold counted from the champion when `is_relative`.

    Fractions are fractions (1% is 0.01), times milliseconds. `text` is as it was written.
    """

    metric: str
    relation: str
    threshold: float
    is_relative: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardJudgement:
    """What is known of one guard: broken (with the chance of error that was allowed), holding, or not yet known.

    `challenger` and `champion` are the figures that the guard is about, latencies in milliseconds. What is tested is a share of
    bad requests or rows, or the challenger's figure less what it is counted from: `tested`, within `low` and `high` at all
    times, against what is `allowed`. A share is broken when the `evidence` against it reaches `evidence_needed`.
    """

    guard: str
    state: str
    challenger: float | None
    champion: float | None
    n_challenger: int
    n_champion: int
    words: str
    tested: float | None = None
    low: float | None = None
    high: float | None = None
    allowed: float | None = None
    evidence: float | None = None
    evidence_needed: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPlan:
    """Shares of the challenger in order, each held at least `every_seconds` and for `min_requests` of its requests."""

    steps: list[float]
    every_seconds: float
    guards: list[Guard]
    min_requests: int = 100
    alpha: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A challenger on its way. `step` counts from 0; `reason` is why it ended, or what it waits for."""

    endpoint: str
    deployment: int
    model_ref: str
    champion_ref: str
    plan: RolloutPlan
    state: RolloutState
    step: int
    step_started_at: datetime
    created_at: datetime
    created_by: str
    judgements: list[GuardJudgement] = field(default_factory=list)
    reason: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstRow:
    """One row that two versions answered most differently."""

    request_id: str
    row: int
    champion: str
    other: str
    difference: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How the answers of a shadow or challenger compare with the champion's on the same rows, since the workers started.

    Rows agree with equal labels, or numbers within 1e-6 relative. Latency is of the other version's run, in milliseconds.
    """

    model_ref: str
    n_rows: int
    n_equal: int
    n_dropped: int
    largest_difference: float
    mean_ms: float | None
    worst: list[WorstRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTraffic:
    """One version's part: its share, and requests, errors and latencies since the workers started (milliseconds)."""

    model_ref: str
    deployment: int
    arm: Arm
    share_fraction: float
    n_requests: int
    n_errors: int
    requests_per_second: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """An endpoint's live versions, their agreement where both answered, and the rollout that runs or ran last."""

    endpoint: str
    arms: list[ArmTraffic]
    agreements: list[Agreement]
    rollout: Rollout | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionHistory:
    """What one version did at each point of a `TrafficHistory`: None where nobody counted, or there was nothing to time.

    Errors are requests that the version could not answer (5xx, and 422), latencies in milliseconds. `arm` is None for a
    version that is not live any more.
    """

    version: str
    model_ref: str
    arm: Arm | None
    n_requests: int
    requests_per_second: list[float | None]
    errors_per_second: list[float | None]
    p50_ms: list[float | None]
    p95_ms: list[float | None]
    p99_ms: list[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficHistory:
    """An endpoint's last minutes or hours, by version: the champion first, then the challenger, the shadow, and earlier ones.

    A point is `step_seconds` long and begins at its place in `times_ms`, milliseconds since 1970.
    """

    endpoint: str
    step_seconds: int
    times_ms: list[int]
    versions: list[VersionHistory]
    is_host_running: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ABTest:
    """Two live versions on the labels of their own requests, since their shares are as they are.

    `difference` is challenger minus champion, within `low` and `high` at all times with 95%. `has_right_shares` is false when
    requests did not fall on the versions as they should, which makes any verdict worthless. `better` is a version's reference
    once it is known.
    """

    endpoint: str
    metric: str
    champion_ref: str
    challenger_ref: str
    started_at: datetime
    share: float
    n_champion: int
    n_challenger: int
    n_champion_labels: int
    n_challenger_labels: int
    has_right_shares: bool
    champion: float | None
    challenger: float | None
    difference: float | None
    low: float | None
    high: float | None
    better: str | None
    words: str
