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

import numpy as np
from blake3 import blake3
from xxhash import xxh3_128

from ..domain.dataset import ChunkFigures
from ..domain.errors import DamagedContentError
from .chunks import Buffer, chunk_digest
from .compression import Stored, compress, decompress
from .number_forms import Shortening, restore

_BUFFER = struct.Struct("<BBBQQ")
_CHECKED, _CHECKED_BY_BLAKE3, _CHECK_BYTES = 0xFE, 0xFF, 16
_COUNT = struct.Struct("<H")
#: xxhash lets go of Python's lock for more than that, and waiting to have it again takes longer than the hashing.
_HASHED_BYTES = 2**16
#: Numbers are undone together up to so many bytes: more no longer stay in the processor's cache from one step to the next.
_TOGETHER = 2 * 2**20
#: What undoing a chunk raises that is not one.
_UNFIT = (struct.error, IndexError, KeyError, ValueError, OSError, MemoryError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Target:
    """Room for the second buffers of several chunks, one behind the other: an array of bytes, and where in it each begins.

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

    A second buffer that is as long as its room in the target is None here; it is there when the last chunk has been taken, as
    numbers of chunks side by side that are stored alike are undone together. Raises DamagedContentError as `decode_chunk`.
    """
    alike = _Alike(None, first, digests[0])
    for number, (content, digest) in enumerate(zip(contents, digests, strict=True), first):
        try:
            stored, is_checked = _stored(content, digest)
            if not is_checked or len(stored) < 2 or stored[1].length != target.size(number):
                yield [*_decompressed(stored, digest, hash_content=not is_checked)]
                continue
            others = [decompress(buffer) for buffer in (stored[0], *stored[2:])]
            if target.content is not None:
                how = stored[1].shortening()
                if not alike.goes_on(how, number, target):
                    alike.restore(target)
                    alike = _Alike(how, number, digest)
                alike.contents.append(stored[1].decompressed(how))
                alike.lengths.append(stored[1].n_values)
        except _UNFIT as error:
            raise _unfit(digest, error) from error
        yield [others[0], None, *others[1:]]
    alike.restore(target)


@dataclass(slots=True)
class _Alike:
    """Second buffers of chunks side by side that are stored alike, the first of which has that number and digest."""

    how: Shortening | None
    first: int
    digest: str
    contents: list[Buffer] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)

    def goes_on(self, how: Shortening | None, number: int, target: Target) -> bool:
        """Whether the buffer of chunk `number` may be undone with them."""
        if how is None or how != self.how or number != self.first + len(self.contents):
            return False
        return target.places[number + 1] - target.places[self.first] <= _TOGETHER

    def restore(self, target: Target) -> None:
        """Write them into the target."""
        if not self.contents:
            return
        room = target.of(self.first, self.first + len(self.contents))
        try:
            if self.how is None:  # one
                room[...] = np.frombuffer(self.contents[0], dtype=np.uint8)
            else:
                restore(self.how, self.contents, self.lengths, room)
        except _UNFIT as error:
            raise _unfit(self.digest, error) from error


def _stored(content: bytes | memoryview, digest: str) -> tuple[list[Stored], bool]:
    """The buffers of a chunk as they are stored, and whether they were checked."""
    view = memoryview(content).cast("B")
    n_buffers, start = view[0], 1
    is_checked = n_buffers in (_CHECKED, _CHECKED_BY_BLAKE3)
    if is_checked:
        checked = 1 + _CHECK_BYTES
        if _check(n_buffers, digest, view[checked:]) != view[1:checked]:
            raise DamagedContentError(f"Chunk {digest} is damaged: what is stored no longer matches its check.")
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


def _check(kind: int, digest: str, stored: memoryview) -> bytes:
    if kind == _CHECKED:
        checked = xxh3_128(bytes.fromhex(digest))
        for start in range(0, len(stored), _HASHED_BYTES):
            checked.update(stored[start : start + _HASHED_BYTES])
        return checked.digest()
    return blake3(bytes.fromhex(digest)).update(stored).digest(length=_CHECK_BYTES)
