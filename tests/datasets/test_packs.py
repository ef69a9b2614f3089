"""Chunks on their way into a pack and back: every buffer comes back, whatever numbers it holds."""

from __future__ import annotations

import io
import math
import struct
from fractions import Fraction
from itertools import accumulate

import numpy as np
import pyarrow as pa
import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from snapml_jupyter.datasets.chunk_figures import figures_of
from snapml_jupyter.datasets.chunk_format import Room, Target, decode_chunk, decode_chunks, encode_chunk
from snapml_jupyter.datasets.chunks import chunk_digest
from snapml_jupyter.datasets.packs import PackWriter, read_index
from snapml_jupyter.domain.dataset import ChunkFigures
from snapml_jupyter.domain.errors import DamagedContentError, InvalidInputError

NO_FIGURES = ChunkFigures(n_values=0, n_nulls=0)
INTEGERS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]


def through(buffers: list[object], numbers: str) -> tuple[list[bytes], int]:
    """(the buffers after storing and reading, stored bytes)."""
    stored = b"".join(encode_chunk(chunk_digest(buffers), buffers, numbers)[0])
    return [bytes(buffer) for buffer in decode_chunk(stored, chunk_digest(buffers))], len(stored)


@settings(deadline=None, max_examples=200)
@given(data=st.data(), numbers=st.sampled_from([*INTEGERS, "f4", "f8"]))
def test_numbers_of_any_type_come_back(data: st.DataObject, numbers: str) -> None:
    array = data.draw(stn.arrays(np.dtype(numbers), st.integers(0, 200)))
    factor = data.draw(st.sampled_from([1, 7, 1000, 86_400_000_000]))
    if numbers[0] != "f":
        with np.errstate(over="ignore"):
            array = array * np.int64(factor).astype(numbers)
    buffer = np.tile(array, 8).view(np.uint8)
    back, _ = through([b"", buffer], numbers)
    assert back == [b"", buffer.tobytes()]


@pytest.mark.parametrize("numbers", INTEGERS)
def test_the_limits_of_a_type_survive_narrowing(numbers: str) -> None:
    limits = np.iinfo(numbers)
    for values in ([limits.min, limits.max], [limits.max - 1, limits.max], [limits.min, limits.min + 1], [limits.max]):
        buffer = np.array(values * 100, dtype=numbers).view(np.uint8)
        assert through([b"", buffer], numbers)[0][1] == buffer.tobytes()


def test_ids_days_and_text_take_a_fraction() -> None:
    ids = np.arange(10_000, dtype="i8") + 2**40
    days = (np.random.default_rng(1).integers(0, 200, 10_000) * 86_400_000_000).astype("i8")
    assert through([b"", ids.view(np.uint8)], "i8")[1] < 0.26 * ids.nbytes
    assert through([b"", days.view(np.uint8)], "i8")[1] < 0.13 * days.nbytes
    assert through([b"", b"", b"Lisbon Oslo " * 1000], "u4")[1] < 500


def test_noise_is_stored_as_it_is() -> None:
    noise = np.random.default_rng(1).integers(0, 256, 50_000).astype("u1")
    assert through([noise], "")[1] < len(noise) + 100


def test_a_pack_lists_its_chunks() -> None:
    writer = PackWriter()
    chunks = [[b"", bytes([number]) * 300] for number in range(5)]
    for chunk in chunks:
        writer.add(
            chunk_digest(chunk),
            encode_chunk(chunk_digest(chunk), chunk)[0],
            ChunkFigures(n_values=3, n_nulls=1, least=2.0),
        )
    other = PackWriter()
    other.add(
        chunk_digest([b"", b"other"]), encode_chunk(chunk_digest([b"", b"other"]), [b"", b"other"])[0], NO_FIGURES
    )
    chunks.append([b"", b"other"])
    writer.take_over(other)
    assert len(other) == 0
    content = bytes(writer.finish())
    assert len(writer) == 0
    places = list(read_index(io.BytesIO(content), "f" * 64))
    assert [place.digest for place in places] == [chunk_digest(chunk) for chunk in chunks]
    for place, chunk in zip(places, chunks, strict=True):
        stored = content[place.offset : place.offset + place.length]
        assert [bytes(buffer) for buffer in decode_chunk(stored, place.digest)] == chunk


@pytest.mark.parametrize("content", [b"", b"SNAPPACK\x01", b"x" * 100, b"SNAPPACK\x01" + b"\xff" * 8 + b"SNAPPACK"])
def test_what_is_not_a_pack_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInputError, match="not a pack"):
        list(read_index(io.BytesIO(content), "f" * 64))


