"""How the report of a replay looks."""

from __future__ import annotations

from typing import Any

from ..domain.program import Difference, ReplayReport
from ..figures import duration
from .display import Card, Status

#: Differences that a card shows.
_SHOWN = 8


def replay_report(report: ReplayReport) -> Card:
    """The verdict, what it rests on, what differs and why."""
    facts: list[tuple[str, Any]] = []
    if report.reason:
        facts.append(("", report.reason))
    listed = [difference_line(each) for each in report.differences[:_SHOWN]]
    if len(report.differences) > _SHOWN:
        listed.append(f"and {len(report.differences) - _SHOWN} more")
    facts += [("differs" if number == 0 else "", line) for number, line in enumerate(listed)]
    if report.causes:
        facts.append(("likely cause", report.causes[0]))
        facts += [("", cause) for cause in report.causes[1:3]]
    facts.append(("rests on", rests_on(report)))
    if report.not_compared:
        more = f" and {len(report.not_compared) - 4} more" if len(report.not_compared) > 4 else ""
        facts.append(("not compared", ", ".join(report.not_compared[:4]) + more))
    warnings = [f"Not captured: {each}." for each in report.missing] if not report.reason else []
    head = f"{report.original_run_id} → {report.run_id or 'no run'} · {duration(report.duration_seconds)}"
    return Card(
        "replay", head, Status(report.verdict.value.replace("_", " ")), [f for f in facts if f[1]], {}, warnings
    )


def difference_line(difference: Difference) -> str:
    """`metric auc: 0.71 → 0.70 (relative 0.014)`."""
    far = "" if difference.relative is None else f" (relative {difference.relative:.2g})"
    return f"{difference.what}: {difference.original} → {difference.replay}{far}"


def rests_on(report: ReplayReport) -> str:
    """`2 metrics, 11 values, 1 output`."""
    return ", ".join(f"{n} {kind if n != 1 else kind.removesuffix('s')}" for kind, n in report.compared.items())
