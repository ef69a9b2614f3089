"""A chunk: some rows of one column, as canonical buffers. Equal values give equal buffers, whatever array they came from.

Arrow arrays with equal values can differ in memory (offsets into a longer buffer, bits after the end, anything at all
under a null), so each array is first brought into one form:

- validity: one bit a row, least significant first, zero after the end; an empty buffer when nothing is null
- fixed width: the values, zero under nulls; booleans as bits
- strings, bytes, lists: the length of each as uint32, then the characters, or the buffers of the values
- structs: the validity, then the buffers of each field

A chunk is named by the BLAKE3 digest of its buffers, before compression: whether a chunk is already kept is known
without compressing it, and a better codec later changes no name. How it is stored is the business of `chunk_format`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from blake3 import blake3

from ..domain.errors import CannotKeepError, DamagedContentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

#: One canonical buffer: bytes, a memoryview or Arrow buffer of bytes, or a numpy array of uint8.
Buffer = Any

_NO_NULLS = b""


def chunk_digest(buffers: list[Buffer]) -> str:
    """The chunk's name: BLAKE3 over the buffers' lengths and the buffers, as 64 hex characters."""
    hasher = blake3(struct.pack(f"<{len(buffers)}Q", *map(len, buffers)))
    for buffer in buffers:
        if len(buffer):
            hasher.update(buffer)
    return hasher.hexdigest()


def canonical_buffers(array: pa.Array) -> list[Buffer]:
    """The buffers of an array, in the form described above. Zero-copy where the array already has it."""
    held = array.type
    types = pa.types
    if types.is_null(held):
        return []
    head = _validity(array)
    valid = np.unpackbits(head, bitorder="little", count=len(array)).view(np.bool_) if len(head) else None
    if types.is_boolean(held):
        values = _bits(array.buffers()[1], array.offset, len(array)) if len(array) else _NO_NULLS
        return [head, values if valid is None else values & head]
    if _is_variable(held):
        return [head, *_variable(array, valid)]
    if types.is_list(held) or types.is_large_list(held) or types.is_map(held):
        return [head, *_lists(array, valid)]
    if types.is_fixed_size_list(held):
        if valid is not None:
            raise CannotKeepError("fixed-size lists with missing entries are not kept; cast the column to a list type")
        return [head, *canonical_buffers(array.flatten())]
    if types.is_struct(held):
        fields = array.flatten()  # each field with the struct's own nulls and offset applied
        return [head, *(buffer for field in fields for buffer in canonical_buffers(field))]
    return [head, _fixed(array, valid)]


def rebuild(held: pa.DataType, n_rows: int, buffers: list[Buffer]) -> pa.Array:
    """The array whose canonical buffers these are. Raises DamagedContentError when they do not fit the type."""
    waiting = iter(buffers)
    array = _rebuild(held, n_rows, waiting)
    if next(waiting, None) is not None:
        raise DamagedContentError(f"A chunk has more buffers than the type {held} has.")
    return array


def has_text(held: pa.DataType) -> bool:
    """Whether making values of that type small, and undoing it, is a codec's work above all: texts, bytes, lists."""
    return _is_variable(held) or bool(pa.types.is_nested(held))


def number_type(held: pa.DataType) -> str:
    """The numpy type of the second canonical buffer of that type, as "i8" or "f4"; "" when it holds bits or bytes."""
    types = pa.types
    if _is_variable(held) or types.is_list(held) or types.is_large_list(held) or types.is_map(held):
        return "u4"
    if types.is_integer(held) or types.is_temporal(held):
        return f"i{held.bit_width // 8}"
    return f"f{held.bit_width // 8}" if types.is_floating(held) else ""


def buffer_bytes(buffer: Buffer) -> Bytes:
    """A buffer as an array of bytes, without copying."""
    return np.frombuffer(buffer, dtype=np.uint8)


def text_offsets(array: pa.Array) -> NDArray[Any]:
    """Where each text or list starts, and where the last one ends; empty for an empty array."""
    if len(array) == 0:
        return np.empty(0, dtype=np.int64)
    width = np.int64 if _is_large(array.type) else np.int32
    return np.frombuffer(array.buffers()[1], dtype=width)[array.offset : array.offset + len(array) + 1]


