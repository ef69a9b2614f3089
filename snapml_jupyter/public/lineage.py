"""`snap.lineage`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .current import workspace

if TYPE_CHECKING:
    from ..domain.lineage import LineageEdge, LineageNode, LineageRecord


class LineageGraph:
    """What a thing came from and what came from it."""

    def __init__(self, record: LineageRecord) -> None:
        self.record = record

    def __repr__(self) -> str:
        return f"LineageGraph({self.record.root!r}, {len(self.nodes)} nodes, {len(self.edges)} edges)"

    @property
    def nodes(self) -> list[LineageNode]:
        """Everything in the graph, the oldest first."""
        return self.record.nodes

    @property
    def edges(self) -> list[LineageEdge]:
        """What went into what."""
        return self.record.edges

    @property
    def ancestors(self) -> list[LineageNode]:
        """Everything that it came from."""
        return self._reached(up=True)

    @property
    def descendants(self) -> list[LineageNode]:
        """Everything that came from it."""
        return self._reached(up=False)

    def to_openlineage(self) -> list[dict[str, Any]]:
        """OpenLineage 2-0-2 events of the graph."""
        from ..governance.lineage import export_openlineage

        return export_openlineage(workspace(), self.record.root)

    def _reached(self, *, up: bool) -> list[LineageNode]:
        reached, waiting = set(), [self.record.root]
        while waiting:
            here = waiting.pop()
            for edge in self.edges:
                one, two = (edge.target, edge.source) if up else (edge.source, edge.target)
                if one == here and two not in reached:
                    reached.add(two)
                    waiting.append(two)
        return [node for node in self.nodes if node.node_id in reached]


def lineage(ref: str, *, direction: str = "both", depth: int = 20) -> LineageGraph:
    """The graph around a dataset version, model version, run or endpoint; `direction` "up", "down" or "both"."""
    from ..governance.lineage import get_lineage

    return LineageGraph(get_lineage(workspace(), ref, direction, depth))
