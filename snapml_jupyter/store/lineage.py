"""What came from what, read from the rows that say so: one step up or down from many nodes at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from ..domain.lineage import LineageEdge, LineageNode, NodeKind
from .database import Database

#: Values in one IN (...) list.
_BATCH = 400

#: Versions of one content under several names, such as a dataset that was read and the frame that a cell trained on: the
#: first of them (`o`) and each later one (`v`).
_SAME = """SELECT 'dataset:' || o.name || '@v' || o.number, 'dataset:' || v.name || '@v' || v.number
           FROM dataset_versions v JOIN dataset_versions o ON o.digest = v.digest
           WHERE (o.created_at, o.name) < (v.created_at, v.name) AND NOT EXISTS (
             SELECT 1 FROM dataset_versions e
             WHERE e.digest = o.digest AND (e.created_at, e.name) < (o.created_at, o.name))"""

#: (kind of the node that is asked for, its column, role, query). Each row: source id, target id, in the direction of time.
_UP = (
    (
        NodeKind.DATASET,
        "parent",
        """SELECT 'dataset:' || v.name || '@v' || v.parent_number, 'dataset:' || v.name || '@v' || v.number
           FROM dataset_versions v JOIN dataset_versions p ON p.name = v.name AND p.number = v.parent_number
           WHERE v.name || '@v' || v.number IN ({})""",
    ),
    (
        NodeKind.DATASET,
        "derived",
        """SELECT 'dataset:' || from_name || '@v' || from_number, 'dataset:' || name || '@v' || number
           FROM dataset_derivations WHERE name || '@v' || number IN ({})""",
    ),
    (NodeKind.DATASET, "same", _SAME + " AND v.name || '@v' || v.number IN ({})"),
    (
        NodeKind.DATASET,
        "produced",
        """SELECT 'run:' || v.run_id, 'dataset:' || v.name || '@v' || v.number FROM dataset_versions v
           WHERE v.name || '@v' || v.number IN ({}) AND v.run_id IS NOT NULL AND NOT EXISTS (
             SELECT 1 FROM run_inputs i
             WHERE i.run_id = v.run_id AND i.dataset_name = v.name AND i.dataset_number = v.number)""",
    ),
    (
        NodeKind.RUN,
        "read",
        """SELECT 'dataset:' || dataset_name || '@v' || dataset_number, 'run:' || run_id
           FROM run_inputs WHERE run_id IN ({})""",
    ),
    (
        NodeKind.MODEL,
        "trained",
        "SELECT 'run:' || run_id, 'model:' || name || ':' || number FROM model_versions WHERE name || ':' || number IN ({})",
    ),
    (
        NodeKind.ENDPOINT,
        "serves",
        """SELECT 'model:' || model_name || ':' || model_number, 'endpoint:' || endpoint
           FROM deployments WHERE endpoint IN ({})""",
    ),
    (
        NodeKind.ENDPOINT,
        "reference",
        "SELECT 'dataset:' || reference_ref, 'endpoint:' || endpoint FROM monitors WHERE reference_ref IS NOT NULL AND endpoint IN ({})",
    ),
)
_DOWN = (
    (
        NodeKind.DATASET,
        "parent",
        """SELECT 'dataset:' || name || '@v' || parent_number, 'dataset:' || name || '@v' || number
           FROM dataset_versions WHERE name || '@v' || parent_number IN ({})""",
    ),
    (
        NodeKind.DATASET,
        "derived",
        """SELECT 'dataset:' || from_name || '@v' || from_number, 'dataset:' || name || '@v' || number
           FROM dataset_derivations WHERE from_name || '@v' || from_number IN ({})""",
    ),
    (NodeKind.DATASET, "same", _SAME + " AND o.name || '@v' || o.number IN ({})"),
    (
        NodeKind.DATASET,
        "read",
        """SELECT 'dataset:' || dataset_name || '@v' || dataset_number, 'run:' || run_id
           FROM run_inputs WHERE dataset_name || '@v' || dataset_number IN ({})""",
    ),
    (
        NodeKind.DATASET,
        "reference",
        "SELECT 'dataset:' || reference_ref, 'endpoint:' || endpoint FROM monitors WHERE reference_ref IN ({})",
    ),
    (
        NodeKind.RUN,
        "produced",
        """SELECT 'run:' || v.run_id, 'dataset:' || v.name || '@v' || v.number FROM dataset_versions v
           WHERE v.run_id IN ({}) AND NOT EXISTS (
             SELECT 1 FROM run_inputs i
             WHERE i.run_id = v.run_id AND i.dataset_name = v.name AND i.dataset_number = v.number)""",
    ),
    (
        NodeKind.RUN,
        "trained",
        "SELECT 'run:' || run_id, 'model:' || name || ':' || number FROM model_versions WHERE run_id IN ({})",
    ),
    (
        NodeKind.MODEL,
        "serves",
        """SELECT 'model:' || model_name || ':' || model_number, 'endpoint:' || endpoint
           FROM deployments WHERE model_name || ':' || model_number IN ({})""",
    ),
)

_DESCRIBED = {
    NodeKind.DATASET: """SELECT name || '@v' || number AS ref, created_at, created_by, n_rows, n_columns, message, source
                         FROM dataset_versions WHERE name || '@v' || number IN ({})""",
    NodeKind.RUN: """SELECT run_id AS ref, name, status, started_at AS created_at, actor AS created_by
                     FROM runs WHERE run_id IN ({})""",
    NodeKind.MODEL: """SELECT name || ':' || number AS ref, stage, created_at, created_by
                       FROM model_versions WHERE name || ':' || number IN ({})""",
    NodeKind.ENDPOINT: "SELECT name AS ref, created_at, created_by, removed_at FROM endpoints WHERE name IN ({})",
}


def list_edges(database: Database, node_ids: Iterable[str], *, up: bool) -> list[LineageEdge]:
    """The edges that lead one step up (to what a node came from) or down from these nodes."""
    by_kind = _by_kind(node_ids)
    edges = []
    for kind, role, query in _UP if up else _DOWN:
        for marks, params in _batches(by_kind.get(kind, [])):
            for row in database.rows(query.format(marks), params):
                edges.append(LineageEdge(source=row[0], target=row[1], role=role))
    return edges


def describe_nodes(database: Database, node_ids: Iterable[str]) -> dict[str, LineageNode]:
    """Those of the nodes that are recorded, by id. Names of versions that were removed since are absent."""
    found: dict[str, LineageNode] = {}
    for kind, refs in _by_kind(node_ids).items():
        for marks, params in _batches(refs if kind in _DESCRIBED else []):
            for row in database.rows(_DESCRIBED[kind].format(marks), params):
                keys = row.keys()
                node_id = f"{kind.value}:{row['ref']}"
                details: dict[str, str] = {
                    name: str(row[name])
                    for name in ("status", "stage", "n_rows", "n_columns", "message", "removed_at")
                    if name in keys and row[name] is not None
                }
                found[node_id] = LineageNode(
                    node_id=node_id,
                    kind=kind,
                    ref=row["ref"],
                    label=row["name"] if kind is NodeKind.RUN else row["ref"],
                    created_at=datetime.fromisoformat(row["created_at"]),
                    created_by=row["created_by"],
                    details=details,
                )
    return found


def list_sources(database: Database, node_ids: Iterable[str]) -> list[tuple[LineageNode, LineageEdge]]:
    """The files, queries, uploads and variables that these dataset versions were taken from."""
    found = []
    for marks, params in _batches(_by_kind(node_ids).get(NodeKind.DATASET, [])):
        query = f"""SELECT name || '@v' || number AS ref, source FROM dataset_versions
                    WHERE source IS NOT NULL AND name || '@v' || number IN ({marks})"""
        for row in database.rows(query, params):
            said = json.loads(row["source"])
            node = LineageNode(
                node_id=f"source:{said['kind']}:{said['name']}",
                kind=NodeKind.SOURCE,
                ref=said["name"],
                label=said["name"] if len(said["name"]) <= 40 else "…" + said["name"][-39:],
                details={"kind": said["kind"], **({"detail": said["detail"]} if said["detail"] else {})},
            )
            edge = LineageEdge(source=node.node_id, target=f"dataset:{row['ref']}", role="taken")
            found.append((node, edge))
    return found


def _by_kind(node_ids: Iterable[str]) -> dict[NodeKind, list[str]]:
    found: dict[NodeKind, list[str]] = {}
    for node_id in node_ids:
        kind, _, ref = node_id.partition(":")
        found.setdefault(NodeKind(kind), []).append(ref)
    return found


def _batches(refs: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    for start in range(0, len(refs), _BATCH):
        params = {f"r{number}": ref for number, ref in enumerate(refs[start : start + _BATCH])}
        yield ", ".join(f":{name}" for name in params), params