def test_no_changed_byte_of_a_chunk_goes_unseen() -> None:
    buffers = [b"", np.arange(100, dtype="i8").view(np.uint8), b"Lisbon Oslo " * 20]
    digest = chunk_digest(buffers)
    stored = b"".join(encode_chunk(digest, buffers, "i8")[0])
    original = [bytes(buffer) for buffer in buffers]
    for place in range(len(stored)):
        for change in (1, 0x80, 0xFF):
            changed = stored[:place] + bytes([stored[place] ^ change]) + stored[place + 1 :]
            try:
                back = [bytes(buffer) for buffer in decode_chunk(changed, digest)]
            except DamagedContentError:
                continue
            assert back == original  # a byte that means nothing, as the width of a buffer of raw bytes
    for end in range(len(stored)):
        with pytest.raises(DamagedContentError):
            decode_chunk(stored[:end], digest)


@settings(deadline=None, max_examples=300)
@given(
    whole=stn.arrays(np.dtype("i8"), st.integers(20, 200), elements=st.integers(-(10**9), 10**9)),
    decimals=st.integers(0, 6),
    numbers=st.sampled_from(["f4", "f8"]),
    odd=st.lists(
        st.sampled_from([np.nan, -np.nan, -0.0, np.inf, -np.inf, 5e-324, 1.7e308, 1 / 3, 2.0**53, 2.0**60]), max_size=4
    ),
)
def test_floats_with_few_decimals_come_back_bit_by_bit(
    whole: np.ndarray, decimals: int, numbers: str, odd: list[float]
) -> None:
    with np.errstate(over="ignore"):
        values = np.tile((whole / 10**decimals).astype(numbers), 4)
        for place, value in enumerate(odd):
            values[place * 7 % len(values)] = value
    back, _ = through([b"", values.view(np.uint8)], numbers)
    assert back == [b"", values.tobytes()]


@settings(deadline=None, max_examples=300)
@given(
    whole=stn.arrays(np.dtype("i8"), st.integers(20, 200), elements=st.integers(-(10**9), 10**9)),
    base=st.sampled_from([0, 10**6, -(10**15)]),
    factor=st.sampled_from([1, 1000, 0.01]),
    numbers=st.sampled_from([*INTEGERS, "f4", "f8"]),
    odd=st.lists(st.sampled_from([np.nan, -0.0]), max_size=4),
)
def test_figures_that_come_out_beside_the_form_are_those_of_the_values(
    whole: np.ndarray, base: int, factor: float, numbers: str, odd: list[float]
) -> None:
    with np.errstate(invalid="ignore", over="ignore"):
        values = np.tile(((whole + base) * factor).astype(numbers), 4)
    if numbers[0] == "f":
        for place, value in enumerate(odd):
            values[place * 7 % len(values)] = value
    buffers = [b"", values.view(np.uint8)]
    held = pa.from_numpy_dtype(values.dtype)
    _, known = encode_chunk(chunk_digest(buffers), buffers, f"{'f' if numbers[0] == 'f' else 'i'}{numbers[1:]}")
    figures = figures_of(held, len(values), buffers, known)
    there = [Fraction(value) for value in values.tolist() if value == value]
    assert figures.n_values - figures.n_nulls == len(there)
    if there:
        mean = sum(there) / len(there)
        most = float(max(map(abs, there)))
        # Single floats are known as the decimals that they were made of, which lie within half a step of them.
        step = most * 2**-24 if numbers == "f4" else 0.0
        assert figures.least == float(min(there))
        assert figures.greatest == float(max(there))
        away = float(sum(map(abs, there))) * 2**-24 if numbers == "f4" else 0.0
        assert figures.total == pytest.approx(float(sum(there)), rel=1e-9, abs=away + 1e-9 * most)
        squares = float(sum((value - mean) ** 2 for value in there))
        within = 2 * step * math.sqrt(len(there) * squares) + len(there) * step**2
        assert figures.squares == pytest.approx(squares, rel=1e-6, abs=within + 1e-9 * most**2)


def test_rounded_numbers_with_negative_zeros_take_a_fraction() -> None:
    rounded = np.round(np.random.default_rng(1).normal(0, 3, 20_000), 1)
    assert np.signbit(rounded[rounded == 0]).any()
    assert through([b"", rounded.view(np.uint8)], "f8")[1] < 0.26 * rounded.nbytes


def test_nan_of_two_kinds_in_one_chunk_stays_two_kinds() -> None:
    values = np.arange(500, dtype="f8")
    values[3:50] = np.nan
    values.view("u8")[7] = 0x7FF8000000000123
    assert through([b"", values.view(np.uint8)], "f8")[0][1] == values.tobytes()
    values[:] = np.nan
    assert through([b"", values.view(np.uint8)], "f8")[0][1] == values.tobytes()


