"""The graph around a dataset version, run, model version or endpoint: what it came from, what came from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..domain.errors import InvalidInputError, NotFoundError
from ..domain.lineage import LineageEdge, LineageNode, LineageRecord, NodeKind
from ..operations import operation
from ..store import datasets, endpoints, models, runs
from ..store import lineage as kept
from ..store.workspace import Workspace

#: A larger graph is cut, since nobody can read it.
MOST_NODES = 400
_DIRECTIONS = ("both", "up", "down")


@operation(permission="datasets:read")
def get_lineage(workspace: Workspace, ref: str, direction: str = "both", depth: int = 20) -> LineageRecord:
    """The graph of what `ref` came from ("up"), what came from it ("down"), or both, at most `depth` steps away.

    `ref`: a dataset version (`flights@v3`, `flights`), a model version (`churn:4`), a run id or name, an endpoint, or a
    node id such as `endpoint:late-flights`. Raises NotFoundError naming what is there, InvalidInputError.
    """
    if direction not in _DIRECTIONS:
        raise InvalidInputError(f"A direction is one of {', '.join(_DIRECTIONS)}, not {direction!r}.")
    if not 1 <= depth <= 1000:
        raise InvalidInputError(f"The depth of a graph is 1 to 1000 steps, not {depth}.")
    root = _resolve(workspace, ref)
    edges: dict[tuple[str, str, str], LineageEdge] = {}
    ids = {root}
    is_cut = False
    for up in (True, False):
        if direction in ("both", "up" if up else "down"):
            is_cut |= _walk(workspace, root, up, depth, ids, edges)
    nodes = kept.describe_nodes(workspace.database, ids)
    for node, edge in kept.list_sources(workspace.database, [i for i in ids if i.startswith("dataset:")]):
        if direction != "down":
            nodes[node.node_id] = node
            edges[edge.source, edge.target, edge.role] = edge
    shown = [edge for edge in edges.values() if edge.source in nodes and edge.target in nodes]
    return LineageRecord(root=root, nodes=_in_order(nodes), edges=shown, is_cut=is_cut)


@operation(permission="datasets:read")
def export_openlineage(workspace: Workspace, ref: str, direction: str = "both") -> list[dict[str, Any]]:
    """The graph around `ref` as OpenLineage 2-0-2 events: two for each run, one for each version made without one."""
    from .openlineage import events_of

    return events_of(workspace, get_lineage(workspace, ref, direction))


def _walk(
    workspace: Workspace, root: str, up: bool, depth: int, ids: set[str], edges: dict[tuple[str, str, str], LineageEdge]
) -> bool:
    """Add what is above or below; whether the graph had to be cut."""
    frontier, seen = {root}, {root}
    for _ in range(depth):
        found = kept.list_edges(workspace.database, sorted(frontier), up=up)
        frontier = set()
        for edge in found:
            end = edge.source if up else edge.target
            if end not in seen and len(ids) >= MOST_NODES:
                return True
            edges[edge.source, edge.target, edge.role] = edge
            if end not in seen:
                seen.add(end)
                ids.add(end)
                frontier.add(end)
        if not frontier:
            return False
    return bool(kept.list_edges(workspace.database, sorted(frontier), up=up))


def _in_order(nodes: dict[str, LineageNode]) -> list[LineageNode]:
    return sorted(nodes.values(), key=lambda node: (node.created_at is not None, node.created_at, node.node_id))


def _resolve(workspace: Workspace, ref: str) -> str:
    """The node id that a reference means."""
    database = workspace.database
    kind, _, rest = ref.partition(":")
    if kind in {one.value for one in NodeKind} and rest:
        ref = rest
        if kind == "endpoint":
            return f"endpoint:{endpoints.get_endpoint(database, ref).name}"
        if kind == "dataset":
            return f"dataset:{datasets.get_version(database, ref).ref}"
        if kind == "model":
            return f"model:{models.get_version(database, ref).ref}"
        if kind == "run":
            return f"run:{runs.resolve(database, ref)}"
        raise InvalidInputError("The graph of a source is that of the version that was taken from it.")
    attempts: tuple[Callable[[], str], ...] = (
        lambda: f"dataset:{datasets.get_version(database, ref).ref}",
        lambda: f"model:{models.get_version(database, ref).ref}",
        lambda: f"run:{runs.resolve(database, ref)}",
        lambda: f"endpoint:{endpoints.get_endpoint(database, ref).name}",
    )
    for attempt in attempts:
        try:
            return attempt()
        except (NotFoundError, InvalidInputError):
            continue
    names = [*datasets.list_names(database), *models.list_names(database)]
    names += [endpoint.name for endpoint in endpoints.list_endpoints(database)]
    raise NotFoundError.of("dataset, model, run or endpoint", ref, names)
