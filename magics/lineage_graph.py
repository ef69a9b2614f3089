"""A lineage graph as a small drawing from left to right, and as text."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ..domain.lineage import LineageNode, LineageRecord, NodeKind
from .display import Shown

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y = 168, 38, 56, 14
#: Letter and colour: never colour alone.
_MARKS = {
    NodeKind.SOURCE: ("◇", "var(--jp-ui-font-color2,#757575)"),
    NodeKind.DATASET: ("▤", "var(--jp-brand-color1,#1976d2)"),
    NodeKind.RUN: ("▶", "var(--jp-success-color1,#388e3c)"),
    NodeKind.MODEL: ("◆", "var(--jp-warn-color1,#f57c00)"),
    NodeKind.ENDPOINT: ("●", "var(--jp-error-color1,#d32f2f)"),
}


@dataclass(frozen=True, repr=False)
class Graph(Shown):
    """The graph of a lineage record."""

    record: LineageRecord

    def to_html(self) -> str:
        layers = layers_of(self.record)
        tallest = max(len(layer) for layer in layers)
        height = tallest * (_HEIGHT + _GAP_Y) + _GAP_Y
        width = len(layers) * (_WIDTH + _GAP_X) - _GAP_X + 4
        places = {
            node.node_id: (
                2 + column * (_WIDTH + _GAP_X),
                (height - len(layer) * (_HEIGHT + _GAP_Y) + _GAP_Y) // 2 + row * (_HEIGHT + _GAP_Y),
            )
            for column, layer in enumerate(layers)
            for row, node in enumerate(layer)
        }
        lines = []
        for edge in self.record.edges:
            if edge.source in places and edge.target in places:
                (x1, y1), (x2, y2) = places[edge.source], places[edge.target]
                a, b, c, d = x1 + _WIDTH, y1 + _HEIGHT / 2, x2, y2 + _HEIGHT / 2
                bend = max(24, abs(c - a) / 2)
                lines.append(
                    f'<path d="M{a},{b} C{a + bend},{b} {c - bend},{d} {c},{d}" fill="none" '
                    f'stroke="var(--jp-border-color1,#9e9e9e)"><title>{escape(edge.role)}</title></path>'
                )
        boxes = [self._box(node, *places[node.node_id]) for layer in layers for node in layer]
        cut = (
            "<div>There is more than can be shown: ask for fewer steps with --depth.</div>"
            if self.record.is_cut
            else ""
        )
        return (
            '<div style="overflow-x:auto;font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:12px;'
            'color:var(--jp-ui-font-color1,inherit)">'
            f'<svg role="img" aria-label="{escape(self.to_plain(), quote=True)}" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" style="max-width:none">{"".join(lines)}{"".join(boxes)}</svg>{cut}</div>'
        )

    def to_plain(self) -> str:
        labels = {node.node_id: f"{_MARKS[node.kind][0]} {node.label}" for node in self.record.nodes}
        lines = [f"{labels.get(self.record.root, self.record.root)}  ({self.record.root.partition(':')[0]})"]
        lines += self._tree("from", up=True, labels=labels) + self._tree("into", up=False, labels=labels)
        return "\n".join(lines)

    def _tree(self, word: str, *, up: bool, labels: dict[str, str]) -> list[str]:
        lines: list[str] = []
        seen = {self.record.root}

        def add(node_id: str, depth: int) -> None:
            for edge in self.record.edges:
                here, there = (edge.target, edge.source) if up else (edge.source, edge.target)
                if here == node_id:
                    again = there in seen
                    lines.append(
                        f"{'  ' * depth}{word} {labels.get(there, there)}  {edge.role}{' (above)' if again else ''}"
                    )
                    if not again:
                        seen.add(there)
                        add(there, depth + 1)

        add(self.record.root, 1)
        return lines

    def _box(self, node: LineageNode, x: float, y: float) -> str:
        mark, colour = _MARKS[node.kind]
        is_root = node.node_id == self.record.root
        label = node.label if len(node.label) <= 21 else f"{node.label[:20]}…"
        said = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in node.details.items())
        below = node.kind.value + (f" · {node.created_by}" if node.created_by else "")
        return (
            f'<g transform="translate({x},{y})"><title>{escape(node.ref)}{escape(f" ({said})" if said else "")}</title>'
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="4" fill="var(--jp-layout-color1,transparent)" '
            f'stroke="{colour}" stroke-width="{2 if is_root else 1}"/>'
            f'<text x="10" y="16" fill="{colour}">{mark}</text>'
            f'<text x="26" y="16" fill="currentColor" font-weight="{600 if is_root else 400}">{escape(label)}</text>'
            f'<text x="26" y="30" fill="var(--jp-ui-font-color2,#757575)" font-size="10">{escape(below)}</text></g>'
        )


def layers_of(record: LineageRecord) -> list[list[LineageNode]]:
    """The nodes in columns: each to the right of all that went into it."""
    into: dict[str, list[str]] = {node.node_id: [] for node in record.nodes}
    for edge in record.edges:
        if edge.target in into and edge.source in into and edge.source != edge.target:
            into[edge.target].append(edge.source)
    layer: dict[str, int] = {}

    def place(node_id: str, path: frozenset[str]) -> int:
        if node_id not in layer:
            before = [place(one, path | {node_id}) for one in into[node_id] if one not in path | {node_id}]
            layer[node_id] = max(before, default=-1) + 1
        return layer[node_id]

    for node in record.nodes:
        place(node.node_id, frozenset())
    columns: list[list[LineageNode]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for node in record.nodes:
        columns[layer[node.node_id]].append(node)
    return columns
