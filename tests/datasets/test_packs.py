"""Chunks on their way into a pack and back: every buffer comes back, whatever numbers it holds."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from snapml_jupyter.datasets.chunks import chunk_digest
from snapml_jupyter.datasets.packs import PackWriter, decode_chunk, encode_chunk, read_index
from snapml_jupyter.domain.dataset import ChunkFigures
from snapml_jupyter.domain.errors import DamagedContentError, InvalidInputError

INTEGERS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]


def through(buffers: list[object], numbers: str) -> tuple[list[bytes], int]:
    """(the buffers after storing and reading, stored bytes)."""
    stored = b"".join(encode_chunk(chunk_digest(buffers), buffers, numbers))
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
            encode_chunk(chunk_digest(chunk), chunk),
            ChunkFigures(n_values=3, n_nulls=1, least=2.0),
        )
    content = b"".join(writer.finish())
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
    stored = b"".join(encode_chunk(digest, buffers, "i8"))
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
