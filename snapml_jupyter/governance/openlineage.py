"""A lineage graph as OpenLineage events (spec 2-0-2), for Marquez, DataHub and others that collect them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from ..domain.dataset import DatasetVersion
from ..domain.errors import NotFoundError
from ..domain.lineage import LineageRecord, NodeKind
from ..domain.run import Run, RunStatus
from ..store import datasets, runs
from ..store import validation as validations
from ..store.workspace import Workspace
from ..version import __version__

PRODUCER = f"https://schema.snapml.org/producer/{__version__}"
_SPEC = "https://openlineage.io/spec"
_SCHEMA = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs"
#: Facet, and the version of its schema.
_FACETS = {
    "schema": "1-1-1/SchemaDatasetFacet",
    "version": "1-0-1/DatasetVersionDatasetFacet",
    "dataSource": "1-0-1/DatasourceDatasetFacet",
    "dataQualityAssertions": "1-0-1/DataQualityAssertionsDatasetFacet",
    "dataQualityMetrics": "1-0-2/DataQualityMetricsInputDatasetFacet",
    "outputStatistics": "1-0-2/OutputStatisticsOutputDatasetFacet",
    "sourceCode": "1-0-1/SourceCodeJobFacet",
    "jobType": "2-0-3/JobTypeJobFacet",
    "errorMessage": "1-0-1/ErrorMessageRunFacet",
    "processing_engine": "1-1-1/ProcessingEngineRunFacet",
}
_ENDS = {RunStatus.finished: "COMPLETE", RunStatus.failed: "FAIL"}
_RUNS = uuid.UUID("5b4f3f5e-6a6d-5d52-9a0e-6f3f1a1c7b51")


def events_of(workspace: Workspace, graph: LineageRecord) -> list[dict[str, Any]]:
    """START and one end event for every run of the graph, a dataset event for every version that no run made."""
    namespace = f"snapml:{workspace.location}"
    versions = {node.node_id: _version(workspace, node.ref) for node in graph.nodes if node.kind is NodeKind.DATASET}
    events: list[dict[str, Any]] = []
    made = {edge.target for edge in graph.edges if edge.source.startswith("run:")}
    for node_id, version in versions.items():
        if version is not None and node_id not in made:
            events.append(
                {
                    "eventTime": _time(version.created_at),
                    "producer": PRODUCER,
                    "schemaURL": f"{_SCHEMA}/DatasetEvent",
                    "dataset": _dataset(workspace, namespace, version),
                }
            )
    run_ids = [node.ref for node in graph.nodes if node.kind is NodeKind.RUN]
    for run in runs.load_runs(workspace.database, run_ids):
        inputs = [versions.get(edge.source) for edge in graph.edges if edge.target == f"run:{run.run_id}"]
        outputs = [versions.get(edge.target) for edge in graph.edges if edge.source == f"run:{run.run_id}"]
        trained = [
            e.target.partition(":")[2] for e in graph.edges if e.source == f"run:{run.run_id}" and e.role == "trained"
        ]
        events += _run_events(workspace, namespace, run, [v for v in inputs if v], [v for v in outputs if v], trained)
    return sorted(events, key=lambda event: event["eventTime"])


def _run_events(
    workspace: Workspace,
    namespace: str,
    run: Run,
    inputs: list[DatasetVersion],
    outputs: list[DatasetVersion],
    models: list[str],
) -> list[dict[str, Any]]:
    def event(kind: str, at: datetime) -> dict[str, Any]:
        return {
            "eventType": kind,
            "eventTime": _time(at),
            "producer": PRODUCER,
            "schemaURL": f"{_SCHEMA}/RunEvent",
            "run": {"runId": str(uuid.uuid5(_RUNS, run.run_id)), "facets": _run_facets(run)},
            "job": {"namespace": namespace, "name": f"{run.experiment}.{run.name}", "facets": _job_facets(run)},
            "inputs": [_input(workspace, namespace, version) for version in inputs],
            "outputs": [_output(workspace, namespace, version) for version in outputs]
            + [{"namespace": namespace, "name": f"model/{ref}", "facets": {}} for ref in models],
        }

    found = [event("START", run.started_at)]
    if run.finished_at is not None:
        found.append(event(_ENDS.get(run.status, "ABORT"), run.finished_at))
    return found


def _run_facets(run: Run) -> dict[str, Any]:
    facets = {
        "processing_engine": _facet("processing_engine", version=__version__, name="SnapML for Jupyter"),
    }
    if run.error is not None:
        facets["errorMessage"] = _facet(
            "errorMessage",
            message=f"{run.error.type}: {run.error.message}",
            programmingLanguage="python",
            stackTrace=run.error.traceback,
        )
    return facets


def _job_facets(run: Run) -> dict[str, Any]:
    facets = {
        "jobType": _facet("jobType", processingType="BATCH", integration="SNAPML", jobType=run.source.kind.upper())
    }
    if run.source.code:
        facets["sourceCode"] = _facet("sourceCode", language="python", sourceCode=run.source.code)
    return facets


def _input(workspace: Workspace, namespace: str, version: DatasetVersion) -> dict[str, Any]:
    metrics = _facet("dataQualityMetrics", rowCount=version.n_rows, bytes=version.size_bytes, columnMetrics={})
    return {**_dataset(workspace, namespace, version), "inputFacets": {"dataQualityMetrics": metrics}}


def _output(workspace: Workspace, namespace: str, version: DatasetVersion) -> dict[str, Any]:
    statistics = _facet("outputStatistics", rowCount=version.n_rows, size=version.size_bytes)
    return {**_dataset(workspace, namespace, version), "outputFacets": {"outputStatistics": statistics}}


def _dataset(workspace: Workspace, namespace: str, version: DatasetVersion) -> dict[str, Any]:
    fields = [
        {"name": column.name, "type": column.type, "ordinal_position": place}
        for place, column in enumerate(version.columns, start=1)
    ]
    facets = {
        "schema": _facet("schema", fields=fields),
        "version": _facet("version", datasetVersion=f"v{version.number}"),
    }
    if version.source is not None:
        kind, name = version.source.kind.value, version.source.name
        facets["dataSource"] = _facet(
            "dataSource", name=name, uri=f"file://{name}" if kind in ("file", "folder") else kind
        )
    record = validations.get_validation(workspace.database, version.name, version.number)
    if record is not None:
        assertions = [
            {
                "assertion": result.expectation,
                "success": result.passed,
                **({"column": result.column} if result.column is not None else {}),
            }
            for result in record.results
        ]
        facets["dataQualityAssertions"] = _facet("dataQualityAssertions", assertions=assertions)
    return {"namespace": namespace, "name": version.name, "facets": facets}


def _facet(facet: str, /, **content: Any) -> dict[str, Any]:
    place, _, kind = _FACETS[facet].partition("/")
    return {
        "_producer": PRODUCER,
        "_schemaURL": f"{_SPEC}/facets/{place}/{kind}.json#/$defs/{kind}",
        **content,
    }


def _version(workspace: Workspace, ref: str) -> DatasetVersion | None:
    try:
        return datasets.get_version(workspace.database, ref)
    except NotFoundError:  # removed since
        return None


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
