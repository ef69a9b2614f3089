"""How each record of the domain is shown: one function a kind, all made of the parts in `display`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from ..domain.endpoint import DeployOutcome, EndpointInfo, EndpointMetrics, HostStatus
from ..domain.event import WorkspaceStatus
from ..domain.lineage import LineageRecord
from ..domain.model import ModelVersion, RegisteredModel
from ..domain.monitoring import Alert, ColumnDrift, DriftReport, MonitorInfo
from ..domain.run import Run
from ..figures import duration, gate_word, size
from .comparison_tables import run_comparison
from .dataset_tables import (
    dataset_diff,
    dataset_profile,
    dataset_version,
    dataset_versions,
    datasets,
    suite_version,
    table_page,
    validation_report,
)
from .display import Card, Quiet, Shown, Stacked, Status, Table
from .endpoint_card import snippets
from .gate_tables import endpoint_test, gate_outcome
from .replay_cards import replay_report
from .traffic_card import traffic

if TYPE_CHECKING:
    import pandas as pd

__all__ = [  # those of other modules; what shows a record is looked up here by name
    "dataset_diff",
    "dataset_profile",
    "dataset_version",
    "dataset_versions",
    "datasets",
    "endpoint_test",
    "gate_outcome",
    "replay_report",
    "run_comparison",
    "suite_version",
    "table_page",
    "traffic",
    "validation_report",
]

T = TypeVar("T")


class Records(list[T]):
    """What a magic gives when there are several: a list, shown as a table."""

    def __init__(self, records: Sequence[T], show: Callable[[Sequence[T]], Shown]) -> None:
        super().__init__(records)
        self._show = show

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.shown()._repr_mimebundle_(include, exclude)

    def shown(self) -> Shown:
        """The table of them."""
        return self._show(self)

    def to_pandas(self) -> pd.DataFrame:
        """One row a record, one column a field."""
        import pandas as pd

        rows: list[Any] = list(self)
        frame: pd.DataFrame = pd.DataFrame([asdict(record) for record in rows])
        return frame


def runs(found: Sequence[Run]) -> Table:
    """Runs, newest first."""
    return Table(
        ["run", "status", "metrics", "data", "model", "took", "started", "id"],
        [
            (
                run.name,
                Status(run.status.value),
                run.error.type + ": " + _short(run.error.message, 60) if run.error else run.metrics or None,
                [i.dataset_ref for i in run.inputs] or None,
                run.model_refs or None,
                duration(run.duration_seconds),
                run.started_at,
                Quiet(run.run_id),
            )
            for run in found
        ],
        "No runs yet. Put %%snap_train NAME on the first line of a cell that trains.",
    )


def run(found: Run) -> Card:
    """One run."""
    error = found.error
    return Card(
        found.name,
        f"{found.run_id} · {duration(found.duration_seconds)}",
        Status(found.status.value),
        [
            (
                "error",
                f"{error.type}: {error.message}" + (f" (line {error.line})" if error.line else "") if error else None,
            ),
            ("data", [f"{i.variable} = {i.dataset_ref} ({i.n_rows:,} x {i.n_columns})" for i in found.inputs]),
            ("model", found.model_refs),
            ("params", found.params),
            ("tags", found.tags),
            ("seed", found.seed),
            ("note", found.note),
            ("by", found.actor),
            ("experiment", found.experiment if found.experiment != "default" else None),
            ("inside of", found.parent_run_id),
            ("children", found.n_children or None),
            ("artifacts", [f"{a.path} ({size(a.size_bytes)})" for a in found.artifacts]),
        ],
        found.metrics,
    )


def models(found: Sequence[RegisteredModel]) -> Table:
    """Registered models."""
    return Table(
        ["model", "versions", "champion", "newest", "stage", "metrics", "made"],
        [
            (
                m.name,
                m.n_versions,
                m.champion.ref if m.champion else None,
                m.latest.ref,
                m.latest.stage,
                m.latest.metrics or None,
                m.latest.created_at,
            )
            for m in found
        ],
        "No models yet. Register one with %%snap_train NAME --register MODEL or %snap_register RUN MODEL.",
    )


def model_versions(found: Sequence[ModelVersion]) -> Table:
    """Versions of a model."""
    return Table(
        ["version", "aliases", "stage", "estimator", "metrics", "gates", "data", "made", "by"],
        [
            (
                v.ref,
                v.aliases or None,
                v.stage,
                v.estimator,
                v.metrics or None,
                gate_word(v.gate),
                v.dataset_refs or None,
                v.created_at,
                v.created_by,
            )
            for v in found
        ],
        "No versions yet.",
    )


def model_version(found: ModelVersion) -> Card:
    """One version of a model."""
    signature, parity = found.signature, found.parity
    inputs = ", ".join(f"{c.name} {c.kind.value}" for c in signature.inputs[:12])
    more = f" and {len(signature.inputs) - 12} more" if len(signature.inputs) > 12 else ""
    return Card(
        found.ref,
        " · ".join([*found.aliases, *([found.stage.value] if found.stage.value != "none" else [])]),
        None,
        [
            ("estimator", f"{found.estimator}, kept as {found.format.value} ({size(found.size_bytes)})"),
            ("inputs", inputs + more),
            ("answers", [signature.target or signature.task.value, *(f"{label}" for label in signature.labels or [])]),
            ("data", found.dataset_refs),
            ("run", Quiet(found.run_id)),
            (
                "parity",
                f"largest difference {parity.max_difference:.2g}, {parity.label_agreement:.2%} equal labels on {parity.n_rows:,} rows"
                if parity
                else None,
            ),
            ("gates", gate_word(found.gate)),
        ],
        found.metrics,
    )


def endpoints(found: Sequence[EndpointInfo]) -> Table:
    """Endpoints with what is live behind them."""
    return Table(
        ["endpoint", "status", "live", "url", "made", "by"],
        [
            (
                e.name,
                Status(e.live.status.value if e.live else e.deployments[-1].status.value) if e.deployments else None,
                e.live.model_ref if e.live else None,
                e.url,
                e.created_at,
                e.created_by,
            )
            for e in found
        ],
        "No endpoints yet. Deploy a model with %snap_deploy MODEL.",
    )


def endpoint(found: EndpointInfo, api_key: str | None = None) -> Card:
    """One endpoint. A key that was just made is not printed: outputs are saved with the notebook."""
    newest = found.deployments[-1] if found.deployments else None
    return Card(
        found.name,
        found.url or "",
        Status(newest.status.value) if newest else None,
        [
            ("live", found.live.model_ref if found.live else None),
            ("API key", "new: `.api_key` of this object holds it, this once" if api_key else None),
            ("failure", newest.failure if newest else None),
            ("keys", [k.client for k in found.keys if k.revoked_at is None]),
        ],
    )


def live_endpoint(found: Any) -> Stacked:
    """What `%snap_deploy` and `snap.endpoint` give."""
    info = found.info
    return Stacked([endpoint(info, found.api_key), *snippets(info)])


def deploy_outcome(found: DeployOutcome) -> Card:
    """What a deploy gave."""
    return endpoint(found.endpoint, found.api_key)


def endpoint_metrics(found: EndpointMetrics) -> Card:
    """Traffic of an endpoint."""
    return Card(
        found.endpoint,
        f"{found.n_requests:,} requests, {found.n_errors:,} errors, {found.n_rows:,} rows",
        facts=[
            ("per second", found.requests_per_second),
            (
                "latency",
                f"p50 {found.p50_ms:.3g} ms, p99 {found.p99_ms:.3g} ms" if found.p50_ms and found.p99_ms else None,
            ),
        ],
    )


def host_status(found: HostStatus) -> Card:
    """The background process."""
    return Card(
        "host", found.url or "", Status("running" if found.running else "stopped"), [("problem", found.problem)]
    )


def drift_report(found: DriftReport) -> Card:
    """Columns, those that moved most first."""
    judged: list[ColumnDrift] = [*([found.prediction] if found.prediction else []), *found.columns]
    moved = sorted(judged, key=lambda c: -((c.score or 0.0) / (c.threshold or 1.0)))
    prediction = found.prediction.name if found.prediction else None
    return Card(
        f"{found.drifted_fraction:.0%} of the columns drifted",
        f"{found.reference} ({found.n_reference_rows:,} rows) against {found.current} ({found.n_current_rows:,} rows)",
        table=Table(
            ["column", "status", "score", "threshold", "measure", "mean before", "mean now", "why"],
            [
                (
                    f"{c.name} (prediction)" if c.name == prediction else c.name,
                    Status(c.status.value),
                    c.score,
                    c.threshold,
                    c.measure,
                    c.reference_mean,
                    c.current_mean,
                    c.reason,
                )
                for c in moved
            ],
            "No columns to compare.",
        ),
    )


def monitor(found: MonitorInfo) -> Card:
    """An endpoint's windows, newest last, and what is wrong."""
    newest = found.windows[-1] if found.windows else None
    waiting = f"{found.pending_rows:,} of {found.window_rows:,} rows" if found.window_rows else None
    return Card(
        f"monitor of {found.endpoint}",
        f"{found.model_ref} against {found.reference_ref}",
        None,
        [
            ("seen", f"{found.n_predictions:,} predictions, {found.n_labels:,} labels"),
            ("waiting", waiting),
            ("drifted", newest.report.drifted_columns if newest else None),
        ],
        {},
        [*(a.message for a in found.alerts if a.state.value == "open"), *([found.error] if found.error else [])],
        Table(
            ["window", "from", "rows", "drifted", "prediction", "accuracy", "labels", "columns that moved most"],
            [
                (
                    w.number,
                    w.started_at,
                    w.n_rows,
                    f"{w.report.drifted_fraction:.0%}",
                    Status(w.report.prediction.status.value) if w.report.prediction else None,
                    w.accuracy,
                    w.n_labels,
                    w.report.drifted_columns[:4] or None,
                )
                for w in found.windows[-12:]
            ],
            "No window is full yet.",
        ),
    )


