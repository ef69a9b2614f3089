"""Encoders of categories: OneHotEncoder, OrdinalEncoder, TargetEncoder.

What a category becomes is asked of the fitted encoder itself, category by category, so every option (drop, infrequent
categories, encoded missing values) comes out as scikit-learn has it. The graph then is one lookup per column.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from .conversion import Conversion
from .inputs import MISSING_TEXT
from .table import Piece, Table, matrix, numbers, single_columns


def encode_one_hot(conversion: Conversion, encoder: Any, table: Table) -> Table:
    """OneHotEncoder: all columns are looked up, then compared at once with the position of every output column."""
    graph = conversion.graph
    columns = _checked_columns(conversion, encoder, table)
    rows = _encoded_categories(encoder)
    widths = [int(width) for width in encoder._n_features_outs]
    starts = np.concatenate([[0], np.cumsum(widths)]).astype(int)
    looked_up = []
    for position, piece in enumerate(columns):
        block = rows[position][:, starts[position] : starts[position + 1]]
        places = [int(row.indices[0]) if row.nnz else -1 for row in block]
        unknown = -1
        infrequent = _infrequent_category(encoder, position)
        if encoder.handle_unknown in ("infrequent_if_exist", "warn") and infrequent is not None:
            unknown = places[infrequent]
        looked_up.append(look_up(conversion, encoder, piece, encoder.categories_[position], places, unknown))
    owners = [position for position, width in enumerate(widths) for _ in range(width)]
    places_out = [place for width in widths for place in range(width)]
    if not owners:
        return []
    spread = graph.take_columns(graph.concat(looked_up), owners)
    hits = graph.op("Equal", spread, graph.constant(np.array([places_out], dtype=np.int64)))
    return numbers(graph.cast(hits, "double"), len(owners), table)


def encode_by_table(conversion: Conversion, encoder: Any, table: Table) -> Table:
    """OrdinalEncoder and TargetEncoder: each category's numbers from a table."""
    graph = conversion.graph
    columns = _checked_columns(conversion, encoder, table)
    rows = _encoded_categories(encoder)
    width = rows[0].shape[1] // len(columns) if rows else 0
    is_target = type(encoder).__name__ == "TargetEncoder"
    pieces: Table = []
    for position, piece in enumerate(columns):
        # TargetEncoder puts the classes of one column beside each other, like the columns of the others.
        block = rows[position][:, position * width : (position + 1) * width].toarray()
        if is_target:
            unknown = np.atleast_1d(np.asarray(encoder.target_mean_, dtype=np.float64))
        elif encoder.handle_unknown == "use_encoded_value":
            unknown = np.array([encoder.unknown_value], dtype=np.float64)
        else:
            unknown = np.array([np.nan])
        categories = encoder.categories_[position]
        places = look_up(conversion, encoder, piece, categories, list(range(len(categories))), len(categories))
        values = graph.constant(np.vstack([block, unknown[None, :]]).astype(np.float64))
        flat = graph.op("Reshape", places, graph.constant(np.array([-1], dtype=np.int64)))
        pieces.append(
            Piece(tensor=graph.op("Gather", values, flat, axis=0), kind="double", width=width, sources=piece.sources)
        )
    return pieces


def _checked_columns(conversion: Conversion, encoder: Any, table: Table) -> Table:
    if any(piece.kind == "datetime" for piece in table):
        conversion.refuse_dates(encoder, table)
    return single_columns(conversion.graph, table)


