"""Stored columns back to the values they were: as Arrow arrays and as pandas arrays. The other half of `codecs`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..domain.errors import DamagedContentError
from .arrow_types import type_from_json
from .chunk_format import Room, Target
from .chunks import Buffer, canonical_buffers, rebuild
from .frames import with_freq
from .manifest import Lookup, Manifest, Part, StoredColumn
from .memory import empty
from .object_values import decode_objects
from .reading import ChunkReader, Piece

_NOT_A_TIME = np.iinfo(np.int64).min
#: Rows whose lengths are added up at once.
_ADDED = 2**18


class ColumnReader:
    """Reads columns of one version for one range of rows."""

    def __init__(self, reader: ChunkReader, manifest: Manifest, pieces: list[Piece], ref: str) -> None:
        self._reader, self._manifest, self._pieces, self._ref = reader, manifest, pieces, ref
        #: Where the rows of each piece begin, and where the last ones end.
        self._places = list(accumulate((piece.last - piece.first for piece in pieces), initial=0))
        self._n_rows = self._places[-1]
        self._evenly: dict[int, Any] = {}

    def to_arrow(self, column: StoredColumn) -> pa.ChunkedArray:
        """The column as Arrow values; what only pandas tells apart (NaN and None) is null or NaN."""
        kind = column.codec["kind"]
        first = self._part(column, 0)
        if column.lookup is not None:
            ordered = column.codec.get("ordered", False)
            values = _one(self._lookup_arrow(column, column.lookup))
            held = pa.dictionary(first.type, values.type, ordered)
            chunks = [
                pa.DictionaryArray.from_arrays(_codes(codes), values, ordered=ordered, safe=False)
                for codes in first.chunks
            ]
            if kind == "level":
                return pa.chunked_array([chunk.dictionary_decode() for chunk in chunks], type=values.type)
            return pa.chunked_array(chunks, type=held)
        if kind == "interval":
            right = self._part(column, 1)
            chunks = [
                pa.StructArray.from_arrays(list(ends), names=["left", "right"])
                for ends in zip(first.chunks, right.chunks, strict=True)
            ]
            return pa.chunked_array(chunks, type=pa.struct([("left", first.type), ("right", right.type)]))
        return first

    def to_pandas(self, column: StoredColumn) -> Any:
        """The column as the numpy or pandas array it was; a level of a MultiIndex as (distinct values, codes)."""
        if column.lookup is not None:
            distinct = self._lookup_pandas(column, column.lookup)
            codes = self._numbers(column, column.codec["codes"])
            if column.codec["kind"] == "level":
                return distinct, codes
            dtype = pd.CategoricalDtype(distinct, ordered=column.codec["ordered"])
            return pd.Categorical.from_codes(codes, dtype=dtype, validate=False)
        codec = column.codec
        if codec["kind"] == "numpy" and codec["dtype"] != "bool":
            return self._numbers(column, codec["dtype"])
        if codec["kind"] in ("datetime", "timedelta"):
            valid = _Validity(self._n_rows)
            return _TIMES[codec["kind"]](codec, valid.with_missing(self._numbers(column, "int64", valid), _NOT_A_TIME))
        if codec["kind"] == "masked" and codec["dtype"] != "boolean":
            valid = _Validity(self._n_rows)
            masked: Any = pd.api.types.pandas_dtype(codec["dtype"])
            values = self._numbers(column, masked.numpy_dtype.name, valid)
            return masked.construct_array_type()(values, valid.missing())
        if codec["kind"] == "string":
            return _read_strings(codec, [pa.chunked_array([self._texts(column)])])
        return decode_values(codec, [self._part(column, number) for number in range(len(column.parts))])

    def _numbers(self, column: StoredColumn, dtype: str, valid: _Validity | None = None) -> Any:
        """Numbers, each chunk straight into its place, zero where there is none; which are there goes to `valid`."""
        whole = empty(self._n_rows, dtype)
        chunks = self._chunks(column, column.parts[0], self._target(whole, whole.itemsize))
        for piece, (bits, values), (place, stop) in zip(self._pieces, chunks, pairwise(self._places), strict=True):
            if values is not None:  # a part of the chunk, patched, or of the wrong size
                if len(values) != piece.n_rows * whole.itemsize:
                    raise self._misfit(column)
                whole[place:stop] = np.frombuffer(values, dtype=dtype)[piece.first : piece.last]
            if valid is not None:
                valid.set(place, stop - place, bits, piece.first)
        return whole

    def _texts(self, column: StoredColumn) -> pa.Array:
        """Texts as one array, the lengths and the characters of each chunk straight into their place."""
        part = column.parts[0]
        held = type_from_json(part.type)
        n_rows = self._n_rows
        valid = _Validity(n_rows)
        size = each = None
        if all(piece.last - piece.first == piece.n_rows for piece in self._pieces):
            size, each = self._reader.lengths([part.chunks[piece.number] for piece in self._pieces])
        lengths: Any = None
        if each is None:  # the lengths lie in the second half of what they become: memory that is new costs most
            offsets = empty(n_rows + 1, "int64")
            lengths = offsets.view(np.uint32)[n_rows + 2 :]
        else:
            offsets = self._steps(each)
        held_back = None
        if size is None:  # how many characters there are is only known when all have been read
            chunks = self._chunks(column, part, self._target(lengths, 4))
            held_back = [
                buffers if piece.last - piece.first == piece.n_rows else _part_of(held, piece, buffers)
                for piece, buffers in zip(self._pieces, chunks, strict=True)
            ]
            size = sum(len(buffers[2]) for buffers in held_back)
        texts = Room(empty(size, "uint8"), [0])
        chunks = (
            iter(held_back) if held_back is not None else self._chunks(column, part, self._target(lengths, 4, texts))
        )
        for (bits, some, text), (row, stop) in zip(chunks, pairwise(self._places), strict=True):
            if some is not None:
                if len(some) != 4 * (stop - row):
                    raise self._misfit(column)
                if lengths is not None:
                    lengths[row:stop] = np.frombuffer(some, dtype=np.uint32)
            if text is not None:
                try:
                    texts.put(text)
                except ValueError:
                    raise self._misfit(column) from None
            valid.set(row, stop - row, bits)
        if lengths is not None:
            _add_up(lengths, offsets)
        if texts.places[-1] != size or not np.array_equal(offsets[self._places], texts.places):
            raise self._misfit(column)
        return pa.Array.from_buffers(held, n_rows, [valid.bits(), pa.py_buffer(offsets), pa.py_buffer(texts.content)])

    def _steps(self, each: int) -> Any:
        """Where texts of one length begin and the last ends: the same for every such column."""
        if each not in self._evenly:
            offsets = empty(self._n_rows + 1, "int64")
            _count_up(each, offsets)
            self._evenly[each] = offsets
        return self._evenly[each]

    def _target(self, whole: Any | None, width: int, texts: Room | None = None) -> Target:
        """Room for the numbers of each piece in an array for all of them; None when they are not needed."""
        content = None if whole is None else whole.view(np.uint8)
        return Target(Room(content, [place * width for place in self._places]), texts)

    def _misfit(self, column: StoredColumn) -> DamagedContentError:
        return DamagedContentError(f"{self._what(column)} is damaged: a chunk has the wrong size.")

    def _chunks(self, column: StoredColumn, part: Part, target: Target | None = None) -> Iterator[list[Buffer]]:
        digests = [part.chunks[piece.number] for piece in self._pieces]
        return self._reader.read(digests, self._what(column), target)

    def _part(self, column: StoredColumn, number: int) -> pa.ChunkedArray:
        part = column.parts[number]
        held = type_from_json(part.type)
        chunks = [
            rebuild(held, piece.n_rows, buffers).slice(piece.first, piece.last - piece.first)
            for piece, buffers in zip(self._pieces, self._chunks(column, part), strict=True)
        ]
        return pa.chunked_array(chunks, type=held)

    def _lookup_arrow(self, column: StoredColumn, lookup: Lookup) -> pa.ChunkedArray:
        if lookup.codec["kind"] == "range":
            said = lookup.codec
            return pa.chunked_array([pa.array(range(said["start"], said["stop"], said["step"]), type=pa.int64())])
        return self._whole(column, lookup.parts[0], lookup.n_values)

    def _lookup_pandas(self, column: StoredColumn, lookup: Lookup) -> pd.Index[Any]:
        said = lookup.codec
        if said["kind"] == "range":
            distinct: pd.Index[Any] = pd.RangeIndex(said["start"], said["stop"], said["step"])
            return distinct
        values = decode_values(said, [self._whole(column, part, lookup.n_values) for part in lookup.parts])
        index: pd.Index[Any] = with_freq(pd.Index(values, dtype=values.dtype, copy=False), said.get("index_freq"))
        return index

    def _whole(self, column: StoredColumn, part: Part, n_rows: int) -> pa.ChunkedArray:
        held = type_from_json(part.type)
        chunks = [rebuild(held, n_rows, buffers) for buffers in self._reader.read(part.chunks, self._what(column))]
        return pa.chunked_array(chunks, type=held)

    def _what(self, column: StoredColumn) -> str:
        return f"Column '{column.name}' of {self._ref}"


class _Validity:
    """Which of so many rows have a value; costs nothing while all have one."""

    def __init__(self, n_rows: int) -> None:
        self._n_rows = n_rows
        self._valid: Any = None

    def set(self, row: int, count: int, bits: Buffer, first: int = 0) -> None:
        """The bits of a chunk, from its row `first` on, are those of the rows [row, row + count)."""
        if len(bits):
            if self._valid is None:
                self._valid = np.ones(self._n_rows, dtype=np.bool_)
            packed = np.frombuffer(bits, dtype=np.uint8)
            self._valid[row : row + count] = np.unpackbits(packed, bitorder="little", count=first + count)[first:]

    def bits(self) -> pa.Buffer | None:
        """As Arrow has it."""
        return None if self._valid is None else pa.py_buffer(np.packbits(self._valid, bitorder="little"))

    def missing(self) -> Any:
        """As pandas' masked arrays have it."""
        return np.zeros(self._n_rows, dtype=np.bool_) if self._valid is None else ~self._valid

    def with_missing(self, values: Any, missing: int) -> Any:
        """The values, with `missing` where there is none."""
        if self._valid is not None:
            values[~self._valid] = missing
        return values


