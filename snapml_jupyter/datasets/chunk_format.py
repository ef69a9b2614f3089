"""How one chunk is stored in a pack, and back.

    254 u8 | check 16 bytes | n_buffers u16 | (codec u8, narrow u8, width u8, length u64, stored length u64) each | stored buffers

`compression` says what codec and widths mean. The check is XXH3 (128 bits) over the chunk's digest and what is stored behind
the check: it finds damage on every read at memory speed, and the wrong chunk in the right place. Who means harm could write a
fitting check, so `snapml verify` hashes the content itself. Chunks in packs of format 3 begin with 255 and have a BLAKE3 check;
those of formats 1 and 2 begin with n_buffers u8 and have none: their content is hashed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from blake3 import blake3
from xxhash import xxh3_128

from ..domain.dataset import ChunkFigures
from ..domain.errors import DamagedContentError
from .chunks import Buffer, buffer_bytes, chunk_digest
from .compression import Stored, compress, decompress, decompress_alike
from .number_forms import Shortening

_BUFFER = struct.Struct("<BBBQQ")
_CHECKED, _CHECKED_BY_BLAKE3, _CHECK_BYTES = 0xFE, 0xFF, 16
_COUNT = struct.Struct("<H")
#: xxhash lets go of Python's lock for more than that, and waiting to have it again takes longer than the hashing.
_HASHED_BYTES = 2**16
#: How much there is of a chunk of two buffers, the first of them empty, before the second.
PLAIN_HEAD_BYTES = 1 + _CHECK_BYTES + _COUNT.size + 2 * _BUFFER.size
#: Numbers, and texts, are undone together up to so many bytes: more no longer stay in the processor's cache from one step to the
#: next, and memory for much larger pieces is fetched from the system each time.
_NUMBERS_TOGETHER, _TEXTS_TOGETHER = 2 * 2**20, 2**20
#: What undoing a chunk raises that is not one.
_UNFIT = (struct.error, IndexError, KeyError, ValueError, OSError, MemoryError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Room:
    """Where one buffer of each of several chunks goes, one behind the other: an array of bytes, and where in it each begins.

    The last of the places is where the last chunk ends. Without an array the buffers are not needed.
    """

    content: Any | None
    places: list[int]

    def of(self, first: int, last: int) -> Any:
        """The room of the chunks [first, last), where there is an array."""
        assert self.content is not None
        return self.content[self.places[first] : self.places[last]]

    def size(self, number: int) -> int:
        """How many bytes there are for a chunk."""
        return self.places[number + 1] - self.places[number]

    def append(self, n_bytes: int) -> None:
        """One more chunk begins where the last one ends. Raises ValueError where there is no room for it."""
        if self.content is not None and self.places[-1] + n_bytes > len(self.content):
            raise ValueError("it is longer than it should be")
        self.places.append(self.places[-1] + n_bytes)

    def put(self, buffer: Buffer) -> None:
        """Write the buffer of one more chunk. Raises ValueError where there is no room for it."""
        self.append(len(buffer))
        self.of(len(self.places) - 2, len(self.places) - 1)[...] = buffer_bytes(buffer)


@dataclass(frozen=True, slots=True)
class Target:
    """Room for the second buffers of several chunks, numbers of known size, and for their third ones, in which each takes what it needs."""

    numbers: Room
    texts: Room | None = None


def encode_chunk(digest: str, buffers: list[Buffer], numbers: str = "") -> tuple[list[Buffer], ChunkFigures | None]:
    """The stored form of a chunk in pieces, each buffer compressed where that saves something.

    `numbers`: the numpy type of the second buffer (values or lengths), "" when it holds no numbers. Their figures come along
    where nothing is null and compressing them says them (see `number_forms.Shortened`).
    """
    head = [_COUNT.pack(len(buffers))]
    stored: list[Any] = []
    figures = None
    for place, buffer in enumerate(buffers):
        made = compress(buffer, numbers if place == 1 else "", with_figures=place == 1 and not len(buffers[0]))
        head.append(_BUFFER.pack(made.codec, made.narrow, made.width, len(buffer), len(made.content)))
        stored.append(made.content)
        figures = figures or made.figures
    checked = xxh3_128(bytes.fromhex(digest))
    for piece in (*head, *stored):
        if len(piece):
            checked.update(piece)
    return [b"".join([bytes([_CHECKED]), checked.digest(), *head]), *stored], figures


def decode_chunk(content: bytes | memoryview, digest: str, *, hash_content: bool = False) -> list[Buffer]:
    """The canonical buffers of a stored chunk. Raises DamagedContentError when it is not what was kept as `digest`.

    `hash_content`: by the content itself, not only by the check of what is stored.
    """
    try:
        stored, is_checked = _stored(content, digest)
        return _decompressed(stored, digest, hash_content=hash_content or not is_checked)
    except _UNFIT as error:
        raise _unfit(digest, error) from error


def decode_chunks(
    contents: list[memoryview], digests: list[str], target: Target, first: int
) -> Iterator[list[Buffer | None]]:
    """The canonical buffers of chunks; the first of them is number `first` of the target.

    A second buffer that is as long as its room in the target, and a third one where the target has room for texts, is None here:
    it is there when the last chunk has been taken, as buffers of chunks side by side that are stored alike are undone together.
    Raises DamagedContentError as `decode_chunk`.
    """
    numbers = _Alike(target.numbers, _NUMBERS_TOGETHER)
    texts = None if target.texts is None else _Alike(target.texts, _TEXTS_TOGETHER)
    for number, (content, digest) in enumerate(zip(contents, digests, strict=True), first):
        buffers: list[Buffer | None] = []
        try:
            stored, is_checked = _stored(content, digest)
            if not is_checked:
                yield [*_decompressed(stored, digest, hash_content=True)]
                continue
            for place, buffer in enumerate(stored):
                if place == 1 and buffer.length == target.numbers.size(number):
                    numbers.add(buffer, number, digest)
                    buffers.append(None)
                elif place == 2 and texts is not None:
                    texts.room.append(buffer.length)
                    texts.add(buffer, number, digest)
                    buffers.append(None)
                else:
                    buffers.append(decompress(buffer))
        except _UNFIT as error:
            raise _unfit(digest, error) from error
        yield buffers
    numbers.write()
    if texts is not None:
        texts.write()


def is_plain(head: bytearray, values: Any, digest: str) -> bool:
    """Whether a chunk, the first `PLAIN_HEAD_BYTES` of it and the rest, is values stored as they are, none of them missing.

    Raises DamagedContentError when it is and the values were changed.
    """
    kind = head[0]
    if kind not in (_CHECKED, _CHECKED_BY_BLAKE3) or _COUNT.unpack_from(head, 1 + _CHECK_BYTES) != (2,):
        return False
    bits, (codec, narrow, width, length, stored_length) = _BUFFER.iter_unpack(head[-2 * _BUFFER.size :])
    as_it_was = Stored(codec, narrow, width, length, memoryview(values)).is_plain
    if any(bits[3:]) or not as_it_was or not length == stored_length == len(values):
        return False
    checked = 1 + _CHECK_BYTES
    if _check(kind, digest, memoryview(head)[checked:], memoryview(values)) != head[1:checked]:
        raise _changed(digest)
    return True


@dataclass(slots=True)
class _Alike:
    """Buffers of chunks side by side that are stored alike, which are written together, up to so many bytes."""

    room: Room
    most: int
    how: Shortening | None = None
    first: int = 0
    digest: str = ""
    stored: list[Stored] = field(default_factory=list)

    def add(self, buffer: Stored, number: int, digest: str) -> None:
        """One more buffer, that of the chunk of that number and digest."""
        if self.room.content is None:
            return
        how = buffer.shortening()
        if not self._goes_on(buffer, how, number):
            self.write()
            self.how, self.first, self.digest = how, number, digest
        self.stored.append(buffer)

    def _goes_on(self, buffer: Stored, how: Shortening | None, number: int) -> bool:
        if not self.stored or how != self.how or buffer.codec != self.stored[0].codec:
            return False
        places = self.room.places
        return number == self.first + len(self.stored) and places[number + 1] - places[self.first] <= self.most

    def write(self) -> None:
        """Write them where they belong."""
        if not self.stored:
            return
        try:
            decompress_alike(self.stored, self.how, self.room.of(self.first, self.first + len(self.stored)))
        except _UNFIT as error:
            raise _unfit(self.digest, error) from error
        self.stored = []


def _stored(content: bytes | memoryview, digest: str) -> tuple[list[Stored], bool]:
    """The buffers of a chunk as they are stored, and whether they were checked."""
    view = memoryview(content).cast("B")
    n_buffers, start = view[0], 1
    is_checked = n_buffers in (_CHECKED, _CHECKED_BY_BLAKE3)
    if is_checked:
        checked = 1 + _CHECK_BYTES
        if _check(n_buffers, digest, view[checked:]) != view[1:checked]:
            raise _changed(digest)
        n_buffers, start = _COUNT.unpack_from(view, checked)[0], checked + _COUNT.size
    place = start + n_buffers * _BUFFER.size
    stored = []
    for codec, narrow, width, length, stored_length in _BUFFER.iter_unpack(view[start:place]):
        stored.append(Stored(codec, narrow, width, length, view[place : place + stored_length]))
        place += stored_length
    return stored, is_checked


def _decompressed(stored: list[Stored], digest: str, *, hash_content: bool) -> list[Buffer]:
    buffers = [decompress(buffer) for buffer in stored]
    if hash_content and chunk_digest(buffers) != digest:
        raise DamagedContentError(f"Chunk {digest} is damaged: its content no longer matches its digest.")
    return buffers


def _unfit(digest: str, error: BaseException) -> DamagedContentError:
    return DamagedContentError(f"Chunk {digest} is damaged: it cannot be decompressed ({error}).")


def _changed(digest: str) -> DamagedContentError:
    return DamagedContentError(f"Chunk {digest} is damaged: what is stored no longer matches its check.")


def _check(kind: int, digest: str, *stored: memoryview) -> bytes:
    if kind == _CHECKED:
        checked = xxh3_128(bytes.fromhex(digest))
        for piece in stored:
            for start in range(0, len(piece), _HASHED_BYTES):
                checked.update(piece[start : start + _HASHED_BYTES])
        return checked.digest()
    hasher = blake3(bytes.fromhex(digest))
    for piece in stored:
        hasher.update(piece)
    return hasher.digest(length=_CHECK_BYTES)
