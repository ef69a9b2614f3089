"""Runs side by side: what they were given, what came out, what they read, ran on and what their code says."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any

from ..domain.errors import InvalidInputError
from ..domain.run import Environment, ParamValue, Run
from ..domain.run_comparison import CodeDiff, ComparedInput, ComparedValue, RunComparison
from ..operations import operation
from ..store import environments, programs
from ..store import runs as store
from ..store.workspace import Workspace
from .curves import curves_of
from .queries import look

#: Most runs side by side.
MAX_RUNS = 20
_FACTS = ("python_version", "platform", "cpu", "n_cpus", "git_commit", "git_branch", "git_dirty")


@operation(permission="runs:read")
def compare_runs(
    workspace: Workspace, refs: list[str], max_points: int = 200, whole_environment: bool = False
) -> RunComparison:
    """Params, metrics, data, environment, code and curves of two or more runs, in the order they are named.

    The code of each is compared with that of the first. Of the environment, what differs and Python's version, or all of
    it. Raises InvalidInputError for fewer than two runs.
    """
    if not 2 <= len(refs) <= MAX_RUNS:
        raise InvalidInputError(f"Compare 2 to {MAX_RUNS} runs, not {len(refs)}: name each by its id or name.")
    if max_points < 4:
        raise InvalidInputError(f"max_points={max_points}: ask for 4 points of a curve or more.")
    look(workspace)
    run_ids = [store.resolve(workspace.database, ref) for ref in refs]
    repeated = next((ref for ref, run_id in zip(refs, run_ids, strict=True) if run_ids.count(run_id) > 1), None)
    if repeated is not None:
        raise InvalidInputError(
            f"'{repeated}' names the same run as another of them. A name means its newest run; ids tell runs apart."
        )
    runs = store.load_runs(workspace.database, run_ids)
    return RunComparison(
        runs=runs,
        params=_values(runs, lambda run: run.params),
        metrics=_values(runs, lambda run: run.metrics),
        inputs=_inputs(runs),
        environment=_environment(workspace, runs, whole_environment),
        code=[_code_diff(runs[0], run) for run in runs[1:]],
        curves=curves_of(workspace, {run.run_id: run.started_at for run in runs}, None, max_points),
    )


def _values(runs: Sequence[Run], of: Callable[[Run], Any]) -> list[ComparedValue]:
    names = dict.fromkeys(name for run in runs for name in of(run))
    return [_compared(name, [of(run).get(name) for run in runs]) for name in sorted(names)]


def _compared(name: str, values: Sequence[ParamValue]) -> ComparedValue:
    return ComparedValue(name=name, values=list(values), differs=len({_key(value) for value in values}) > 1)


def _key(value: ParamValue) -> object:
    # 1 and 1.0 are the same setting, True is another; NaN is the same as NaN.
    return repr(value) if value is None or isinstance(value, (bool, str)) or value != value else float(value)


def _inputs(runs: Sequence[Run]) -> list[ComparedInput]:
    read = [{given.variable: given for given in run.inputs} for run in runs]
    variables = sorted({variable for each in read for variable in each})
    return [
        ComparedInput(
            variable=variable,
            dataset_refs=[each[variable].dataset_ref if variable in each else None for each in read],
            differs=len({each[variable].digest if variable in each else None for each in read}) > 1,
        )
        for variable in variables
    ]


def _environment(workspace: Workspace, runs: Sequence[Run], whole: bool) -> list[ComparedValue]:
    found: list[Environment | None] = [
        environments.find_environment(workspace.database, run.environment_digest) if run.environment_digest else None
        for run in runs
    ]
    facts = [_compared(fact, [getattr(each, fact) if each else None for each in found]) for fact in _FACTS]
    for what, called in (("threads", "threads of {}"), ("packages", "{}"), ("variables", "{}")):
        names = sorted({name for each in found if each for name in getattr(each, what)})
        facts += [
            _compared(called.format(name), [getattr(each, what).get(name) if each else None for each in found])
            for name in names
        ]
    return [fact for fact in facts if whole or fact.differs or fact.name == "python_version"]


@operation(permission="runs:read")
def diff_run_code(workspace: Workspace, first: str, other: str, captured: bool = False) -> CodeDiff:
    """How the cell of a run differs from that of another; with `captured`, the definitions that they need as well.

    A run without captured definitions takes part with its cell alone.
    """
    run_ids = [store.resolve(workspace.database, ref) for ref in (first, other)]
    runs = store.load_runs(workspace.database, run_ids)
    before, after = runs
    if not captured:
        return _code_diff(before, after)
    kept = [programs.find_program(workspace.database, run_id) for run_id in run_ids]
    texts = [found.program.source if found else run.code for found, run in zip(kept, runs, strict=True)]
    return _code_diff(before, after, texts)


def _code_diff(first: Run, other: Run, texts: Sequence[str | None] | None = None) -> CodeDiff:
    before, after = texts or (first.code, other.code)
    lines = list(
        difflib.unified_diff(
            (before or "").splitlines(),
            (after or "").splitlines(),
            fromfile=f"{first.name} ({first.run_id})",
            tofile=f"{other.name} ({other.run_id})",
            lineterm="",
        )
    )
    return CodeDiff(
        run_id=other.run_id,
        lines=lines,
        n_added=sum(line.startswith("+") for line in lines[2:]),
        n_removed=sum(line.startswith("-") for line in lines[2:]),
    )