def decode_values(codec: dict[str, Any], parts: list[pa.ChunkedArray]) -> Any:
    """Parts of anything but a categorical as the array that `codecs` encoded."""
    return _DECODERS[codec["kind"]](codec, parts)


def _numpy(values: pa.ChunkedArray, dtype: str) -> Any:
    """Fixed-width values without nulls as one writable array."""
    whole = empty(len(values), dtype)
    place = 0
    for chunk in values.chunks:
        whole[place : place + len(chunk)] = _view(chunk, dtype)
        place += len(chunk)
    return whole


def _add_up(lengths: Any, offsets: Any) -> None:
    """Write where texts of those lengths begin, and where the last ends; the lengths may be the second half of that array.

    Many rows at a time, as threads wait for each other at every call. What is written never reaches what is still to be read.
    """
    offsets[0] = 0
    wide = np.empty(min(len(lengths), _ADDED), dtype=np.int64)
    for start in range(0, len(lengths), _ADDED):
        some = wide[: len(lengths) - start]
        some[...] = lengths[start : start + _ADDED]
        some[0] += offsets[start]
        np.cumsum(some, out=offsets[start + 1 : start + 1 + len(some)])


def _count_up(each: int, offsets: Any) -> None:
    """Write where texts of one length begin, and where the last ends."""
    some = np.arange(min(len(offsets), _ADDED), dtype=np.int64) * each
    for start in range(0, len(offsets), _ADDED):
        np.add(some[: len(offsets) - start], start * each, out=offsets[start : start + _ADDED])


