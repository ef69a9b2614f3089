"""Judging a model version by a `gates.toml`, and what was found before."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..domain.checks import Check, CheckStatus, GateOutcome, all_passed
from ..domain.errors import ExportError, InvalidInputError, NotFoundError
from ..domain.model import ModelVersion, Parity
from ..figures import parse_duration, parse_size, size
from ..operations import operation
from ..registry.exporting import ensure_exported
from ..registry.versions import get_model
from ..runs.models import get_run_model
from ..store import gates as store
from ..store.models import CHAMPION
from ..store.workspace import Workspace
from ..validation.checking import get_suite, get_validation, validate_version
from .gates_file import BOOTSTRAP, Champion, Data, GatesFile, Latency, Threshold, Validation, read_gates
from .timings import quantile

if TYPE_CHECKING:
    import pandas as pd

    from .held_out import LoadedGraph
    from .scores import Answered


@operation(permission="models:gate", audited=True)
def gate(workspace: Workspace, ref: str, gates: str) -> GateOutcome:
    """Judge a model version by the text of a `gates.toml`, and keep the outcome on the version.

    Exports it first if something is judged on the graph. Raises InvalidInputError for gates that cannot be read,
    NotFoundError for a version or dataset that is not there; what the version fails is in the outcome.
    """
    asked = read_gates(gates)
    version = get_model(workspace, ref)
    started_at = time.monotonic()
    checks = _Judgement(workspace, version, asked).run()
    if not checks:
        raise InvalidInputError("The gates name nothing to judge. Write a start: snapml init-ci")
    outcome = GateOutcome(
        model_ref=version.ref,
        number=0,
        passed=all_passed(checks),
        checks=checks,
        gates=gates,
        checked_at=workspace.now(),
        checked_by=workspace.actor,
        duration_seconds=time.monotonic() - started_at,
    )
    with workspace.transaction() as tx:
        kept = store.add_outcome(tx, version.name, version.number, outcome)
        failed = [check.name for check in checks if check.status is CheckStatus.failed]
        tx.event("model.gated", version.ref, number=kept.number, passed=kept.passed, failed=failed)
    return kept


@operation(permission="models:read")
def list_gate_outcomes(workspace: Workspace, ref: str, limit: int = 20) -> list[GateOutcome]:
    """What the gates found on a version, newest first. Raises NotFoundError."""
    version = get_model(workspace, ref)
    return store.list_outcomes(workspace.database, version.name, version.number, min(limit, 500))


class _Judgement:
    """One version, one file of gates. Each method is one table of the file and appends its checks."""

    def __init__(self, workspace: Workspace, version: ModelVersion, gates: GatesFile) -> None:
        self.workspace = workspace
        self.version = version
        self.gates = gates
        self.checks: list[Check] = []
        self._since = time.monotonic()

    def run(self) -> list[Check]:
        gates = self.gates
        self._recorded(gates.recorded)
        if gates.validation is not None:
            self._validation(gates.validation)
        graph = self._graph() if gates.needs_graph else None
        frame = self._held_out(graph, gates.data) if gates.data is not None and graph is not None else None
        if graph is not None:
            if gates.latency is not None:
                self._latency(graph, frame, gates.latency)
            if gates.size is not None and gates.size.graph is not None:
                self._size("graph", graph.n_bytes, gates.size.graph)
        if gates.size is not None and gates.size.model is not None:
            self._size("model", self.version.size_bytes, gates.size.model)
        return self.checks

    def _add(
        self, name: str, passed: bool | None, message: str, value: float | None = None, limit: float | None = None
    ) -> None:
        """`passed` None: there was nothing to judge."""
        status = {True: CheckStatus.passed, False: CheckStatus.failed, None: CheckStatus.skipped}[passed]
        now = time.monotonic()
        self.checks.append(
            Check(name=name, status=status, message=message, seconds=now - self._since, value=value, limit=limit)
        )
        self._since = now

    def _recorded(self, thresholds: dict[str, Threshold]) -> None:
        for name, threshold in thresholds.items():
            value = self.version.metrics.get(name)
            if value is None:
                error = NotFoundError.of(f"metric of {self.version.ref}", name, self.version.metrics)
                self._add(f"recorded.{name}", False, str(error))
            else:
                self._threshold(f"recorded.{name}", value, threshold)

    def _threshold(self, name: str, value: float, threshold: Threshold) -> None:
        limits = [(threshold.at_least, "at least", 1.0), (threshold.at_most, "at most", -1.0)]
        for limit, words, sign in limits:
            if limit is not None:
                # Not a number fails: nothing was shown.
                self._add(name, sign * value >= sign * limit, f"{value:.6g}, needed {words} {limit:g}", value, limit)

    def _validation(self, validation: Validation) -> None:
        refs = [*(self.version.dataset_refs if validation.training else ()), *validation.refs]
        if not refs:
            self._add("validation", None, f"{self.version.ref} knows no dataset that it was trained on.")
        for ref in dict.fromkeys(refs):
            name = ref.partition("@")[0]
            suite = get_suite(self.workspace, name)
            if suite is None:
                self._add(f"validation.{ref}", False, f"Dataset '{name}' has no suite: %snap_validate {ref} --propose.")
                continue
            record = get_validation(self.workspace, ref)
            if record is None or record.suite_number != suite.number:
                record = validate_version(self.workspace, ref)
            failed = [result.message for result in record.results if not result.passed]
            said = f"{record.n_rows:,} rows by suite {record.suite_number}: " + (
                f"{len(failed)} of {len(record.results)} expectations fail, first: {failed[0]}"
                if failed
                else f"{len(record.results)} expectations hold"
            )
            self._add(f"validation.{ref}", record.passed, said)

    def _graph(self) -> LoadedGraph | None:
        """The version's graph; that there is one, and that it answers like the model, are checks of their own."""
        asked = self.gates.parity is not None
        try:
            exported = ensure_exported(self.workspace, self.version.ref)
            from .held_out import LoadedGraph

            graph = LoadedGraph(self.workspace, exported)
        except ExportError as error:
            self._add("parity" if asked else "export", False, str(error))
            return None
        if asked:
            self._parity(exported.parity)
        return graph

    def _parity(self, parity: Parity | None) -> None:
        limits = self.gates.parity
        assert limits is not None
        if parity is None:
            self._add("parity", False, f"{self.version.ref} was exported without a proof on training rows.")
            return
        rows = f"on {parity.n_rows:,} rows of {parity.source_ref}"
        most = parity.tolerance if limits.max_difference is None else limits.max_difference
        self._add(
            "parity.max_difference",
            parity.max_difference <= most,
            f"the graph differs from the model by up to {parity.max_difference:.3g} {rows}, allowed {most:g}",
            parity.max_difference,
            most,
        )
        least = limits.label_agreement
        if least is not None:
            self._add(
                "parity.label_agreement",
                parity.label_agreement >= least,
                f"{parity.label_agreement:.4%} of the labels agree {rows}, needed {least:.4%}",
                parity.label_agreement,
                least,
            )

    def _held_out(self, graph: LoadedGraph, data: Data) -> pd.DataFrame:
        """Everything that is computed on the held-out rows. Returns them, for the latency of realistic rows."""
        if not self.gates.metrics and self.gates.champion is None:
            from ..datasets.dataset import open_dataset

            return open_dataset(self.workspace, data.ref).to_pandas()
        champion = self._champion(self.gates.champion) if self.gates.champion is not None else None
        from .held_out import read_rows

        frame, target, ref = read_rows(self.workspace, data, [graph.version, *([champion] if champion else ())])
        trained_on = [
            version.ref
            for version in (graph.version, champion)
            if version is not None and get_run_model(self.workspace, version.run_id).training_ref == ref
        ]
        if trained_on and not data.allow_training_rows:
            self._add(
                "data.held_out",
                False,
                f"{trained_on[0]} was fitted on {ref}, so its rows say nothing about new ones. Name a version of rows that "
                "were kept apart, or say [data] allow_training_rows = true.",
            )
            return frame
        try:
            ours = graph.answer(frame, target)
        except InvalidInputError as error:
            self._add("data.answered", False, f"{self.version.ref} cannot answer the rows of {ref}: {error}")
            return frame
        for name, threshold in self.gates.metrics.items():
            self._metric(name, threshold, ours)
        if champion is not None and self.gates.champion is not None:
            self._compare(self.gates.champion, champion, ours, frame, target)
        return frame

    def _metric(self, name: str, threshold: Threshold, answered: Answered) -> None:
        from .scores import score

        try:
            value = score(name, answered)
        except InvalidInputError as error:
            self._add(f"metrics.{name}", False, str(error))
        else:
            self._threshold(f"metrics.{name}", value, threshold)

    def _champion(self, asked: Champion) -> ModelVersion | None:
        """What to compare with, exported; None, with the check that says why, when there is nothing."""
        name = f"champion.{asked.metric}"
        ref = asked.against or f"{self.version.name}@{CHAMPION}"
        try:
            found = get_model(self.workspace, ref)
        except NotFoundError as error:
            if asked.against is not None:
                raise
            self._add(name, None, f"There is no champion to compare with: {error}")
            return None
        if found.ref == self.version.ref:
            self._add(name, None, f"{found.ref} is the champion itself.")
            return None
        try:
            return ensure_exported(self.workspace, found.ref)
        except ExportError as error:
            self._add(name, False, f"The champion cannot be compared with: {error}")
            return None

    def _compare(self, asked: Champion, champion: ModelVersion, ours: Answered, frame: Any, target: str) -> None:
        from .paired import bootstrap, mcnemar

        name = f"champion.{asked.metric}"
        try:
            from .held_out import LoadedGraph

            theirs = LoadedGraph(self.workspace, champion).answer(frame, target)
            if asked.test == BOOTSTRAP:
                found = bootstrap(asked.metric, ours, theirs, confidence=asked.confidence, resamples=asked.resamples)
            else:
                pairs = mcnemar(ours, theirs)
        except InvalidInputError as error:
            self._add(name, False, f"{champion.ref} cannot be compared on these rows: {error}")
            return
        rows = f"on {len(frame):,} held-out rows"
        if asked.test == BOOTSTRAP:
            allowed = -(asked.margin or 0.0)
            self._add(
                name,
                found.lower_bound >= allowed,
                f"{asked.metric} {found.candidate:.5g} against {found.champion:.5g} of {champion.ref} {rows}; by paired "
                f"bootstrap the difference is, with {asked.confidence:.0%} confidence, not below {found.lower_bound:+.4g} "
                f"(above 0 is better; allowed {allowed:+g})",
                found.lower_bound,
                allowed,
            )
        else:
            level = 1 - asked.confidence
            self._add(
                name,
                pairs.p_value >= level,
                f"against {champion.ref} {rows}: {pairs.n_only_candidate_wrong:,} only {self.version.ref} gets wrong, "
                f"{pairs.n_only_champion_wrong:,} only the champion; McNemar's exact test of being worse: "
                f"p = {pairs.p_value:.3g} (fails below {level:.3g})",
                pairs.p_value,
                level,
            )

    def _latency(self, graph: LoadedGraph, frame: Any, asked: Latency) -> None:
        rounds = graph.time_single_rows(frame, asked.requests)
        for name, share, limit in (("p50", 0.50, asked.p50), ("p99", 0.99, asked.p99)):
            if limit is not None:
                value, most = min(quantile(one, share) for one in rounds), parse_duration(limit)
                self._add(
                    f"latency.{name}",
                    value <= most,
                    f"{value * 1000:.3g} ms over {asked.requests:,} single rows (best of {len(rounds)} rounds), allowed {most * 1000:g} ms",
                    value,
                    most,
                )

    def _size(self, what: str, n_bytes: int, limit: str) -> None:
        most = parse_size(limit)
        words = "the ONNX graph" if what == "graph" else "the fitted object"
        self._add(f"size.{what}", n_bytes <= most, f"{words} has {size(n_bytes)}, allowed {size(most)}", n_bytes, most)
