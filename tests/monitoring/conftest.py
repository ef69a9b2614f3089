"""A deployed model with real training data and a real ONNX graph, and the traffic that its host would log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import onnx
import pandas as pd
import pyarrow as pa
import pytest
from onnx import TensorProto, helper

from snapml_jupyter import wire
from snapml_jupyter.datasets.snapshot import snapshot
from snapml_jupyter.domain.endpoint import DeploymentStatus
from snapml_jupyter.domain.model import ColumnKind, Signature, SignatureColumn, Task
from snapml_jupyter.export.inputs import COLUMNS_KEY, OUTPUTS_KEY, SIGNATURE_KEY, GraphColumn
from snapml_jupyter.monitoring.reference import log_rows
from snapml_jupyter.runs.recording import create_run
from snapml_jupyter.store import endpoints
from snapml_jupyter.store.workspace import Workspace

CARRIERS = ["AA", "DL", "UA", "WN"]


def weather(n_rows: int, seed: int, *, warmer: float = 0.0, calm: float = 0.0) -> pd.DataFrame:
    """Flights with weather; `warmer` and `calm` shift temperature and wind."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "temp": rng.normal(10 + warmer, 8, n_rows),
            "wind": np.where(rng.random(n_rows) < 0.02, np.nan, rng.gamma(2, 4 - calm, n_rows)),
            "carrier": rng.choice(CARRIERS, n_rows, p=[0.4, 0.3, 0.2, 0.1]),
        }
    )


def signature_of(task: Task, labels: list[Any] | None) -> Signature:
    kinds = {"temp": ColumnKind.float, "wind": ColumnKind.float, "carrier": ColumnKind.string}
    return Signature(
        task=task,
        labels=labels,
        inputs=[SignatureColumn(name=name, kind=kind, nullable=name == "wind") for name, kind in kinds.items()],
    )


def graph_of(signature: Signature) -> bytes:
    """late = sigmoid(0.2 temp - 2) as an exported graph; temp and wind enter, carrier is not used."""
    constants = {"slope": [0.2], "bias": [-2.0], "one": [1.0], "half": [0.5]}
    nodes = [
        helper.make_node("Mul", ["temp", "slope"], ["scaled"]),
        helper.make_node("Add", ["scaled", "bias"], ["z"]),
        helper.make_node("Sigmoid", ["z"], ["p1"]),
        helper.make_node("Sub", ["one", "p1"], ["p0"]),
        helper.make_node("Concat", ["p0", "p1"], ["both"], axis=1),
        helper.make_node("Cast", ["both"], ["probabilities"], to=TensorProto.FLOAT),
        helper.make_node("ArgMax", ["both"], ["label"], axis=1, keepdims=0),
    ]
    outputs: dict[str, tuple[int, list[int | None]]] = {
        "label": (TensorProto.INT64, [None]),
        "probabilities": (TensorProto.FLOAT, [None, 2]),
    }
    if signature.task is Task.regression:
        nodes, outputs = nodes[:2], {"z": (TensorProto.DOUBLE, [None, 1])}
    graph = helper.make_graph(
        nodes,
        "late",
        [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, 1]) for name in ("temp", "wind")],
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in outputs.items()],
        [helper.make_tensor(name, TensorProto.DOUBLE, [1, 1], value) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    columns = [
        GraphColumn(name="temp", input="temp", tensor="double"),
        GraphColumn(name="wind", input="wind", tensor="double"),
        GraphColumn(name="carrier", input=None, tensor="string"),
    ]
    for key, value in ((SIGNATURE_KEY, signature), (COLUMNS_KEY, columns), (OUTPUTS_KEY, list(outputs))):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, msgspec.json.encode(value).decode()
    content: bytes = model.SerializeToString()
    onnx.checker.check_model(content)
    return content


@dataclass
class Traffic:
    """One endpoint and what is sent to it."""

    workspace: Workspace
    name: str
    signature: Signature
    graph: bytes
    deployment: int
    n_batches: int = 0
    answers: list[pa.Table] = field(default_factory=list)

    def send(self, frame: pd.DataFrame, *, batch_rows: int = 250) -> pa.Table:
        """Log the frame's rows with the graph's answers, in batches, as the host does; returns all logged rows."""
        rows = log_rows(self.graph, frame, self.signature)
        for start in range(0, rows.num_rows, batch_rows):
            self._log(rows.slice(start, batch_rows))
        return pa.concat_tables(self.answers)

    def _log(self, rows: pa.Table) -> None:
        self.n_batches += 1
        now = self.workspace.now()
        n_rows = rows.num_rows
        request = f"request-{self.name}-{self.n_batches}"
        logged = rows.add_column(0, "request_id", pa.array([request] * n_rows))
        logged = logged.add_column(1, "row_number", pa.array(range(n_rows), type=pa.int32()))
        logged = logged.add_column(2, "answered_at", pa.array([now] * n_rows, type=pa.timestamp("us", "UTC")))
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, logged.schema) as writer:
            writer.write_table(logged)
        self.answers.append(logged)
        endpoints.record_batch(
            self.workspace,
            endpoint=self.name,
            batch=f"{self.n_batches:08d}",
            deployment=self.deployment,
            digest=self.workspace.blobs.put(sink.getvalue().to_pybytes()),
            n_rows=n_rows,
            started_at=now,
            ended_at=now + timedelta(seconds=1),
        )


@pytest.fixture
def frames() -> Callable[..., pd.DataFrame]:
    return weather


@pytest.fixture
def deploy(workspace: Workspace) -> Callable[..., Traffic]:
    """Register and deploy a model on training data of 4000 rows; a second call with the same name replaces it."""

    def deployed(
        name: str = "late",
        *,
        task: Task = Task.classification,
        labels: list[Any] | None = None,
        training: pd.DataFrame | None = None,
        training_ref: str | None = None,
        recorded: bool = True,
    ) -> Traffic:
        signature = signature_of(task, [0, 1] if task is Task.classification else None)
        graph = graph_of(signature)
        if training_ref is None and recorded:
            frame = training if training is not None else weather(4000, seed=1)
            training_ref = snapshot(workspace, f"{name}-train", frame).ref
        run = create_run(workspace, name=name)
        digest = workspace.blobs.put(graph)
        with workspace.transaction() as tx:
            tx.insert(
                "run_models",
                run_id=run.run_id,
                variable="model",
                estimator="handmade",
                format="skops",
                model_digest=digest,
                size_bytes=len(graph),
                signature=wire.encode_json(signature).decode(),
                written_by="ada",
                training_ref=training_ref,
            )
            now = workspace.now().isoformat()
            tx.execute(
                "INSERT INTO models (name, created_at) VALUES (:name, :now) ON CONFLICT DO NOTHING",
                {"name": name, "now": now},
            )
            row = tx.execute("SELECT COUNT(*) + 1 AS n FROM model_versions WHERE name = :name", {"name": name})
            number = row.fetchone()["n"]
            tx.insert(
                "model_versions",
                name=name,
                number=number,
                run_id=run.run_id,
                stage="none",
                metrics="{}",
                onnx_digest=digest,
                created_at=now,
                created_by="ada",
            )
            endpoints.ensure_endpoint(tx, name)
            deployment = endpoints.add_deployment(tx, name, name, number)
            endpoints.move_deployment(tx, name, deployment, DeploymentStatus.live)
        return Traffic(workspace=workspace, name=name, signature=signature, graph=graph, deployment=deployment)

    return deployed