def _view(chunk: pa.Array, dtype: str) -> Any:
    """The values buffer of an array, nulls and all, without copying."""
    return np.frombuffer(chunk.buffers()[1], dtype=dtype)[chunk.offset : chunk.offset + len(chunk)]


def _times(values: pa.ChunkedArray) -> Any:
    whole = _numpy(values, "int64")
    if values.null_count:
        place = 0
        for chunk in values.chunks:
            if chunk.null_count:
                whole[place : place + len(chunk)][np.asarray(chunk.is_null())] = _NOT_A_TIME
            place += len(chunk)
    return whole


def _read_numpy(codec: dict[str, Any], parts: list[pa.ChunkedArray]) -> Any:
    if codec["dtype"] == "bool":
        return np.array(parts[0].to_numpy(), dtype=bool) if len(parts[0]) else np.empty(0, dtype=bool)
    return _numpy(parts[0], codec["dtype"])


def _datetimes(codec: dict[str, Any], numbers: Any) -> Any:
    values = numbers.view(f"M8[{codec['unit']}]")
    if codec.get("tz") is None:
        return pd.DatetimeIndex(values, copy=False).array
    zone = pd.DatetimeTZDtype(codec["unit"], tz=codec["tz"])
    return pd.DatetimeIndex(numbers, dtype=zone, copy=False).array


