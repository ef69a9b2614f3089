"""A table on its way into the store: each column as parts that give the canonical buffers of any row range.

Parts look at the frame's own memory where they can: nothing is copied but the chunk that is being worked on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from ..domain.dataset import ChunkFigures
from .chunk_figures import codes_figures, figures_of
from .chunks import Buffer, buffer_bytes, canonical_buffers, has_text, number_type, text_offsets

if TYPE_CHECKING:
    from numpy.typing import NDArray


#: The buffers of at most so many rows are kept once they are made; those that say how wide a row is are among them.
FEW_ROWS = 64

_NOT_A_TIME = np.iinfo(np.int64).min


class PartSource(Protocol):
    """One Arrow array of a column."""

    type: pa.DataType

    @property
    def numbers(self) -> str:
        """The numpy type of the second buffer (values or lengths), "" when it holds no numbers."""

    @property
    def is_text(self) -> bool:
        """Whether making it small is a codec's work above all: texts, bytes, lists."""

    def buffers(self, start: int, stop: int) -> list[Buffer]:
        """Canonical buffers of the rows [start, stop)."""

    def keys(self, start: int, stop: int) -> NDArray[Any] | None:
        """The rows' values as unsigned 64-bit numbers for cutting (see `grid`); None when they cannot say where to cut."""

    def figures(self, n_values: int, buffers: list[Buffer], known: ChunkFigures | None = None) -> ChunkFigures:
        """Figures of the values in those canonical buffers; `known` as in `figures_of`."""


class _Part(ABC):
    """Makes the buffers of few rows once: a small table's are asked for to cut it, to name its chunks and to write them."""

    type: pa.DataType
    is_text = False
    _made: tuple[int, int, list[Buffer]] | None = None

    @property
    def numbers(self) -> str:
        return number_type(self.type)

    def figures(self, n_values: int, buffers: list[Buffer], known: ChunkFigures | None = None) -> ChunkFigures:
        return figures_of(self.type, n_values, buffers, known)

    def buffers(self, start: int, stop: int) -> list[Buffer]:
        if stop - start > FEW_ROWS:
            return self._make(start, stop)
        made = self._made
        if made is None or made[0] != start or made[1] != stop:
            made = self._made = (start, stop, self._make(start, stop))
        return made[2]

    @abstractmethod
    def _make(self, start: int, stop: int) -> list[Buffer]:
        """Canonical buffers of the rows [start, stop)."""


class NumpyPart(_Part):
    """A numpy array without nulls, of any stride: the canonical buffer of rows is their bytes."""

    def __init__(self, values: NDArray[Any], held: pa.DataType) -> None:
        self.values, self.type = values, held

    def _make(self, start: int, stop: int) -> list[Buffer]:
        return [b"", np.ascontiguousarray(self.values[start:stop]).view(np.uint8)]

    def keys(self, start: int, stop: int) -> NDArray[Any] | None:
        values = self.values[start:stop]
        if values.dtype.kind not in "iuf":
            return None
        return np.ascontiguousarray(values).view(f"u{values.dtype.itemsize}").astype(np.uint64, copy=False)


class CodesPart(NumpyPart):
    """Numbers that point into a lookup; -1 points at nothing."""

    def figures(self, n_values: int, buffers: list[Buffer], known: ChunkFigures | None = None) -> ChunkFigures:
        return codes_figures(buffer_bytes(buffers[1]).view(self.values.dtype))


class TimePart(NumpyPart):
    """Times as 64-bit numbers in which the smallest number means 'not a time'."""

    def _make(self, start: int, stop: int) -> list[Buffer]:
        values = np.ascontiguousarray(self.values[start:stop])
        if values.size == 0 or values.min() != _NOT_A_TIME:
            return [b"", values.view(np.uint8)]
        valid = values != _NOT_A_TIME
        return [np.packbits(valid, bitorder="little"), (values * valid).view(np.uint8)]