def lineage_graph(found: Any) -> Shown:
    """What `snap.lineage` gives."""
    return lineage_record(found.record)


def lineage_record(found: LineageRecord) -> Shown:
    """A lineage graph."""
    from .lineage_graph import Graph

    return Graph(found)


def alert(found: Alert) -> Table:
    """One alert."""
    return alerts([found])


def records(found: Records[Any]) -> Shown:
    """What a magic gave."""
    return found.shown()


def alerts(found: Sequence[Alert]) -> Table:
    """Alerts, newest first."""
    return Table(
        ["state", "endpoint", "message", "rule", "raised", "id"],
        [(Status(a.state.value), a.endpoint, a.message, a.rule, a.raised_at, Quiet(a.alert_id)) for a in found],
        "No alerts. Monitors raise them when data or answers move.",
    )


def workspace_status(found: WorkspaceStatus) -> Card:
    """Where am I."""
    counts = [("runs", found.n_runs), ("datasets", found.n_datasets), ("models", found.n_models)]
    counts += [("endpoints", found.n_endpoints), ("open alerts", found.n_open_alerts)]
    return Card(
        "SnapML workspace",
        f"{found.location} · {found.actor} · {found.version}",
        facts=[("holds", "  ".join(f"{n:,} {what}" for what, n in counts))],
    )


def _short(text: str, length: int) -> str:
    first = text.partition("\n")[0]
    return first if len(first) <= length else first[: length - 1] + "…"
