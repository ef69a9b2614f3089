"""Reading chunks side by side: many at once, numbers straight into their places, texts behind each other, damage named."""

from __future__ import annotations

import io
import os
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapml_jupyter.datasets import reading
from snapml_jupyter.datasets.chunk_format import PLAIN_HEAD_BYTES, Room, Target, decode_chunks, encode_chunk
from snapml_jupyter.datasets.chunks import chunk_digest
from snapml_jupyter.datasets.reading import ChunkReader
from snapml_jupyter.domain.dataset import ChunkPlace
from snapml_jupyter.domain.errors import DamagedContentError

RANDOM = np.random.default_rng(5)
#: Chunks of 1,000 numbers that nothing makes smaller.
NUMBERS = [RANDOM.normal(size=1000) for _ in range(5)]


class OnePack:
    """A store of blobs that holds one pack: a file, or what a remote store hands out."""

    def __init__(self, path: Path, *, is_file: bool = True) -> None:
        self.path, self.is_file = path, is_file

    def open(self, digest: str) -> BinaryIO:
        return self.path.open("rb") if self.is_file else io.BytesIO(self.path.read_bytes())


def packed(path: Path, chunks: list[list[Any]], numbers: str) -> tuple[dict[str, ChunkPlace], list[str]]:
    """Write chunks into a file, one behind the other; where they are, and their digests in order."""
    places, digests = {}, []
    with path.open("wb") as pack:
        pack.write(b"before")
        for buffers in chunks:
            digest = chunk_digest(buffers)
            content = b"".join(encode_chunk(digest, buffers, numbers)[0])
            places[digest] = ChunkPlace(digest=digest, pack_digest="pack", offset=pack.tell(), length=len(content))
            digests.append(digest)
            pack.write(content)
    return places, digests


def numbers_target(n_bytes: list[int]) -> Target:
    return Target(Room(np.zeros(sum(n_bytes), dtype=np.uint8), [*accumulate(n_bytes, initial=0)]))


