"""A chunk kept as the rows in which it differs from a chunk that is kept: few changed rows cost their own bytes.

Chunks bound what a change costs to the chunks it touches; rows that change here and there touch all chunks of a column.
Each such chunk is then kept as a patch of the parent's chunk at the same place. The manifest says so beside its lists of
chunks (`Manifest.patches`), which name the content as ever, so that versions are compared without knowing of patches.
A patch is always of a whole chunk, never of another patch: reading one costs two reads, however long the history.

The buffers of a patch, which are kept as a chunk of their own:

    head    kind u8 (values of one width, or texts) | width u8 | whether the validity changed u8
    rows    which values changed: uint32, each as the distance from the one before
    validity, of all rows, if it changed
    values  the new values, or the new lengths as uint32 and the new characters
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..domain.dataset import ChunkFigures
from ..domain.errors import DamagedContentError
from .chunks import Buffer, buffer_bytes, chunk_digest

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_HEAD = struct.Struct("<BBB")
_VALUES, _TEXTS = 1, 2
#: A patch must take less than this share of the chunk, before compression.
_WORTHWHILE = 0.25
#: Smaller chunks are kept whole.
_SMALLEST_BYTES = 2_048


@dataclass(slots=True)
class PatchPart:
    """The buffers of a patch where `naming.ChunkJob` expects the rows of a column."""

    content: list[Buffer]
    type: pa.DataType
    numbers: str = ""
    is_text: bool = False

    def buffers(self, start: int, stop: int) -> list[Buffer]:
        return self.content

    def keys(self, start: int, stop: int) -> NDArray[Any] | None:
        return None

    def figures(self, n_values: int, buffers: list[Buffer], known: ChunkFigures | None = None) -> ChunkFigures:
        return ChunkFigures(n_values=0, n_nulls=0)  # those of the patched chunk are in the manifest


def make_patch(base: list[Buffer], wanted: list[Buffer], numbers: str) -> list[Buffer] | None:
    """The buffers that turn one chunk's into another's with as many rows; None where whole is better.

    `numbers`: the numpy type of the second buffer, "" when it holds bits or bytes.
    """
    if len(base) != len(wanted) or sum(map(len, wanted)) < _SMALLEST_BYTES:
        return None
    width = int(numbers[1:]) if numbers else 1
    if len(wanted) == 2 and len(base[1]) == len(wanted[1]):
        before, after = (buffer_bytes(buffers[1]).view(f"u{width}") for buffers in (base, wanted))
        rows = np.flatnonzero(before != after)
        if len(rows) * (4 + width) > _WORTHWHILE * len(wanted[1]):
            return None
        return [*_start(_VALUES, width, rows, base[0], wanted[0]), after[rows].view(np.uint8)]
    if len(wanted) == 3 and numbers == "u4" and len(base[1]) == len(wanted[1]):
        return _patch_texts(base, wanted)
    return None


def apply_patch(base: list[Buffer], patch: list[Buffer], digest: str) -> list[Buffer]:
    """The canonical buffers of the patched chunk. Raises DamagedContentError when they do not match the digest."""
    try:
        kind, width, has_validity = _HEAD.unpack(patch[0])
        rows = np.cumsum(buffer_bytes(patch[1]).view(np.uint32), dtype=np.int64)
        validity = patch[2] if has_validity else base[0]
        if kind == _VALUES:
            values = buffer_bytes(base[1]).view(f"u{width}").copy()
            values[rows] = buffer_bytes(patch[3]).view(f"u{width}")
            buffers: list[Buffer] = [validity, values.view(np.uint8)]
        else:
            buffers = [validity, *_patched_texts(base, rows, patch)]
    except (struct.error, IndexError, ValueError) as error:
        raise DamagedContentError(f"Chunk {digest} is damaged: its patch does not fit ({error}).") from error
    if chunk_digest(buffers) != digest:
        raise DamagedContentError(f"Chunk {digest} is damaged: its content no longer matches its digest.")
    return buffers


def _start(kind: int, width: int, rows: NDArray[np.int64], before: Buffer, after: Buffer) -> list[Buffer]:
    same = len(before) == len(after) and bool(np.array_equal(buffer_bytes(before), buffer_bytes(after)))
    steps = np.diff(rows, prepend=0).astype(np.uint32)
    return [_HEAD.pack(kind, width, not same), steps.view(np.uint8), b"" if same else after]


def _patch_texts(base: list[Buffer], wanted: list[Buffer]) -> list[Buffer] | None:
    before, after = (buffer_bytes(buffers[1]).view(np.uint32) for buffers in (base, wanted))
    ends_before, ends_after = (np.cumsum(lengths, dtype=np.int64) for lengths in (before, after))
    rows = np.flatnonzero(before != after)
    if len(rows) * 8 > _WORTHWHILE * len(wanted[1]):
        return None
    changed = np.zeros(len(after), dtype=np.bool_)
    changed[rows] = True
    old, new = buffer_bytes(base[2]), buffer_bytes(wanted[2])
    # Between two rows of another length the characters lie side by side in both: compared at once, then told apart by row.
    bounds = [-1, *rows.tolist(), len(after)]
    for first, last in pairwise(bounds):
        if last - first <= 1:
            continue
        start, stop = _start_of(ends_after, first + 1), int(ends_after[last - 1])
        shift = _start_of(ends_before, first + 1) - start
        places = np.flatnonzero(old[start + shift : stop + shift] != new[start:stop])
        if len(places):
            changed[np.searchsorted(ends_after, places + start, side="right")] = True
    rows = np.flatnonzero(changed)
    lengths = after[rows].astype(np.int64)
    total = int(lengths.sum())
    if len(rows) * 8 + total > _WORTHWHILE * (len(wanted[1]) + len(wanted[2])):
        return None
    before_row = np.cumsum(lengths) - lengths
    characters = new[np.repeat(ends_after[rows] - lengths - before_row, lengths) + np.arange(total)]
    return [*_start(_TEXTS, 4, rows, base[0], wanted[0]), after[rows].view(np.uint8), characters]


def _patched_texts(base: list[Buffer], rows: NDArray[np.int64], patch: list[Buffer]) -> Iterator[Buffer]:
    lengths = buffer_bytes(base[1]).view(np.uint32).copy()
    ends = np.cumsum(lengths, dtype=np.int64)
    new_lengths = buffer_bytes(patch[3]).view(np.uint32)
    lengths[rows] = new_lengths
    yield lengths.view(np.uint8)
    old, new = memoryview(base[2]), memoryview(patch[4])
    pieces = []
    place = taken = 0
    for row, length in zip(rows.tolist(), new_lengths.tolist(), strict=True):
        pieces += [old[place : _start_of(ends, row)], new[taken : taken + length]]
        place, taken = int(ends[row]), taken + length
    yield b"".join([*pieces, old[place:]])


def _start_of(ends: NDArray[np.int64], row: int) -> int:
    return int(ends[row - 1]) if row else 0