def string_array(held: pa.DataType, validity: pa.Buffer | None, lengths: NDArray[Any], content: Buffer) -> pa.Array:
    """Strings or bytes from their lengths and characters."""
    n_rows = len(lengths)
    offsets = np.zeros(n_rows + 1, dtype=np.int64 if _is_large(held) else np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return pa.Array.from_buffers(held, n_rows, [validity, pa.py_buffer(offsets), pa.py_buffer(content)])


def _validity(array: pa.Array) -> Any:
    """One bit a row, zero where there is no value; empty when nothing is null."""
    if array.null_count == 0:
        return _NO_NULLS
    return _bits(array.buffers()[0], array.offset, len(array))


def _bits(buffer: pa.Buffer, first: int, n_rows: int) -> Any:
    """`n_rows` bits from bit `first` on, moved to the start, with zeros after the end."""
    held = buffer_bytes(buffer)[first // 8 : (first + n_rows + 7) // 8]
    shift = first % 8
    if shift:
        moved = held >> shift
        moved[:-1] |= held[1:] << (8 - shift)
        moved = moved[: (n_rows + 7) // 8]
    else:
        moved = held.copy()
    if n_rows % 8:
        moved[-1] &= (1 << n_rows % 8) - 1
    return moved


def _fixed(array: pa.Array, valid: NDArray[np.bool_] | None) -> Buffer:
    width = array.type.bit_width // 8
    start, stop = array.offset * width, (array.offset + len(array)) * width
    values = buffer_bytes(array.buffers()[1])[start:stop]
    if valid is None:
        return values
    if width in (1, 2, 4, 8):
        return (values.view(f"u{width}") * valid).view(np.uint8)
    return (values.reshape(-1, width) * valid[:, None]).reshape(-1)


def _variable(array: pa.Array, valid: NDArray[np.bool_] | None) -> list[Buffer]:
    offsets = text_offsets(array)
    lengths = np.diff(offsets)
    if valid is not None and np.any(lengths * ~valid):  # a writer left characters under nulls
        array = pa.array(array.to_pylist(), type=array.type)
        offsets = text_offsets(array)
        lengths = np.diff(offsets)
    content = array.buffers()[2]
    characters = buffer_bytes(content)[offsets[0] : offsets[-1]] if content is not None and len(offsets) else b""
    return [_lengths(lengths), characters]


def _lists(array: pa.Array, valid: NDArray[np.bool_] | None) -> list[Buffer]:
    offsets = text_offsets(array)
    lengths = np.diff(offsets)
    if valid is not None and np.any(lengths * ~valid):
        array = pa.array(array.to_pylist(), type=array.type)
        offsets = text_offsets(array)
        lengths = np.diff(offsets)
    if pa.types.is_map(array.type):
        inner = pa.StructArray.from_arrays([array.keys, array.items], names=["key", "value"])
    else:
        inner = array.values
    first, last = (int(offsets[0]), int(offsets[-1])) if len(offsets) else (0, 0)
    return [_lengths(lengths), *canonical_buffers(inner.slice(first, last - first))]


def _lengths(lengths: NDArray[Any]) -> Buffer:
    return lengths.astype(np.uint32).view(np.uint8) if len(lengths) else _NO_NULLS


def _is_variable(held: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_string(held) or types.is_large_string(held) or types.is_binary(held) or types.is_large_binary(held)
    )


def _is_large(held: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_large_string(held) or types.is_large_binary(held) or types.is_large_list(held))


def _rebuild(held: pa.DataType, n_rows: int, waiting: Iterator[Buffer]) -> pa.Array:
    types = pa.types
    if types.is_null(held):
        return pa.nulls(n_rows)
    bits = _next(held, waiting)
    if len(bits) not in (0, (n_rows + 7) // 8):
        raise _misfit(held)
    validity = pa.py_buffer(bits) if len(bits) else None
    if _is_variable(held):
        lengths = _read_lengths(held, n_rows, waiting)
        content = _next(held, waiting)
        if int(lengths.sum(dtype=np.int64)) != len(content):
            raise _misfit(held)
        return string_array(held, validity, lengths, content)
    if types.is_list(held) or types.is_large_list(held) or types.is_map(held):
        lengths = _read_lengths(held, n_rows, waiting)
        offsets = np.zeros(n_rows + 1, dtype=np.int64 if _is_large(held) else np.int32)
        np.cumsum(lengths, out=offsets[1:])
        item = pa.struct([held.key_field, held.item_field]) if types.is_map(held) else held.value_type
        inner = _rebuild(item, int(offsets[-1]), waiting)
        return pa.Array.from_buffers(held, n_rows, [validity, pa.py_buffer(offsets)], children=[inner])
    if types.is_fixed_size_list(held):
        inner = _rebuild(held.value_type, n_rows * held.list_size, waiting)
        return pa.Array.from_buffers(held, n_rows, [validity], children=[inner])
    if types.is_struct(held):
        fields = [_rebuild(field.type, n_rows, waiting) for field in held]
        return pa.Array.from_buffers(held, n_rows, [validity], children=fields)
    values = _next(held, waiting)
    if len(values) != (n_rows * held.bit_width + 7) // 8:
        raise _misfit(held)
    return pa.Array.from_buffers(held, n_rows, [validity, pa.py_buffer(values)])


def _read_lengths(held: pa.DataType, n_rows: int, waiting: Iterator[Buffer]) -> NDArray[Any]:
    lengths = np.frombuffer(_next(held, waiting), dtype=np.uint32)
    if len(lengths) != n_rows:
        raise _misfit(held)
    return lengths


def _next(held: pa.DataType, waiting: Iterator[Buffer]) -> Buffer:
    buffer = next(waiting, None)
    if buffer is None:
        raise DamagedContentError(f"A chunk has fewer buffers than the type {held} needs.")
    return buffer


def _misfit(held: pa.DataType) -> DamagedContentError:
    return DamagedContentError(f"A chunk does not have the size that its rows of type {held} need.")
