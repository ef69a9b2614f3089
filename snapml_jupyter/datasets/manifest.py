"""The manifest of a version: its columns, how the frame is put together again, and the chunks of every column.

It holds content only (no name, time, message or author) and is itself a blob. Its digest is the version's digest,
unless the rows were cut elsewhere than their content alone says (see `grid`), some chunks are kept as patches (see
`patches`), or the chunks of a small table in the manifest itself; then `digest` says the version's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ..domain.dataset import ChunkFigures, Column
from ..domain.errors import DamagedContentError

#: Readers refuse a higher one. Manifests are of the lowest format that says what they hold, which older readers know.
FORMAT = 3
PLAIN, WITH_PATCHES, WITH_CHUNKS = 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One Arrow array of a column: its type (see `arrow_types`) and its chunks, one for each row range."""

    type: Any
    chunks: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Values that rows point into (the categories of a categorical), stored once in one chunk a part."""

    n_values: int
    codec: dict[str, Any]
    parts: list[Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredColumn:
    """A column: `codec` says how its parts become the original values (see `codecs`), `type` is its Arrow type in words."""

    name: str
    type: str
    dtype: str
    codec: dict[str, Any]
    parts: list[Part]
    is_index: bool = False
    lookup: Lookup | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """How a chunk is kept that differs little from another: that one, what differs, and the figures (hex) of the result."""

    base: str
    change: str
    figures: str

    def figures_made(self) -> ChunkFigures:
        """The figures of the result."""
        return ChunkFigures.from_bytes(bytes.fromhex(self.figures))


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`rows` are the row counts of the chunks; `frame` says what the columns form (labels, index, or a plain table).

    `patches` says of those chunks that are not kept themselves what they are made of; `chunks` holds all of a small
    table's, in their stored form (see `chunk_format`).
    """

    format: int = PLAIN
    rows: list[int]
    columns: list[StoredColumn]
    frame: dict[str, Any] = field(default_factory=dict)
    digest: str | None = None
    patches: dict[str, Patch] = field(default_factory=dict)
    chunks: dict[str, bytes] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Rows in all chunks."""
        return sum(self.rows)

    def content_digests(self) -> Iterator[str]:
        """Every chunk the version consists of, with repetitions."""
        for column in self.columns:
            for part in [*column.parts, *(column.lookup.parts if column.lookup else [])]:
                yield from part.chunks

    def chunk_digests(self) -> Iterator[str]:
        """Every chunk that packs must hold to read the version, with repetitions."""
        return self.kept(self.content_digests())

    def kept(self, digests: Iterable[str]) -> Iterator[str]:
        """The chunks that packs must hold to read those of the version."""
        for digest in digests:
            patch = self.patches.get(digest)
            if patch is not None:
                yield from (patch.base, patch.change)
            elif digest not in self.chunks:
                yield digest

    def described_columns(self) -> list[Column]:
        """The columns as users see them."""
        return [
            Column(
                name=column.name,
                type=column.type,
                dtype=column.dtype,
                nullable=bool(column.codec.get("nullable", True)),
                is_index=column.is_index,
            )
            for column in self.columns
        ]


def encode_manifest(manifest: Manifest) -> bytes:
    """Canonical JSON: equal manifests give equal bytes."""
    said = msgspec.to_builtins(manifest, order="deterministic")
    for name in ("patches", "chunks"):
        if not said[name]:
            del said[name]  # so that a version has the digest that it had before there were any
    return msgspec.json.encode(said)


def decode_manifest(content: bytes, what: str) -> Manifest:
    """Read a manifest. Raises DamagedContentError naming `what` when it is not one this version can read."""
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise DamagedContentError(f"The manifest of {what} cannot be read: {error}.") from error
    if manifest.format > FORMAT:
        raise DamagedContentError(
            f"{what} was written by a newer SnapML (manifest format {manifest.format}). "
            "Upgrade: pip install -U snapml-jupyter"
        )
    return manifest
