"""What is known of a column of a version without reading it: the figures of its chunks, in the words of its type."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from ..domain.dataset import ChunkFigures, ColumnFigures
from .arrow_types import type_from_json
from .chunk_figures import codes_figures, figures_of, merged_figures
from .chunk_format import decode_chunk
from .chunks import buffer_bytes, number_type
from .manifest import Manifest, StoredColumn


def column_figures(column: StoredColumn, figures: dict[str, ChunkFigures | None], n_rows: int) -> ColumnFigures | None:
    """The figures of all rows, from those of the chunks; None when some chunk was kept without figures."""
    part = column.parts[0]
    found = [figures.get(digest) for digest in part.chunks]
    known = [one for one in found if one is not None]
    if len(known) < len(part.chunks):
        return None
    whole = merged_figures(known)
    if whole.n_values != n_rows:
        return None
    base = ColumnFigures(n_rows=n_rows, n_nulls=whole.n_nulls)
    held = type_from_json(part.type)
    kind = column.codec["kind"]
    if column.lookup is not None or kind in ("interval", "period") or column.codec.get("of") == "mixed":
        return base
    if pa.types.is_temporal(held):
        return ColumnFigures(
            n_rows=n_rows,
            n_nulls=whole.n_nulls,
            minimum_text=_time_text(whole.least, held),
            maximum_text=_time_text(whole.greatest, held),
        )
    count = whole.n_values - whole.n_nulls
    mean = None if whole.total is None or not count else whole.total / count
    if pa.types.is_boolean(held) or pa.types.is_integer(held) or pa.types.is_floating(held):
        return ColumnFigures(
            n_rows=n_rows,
            n_nulls=whole.n_nulls,
            mean=mean,
            standard_deviation=_deviation(whole, count),
            minimum=_finite(whole.least),
            maximum=_finite(whole.greatest),
        )
    return ColumnFigures(n_rows=n_rows, n_nulls=whole.n_nulls, mean_length=mean)


def figures_beside(manifest: Manifest) -> Iterator[tuple[str, ChunkFigures]]:
    """The figures of those chunks, by digest, that lie in no pack, which would have them: patched ones, and a small table's."""
    for digest, patch in manifest.patches.items():
        yield digest, patch.figures_made()
    for column in manifest.columns if manifest.chunks else []:
        part = column.parts[0]
        held = type_from_json(part.type)
        for n_rows, digest in zip(manifest.rows, part.chunks, strict=True):
            buffers = decode_chunk(manifest.chunks[digest], digest)
            if column.codec["kind"] in ("categorical", "level"):
                yield digest, codes_figures(buffer_bytes(buffers[1]).view(number_type(held)))
            else:
                yield digest, figures_of(held, n_rows, buffers)


def _deviation(figures: ChunkFigures, count: int) -> float | None:
    """Of a sample (one less than the count below the line), as pandas says it."""
    return None if figures.squares is None or count < 2 else math.sqrt(figures.squares / (count - 1))


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _time_text(value: float | None, held: Any) -> str | None:
    """A time as it is stored in ISO 8601; to the microsecond, which a float holds for this century."""
    if value is None:
        return None
    types = pa.types
    if types.is_date32(held):
        return str(np.datetime64(int(value), "D"))
    if types.is_timestamp(held):
        text = str(np.datetime64(int(value), held.unit).astype("M8[us]"))
        return text if held.tz is None else f"{text}Z"
    if types.is_duration(held):
        return str(
            datetime.timedelta(microseconds=int(np.timedelta64(int(value), held.unit).astype("m8[us]").astype(int)))
        )
    if types.is_time(held):
        per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[held.unit]
        whole = datetime.datetime.min + datetime.timedelta(seconds=value / per_second)
        return whole.time().isoformat()
    return None
