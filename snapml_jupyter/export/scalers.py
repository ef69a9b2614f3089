"""Transformers of numbers that are a few arithmetic nodes: scalers, selectors, known functions. Always in double."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .conversion import Conversion
from .graph import Graph
from .table import Table, numbers, select, width_of


def scale_standard(conversion: Conversion, scaler: Any, table: Table) -> Table:
    """StandardScaler."""
    return _shift_and_divide(
        conversion,
        scaler,
        table,
        scaler.mean_ if scaler.with_mean else None,
        scaler.scale_ if scaler.with_std else None,
    )


def scale_robust(conversion: Conversion, scaler: Any, table: Table) -> Table:
    """RobustScaler."""
    return _shift_and_divide(
        conversion,
        scaler,
        table,
        scaler.center_ if scaler.with_centering else None,
        scaler.scale_ if scaler.with_scaling else None,
    )


def scale_by_maximum(conversion: Conversion, scaler: Any, table: Table) -> Table:
    """MaxAbsScaler."""
    return _shift_and_divide(conversion, scaler, table, None, scaler.scale_)


def scale_to_range(conversion: Conversion, scaler: Any, table: Table) -> Table:
    """MinMaxScaler."""
    graph = conversion.graph
    tensor = graph.op("Mul", conversion.numbers(scaler, table), graph.constant(_row(scaler.scale_)))
    tensor = graph.op("Add", tensor, graph.constant(_row(scaler.min_)))
    if scaler.clip:
        low, high = (graph.constant(np.array(float(end))) for end in scaler.feature_range)
        tensor = graph.op("Clip", tensor, low, high)
    return numbers(tensor, width_of(table), table)


def _shift_and_divide(conversion: Conversion, scaler: Any, table: Table, shift: Any, divisor: Any) -> Table:
    graph = conversion.graph
    tensor = conversion.numbers(scaler, table)
    if shift is not None:
        tensor = graph.op("Sub", tensor, graph.constant(_row(shift)))
    if divisor is not None:
        tensor = graph.op("Div", tensor, graph.constant(_row(divisor)))
    return numbers(tensor, width_of(table), table)


def cut_into_bins(conversion: Conversion, binner: Any, table: Table) -> Table:
    """KBinsDiscretizer: the number of inner edges a value has reached, or one column per bin."""
    graph = conversion.graph
    rows = conversion.numbers(binner, table)
    bins = []
    for position, edges in enumerate(binner.bin_edges_):
        column = graph.take_columns(rows, [position])
        inner = np.asarray(edges, dtype=np.float64)[None, 1:-1]
        reached = graph.cast(graph.op("GreaterOrEqual", column, graph.constant(inner)), "double")
        bins.append(graph.sum_columns(reached))
    if binner.encode == "ordinal":
        return numbers(graph.concat(bins), len(bins), table)
    n_bins = [int(n) for n in binner.n_bins_]
    places = [np.arange(n, dtype=np.float64)[None, :] for n in n_bins]
    hits = [graph.op("Equal", one, graph.constant(place)) for one, place in zip(bins, places, strict=True)]
    return numbers(graph.cast(graph.concat(hits), "double"), sum(n_bins), table)


def compare_with_threshold(conversion: Conversion, binarizer: Any, table: Table) -> Table:
    """Binarizer."""
    graph = conversion.graph
    above = graph.op(
        "Greater", conversion.numbers(binarizer, table), graph.constant(np.array(float(binarizer.threshold)))
    )
    return numbers(graph.cast(above, "double"), width_of(table), table)


def keep_selected(conversion: Conversion, selector: Any, table: Table) -> Table:
    """Every feature selector: the columns it chose, of any kind."""
    return select(conversion.graph, table, [int(position) for position in selector.get_support(indices=True)])


def _unary(op_type: str) -> Callable[[Graph, str], str]:
    return lambda graph, tensor: graph.op(op_type, tensor)


#: The numpy functions that a FunctionTransformer (or a transformed target) may apply.
FUNCTIONS: dict[str, Callable[[Graph, str], str]] = {
    "absolute": _unary("Abs"),
    "ceil": _unary("Ceil"),
    "cos": _unary("Cos"),
    "exp": _unary("Exp"),
    "expm1": lambda g, x: g.op("Sub", g.op("Exp", x), g.constant(np.array(1.0))),
    "floor": _unary("Floor"),
    "log": _unary("Log"),
    "log10": lambda g, x: g.op("Div", g.op("Log", x), g.constant(np.log(10.0))),
    "log1p": lambda g, x: g.op("Log", g.op("Add", x, g.constant(np.array(1.0)))),
    "log2": lambda g, x: g.op("Div", g.op("Log", x), g.constant(np.log(2.0))),
    "negative": _unary("Neg"),
    "reciprocal": _unary("Reciprocal"),
    "rint": _unary("Round"),
    "sign": _unary("Sign"),
    "sin": _unary("Sin"),
    "sqrt": _unary("Sqrt"),
    "square": lambda g, x: g.op("Mul", x, x),
    "tanh": _unary("Tanh"),
}


def apply_function(conversion: Conversion, transformer: Any, table: Table) -> Table:
    """FunctionTransformer: only functions that a graph has; any other is Python code."""
    function = transformer.func
    if function is None:
        return table
    name = getattr(function, "__name__", type(function).__name__)
    if not isinstance(function, np.ufunc) or name not in FUNCTIONS or transformer.kw_args:
        conversion.fail(
            transformer,
            table,
            f"the function '{name}' is Python code, which a graph cannot hold",
            "compute that column in the DataFrame before the model sees it, use a scikit-learn transformer "
            "(KBinsDiscretizer, PolynomialFeatures, ...), or one of the numpy functions "
            + ", ".join(f"np.{known}" for known in FUNCTIONS),
        )
    tensor = FUNCTIONS[name](conversion.graph, conversion.numbers(transformer, table))
    return numbers(tensor, width_of(table), table)


def _row(values: Any) -> Any:
    return np.asarray(values, dtype=np.float64).reshape(1, -1)
