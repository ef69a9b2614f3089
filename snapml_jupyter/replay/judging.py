"""The verdict: both runs side by side, from what was recorded of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..capture.clock import clock_metrics
from ..capture.now import Span, without_now
from ..capture.outcome import Outcome
from ..domain.program import Difference, Program, Verdict
from ..domain.run import Artifact, Run, RunStatus
from ..runs.programs import find_outcome
from ..runs.queries import get_run, list_metric_points
from .comparing import Comparison, compare_metrics, compare_outcomes, compare_params, compare_texts

if TYPE_CHECKING:
    from ..store.remote import RemoteWorkspace
    from ..store.workspace import Workspace

#: Artifacts that tell of the process, not of the result.
_NOT_RESULTS = {"stderr.txt", "resources.json"}
_TEXT_SUFFIXES = (".txt", ".csv", ".json", ".md", ".html", ".log", ".svg")
_MAX_TEXT_BYTES = 20_000_000
_COLOURS, _TRACEBACK = re.compile(r"\x1b\[[0-9;]*m"), re.compile(r"^-{60,}$", re.M)


def compare_runs(
    workspace: Workspace | RemoteWorkspace,
    program: Program,
    original_id: str,
    replay_id: str,
    tolerance: float,
    given: list[str],
) -> Comparison:
    """Everything that both runs left, compared."""
    original, replay = get_run(workspace, original_id), get_run(workspace, replay_id)
    comparison = Comparison()
    _compare_ends(comparison, original, replay)
    compare_params(comparison, original.params, replay.params, tolerance, given)
    points = [list_metric_points(workspace, run.run_id) for run in (original, replay)]
    compare_metrics(comparison, points[0], points[1], tolerance, clock_metrics(program.body))
    outcomes = [_outcome(workspace, run.run_id) for run in (original, replay)]
    if outcomes[0] is not None:
        compare_outcomes(comparison, outcomes[0], outcomes[1] or Outcome(), tolerance)
    masks = outcomes[0].masks_durations if outcomes[0] is not None else _masks(program)
    _compare_artifacts(workspace, comparison, original, replay, tolerance, masks)
    if original.has_model or replay.has_model:
        comparison.count("models")
        if original.has_model != replay.has_model:
            sides = ["kept" if run.has_model else "none" for run in (original, replay)]
            comparison.add(Difference(what="model", original=sides[0], replay=sides[1]))
    return comparison


def verdict_of(comparison: Comparison) -> Verdict:
    """The rule: beyond the tolerance anywhere is different; nothing compared is no verdict at all."""
    if comparison.is_beyond:
        return Verdict.different
    if not comparison.compared:
        return Verdict.not_replayable
    return Verdict.equivalent if comparison.differences else Verdict.identical


def _compare_ends(comparison: Comparison, original: Run, replay: Run) -> None:
    if original.status is not replay.status:
        sides = [
            run.status.value + (f": {run.error.type}: {run.error.message}" if run.error else "")
            for run in (original, replay)
        ]
        comparison.add(Difference(what="status", original=sides[0][:500], replay=sides[1][:500]))
    elif original.status is RunStatus.failed and original.error and replay.error:
        comparison.count("errors")
        if original.error.type != replay.error.type:
            comparison.add(Difference(what="error", original=original.error.type, replay=replay.error.type))
        else:
            compare_texts(comparison, "error", original.error.message, replay.error.message, 0.0, True)


def _outcome(workspace: Workspace | RemoteWorkspace, run_id: str) -> Outcome | None:
    digest = find_outcome(workspace, run_id)
    return None if digest is None else Outcome.from_bytes(workspace.blobs.read(digest))


def _masks(program: Program) -> bool:
    from ..capture.clock import reads_clock

    return reads_clock(program.body)


def _compare_artifacts(
    workspace: Workspace | RemoteWorkspace,
    comparison: Comparison,
    original: Run,
    replay: Run,
    tolerance: float,
    masks_durations: bool,
) -> None:
    sides = [{a.path: a for a in run.artifacts if a.path not in _NOT_RESULTS} for run in (original, replay)]
    # Both times for both: an object of an earlier cell says the original's in the replay, too.
    spans = [span_of(original), span_of(replay)]
    for path, kept in sides[0].items():
        other = sides[1].get(path)
        if other is None and kept.media_type.startswith("image/"):
            comparison.not_compared.append(f"artifact {path}: the replay drew none")  # it has no front end to draw for
        elif other is None:
            comparison.count("artifacts")
            comparison.add(Difference(what=f"artifact {path}", original=f"{kept.size_bytes} bytes", replay="not there"))
        elif path.startswith("figures/") and kept.digest != other.digest and path.endswith((".svg", ".pdf")):
            comparison.not_compared.append(f"artifact {path}: drawings of its kind carry identifiers of chance")
        elif path == "stdout.txt" or (path.endswith(_TEXT_SUFFIXES) and kept.size_bytes < _MAX_TEXT_BYTES):
            what = "output" if path == "stdout.txt" else f"artifact {path}"
            texts = [without_now(_text(workspace, each), spans) for each in (kept, other)]
            if path == "stdout.txt" and original.error is not None:
                texts = [_before_traceback(text) for text in texts]
            compare_texts(comparison, what, texts[0], texts[1], tolerance, masks_durations)
        elif path.startswith("figures/") and kept.digest != other.digest and masks_durations:
            comparison.not_compared.append(f"artifact {path}: the cell reads a clock, which it may show")
        else:
            comparison.count("artifacts")
            if kept.digest != other.digest:
                comparison.add(
                    Difference(
                        what=f"artifact {path}",
                        original=f"{kept.size_bytes} bytes ({kept.digest[:8]})",
                        replay=f"{other.size_bytes} bytes ({other.digest[:8]})",
                    )
                )
    for path, other in sides[1].items():
        if path not in sides[0] and not other.media_type.startswith("image/"):
            comparison.add(
                Difference(what=f"artifact {path}", original="not there", replay=f"{other.size_bytes} bytes")
            )


def _before_traceback(text: str) -> str:
    """What was printed before the error: IPython without a kernel prints its traceback too, which is compared as the error."""
    return _TRACEBACK.split(_COLOURS.sub("", text), maxsplit=1)[0]


def span_of(run: Run) -> Span:
    """When the run began and ended, in seconds since 1970."""
    begun = run.started_at.timestamp()
    return begun, begun + (run.duration_seconds or 0.0)


def _text(workspace: Workspace | RemoteWorkspace, artifact: Artifact) -> str:
    return workspace.blobs.read(artifact.digest).decode("utf-8", "replace")
