"""Leading challengers in: count what both versions did, judge the guards, take the next step or roll back.

The judge looks once a second. What it has counted is kept with the rollout, so another process goes on with it: workers that
were counted before start from what was counted, new ones from nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..domain.endpoint import Deployment, EndpointInfo
from ..domain.errors import SnapMLError
from ..domain.guards import LATENCIES
from ..domain.traffic import Guard, GuardJudgement, Rollout, RolloutState
from ..monitoring import guards as judging
from ..monitoring.logged_rows import concat_rows
from ..monitoring.outcomes import OutcomeReader, estimate
from ..monitoring.reference import load_reference
from ..monitoring.windows import compare_with_reference
from ..serving.metrics import EDGES_SECONDS, count_errors, quantile_ms
from ..serving.reports import WorkerReport, list_workers, say
from ..serving.traffic import promote, roll_back, take_rollout_step
from ..store import alerts, rollouts
from ..store.endpoints import find_endpoint
from ..store.workspace import Workspace

#: Logged rows of a version at which its inputs are compared for the first time; then each time they have doubled, so that
#: looking often does not find by chance what is not there.
FIRST_DRIFT_ROWS = 500


@dataclass(slots=True)
class Counts:
    """What one version did since the rollout began. `buckets` as in `metrics.EDGES_SECONDS`."""

    n_requests: int = 0
    n_errors: int = 0
    buckets: list[int] | None = None

    @property
    def error_rate(self) -> float | None:
        """The share of requests that it could not answer; None without requests."""
        return self.n_errors / self.n_requests if self.n_requests else None

    def slower_than(self, milliseconds: float) -> tuple[int, int]:
        """(requests that certainly took longer, requests)."""
        buckets = self.buckets or []
        slow = sum(n for place, n in enumerate(buckets) if place and EDGES_SECONDS[place - 1] * 1000.0 >= milliseconds)
        return slow, sum(buckets)


class Progress:
    """The counts of a rollout, from cumulative reports of workers that come and go. `state` is JSON-safe."""

    def __init__(self, state: dict[str, Any] | None) -> None:
        self.is_new = state is None
        self.state: dict[str, Any] = state or {"seen": {}, "sums": {}, "n_at_step": 0}

    def absorb(self, reports: list[WorkerReport], endpoint: str, versions: dict[str, str]) -> None:
        """Add what the workers did since the last time. `versions` maps the names of arms to version numbers."""
        seen, sums = self.state["seen"], self.state["sums"]
        for report in reports:
            for name, numbers in _numbers(report, endpoint, versions).items():
                key = f"{report.pid}/{name}"
                before = seen.get(key)
                if before is None or before[0] > numbers[0]:  # a new worker, perhaps with the number of a dead one
                    before = numbers if self.is_new else [0] * len(numbers)
                held = sums.setdefault(name, [0] * len(numbers))
                sums[name] = [total + now - then for total, now, then in zip(held, numbers, before, strict=True)]
                seen[key] = numbers
        self.is_new = False

    def counts(self, arm: str) -> Counts:
        """What the arm did."""
        n_requests, n_errors, *buckets = self.state["sums"].get(arm) or [0, 0]
        return Counts(n_requests, n_errors, buckets)

    @property
    def agreement(self) -> tuple[int, int]:
        """(rows that both versions answered, rows they answered alike)."""
        n_rows, n_equal = self.state["sums"].get("agreement") or (0, 0)
        return n_rows, n_equal


class Judge:
    """Looks after the running rollouts of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._readers: dict[tuple[str, int], OutcomeReader] = {}
        self._drift: dict[tuple[str, int], tuple[int, float | None, list[str]]] = {}

    def look(self) -> None:
        """Judge every running rollout once."""
        reports = list_workers(self._workspace.folder)
        running = rollouts.list_running(self._workspace.database)
        for rollout in running:
            try:
                self._judge(rollout, reports)
            except SnapMLError as error:
                say(f"rollout of {rollout.model_ref} at {rollout.endpoint}: {error}")
        kept = {(rollout.endpoint, rollout.deployment) for rollout in running}
        for held in (self._readers, self._drift):
            for key in [key for key in held if key not in kept]:
                del held[key]

    def _judge(self, rollout: Rollout, reports: list[WorkerReport]) -> None:
        workspace = self._workspace
        endpoint = find_endpoint(workspace.database, rollout.endpoint)
        challenger = endpoint.challenger if endpoint else None
        champion = endpoint.live if endpoint else None
        if endpoint is None or challenger is None or challenger.number != rollout.deployment or champion is None:
            with workspace.transaction() as tx:
                said = f"{rollout.model_ref} is no longer the challenger."
                rollouts.end_rollout(tx, rollout.endpoint, rollout.deployment, RolloutState.stopped, said)
            return
        progress = Progress(rollouts.read_progress(workspace.database, rollout))
        progress.absorb(reports, rollout.endpoint, {"challenger": challenger.version, "champion": champion.version})
        judgements = self._judgements(rollout, progress, challenger, champion)
        waits = self._go_on(rollout, progress, judgements, endpoint)
        with workspace.transaction() as tx:
            rollouts.save_judgements(tx, rollout, judgements, progress.state, waits)

    def _go_on(
        self, rollout: Rollout, progress: Progress, judgements: list[GuardJudgement], endpoint: EndpointInfo
    ) -> str | None:
        """Roll back, wait (and say for what), or take the next step."""
        broken = [each for each in judgements if each.state == judging.BROKEN]
        if broken:
            reason = f"{rollout.model_ref} broke the guard {broken[0].guard}: {broken[0].words}."
            say(f"rollout at {rollout.endpoint}: {reason}")
            with self._workspace.transaction() as tx:
                rollouts.save_judgements(tx, rollout, judgements, progress.state, reason)
                message = f"Rolled back to {rollout.champion_ref}. {reason}"
                alerts.raise_alert(tx, rollout.endpoint, "rollout", message)
            roll_back(self._workspace, rollout.endpoint, reason)
            return None
        plan = rollout.plan
        held = (self._workspace.now() - rollout.step_started_at).total_seconds()
        if held < plan.every_seconds:
            return f"{plan.steps[rollout.step]:.0%} for {plan.every_seconds - held:.0f} more seconds"
        n = progress.counts("challenger").n_requests - progress.state["n_at_step"]
        if n < plan.min_requests:
            return f"{n:,} requests at this step so far, {plan.min_requests:,} are needed"
        unknown = [each for each in judgements if each.state == judging.UNKNOWN]
        if unknown:
            return f"{unknown[0].guard}: {unknown[0].words}"
        if rollout.step + 1 >= len(plan.steps) or plan.steps[rollout.step + 1] >= 1.0:
            promote(self._workspace, rollout.endpoint)
            with self._workspace.transaction() as tx:
                alerts.resolve_alert(tx, rollout.endpoint, "rollout")
            say(f"rollout at {rollout.endpoint}: {rollout.model_ref} is the champion")
            return None
        progress.state["n_at_step"] = progress.counts("challenger").n_requests
        take_rollout_step(self._workspace, rollout.endpoint, rollout.step + 1)
        return None

    def _judgements(
        self, rollout: Rollout, progress: Progress, challenger: Deployment, champion: Deployment
    ) -> list[GuardJudgement]:
        plan = rollout.plan
        alpha = plan.alpha / max(1, len(plan.guards))
        if any(guard.metric.startswith("metrics.") or guard.metric == "drift" for guard in plan.guards):
            self._reader(rollout, challenger, champion).refresh()
        return [self._guard(guard, rollout, progress, challenger, champion, alpha) for guard in plan.guards]

    def _guard(
        self,
        guard: Guard,
        rollout: Rollout,
        progress: Progress,
        challenger: Deployment,
        champion: Deployment,
        alpha: float,
    ) -> GuardJudgement:
        counts, others = progress.counts("challenger"), progress.counts("champion")
        if guard.metric == "error_rate":
            if guard.is_relative:
                mine = judging.rate_estimate(counts.n_errors, counts.n_requests)
                theirs = judging.rate_estimate(others.n_errors, others.n_requests)
                return judging.judge_estimates(guard, mine, theirs, alpha)
            return judging.judge_rate(
                guard,
                counts.n_errors,
                counts.n_requests,
                alpha,
                bound=guard.threshold,
                shown=counts.error_rate,
                beside=others.error_rate,
                n_beside=others.n_requests,
            )
        if guard.metric in LATENCIES:
            slow, n = counts.slower_than(guard.threshold)
            fraction = LATENCIES[guard.metric]
            return judging.judge_rate(
                guard,
                slow,
                n,
                alpha,
                bound=1.0 - fraction,
                shown=quantile_ms(counts.buckets or [], fraction),
                beside=quantile_ms(others.buckets or [], fraction),
                n_beside=others.n_requests,
            )
        if guard.metric == "agreement":
            n_rows, n_equal = progress.agreement
            shown = n_equal / n_rows if n_rows else None
            return judging.judge_rate(guard, n_rows - n_equal, n_rows, alpha, bound=1.0 - guard.threshold, shown=shown)
        reader = self._reader(rollout, challenger, champion)
        if guard.metric == "drift":
            n_rows, share, columns = self._drifted(rollout, reader, challenger)
            return judging.judge_drift(guard, share, n_rows, columns)
        name = guard.metric.removeprefix("metrics.")
        outcomes = reader.outcomes()
        return judging.judge_estimates(
            guard,
            estimate(name, outcomes[challenger.number], challenger.signature),
            estimate(name, outcomes[champion.number], champion.signature),
            alpha,
        )

    def _reader(self, rollout: Rollout, challenger: Deployment, champion: Deployment) -> OutcomeReader:
        key = (rollout.endpoint, rollout.deployment)
        if key not in self._readers:
            numbers = [challenger.number, champion.number]
            self._readers[key] = OutcomeReader(self._workspace, rollout.endpoint, numbers, rollout.created_at)
        return self._readers[key]

    def _drifted(
        self, rollout: Rollout, reader: OutcomeReader, challenger: Deployment
    ) -> tuple[int, float | None, list[str]]:
        """(logged rows, share of columns that moved, which) at the last look, a new one when the rows have doubled."""
        key = (rollout.endpoint, rollout.deployment)
        looked_at, share, columns = self._drift.get(key, (0, None, []))
        tables = reader.tables[challenger.number]
        n_rows = sum(table.num_rows for table in tables)
        if n_rows >= max(FIRST_DRIFT_ROWS, 2 * looked_at):
            reference = load_reference(self._workspace, challenger)
            rows = concat_rows(tables)
            report = compare_with_reference(challenger, reference, rows, self._workspace.now())
            looked_at, share, columns = n_rows, report.drifted_fraction, report.drifted_columns
            self._drift[key] = (looked_at, share, columns)
        return n_rows, share, columns


def _numbers(report: WorkerReport, endpoint: str, versions: dict[str, str]) -> dict[str, list[int]]:
    """The worker's cumulative counts by arm, and of the comparison of both."""
    found: dict[str, list[int]] = {}
    for part in report.traffic:
        for arm, version in versions.items():
            if part.endpoint == endpoint and part.version == version:
                found[arm] = [sum(part.codes.values()), count_errors(part.codes), *part.buckets]
    for each in report.agreements.get(endpoint, []):
        if each.model_ref.partition(":")[2] == versions["challenger"]:
            found["agreement"] = [each.n_rows, each.n_equal]
    return found