class MaskedPart(_Part):
    """Numbers or booleans, and for each whether it is missing, as pandas' nullable arrays have them."""

    def __init__(self, values: NDArray[Any], missing: NDArray[np.bool_], held: pa.DataType) -> None:
        self.values, self.missing, self.type = values, missing, held

    def _make(self, start: int, stop: int) -> list[Buffer]:
        values, missing = self._values(start, stop)
        head: Buffer = b"" if missing is None else np.packbits(~missing, bitorder="little")
        if values.dtype == np.bool_:
            return [head, np.packbits(values, bitorder="little")]
        return [head, values.view(np.uint8)]

    def keys(self, start: int, stop: int) -> NDArray[Any] | None:
        values, _ = self._values(start, stop)
        keys: NDArray[Any] = values.view(f"u{values.dtype.itemsize}").astype(np.uint64, copy=False)
        return keys

    def _values(self, start: int, stop: int) -> tuple[Any, Any | None]:
        """The values of those rows, zero where they are missing, and where that is; None for nowhere."""
        values, missing = self.values[start:stop], self.missing[start:stop]
        if not missing.any():
            return np.ascontiguousarray(values), None
        values = values.copy()
        values[missing] = 0
        return values, missing


class ArrowPart(_Part):
    """An Arrow array in any number of pieces; `held`: the type that it is kept as, when its own has the same canonical buffers."""

    def __init__(self, values: pa.Array | pa.ChunkedArray, held: pa.DataType | None = None) -> None:
        if isinstance(values, pa.ChunkedArray) and values.num_chunks == 1:
            values = values.chunk(0)
        self.values, self.type = values, values.type if held is None else held
        self.is_text = has_text(self.type)

    def _make(self, start: int, stop: int) -> list[Buffer]:
        return canonical_buffers(self._piece(start, stop))

    def keys(self, start: int, stop: int) -> NDArray[Any] | None:
        held = self.type
        if pa.types.is_large_string(held) or pa.types.is_string(held):
            return np.asarray(_text_keys(self._piece(start, stop)))
        if not pa.types.is_primitive(held) or held.bit_width > 64:
            return None
        values = canonical_buffers(self._piece(start, stop))[1]
        if pa.types.is_boolean(held):
            return np.unpackbits(buffer_bytes(values), bitorder="little", count=stop - start).astype(np.uint64)
        return np.frombuffer(values, f"u{held.bit_width // 8}").astype(np.uint64, copy=False)

    def _piece(self, start: int, stop: int) -> pa.Array:
        piece = self.values.slice(start, stop - start)
        if not isinstance(piece, pa.ChunkedArray):
            return piece
        if piece.num_chunks == 1:
            return piece.chunk(0)
        return pa.concat_arrays(piece.chunks) if piece.num_chunks else pa.array([], type=self.type)


def _text_keys(texts: pa.Array) -> Any:
    """The last eight bytes of each text as a number, and its length; 0 for none. Whatever lies around the texts in memory."""
    offsets = text_offsets(texts)
    lengths = np.diff(offsets)
    content = texts.buffers()[2]
    if content is None or len(lengths) == 0:
        return np.zeros(len(texts), dtype=np.uint64)
    if texts.null_count:
        lengths = lengths * np.asarray(texts.is_valid())  # a writer may have left characters under nulls
    stops = offsets[1:]
    keys: NDArray[Any] = np.zeros(len(texts), dtype=np.uint64)
    if content.size >= 8:
        # Every eight bytes of the content as one number: a view whose items overlap.
        windows: NDArray[Any] = np.ndarray((content.size - 7,), dtype="<u8", buffer=content, strides=(1,))
        keys = windows[np.maximum(stops - 8, 0)]
        shortest = int(lengths.min())
        if shortest < 8:
            keys >>= np.clip(8 - lengths, 0, 7).astype(np.uint64) * np.uint64(8)  # bits of the text before
        keys += lengths.astype(np.uint64)
        if shortest == 0:
            keys *= lengths > 0
    early = int(np.searchsorted(stops, 8))
    for row in np.flatnonzero(lengths[:early]):  # at the very start no eight bytes end there: seven rows at most
        text = bytes(content[int(offsets[row]) : int(stops[row])])
        keys[row] = int.from_bytes(text, "little") + len(text)
    return keys


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedLookup:
    """The values that a categorical's rows point into."""

    n_values: int
    codec: dict[str, Any]
    parts: list[PartSource]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedColumn:
    """One column, ready to be cut into chunks."""

    name: str
    type: str
    dtype: str
    codec: dict[str, Any]
    parts: list[PartSource]
    is_index: bool = False
    lookup: EncodedLookup | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedTable:
    """A whole table; `frame` as in the manifest."""

    n_rows: int
    columns: list[EncodedColumn]
    frame: dict[str, Any] = field(default_factory=dict)
