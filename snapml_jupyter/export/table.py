"""What flows between the steps of a pipeline while it is converted: columns of one or several kinds, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .graph import Graph
from .inputs import MISSING_TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Columns of one kind: a tensor of shape [rows, width].

    `kind` is an element kind of the graph, or "datetime" for a raw column that no graph can hold.
    `sources` are the raw columns it was made from; `raw` names, for each column, the raw column whose values it still
    holds (missing ones may be filled), or is empty.
    `missing` says how the model sees a missing text: "nan", "none", "na", or None when training had none.
    `is_category` says that it is still a raw column of pandas categories.
    `replaced` are texts that an imputer changed; encoders fold them into their table, so no node is spent on them.
    """

    tensor: str
    kind: str
    width: int = 1
    sources: tuple[str, ...] = ()
    raw: tuple[str, ...] = ()
    missing: str | None = None
    is_category: bool = False
    replaced: dict[str, str] = field(default_factory=dict)


Table = list[Piece]


def width_of(table: Table) -> int:
    """Number of columns."""
    return sum(piece.width for piece in table)


def sources_of(table: Table) -> tuple[str, ...]:
    """The raw columns a table was made from, each once."""
    return tuple(dict.fromkeys(name for piece in table for name in piece.sources))


def raw_of(table: Table) -> tuple[str, ...]:
    """The raw column behind each column, empty when any is not raw any more."""
    return tuple(name for piece in table for name in piece.raw) if all(piece.raw for piece in table) else ()


def numbers(tensor: str, width: int, table: Table, raw: tuple[str, ...] = ()) -> Table:
    """A numeric result made from all columns of `table`."""
    return [Piece(tensor=tensor, kind="double", width=width, sources=sources_of(table), raw=raw)]


def matrix(graph: Graph, table: Table) -> str:
    """All columns as one double tensor [rows, width]. Neighbours of one kind are joined before they are cast."""
    runs: list[list[Piece]] = []
    for piece in table:
        if runs and runs[-1][-1].kind == piece.kind:
            runs[-1].append(piece)
        else:
            runs.append([piece])
    joined = [(run[0].kind, graph.concat([piece.tensor for piece in run])) for run in runs]
    return graph.concat([tensor if kind == "double" else graph.cast(tensor, "double") for kind, tensor in joined])


def single_columns(graph: Graph, table: Table) -> Table:
    """The same columns, one piece each."""
    pieces = []
    for piece in table:
        if piece.width == 1:
            pieces.append(piece)
        else:
            pieces.extend(_some(graph, piece, [position]) for position in range(piece.width))
    return pieces


def select(graph: Graph, table: Table, positions: Sequence[int]) -> Table:
    """Some columns by position; neighbours within one piece stay together."""
    owners = [(piece, offset) for piece in table for offset in range(piece.width)]
    chosen: list[tuple[Piece, list[int]]] = []
    for position in positions:
        piece, offset = owners[position]
        if chosen and chosen[-1][0] is piece:
            chosen[-1][1].append(offset)
        else:
            chosen.append((piece, [offset]))
    return [piece if offsets == list(range(piece.width)) else _some(graph, piece, offsets) for piece, offsets in chosen]


def _some(graph: Graph, piece: Piece, offsets: list[int]) -> Piece:
    raw = tuple(piece.raw[offset] for offset in offsets) if piece.raw else ()
    tensor = graph.take_columns(piece.tensor, offsets)
    return replace(piece, tensor=tensor, width=len(offsets), raw=raw, sources=raw or piece.sources)


def is_missing(graph: Graph, piece: Piece, missing: Any = np.nan) -> str:
    """Where the piece is missing, as a bool tensor; `missing` is what the model calls missing there."""
    if piece.kind == "string":
        text = missing if isinstance(missing, str) else MISSING_TEXT
        return graph.op("Equal", written_out(graph, piece).tensor, graph.constant([[text]]))
    tensor = matrix(graph, [piece])
    if isinstance(missing, (int, float)) and not np.isnan(missing):
        return graph.op("Equal", tensor, graph.constant(np.array(float(missing))))
    return graph.op("IsNaN", tensor)


def written_out(graph: Graph, piece: Piece) -> Piece:
    """The piece with its replaced texts really replaced."""
    tensor = piece.tensor
    for old, new in piece.replaced.items():
        tensor = graph.op(
            "Where", graph.op("Equal", piece.tensor, graph.constant([[old]])), graph.constant([[new]]), tensor
        )
    return replace(piece, tensor=tensor, replaced={})


def kinds_of(table: Iterable[Piece]) -> set[str]:
    """The element kinds in a table."""
    return {piece.kind for piece in table}