def _timedeltas(codec: dict[str, Any], numbers: Any) -> Any:
    return pd.TimedeltaIndex(numbers.view(f"m8[{codec['unit']}]")).array


#: From the numbers of times to the array, by codec.
_TIMES: dict[str, Callable[[dict[str, Any], Any], Any]] = {"datetime": _datetimes, "timedelta": _timedeltas}


def _read_times(codec: dict[str, Any], parts: list[pa.ChunkedArray]) -> Any:
    return _TIMES[codec["kind"]](codec, _times(parts[0]))


def _read_strings(codec: dict[str, Any], parts: list[pa.ChunkedArray]) -> Any:
    storage, with_nan = codec["storage"].removesuffix("_numpy"), codec["na"] == "nan"
    dtype: Any
    try:
        dtype = pd.StringDtype(storage, na_value=np.nan if with_nan else pd.NA)
    except TypeError:  # before pandas 2.3, which has NaN in one kind of them alone
        dtype = pd.StringDtype("pyarrow_numpy" if with_nan else storage)
    return dtype.__from_arrow__(pa.chunked_array([_one(parts[0])]))


def _read_masked(codec: dict[str, Any], parts: list[pa.ChunkedArray]) -> Any:
    dtype: Any = pd.api.types.pandas_dtype(codec["dtype"])
    return dtype.__from_arrow__(parts[0])


def _read_arrow(codec: dict[str, Any], parts: list[pa.ChunkedArray]) -> Any:
    return pd.arrays.ArrowExtensionArray(parts[0])


def _read_objects(codec: dict[str, Any], parts: list[pa.ChunkedArray]) -> Any:
    return decode_objects(codec, _one(parts[0]), _numpy(parts[1], "int8") if len(parts) > 1 else None)


def _read_intervals(codec: dict[str, Any], parts: list[pa.ChunkedArray]) -> Any:
    left, right = (decode_values(codec["ends"], [part]) for part in parts)
    return pd.arrays.IntervalArray.from_arrays(left, right, closed=codec["closed"])


def _read_periods(codec: dict[str, Any], parts: list[pa.ChunkedArray]) -> Any:
    dtype: Any = pd.api.types.pandas_dtype(codec["dtype"])
    periods: Any = pd.PeriodIndex
    return periods.from_ordinals(_times(parts[0]), freq=dtype.freq).array


_DECODERS: dict[str, Callable[[dict[str, Any], list[pa.ChunkedArray]], Any]] = {
    "numpy": _read_numpy,
    "datetime": _read_times,
    "timedelta": _read_times,
    "string": _read_strings,
    "masked": _read_masked,
    "arrow_dtype": _read_arrow,
    "object": _read_objects,
    "interval": _read_intervals,
    "period": _read_periods,
}


def _codes(codes: pa.Array) -> pa.Array:
    """Category codes as Arrow says them: null instead of -1."""
    if codes.null_count or not pa.types.is_signed_integer(codes.type):
        return codes
    numbers = codes.to_numpy()
    absent = numbers < 0
    return pa.array(numbers, mask=absent) if absent.any() else codes


def _part_of(held: pa.DataType, piece: Piece, buffers: list[Buffer]) -> list[Buffer]:
    """The canonical buffers of those rows of a chunk that the piece wants."""
    whole = rebuild(held, piece.n_rows, buffers)
    return canonical_buffers(whole.slice(piece.first, piece.last - piece.first))


def _one(values: pa.ChunkedArray) -> pa.Array:
    if values.num_chunks == 1:
        return values.chunk(0)
    return pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], type=values.type)
