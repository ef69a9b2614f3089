"""`snap.replay`, `snap.export_run`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .current import workspace

if TYPE_CHECKING:
    from pathlib import Path

    from ..domain.program import ReplayReport


def replay(
    ref: str,
    *,
    data: str | Sequence[str] | Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    env: str = "current",
    tolerance: float = 1e-9,
    timeout_seconds: float | None = None,
    trust: bool = False,
) -> ReplayReport:
    """Run a recorded cell again in a clean process and compare: `.verdict`, `.differences`, `.causes`, `.run`.

    `data="flights@latest"` runs it on other data, `params={"depth": 8}` with other values, `env="recorded"` with the
    package versions of the original.
    """
    from ..replay.replaying import replay as run_again

    return run_again(
        workspace(),
        ref,
        data=data,
        params=params,
        env=env,
        tolerance=tolerance,
        timeout_seconds=timeout_seconds,
        trust=trust,
    )


def export_run(ref: str, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a run's program as a script (`.py`), notebook (`.ipynb`) or archive (`.zip`) that runs without SnapML."""
    from ..replay.exporting import export_run as write

    return write(workspace(), ref, path, overwrite=overwrite)
