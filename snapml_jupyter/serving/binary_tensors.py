"""Raw tensors of the Open Inference Protocol: bytes to a column's values and back.

https://github.com/kserve/website/blob/main/docs/concepts/architecture/data-plane/v2-protocol/binary-tensor-data-extension.md
Little-endian, row-major, without padding. BOOL is a byte; BYTES is, for each element, its length in four bytes and then
the bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..domain.errors import InvalidInputError

_DTYPES = {
    "BOOL": "u1",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
_LENGTH_BYTES = 4


def read_tensor(name: str, datatype: str, raw: memoryview, n_values: int) -> list[Any]:
    """`n_values` Python values. Raises InvalidInputError naming the input when the bytes are not that many values."""
    if datatype == "BYTES":
        return _read_texts(name, raw, n_values)
    dtype = np.dtype(_DTYPES[datatype])
    if len(raw) != n_values * dtype.itemsize:
        raise InvalidInputError(
            f"Input '{name}' has {len(raw)} bytes of binary data; {n_values} values of {datatype} are "
            f"{n_values * dtype.itemsize} bytes."
        )
    array: np.ndarray[Any, Any] = np.frombuffer(raw, dtype)
    values: list[Any] = (array != 0).tolist() if datatype == "BOOL" else array.tolist()
    return values


def write_tensor(datatype: str, values: list[Any]) -> bytes:
    """The values as raw bytes; text as UTF-8."""
    if datatype == "BYTES":
        parts = []
        for value in values:
            content = str(value).encode()
            parts += [len(content).to_bytes(_LENGTH_BYTES, "little"), content]
        return b"".join(parts)
    return np.array(values, _DTYPES[datatype]).tobytes()


def _read_texts(name: str, raw: memoryview, n_values: int) -> list[str]:
    texts: list[str] = []
    at = 0
    while len(texts) < n_values:
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(raw[at:start], "little")
        if at > len(raw) or start > len(raw):
            raise InvalidInputError(
                f"Input '{name}': the binary data ends within value {len(texts) + 1} of {n_values}. "
                "Each text is its length in four bytes (little-endian) and then its bytes."
            )
        try:
            texts.append(str(raw[start:at], "utf-8"))
        except UnicodeDecodeError:
            raise InvalidInputError(f"Row {len(texts) + 1}, column '{name}': the bytes are not UTF-8 text.") from None
    if at != len(raw):
        raise InvalidInputError(f"Input '{name}' has {len(raw) - at} bytes of binary data after its {n_values} values.")
    return texts