def test_prices_integers_with_gaps_and_categories_take_a_fraction() -> None:
    random = np.random.default_rng(1)
    prices = np.round(random.lognormal(3, 1, 20_000), 2)
    delays = np.where(random.random(20_000) < 0.1, np.nan, random.integers(-60, 900, 20_000))
    grades = random.integers(0, 9, 20_000).astype("i1")
    same = np.full(20_000, 2**40 + 5)
    assert through([b"", prices.view(np.uint8)], "f8")[1] < 0.51 * prices.nbytes
    assert through([b"", delays.view(np.uint8)], "f8")[1] < 0.26 * delays.nbytes
    assert through([b"", grades.view(np.uint8)], "i1")[1] < 0.51 * grades.nbytes
    assert through([b"", same.view(np.uint8)], "i8")[1] < 200


@pytest.mark.parametrize(("numbers", "factor"), [("i8", 7), ("i8", 2**40), ("i1", 1), ("f8", 0.01), ("f8", np.pi)])
def test_chunks_are_read_straight_into_their_places(numbers: str, factor: float) -> None:
    values = (np.arange(3_000) % 100 * factor).astype(numbers)
    stored, digests = [], []
    for part in (values[:1001], values[1001:2500], values[2500:]):
        buffers = [b"", part.view(np.uint8)]
        digests.append(chunk_digest(buffers))
        stored.append(memoryview(b"".join(encode_chunk(digests[-1], buffers, numbers)[0])))
    width = values.itemsize
    room = np.zeros(values.nbytes + 8, dtype=np.uint8)
    target = Target(Room(room, [8, 8 + 1001 * width, 8 + 2500 * width, 8 + 3000 * width]))
    assert [[bytes(bits), values] for bits, values in decode_chunks(stored, digests, target, 0)] == [[b"", None]] * 3
    assert room[8:].tobytes() == values.tobytes() and not room[:8].any()
    # One that has no such room comes back, those beside it are written, and nothing is where nothing is wanted.
    room[:] = 0
    target = Target(Room(room, [0, 8, 8 + 1001 * width, 8 + 2500 * width, 8 + 2999 * width]))
    decoded = list(decode_chunks(stored, digests, target, 1))
    assert [values is None for _, values in decoded] == [True, True, False]
    assert bytes(decoded[2][1]) == values[2500:].tobytes()
    assert room[8 : 8 + 2500 * width].tobytes() == values[:2500].tobytes() and not room[8 + 2500 * width :].any()
    assert (
        list(decode_chunks(stored[:2], digests[:2], Target(Room(None, target.numbers.places)), 1)) == [[b"", None]] * 2
    )


@settings(deadline=None, max_examples=300)
@given(
    parts=st.lists(
        stn.arrays(np.dtype("i8"), st.integers(128, 300), elements=st.integers(-(2**20), 2**20)), min_size=2, max_size=4
    ),
    keep=st.sampled_from([1, 2**3, 2**7, 2**12, 2**21]),
    base=st.sampled_from([0, 1, -(2**7), 10**6, -(10**15), 2**62, -(2**63) + 2**22]),
    factor=st.sampled_from([1, 60, 2**30, 0.01]),
    numbers=st.sampled_from([*INTEGERS, "f4", "f8"]),
    odd=st.lists(st.sampled_from([np.nan, -0.0]), max_size=4),
)
def test_numbers_of_chunks_side_by_side_come_back_together(
    parts: list[np.ndarray], keep: int, base: int, factor: float, numbers: str, odd: list[float]
) -> None:
    stored, digests, whole = [], [], []
    for part in parts:
        with np.errstate(invalid="ignore", over="ignore"):
            values = ((part % keep + base) * factor).astype(numbers)
        if numbers[0] == "f":
            for place, value in enumerate(odd):
                values[place * 7] = value
        buffers = [b"", values.view(np.uint8)]
        digests.append(chunk_digest(buffers))
        kind = "f" if numbers[0] == "f" else "i"
        stored.append(memoryview(b"".join(encode_chunk(digests[-1], buffers, f"{kind}{numbers[1:]}")[0])))
        whole.append(values.tobytes())
    room = np.zeros(sum(map(len, whole)), dtype=np.uint8)
    target = Target(Room(room, [*accumulate(map(len, whole), initial=0)]))
    assert [values for _, values in decode_chunks(stored, digests, target, 0)] == [None] * len(parts)
    assert room.tobytes() == b"".join(whole)
    for content, digest, expected in zip(stored, digests, whole, strict=True):
        assert bytes(decode_chunk(content, digest)[1]) == expected


def test_chunks_of_the_format_before_are_read_and_checked() -> None:
    content = np.arange(40, dtype="i8").tobytes()
    digest = chunk_digest([b"", content])
    heads = struct.pack("<BBBQQ", 0, 1, 1, 0, 0) + struct.pack("<BBBQQ", 0, 1, 1, len(content), len(content))
    behind = struct.pack("<H", 2) + heads + content
    stored = b"\xff" + blake3(bytes.fromhex(digest)).update(behind).digest(length=16) + behind
    assert [bytes(buffer) for buffer in decode_chunk(stored, digest)] == [b"", content]
    with pytest.raises(DamagedContentError, match="check"):
        decode_chunk(stored[:-1] + b"\x01", digest)
