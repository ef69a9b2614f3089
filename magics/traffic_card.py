"""Who answers how much of an endpoint's traffic, and where its rollout stands, as a card."""

from __future__ import annotations

from typing import Any

from ..domain.traffic import Traffic
from .display import Card, Status, Table


def traffic(found: Traffic) -> Card:
    """The live versions side by side."""
    arms = Table(
        ["version", "arm", "share", "requests", "errors", "per second", "p50 ms", "p95 ms", "p99 ms"],
        [
            (
                each.model_ref,
                each.arm.value,
                f"{each.share_fraction:.0%}",
                each.n_requests,
                each.n_errors,
                each.requests_per_second,
                _rounded(each.p50_ms),
                _rounded(each.p95_ms),
                _rounded(each.p99_ms),
            )
            for each in found.arms
        ],
        "Nothing is live.",
    )
    facts: list[tuple[str, Any]] = [
        (
            f"{each.model_ref} agrees",
            f"on {each.n_equal:,} of {each.n_rows:,} rows, largest difference {each.largest_difference:.3g}",
        )
        for each in found.agreements
    ]
    rollout = found.rollout
    if rollout is None:
        return Card(found.endpoint, "traffic", None, facts, table=arms)
    share = rollout.plan.steps[rollout.step]
    facts.append(
        ("rollout", f"{rollout.model_ref}, step {rollout.step + 1} of {len(rollout.plan.steps)} ({share:.0%})")
    )
    facts += [("guard", f"{each.guard}: {each.state}. {each.words}") for each in rollout.judgements]
    facts.append(("waits for" if rollout.ended_at is None else "because", rollout.reason))
    return Card(found.endpoint, "traffic", Status(rollout.state.value), facts, table=arms)


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 2)
