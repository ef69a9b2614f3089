"""Rows as the prediction log keeps them: an Arrow table of inputs, predictions and probabilities.

Columns: `request_id`, `row_number`, `answered_at`, `prediction` (label or number), `p_0` ... `p_k` (float32, classes in
the order of the signature's labels), and each raw input as `in.<name>`. The reference is kept in the same form, as if
the training rows had been traffic.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..domain.errors import DamagedContentError
from ..domain.model import Signature, Task
from .samples import ColumnSample, count_categories, sample_column

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

INPUT_PREFIX = "in."
PREDICTION = "prediction"


def read_rows(content: bytes, what: str) -> pa.Table:
    """The Arrow table in the bytes. Raises DamagedContentError naming `what` when they are none."""
    import pyarrow as pa

    try:
        return pa.ipc.open_file(pa.BufferReader(content)).read_all()
    except pa.ArrowInvalid:
        pass
    try:
        return pa.ipc.open_stream(pa.BufferReader(content)).read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise DamagedContentError(f"{what} is not an Arrow table: {error}.") from error


def write_rows(table: pa.Table) -> bytes:
    """The table as compressed Arrow IPC."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def concat_rows(tables: Sequence[pa.Table]) -> pa.Table:
    """All rows in one table. A column that came as numbers here and as text there becomes text."""
    import pyarrow as pa

    if len(tables) == 1:
        return tables[0]
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.concat_tables([_without_clashes(table, tables) for table in tables], promote_options="permissive")


def input_samples(table: pa.Table, signature: Signature) -> dict[str, ColumnSample]:
    """The logged inputs of the signature's columns, ready to compare. Columns that were not logged are left out."""
    names = set(table.column_names)
    return {
        column.name: sample_column(column.name, table.column(INPUT_PREFIX + column.name))
        for column in signature.inputs
        if INPUT_PREFIX + column.name in names
    }


def prediction_sample(table: pa.Table, signature: Signature) -> ColumnSample | None:
    """What the model answered, as one column to compare; None when nothing was answered.

    Two classes: the probability of the second. More, or no probabilities: the label. Regression: the number.
    """
    import pyarrow.compute as pc

    names = set(table.column_names)
    if PREDICTION not in names:
        return None
    if signature.task is not Task.classification:
        return sample_column(PREDICTION, table.column(PREDICTION))
    labels = signature.labels or []
    if len(labels) == 2 and "p_1" in names:
        return sample_column(f"P({labels[1]})", table.column("p_1"))
    column = table.column(PREDICTION)
    counted = pc.value_counts(column.drop_null())
    counts = {
        str(value): int(count)
        for value, count in zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
    }
    return count_categories(PREDICTION, counts, n_missing=int(column.null_count))


def row_keys(request_ids: Iterable[str], row_numbers: Iterable[int]) -> NDArray[np.uint64]:
    """64-bit keys (n,) of rows: two of a million rows collide with a chance of 3e-8."""
    import numpy as np

    keys = [
        hashlib.blake2b(f"{row_number}:{request_id}".encode(), digest_size=8).digest()
        for request_id, row_number in zip(request_ids, row_numbers, strict=True)
    ]
    return np.frombuffer(b"".join(keys), dtype=np.uint64)


def _without_clashes(table: pa.Table, tables: Sequence[pa.Table]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.types as types

    for place, field in enumerate(table.schema):
        kinds = {
            _family(other.schema.field(field.name).type) for other in tables if field.name in other.schema.names
        } - {None}
        if len(kinds) > 1 and not types.is_null(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(pa.string()))
    return table


def _family(kind: pa.DataType) -> str | None:
    import pyarrow.types as types

    if types.is_null(kind):
        return None
    if types.is_integer(kind) or types.is_floating(kind):
        return "number"
    return "text" if types.is_string(kind) or types.is_large_string(kind) else str(kind)
