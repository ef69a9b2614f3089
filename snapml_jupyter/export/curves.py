"""Transformers of numbers that bend or mix columns: powers, quantiles, polynomials, projections. Always in double."""

from __future__ import annotations

from typing import Any

import numpy as np

from .conversion import Conversion
from .graph import Graph
from .scalers import scale_standard
from .table import Table, numbers, width_of

#: Rational approximations of the normal quantile function to double precision: Wichura, "Algorithm AS 241", Applied
#: Statistics 37 (1988). For each region the numerator's and the denominator's coefficients, the constant first.
_MIDDLE = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
)  # fmt: skip
_SHOULDER = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)  # fmt: skip
_TAIL = (
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
)  # fmt: skip

#: What scikit-learn keeps away from 0 and 1 before it asks for the normal quantile.
_EDGE = 1e-7


def raise_to_powers(conversion: Conversion, transformer: Any, table: Table) -> Table:
    """PowerTransformer: Yeo-Johnson or Box-Cox, then standardised."""
    graph = conversion.graph
    rows = conversion.numbers(transformer, table)
    bend = _box_cox if transformer.method == "box-cox" else _yeo_johnson
    columns = [
        bend(graph, graph.take_columns(rows, [position]), float(power))
        for position, power in enumerate(transformer.lambdas_)
    ]
    bent = numbers(graph.concat(columns), len(columns), table)
    return scale_standard(conversion, transformer._scaler, bent) if transformer.standardize else bent


def spread_evenly(conversion: Conversion, transformer: Any, table: Table) -> Table:
    """QuantileTransformer, to a uniform or a normal distribution."""
    graph = conversion.graph
    rows = conversion.numbers(transformer, table)
    is_normal = transformer.output_distribution == "normal"
    heights = np.asarray(transformer.references_, dtype=np.float64)
    columns = []
    for position in range(width_of(table)):
        column = graph.take_columns(rows, [position])
        corners = np.asarray(transformer.quantiles_, dtype=np.float64)[:, position]
        # The mean of both directions, because of corners that repeat.
        upward = interpolate(graph, column, corners, heights)
        downward = interpolate(graph, graph.op("Neg", column), -corners[::-1], -heights[::-1])
        share = graph.op("Mul", graph.op("Sub", upward, downward), _number(graph, 0.5))
        reach = _EDGE if is_normal else 0.0
        top = graph.op("Greater" if is_normal else "GreaterOrEqual", column, _number(graph, corners[-1] - reach))
        bottom = graph.op("Less" if is_normal else "LessOrEqual", column, _number(graph, corners[0] + reach))
        share = graph.op("Where", top, _number(graph, 1.0), share)
        columns.append(graph.op("Where", bottom, _number(graph, 0.0), share))
    spread = graph.concat(columns)
    if is_normal:
        spread = _normal_quantile(graph, spread)
    spread = graph.op("Where", graph.op("IsNaN", rows), rows, spread)
    return numbers(spread, len(columns), table)


def multiply_columns(conversion: Conversion, transformer: Any, table: Table) -> Table:
    """PolynomialFeatures: every output is a product of columns."""
    graph = conversion.graph
    rows = conversion.numbers(transformer, table)
    width = width_of(table)
    first = graph.take_columns(rows, [0])
    ones = graph.cast(graph.op("Equal", first, first), "double")
    extended = graph.concat([rows, ones])
    powers = np.asarray(transformer.powers_)
    factors = [[place for place, power in enumerate(row) for _ in range(power)] for row in powers]
    product = ""
    for turn in range(max(1, *map(len, factors))):
        places = [factor[turn] if turn < len(factor) else width for factor in factors]
        taken = graph.take_columns(extended, places)
        product = graph.op("Mul", product, taken) if product else taken
    return numbers(product, len(factors), table)


def project(conversion: Conversion, transformer: Any, table: Table) -> Table:
    """PCA and TruncatedSVD."""
    graph = conversion.graph
    rows = conversion.numbers(transformer, table)
    axes = np.asarray(transformer.components_, dtype=np.float64).T
    tensor = graph.op("MatMul", rows, graph.constant(np.ascontiguousarray(axes)))
    if getattr(transformer, "mean_", None) is not None:
        tensor = graph.op("Sub", tensor, graph.constant(np.asarray(transformer.mean_).reshape(1, -1) @ axes))
    if getattr(transformer, "whiten", False):
        scale = np.sqrt(np.asarray(transformer.explained_variance_, dtype=np.float64))
        scale = np.maximum(scale, np.finfo(np.float64).eps)
        tensor = graph.op("Div", tensor, graph.constant(scale.reshape(1, -1)))
    return numbers(tensor, axes.shape[1], table)


