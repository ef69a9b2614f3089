"""When a starting deployment becomes live: every worker has loaded it and answered its smoke request."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.endpoint import Deployment, DeploymentStatus
from ..serving.reports import WorkerReport

#: How long workers may take to load a deployment.
LOAD_SECONDS = 60.0
#: Workers that a deployment may kill while it is loaded before it is blamed.
MAX_KILLS = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a starting deployment becomes, and why when that is bad."""

    status: DeploymentStatus
    failure: str | None = None


def judge(
    deployment: Deployment,
    workers: list[WorkerReport],
    *,
    live_number: int | None,
    n_kills: int,
    waited_seconds: float,
) -> Verdict | None:
    """The verdict on a starting deployment, or None to go on waiting.

    `workers` are those that serve now; `live_number` is the endpoint's live deployment; `n_kills` counts workers that
    died while loading this one.
    """
    if live_number is not None and live_number > deployment.number:
        return Verdict(DeploymentStatus.retired)
    label = f"{deployment.endpoint}/{deployment.number}"
    states = [worker.loaded.get(label) for worker in workers]
    for state in states:
        if state is not None and state != "ready":
            return Verdict(DeploymentStatus.failed, state)
    if states and all(state == "ready" for state in states):
        return Verdict(DeploymentStatus.live)
    if n_kills >= MAX_KILLS:
        return Verdict(DeploymentStatus.failed, f"Loading it ended {n_kills} workers; see the host's log.")
    if waited_seconds > LOAD_SECONDS:
        return Verdict(
            DeploymentStatus.failed,
            f"The workers did not load it within {LOAD_SECONDS:.0f} seconds; see the host's log.",
        )
    return None
