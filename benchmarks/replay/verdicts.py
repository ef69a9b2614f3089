"""A replay's report as a line of the results."""

from __future__ import annotations

from typing import Any


def line_of(report: Any, seconds: float) -> dict[str, Any]:
    """The verdict, what it rests on and what it says, as JSON; `seconds` is how long the replay took."""
    return {
        "verdict": report.verdict.value,
        "reason": report.reason,
        "compared": report.compared,
        "not_compared": report.not_compared[:10],
        "differences": [[d.what, d.original, d.replay, d.relative] for d in report.differences[:5]],
        "causes": report.causes,
        "missing": [str(each) for each in report.missing],
        "replay_seconds": seconds,
    }
