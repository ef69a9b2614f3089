"""What came from what: a graph from sources and dataset versions over runs and models to endpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class NodeKind(str, Enum):
    """What a node of the graph is."""

    SOURCE = "source"
    DATASET = "dataset"
    RUN = "run"
    MODEL = "model"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageNode:
    """`node_id` is unique in a graph (`dataset:flights@v3`, `run:20261101-...`); `ref` is what the noun's own page takes."""

    node_id: str
    kind: NodeKind
    ref: str
    label: str
    created_at: datetime | None = None
    created_by: str | None = None
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageEdge:
    """`source` went into `target`, by their node ids.

    `role`: "read", "produced", "parent", "derived", "same" (content under another name), "trained", "serves", "reference", "taken".
    """

    source: str
    target: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageRecord:
    """Everything that one node comes from and everything that comes from it. `root` is a node id."""

    root: str
    nodes: list[LineageNode]
    edges: list[LineageEdge]
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CleaningReport:
    """What `gc` removed, or would remove: versions by reference, blobs by number, and the bytes that are freed."""

    dry_run: bool
    versions: list[str]
    n_blobs: int
    n_packs_rewritten: int
    freed_bytes: int
    n_kept_young: int
    problems: list[str] = field(default_factory=list)
