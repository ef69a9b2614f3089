"""SimpleImputer and MissingIndicator, on numbers and on text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .conversion import Conversion
from .inputs import MISSING_TEXT
from .table import Piece, Table, is_missing, matrix, numbers, raw_of, select, single_columns, sources_of, width_of


def impute(conversion: Conversion, imputer: Any, table: Table) -> Table:
    """SimpleImputer: fill what is missing; columns that had no value in training are dropped, as in scikit-learn."""
    graph = conversion.graph
    if any(piece.kind == "datetime" for piece in table):
        conversion.refuse_dates(imputer, table)
    statistics = np.asarray(imputer.statistics_, dtype=object)
    kept = [i for i, value in enumerate(statistics) if imputer.keep_empty_features or not _is_nan(value)]
    filled: Table = []
    # Neighbours of one kind are filled together: one node for all numbers that stand side by side.
    for positions in _runs(table, kept):
        pieces = select(graph, table, positions)
        fills = [statistics[position] for position in positions]
        if pieces[0].kind == "string":
            columns = single_columns(graph, pieces)
            filled.extend(_fill_text(imputer, piece, fill) for piece, fill in zip(columns, fills, strict=True))
        elif pieces[0].kind in ("int64", "bool") and _is_nan(imputer.missing_values):
            filled.extend(pieces)  # these kinds are never missing
        else:
            filled.append(_fill_numbers(conversion, imputer, pieces, fills))
    if imputer.add_indicator and len(imputer.indicator_.features_):
        filled.extend(indicate_missing(conversion, imputer.indicator_, table))
    return filled


def indicate_missing(conversion: Conversion, indicator: Any, table: Table) -> Table:
    """MissingIndicator: a column of zeros and ones for each column that had missing values in training."""
    graph = conversion.graph
    columns = single_columns(graph, table)
    shown = [columns[int(position)] for position in indicator.features_]
    if not shown:
        return []
    if all(piece.kind != "string" for piece in shown):
        joined = Piece(tensor=matrix(graph, shown), kind="double", width=len(shown))
        flags = [is_missing(graph, joined, indicator.missing_values)]
    else:
        flags = [_flag(conversion, indicator, piece) for piece in shown]
    return numbers(graph.cast(graph.concat(flags), "double"), len(shown), shown)


def _flag(conversion: Conversion, indicator: Any, piece: Piece) -> str:
    if piece.kind == "string" and not _sees_missing(indicator.missing_values, piece):
        # A null in this column is not what the model calls missing, so nothing ever is.
        return conversion.graph.op("Equal", piece.tensor, conversion.graph.constant([[MISSING_TEXT + "never"]]))
    return is_missing(conversion.graph, piece, indicator.missing_values)


def _fill_numbers(conversion: Conversion, imputer: Any, pieces: Table, fills: list[Any]) -> Piece:
    graph = conversion.graph
    tensor = matrix(graph, pieces)
    values = graph.constant(np.array([fills], dtype=np.float64))
    missing = imputer.missing_values
    if _is_nan(missing) or missing is None:
        where, raw = graph.op("IsNaN", tensor), raw_of(pieces)
    else:
        # The sentinel number is a raw value too, but none of the values that the following steps see.
        where, raw = graph.op("Equal", tensor, graph.constant(np.array(float(missing)))), ()
    width = width_of(pieces)
    made = graph.op("Where", where, values, tensor)
    return Piece(tensor=made, kind="double", width=width, sources=sources_of(pieces), raw=raw)


def _fill_text(imputer: Any, piece: Piece, fill: Any) -> Piece:
    missing = imputer.missing_values
    if isinstance(missing, str):
        return replace(piece, replaced={**piece.replaced, missing: str(fill)})
    if _sees_missing(missing, piece) and not _is_nan(fill):
        return replace(piece, replaced={**piece.replaced, MISSING_TEXT: str(fill)})
    return piece


def _sees_missing(missing_values: Any, piece: Piece) -> bool:
    """Whether what stands for a missing text in this column is what the imputer looks for."""
    if isinstance(missing_values, str) or piece.missing is None:
        return True
    if missing_values is None:
        return piece.missing == "none"
    if type(missing_values).__name__ == "NAType":
        return True  # pandas.isna, which knows all three
    return piece.missing == "nan"


def _runs(table: Table, kept: list[int]) -> list[list[int]]:
    kinds = [piece.kind for piece in table for _ in range(piece.width)]
    runs: list[list[int]] = []
    for position in kept:
        if runs and kinds[runs[-1][-1]] == kinds[position]:
            runs[-1].append(position)
        else:
            runs.append([position])
    return runs


def _is_nan(value: Any) -> bool:
    return (isinstance(value, (float, np.floating)) and bool(np.isnan(value))) or type(value).__name__ == "NAType"
