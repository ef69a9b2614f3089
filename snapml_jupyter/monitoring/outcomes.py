"""What became of the answers of several versions: logged predictions joined with the labels that came back for them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..domain.errors import DamagedContentError, NotFoundError
from ..domain.model import Signature
from ..store import outcomes as kept
from ..store.workspace import Workspace
from .labels import confirms
from .logged_rows import PREDICTION, read_rows, row_keys
from .sequential import Estimate, auc_estimate, mean_estimate

if TYPE_CHECKING:
    import pyarrow as pa

#: A probability is taken to be at least this much off 0 and 1 before its logarithm is taken.
_LEAST = 1e-15


@dataclass(slots=True)
class Outcomes:
    """Labelled rows of one version: what was true, what it answered, and the probabilities it gave (or None)."""

    labels: list[Any] = field(default_factory=list)
    predictions: list[Any] = field(default_factory=list)
    probabilities: list[list[float] | None] = field(default_factory=list)


class OutcomeReader:
    """Follows the deployments of one endpoint from a time on. Each batch and each label is read once."""

    def __init__(self, workspace: Workspace, endpoint: str, deployments: list[int], since: datetime) -> None:
        self._workspace = workspace
        self._endpoint = endpoint
        self._deployments = deployments
        self._since = since.isoformat()
        self._labels_since = self._since
        self._read: set[str] = set()
        self._answers: dict[int, tuple[int, Any, list[float] | None]] = {}
        self._labels: dict[int, Any] = {}
        self.tables: dict[int, list[pa.Table]] = {number: [] for number in deployments}

    def refresh(self) -> None:
        """Read what was logged and labelled since the last time."""
        for batch in kept.list_batches(self._workspace.database, self._endpoint, self._deployments, self._since):
            if batch.batch in self._read:
                continue
            self._read.add(batch.batch)
            try:
                table = read_rows(self._workspace.blobs.read(batch.digest), f"Batch {batch.batch}")
            except (DamagedContentError, NotFoundError):  # `snapml verify` names it; the others are judged
                continue
            self._take(batch.deployment, table)
        for label in kept.list_labels(self._workspace.database, self._endpoint, self._labels_since):
            key = int(row_keys([label.request_id], [label.row_number])[0])
            self._labels[key] = json.loads(label.label)
            self._labels_since = max(self._labels_since, label.received_at)

    def outcomes(self) -> dict[int, Outcomes]:
        """The labelled rows of each deployment."""
        found = {number: Outcomes() for number in self._deployments}
        for key, label in self._labels.items():
            answer = self._answers.get(key)
            if answer is not None:
                deployment, prediction, probabilities = answer
                into = found[deployment]
                into.labels.append(label)
                into.predictions.append(prediction)
                into.probabilities.append(probabilities)
        return found

    def n_requests(self, deployment: int) -> int:
        """Logged requests of that deployment, however many rows each had."""
        import pyarrow.compute as pc

        tables = self.tables[deployment]
        return sum(pc.sum(pc.equal(table.column("row_number"), 0)).as_py() or 0 for table in tables)

    def _take(self, deployment: int, table: pa.Table) -> None:
        keys = row_keys(table.column("request_id").to_pylist(), table.column("row_number").to_pylist())
        shares = [table.column(name).to_pylist() for name in table.column_names if name.startswith("p_")]
        rows = [list(row) for row in zip(*shares, strict=True)] if shares else [None] * len(keys)
        predictions = table.column(PREDICTION).to_pylist()
        for key, prediction, probabilities in zip(keys.tolist(), predictions, rows, strict=True):
            self._answers[key] = (deployment, prediction, probabilities)
        self.tables[deployment].append(table)


def estimate(metric: str, outcomes: Outcomes, signature: Signature) -> Estimate:
    """One of `guards.METRICS` over the labelled rows; NaN with infinite variance where it cannot be had."""
    import numpy as np

    nothing = Estimate(float("nan"), float("inf"), len(outcomes.labels))
    if not outcomes.labels:
        return nothing
    if metric == "accuracy":
        right = [confirms(label, said) for label, said in zip(outcomes.labels, outcomes.predictions, strict=True)]
        return mean_estimate(np.asarray(right, dtype=np.float64))
    if metric in ("mae", "mse"):
        try:
            off = np.asarray(outcomes.labels, dtype=np.float64) - np.asarray(outcomes.predictions, dtype=np.float64)
        except (TypeError, ValueError):
            return nothing
        return mean_estimate(np.abs(off) if metric == "mae" else off * off)
    labels = [str(label) for label in signature.labels or []]
    if len(labels) < 2 or any(row is None for row in outcomes.probabilities):
        return nothing
    shares = np.asarray(outcomes.probabilities, dtype=np.float64)
    places = np.array([_place(labels, label) for label in outcomes.labels])
    if metric == "auc" and len(labels) == 2:
        return auc_estimate(places == 1, shares[:, 1])
    if metric == "log_loss":
        given = np.where(places >= 0, shares[np.arange(len(places)), np.maximum(places, 0)], 0.0)
        return mean_estimate(-np.log(np.clip(given, _LEAST, 1.0)))
    return nothing


def _place(labels: list[str], label: Any) -> int:
    return next((place for place, known in enumerate(labels) if confirms(label, known)), -1)