@pytest.mark.parametrize("how", ["file", "remote", "no preadv", "short reads"])
def test_plain_numbers_are_read_into_their_places(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.preadv
    calls: list[int] = []

    def preadv(file: int, buffers: list[Any], offset: int) -> int:
        calls.append(len(buffers))
        return whole(file, buffers[:3] if how == "short reads" else buffers, offset)

    monkeypatch.setattr(reading.os, "preadv", preadv)
    monkeypatch.setattr(reading, "_SCATTERS", how != "no preadv")
    places, digests = packed(tmp_path / "pack", [[b"", values.view(np.uint8)] for values in NUMBERS], "f8")
    target = numbers_target([8000] * 5)
    reader = ChunkReader(OnePack(tmp_path / "pack", is_file=how != "remote"), places)  # type: ignore[arg-type]
    assert list(reader.read(digests, "x", target)) == [[b"", None]] * 5
    assert target.numbers.content.tobytes() == np.concatenate(NUMBERS).tobytes()
    assert calls == ([10] if how in ("file", "short reads") else [])


def test_what_only_has_the_size_of_plain_numbers_is_read_as_what_it_is(tmp_path: Path) -> None:
    few, bits = RANDOM.integers(0, 256, 100, dtype=np.uint8), RANDOM.integers(0, 256, 10, dtype=np.uint8)
    plain = RANDOM.integers(0, 256, 110, dtype=np.uint8)
    # The first has as many bytes as a plain one of 110 would; the third is made smaller and has as many by chance.
    short = np.tile(RANDOM.integers(0, 256, 20, dtype=np.uint8), 40)
    places, digests = packed(tmp_path / "pack", [[bits, few], [b"", plain], [b"", short]], "")
    room = [places[digest].length - PLAIN_HEAD_BYTES for digest in digests]
    assert room[:2] == [110, 110] and room[2] < 800
    target = numbers_target(room)
    reader = ChunkReader(OnePack(tmp_path / "pack"), places)  # type: ignore[arg-type]
    first, second, third = reader.read(digests, "x", target)
    assert [bytes(buffer) for buffer in first] == [bytes(bits), bytes(few)]
    assert second == [b"", None] and target.numbers.of(1, 2).tobytes() == plain.tobytes()
    assert [bytes(buffer) for buffer in third] == [b"", short.tobytes()]


def test_chunks_on_both_sides_of_one_without_room_are_written_where_they_belong() -> None:
    chunks = [[b"", np.full(200, number, dtype="i8").view(np.uint8)] for number in (1, 1, 1)]
    digest = chunk_digest(chunks[0])
    stored = [memoryview(b"".join(encode_chunk(digest, buffers, "i8")[0])) for buffers in chunks]
    target = numbers_target([1600, 24, 1600])
    decoded = list(decode_chunks(stored, [digest] * 3, target, 0))
    assert [values is None for _, values in decoded] == [True, False, True]
    assert target.numbers.content.view("i8").tolist() == [1] * 200 + [0] * 3 + [1] * 200


def test_any_changed_byte_of_plain_numbers_is_named(tmp_path: Path) -> None:
    places, digests = packed(tmp_path / "pack", [[b"", values.view(np.uint8)] for values in NUMBERS[:2]], "f8")
    content = (tmp_path / "pack").read_bytes()
    second = places[digests[1]].offset
    for place in [*range(second, second + PLAIN_HEAD_BYTES), second + PLAIN_HEAD_BYTES + 4321, len(content) - 1]:
        changed = bytearray(content)
        changed[place] ^= 1
        (tmp_path / "pack").write_bytes(changed)
        reader = ChunkReader(OnePack(tmp_path / "pack"), places)  # type: ignore[arg-type]
        with pytest.raises(DamagedContentError, match=rf"Column 'f' of x@v1 is damaged. Chunk {digests[1]}"):
            list(reader.read(digests, "Column 'f' of x@v1", numbers_target([8000] * 2)))
    (tmp_path / "pack").write_bytes(content[:-10])
    with pytest.raises(DamagedContentError, match="cut short"):
        list(reader.read(digests, "x", numbers_target([8000] * 2)))


@settings(deadline=None, max_examples=100)
@given(
    parts=st.lists(
        st.one_of(
            st.binary(max_size=40).map(lambda some: some * 40),  # goes through LZ4 or stays as it is
            st.integers(0, 2000).map(lambda n: RANDOM.integers(0, 4, n, dtype=np.uint8).tobytes()),  # through zstd
            st.integers(0, 300).map(lambda n: RANDOM.integers(0, 256, n, dtype=np.uint8).tobytes()),
            st.integers(0, 3).map(lambda n: b"".join(b"word %d " % (k % 7) for k in range(20_000 * n))),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_texts_of_chunks_side_by_side_come_back_together(parts: list[bytes]) -> None:
    check_texts(parts)


def test_texts_of_any_length_come_back_together() -> None:
    long = b"".join(b"line %d\n" % (k % 1000) for k in range(600_000))
    assert len(long) > 4 * 2**20  # more than a block of an LZ4 frame
    check_texts([long, b"ab" * 500, long, long[: 2**16], long[: 2**16 + 1], long[: 2**18 + 1], long[: 2**20 + 1]])


def check_texts(parts: list[bytes]) -> None:
    chunks = [[b"", np.array([len(part)], dtype="u4").view(np.uint8), part] for part in parts]
    digests = [chunk_digest(buffers) for buffers in chunks]
    stored = [
        memoryview(b"".join(encode_chunk(digest, buffers, "u4")[0]))
        for digest, buffers in zip(digests, chunks, strict=True)
    ]
    texts = Room(np.empty(sum(map(len, parts)), dtype=np.uint8), [0])
    target = Target(numbers_target([4] * len(parts)).numbers, texts)
    assert list(decode_chunks(stored, digests, target, 0)) == [[b"", None, None]] * len(parts)
    assert texts.content.tobytes() == b"".join(parts)
    assert [stop - start for start, stop in pairwise(texts.places)] == [*map(len, parts)]
    assert target.numbers.content.view("u4").tolist() == [*map(len, parts)]


def test_texts_for_which_there_is_no_room_are_damage() -> None:
    buffers = [b"", np.array([9], dtype="u4").view(np.uint8), b"nine char"]
    digest = chunk_digest(buffers)
    stored = memoryview(b"".join(encode_chunk(digest, buffers, "u4")[0]))
    target = Target(numbers_target([4]).numbers, Room(np.empty(8, dtype=np.uint8), [0]))
    with pytest.raises(DamagedContentError, match=f"Chunk {digest} .* longer than it should be"):
        list(decode_chunks([stored], [digest], target, 0))