def interpolate(graph: Graph, column: str, corners: Any, heights: Any) -> str:
    """`numpy.interp` of a column [rows, 1]; corners ascend and may repeat."""
    if len(corners) == 1:
        return graph.op("Add", graph.op("Mul", column, _number(graph, 0.0)), _number(graph, heights[0]))
    reached = graph.op("GreaterOrEqual", column, graph.constant(corners[None, 1:-1])) if len(corners) > 2 else None
    if reached is None:
        segment = graph.cast(graph.op("Greater", column, column), "int64")  # the only segment there is
    else:
        segment = graph.sum_columns(graph.cast(reached, "int64"))
    run = np.diff(corners)
    slope = np.divide(np.diff(heights), run, out=np.zeros_like(run), where=run > 0)
    at, height, rise = (
        graph.op("Gather", graph.constant(np.ascontiguousarray(values)), segment)
        for values in (corners[:-1], heights[:-1], slope)
    )
    value = graph.op("Add", height, graph.op("Mul", rise, graph.op("Sub", column, at)))
    last = graph.op("GreaterOrEqual", column, _number(graph, corners[-1]))
    before = graph.op("Less", column, _number(graph, corners[0]))
    value = graph.op("Where", last, _number(graph, heights[-1]), value)
    return graph.op("Where", before, _number(graph, heights[0]), value)


def _yeo_johnson(graph: Graph, column: str, power: float) -> str:
    one = _number(graph, 1.0)
    positive = _box_cox(graph, graph.op("Add", column, one), power)
    negative = graph.op("Neg", _box_cox(graph, graph.op("Sub", one, column), 2.0 - power))
    return graph.op("Where", graph.op("GreaterOrEqual", column, _number(graph, 0.0)), positive, negative)


def _box_cox(graph: Graph, column: str, power: float) -> str:
    """(x^p - 1) / p, which is log x at p = 0."""
    if abs(power) < np.spacing(1.0):
        return graph.op("Log", column)
    raised = graph.op("Sub", graph.op("Pow", column, _number(graph, power)), _number(graph, 1.0))
    return graph.op("Div", raised, _number(graph, power))


def _normal_quantile(graph: Graph, share: str) -> str:
    """The standard normal's quantiles of shares between 0 and 1, kept as far from infinity as scikit-learn keeps them."""
    low = _EDGE - np.spacing(1.0)
    share = graph.op("Clip", share, _number(graph, low), _number(graph, 1.0 - low))
    half = _number(graph, 0.5)
    centred = graph.op("Sub", share, half)
    middle_r = graph.op("Sub", _number(graph, 0.180625), graph.op("Mul", centred, centred))
    middle = graph.op("Mul", centred, _ratio(graph, middle_r, _MIDDLE))
    smaller = graph.op("Min", share, graph.op("Sub", _number(graph, 1.0), share))
    depth = graph.op("Sqrt", graph.op("Neg", graph.op("Log", smaller)))
    shoulder = _ratio(graph, graph.op("Sub", depth, _number(graph, 1.6)), _SHOULDER)
    tail = _ratio(graph, graph.op("Sub", depth, _number(graph, 5.0)), _TAIL)
    outer = graph.op("Where", graph.op("LessOrEqual", depth, _number(graph, 5.0)), shoulder, tail)
    outer = graph.op("Mul", outer, graph.op("Sign", centred))
    near = graph.op("LessOrEqual", graph.op("Abs", centred), _number(graph, 0.425))
    return graph.op("Where", near, middle, outer)


def _ratio(graph: Graph, x: str, coefficients: tuple[tuple[float, ...], tuple[float, ...]]) -> str:
    above, below = (_polynomial(graph, x, terms) for terms in coefficients)
    return graph.op("Div", above, below)


def _polynomial(graph: Graph, x: str, terms: tuple[float, ...]) -> str:
    """Horner's rule; the constant term comes first."""
    value = _number(graph, terms[-1])
    for term in reversed(terms[:-1]):
        value = graph.op("Add", graph.op("Mul", value, x), _number(graph, term))
    return value


def _number(graph: Graph, value: float) -> str:
    return graph.constant(np.array(float(value)))
