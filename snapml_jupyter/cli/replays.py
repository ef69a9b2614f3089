"""`snapml run replay|export`, also as `snapml replay` and `snapml export`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ..domain.errors import InvalidInputError
from ..domain.program import ReplayReport, Verdict
from ..figures import parse_duration
from ..replay.exporting import export_run
from ..replay.replaying import TOLERANCE
from ..replay.replaying import replay as run_again
from ..runs.queries import get_run
from .output import AnyWorkspace, answers, facts


@click.command("replay")
@click.argument("ref")
@click.option("--data", multiple=True, metavar="REF", help="Other data: flights@latest, df=flights@v3.")
@click.option("--param", multiple=True, metavar="KEY=VALUE", help="Another value; repeatable.")
@click.option("--env", type=click.Choice(["current", "recorded"]), default="current", show_default=True)
@click.option("--tolerance", type=float, default=TOLERANCE, show_default=True)
@click.option("--timeout", metavar="TIME", help="Stop it after 90s, 10m, 2h.")
@click.option("--trust", is_flag=True, help="Run code that another person recorded.")
@click.option("--check", is_flag=True, help="Leave with status 1 unless it is identical or equivalent.")
@answers
def replay(
    workspace: AnyWorkspace,
    ref: str,
    data: tuple[str, ...],
    param: tuple[str, ...],
    env: str,
    tolerance: float,
    timeout: str | None,
    trust: bool,
    check: bool,
) -> tuple[Any, str]:
    """Run a recorded cell again in a clean process and say whether the result is the same."""
    report = run_again(
        workspace,
        ref,
        data=list(data),
        params=_params(param),
        env=env,
        tolerance=tolerance,
        timeout_seconds=parse_duration(timeout) if timeout else None,
        trust=trust,
    )
    if check and not report.verdict.is_good:
        click.get_current_context().call_on_close(lambda: sys.exit(1))
    return report, describe(report)


@click.command("export")
@click.argument("ref")
@click.option("--script", "suffix", flag_value=".py", help="Write a .py file (the default).")
@click.option("--notebook", "suffix", flag_value=".ipynb", help="Write a notebook.")
@click.option("--zip", "suffix", flag_value=".zip", help="Write an archive with both.")
@click.option("--output", "-o", metavar="FILE", help="Where; without it the run's name, here.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@answers
def export(
    workspace: AnyWorkspace, ref: str, suffix: str | None, output: str | None, overwrite: bool
) -> tuple[Any, str]:
    """Write the program of a run as files that run without SnapML."""
    name = Path(output) if output else Path(f"{get_run(workspace, ref).name}{suffix or '.py'}")
    if output and suffix and name.suffix != suffix:
        raise InvalidInputError(f"--output {output} does not end in {suffix}.")
    path = export_run(workspace, ref, name, overwrite=overwrite)
    return {"path": str(path)}, f"Wrote {path}."


def describe(report: ReplayReport) -> str:
    """The report as text."""
    text = facts(
        verdict=report.verdict.value.replace("_", " "),
        original=report.original_run_id,
        replay=report.run_id,
        reason=report.reason or None,
        rests_on=report.compared or None,
        data=report.data or None,
        params=report.params or None,
    )
    shown = [
        f"  {d.what}: {d.original} -> {d.replay}" + ("" if d.relative is None else f"  (relative {d.relative:.2g})")
        for d in report.differences[:20]
    ]
    if len(report.differences) > 20:
        shown.append(f"  and {len(report.differences) - 20} more")
    parts = [text]
    if shown:
        parts.append("Differences:\n" + "\n".join(shown))
    if report.causes and report.verdict is not Verdict.identical:
        parts.append("Likely causes:\n" + "\n".join(f"  {cause}" for cause in report.causes))
    if report.not_compared:
        parts.append("Not compared:\n" + "\n".join(f"  {each}" for each in report.not_compared[:20]))
    return "\n\n".join(parts)


def _params(texts: tuple[str, ...]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise InvalidInputError(f"--param {text} is not KEY=VALUE.")
        params[key] = _scalar(value)
    return params


def _scalar(text: str) -> Any:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return {"true": True, "false": False, "none": None}.get(text.lower(), text)
