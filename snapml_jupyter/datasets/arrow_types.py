"""Arrow types as JSON and back, so that a manifest says them in words that no library version changes.

>>> import pyarrow as pa
>>> type_to_json(pa.list_(pa.timestamp("us", "UTC")))
['list', ['timestamp', 'us', 'UTC']]
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from ..domain.errors import CannotKeepError, DamagedContentError

#: Types without parameters, by the name that the manifest uses.
_PLAIN: dict[str, pa.DataType] = {
    "null": pa.null(),
    "bool": pa.bool_(),
    "int8": pa.int8(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "uint8": pa.uint8(),
    "uint16": pa.uint16(),
    "uint32": pa.uint32(),
    "uint64": pa.uint64(),
    "float16": pa.float16(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "date32": pa.date32(),
    "date64": pa.date64(),
    "string": pa.string(),
    "large_string": pa.large_string(),
    "binary": pa.binary(),
    "large_binary": pa.large_binary(),
}
_NAMES: dict[pa.DataType, str] = {held: name for name, held in _PLAIN.items()}

Json = str | list[Any]


def type_to_json(held: pa.DataType) -> Json:
    """The type in JSON. Raises CannotKeepError for types that chunks cannot hold."""
    if held in _NAMES:
        return _NAMES[held]
    types = pa.types
    if types.is_timestamp(held):
        return ["timestamp", held.unit, held.tz]
    if types.is_time32(held) or types.is_time64(held):
        return [f"time{held.bit_width}", held.unit]
    if types.is_duration(held):
        return ["duration", held.unit]
    if types.is_decimal128(held) or types.is_decimal256(held):
        return [f"decimal{held.bit_width}", held.precision, held.scale]
    if types.is_fixed_size_binary(held):
        return ["fixed_size_binary", held.byte_width]
    if types.is_list(held):
        return ["list", type_to_json(held.value_type)]
    if types.is_large_list(held):
        return ["large_list", type_to_json(held.value_type)]
    if types.is_fixed_size_list(held):
        return ["fixed_size_list", held.list_size, type_to_json(held.value_type)]
    if types.is_struct(held):
        return ["struct", *([field.name, type_to_json(field.type)] for field in held)]
    if types.is_map(held):
        return ["map", type_to_json(held.key_type), type_to_json(held.item_type)]
    raise CannotKeepError(f"the Arrow type {held} is not kept; cast it to a list, struct, string or number")


def type_from_json(said: Json) -> pa.DataType:
    """The type that `type_to_json` described. Raises DamagedContentError for anything else."""
    if isinstance(said, str):
        if said in _PLAIN:
            return _PLAIN[said]
    else:
        kind, *parameters = said
        if kind in ("list", "large_list"):
            return (pa.list_ if kind == "list" else pa.large_list)(type_from_json(parameters[0]))
        if kind == "fixed_size_list":
            return pa.list_(type_from_json(parameters[1]), parameters[0])
        if kind == "struct":
            return pa.struct([pa.field(name, type_from_json(inner)) for name, inner in parameters])
        if kind == "map":
            return pa.map_(type_from_json(parameters[0]), type_from_json(parameters[1]))
        if kind == "fixed_size_binary":
            return pa.binary(parameters[0])
        if kind in ("timestamp", "time32", "time64", "duration", "decimal128", "decimal256"):
            return getattr(pa, kind)(*parameters)
    raise DamagedContentError(
        f"A manifest names the column type {said!r}, which this SnapML does not know. Upgrade it."
    )