def _encoded_categories(encoder: Any) -> list[Any]:
    """For each column, a sparse matrix [categories, all output columns]: what its categories become."""
    import pandas as pd
    from scipy import sparse

    asked = copy.copy(encoder)
    if hasattr(asked, "sparse_output"):
        asked.sparse_output = True
    if hasattr(asked, "_sklearn_output_config"):
        asked._sklearn_output_config = {}
    names = list(getattr(encoder, "feature_names_in_", range(len(encoder.categories_))))
    rows = []
    for position, categories in enumerate(encoder.categories_):
        frame = pd.DataFrame(
            {
                name: pd.Series(
                    categories if other == position else np.repeat(known[:1], len(categories)), dtype=known.dtype
                )
                for other, (name, known) in enumerate(zip(names, encoder.categories_, strict=True))
            }
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about feature names and unknown categories, which are ours to handle
            rows.append(sparse.csr_matrix(asked.transform(frame)))
    return rows


def _infrequent_category(encoder: Any, position: int) -> int | None:
    """The position of some infrequent category of the column, if it has any."""
    if not getattr(encoder, "_infrequent_enabled", False):
        return None
    found = encoder._infrequent_indices[position]
    return None if found is None else int(found[0])


def look_up(
    conversion: Conversion, encoder: Any, piece: Piece, categories: Any, places: list[int], unknown: int
) -> str:
    """An int64 tensor [rows, 1]: the place of each value's category, `unknown` for others."""
    known = [category for category in categories if not _is_missing(category)]
    if any(isinstance(category, str) for category in known) != (piece.kind == "string") and known:
        conversion.fail(
            encoder,
            [piece],
            "it was fitted on text and its column now holds numbers, or the other way round",
            "log the model with the frame it was fitted on as example",
        )
    if piece.kind == "string":
        return _look_up_text(conversion, encoder, piece, dict(zip(categories, places, strict=True)), unknown)
    if _refuses_unknown(encoder):
        _restrict(conversion, piece, [_json_number(category, piece.kind) for category in known])
    # Whole numbers are compared as such: those beyond 2^53 are not the same as a double.
    if piece.kind in ("int64", "bool") and all(float(category).is_integer() for category in known):
        exact = {int(c): place for c, place in zip(categories, places, strict=True) if not _is_missing(c)}
        tensor = piece.tensor if piece.kind == "int64" else conversion.graph.cast(piece.tensor, "int64")
        return _look_up_numbers(conversion, tensor, TensorProto.INT64, exact, unknown)
    # A missing number is NaN for the graph, whatever object stood for it in training.
    table = {np.nan if _is_missing(c) else float(c): place for c, place in zip(categories, places, strict=True)}
    return _look_up_numbers(conversion, matrix(conversion.graph, [piece]), TensorProto.DOUBLE, table, unknown)


def _look_up_text(conversion: Conversion, encoder: Any, piece: Piece, places: dict[Any, int], unknown: int) -> str:
    table: dict[str, int] = {}
    for category, place in places.items():
        if not _is_missing(category):
            table[str(category)] = place
        elif piece.missing is None or piece.missing == _marker(category):
            table[MISSING_TEXT] = place
    table.update({old: table.get(new, unknown) for old, new in piece.replaced.items()})
    if _refuses_unknown(encoder):
        _restrict(conversion, piece, [text for text in table if text != MISSING_TEXT])
    return conversion.graph.ml(
        "LabelEncoder",
        piece.tensor,
        keys_strings=list(table),
        values_int64s=list(table.values()),
        default_int64=unknown,
    )


def _look_up_numbers(conversion: Conversion, tensor: str, key_type: int, table: dict[Any, int], unknown: int) -> str:
    n = len(table)
    return conversion.graph.ml(
        "LabelEncoder",
        tensor,
        keys_tensor=helper.make_tensor("keys", key_type, [n], list(table)),
        values_tensor=helper.make_tensor("values", TensorProto.INT64, [n], list(table.values())),
        default_tensor=helper.make_tensor("default", TensorProto.INT64, [1], [unknown]),
    )


def _refuses_unknown(encoder: Any) -> bool:
    return getattr(encoder, "handle_unknown", "ignore") == "error"


def _restrict(conversion: Conversion, piece: Piece, known: list[Any]) -> None:
    """An encoder that raises on unknown categories: requests are refused instead, before they reach the graph."""
    if piece.raw:
        before = conversion.categories.get(piece.raw[0])
        conversion.categories[piece.raw[0]] = known if before is None else [v for v in before if v in known]


def _json_number(category: Any, kind: str) -> bool | int | float:
    if kind == "bool" or isinstance(category, (bool, np.bool_)):
        return bool(category)
    return int(category) if float(category).is_integer() else float(category)


def _marker(category: Any) -> str:
    if category is None:
        return "none"
    return "nan" if isinstance(category, (float, np.floating)) else "na"


def _is_missing(category: Any) -> bool:
    if category is None:
        return True
    if isinstance(category, (float, np.floating)):
        return bool(np.isnan(category))
    return type(category).__name__ == "NAType"
