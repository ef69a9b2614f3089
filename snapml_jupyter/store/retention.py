"""What may leave the workspace: versions that nothing refers to, chunks that no version has, blobs that no row names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..domain.dataset import ChunkPlace
from .database import Database
from .overview import list_blob_references
from .workspace import Transaction, Workspace

#: Everything that keeps a version, as (name, number). The newest version of a dataset is kept by itself.
_REFERRED = """
    SELECT dataset_name AS name, dataset_number AS number FROM run_inputs
    UNION SELECT name, number FROM dataset_aliases
    UNION SELECT v.name, v.number FROM dataset_versions v JOIN run_models m ON m.training_ref = v.name || '@v' || v.number
    UNION SELECT v.name, v.number FROM dataset_versions v JOIN monitors m ON m.reference_ref = v.name || '@v' || v.number
    UNION SELECT from_name, from_number FROM dataset_derivations
    UNION SELECT name, MAX(number) FROM dataset_versions GROUP BY name
"""


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version as retention sees it."""

    name: str
    number: int
    manifest_digest: str
    profile_digest: str | None
    created_at: str

    @property
    def ref(self) -> str:
        """As users write it."""
        return f"{self.name}@v{self.number}"


@dataclass(frozen=True, slots=True)
class StoredPack:
    """A pack and its chunks."""

    number: int
    digest: str
    size_bytes: int
    places: list[ChunkPlace]


def list_versions(database: Database) -> list[StoredVersion]:
    """Every version, the newest of each dataset first."""
    rows = database.rows(
        "SELECT name, number, manifest_digest, profile_digest, created_at FROM dataset_versions ORDER BY name, number DESC"
    )
    return [StoredVersion(*row) for row in rows]


def list_referred(database: Database) -> set[tuple[str, int]]:
    """The versions that a run, model, monitor, alias or another version refers to, and the newest of each dataset."""
    return {(row["name"], row["number"]) for row in database.rows(_REFERRED)}


def remove_version(tx: Transaction, version: StoredVersion) -> bool:
    """Forget a version, unless something refers to it by now; whether it was removed."""
    if (version.name, version.number) in list_referred(tx.workspace.database):
        return False
    key = {"name": version.name, "number": version.number}
    tx.execute("DELETE FROM validations WHERE name = :name AND number = :number", key)
    tx.execute("DELETE FROM dataset_derivations WHERE name = :name AND number = :number", key)
    removed = tx.execute("DELETE FROM dataset_versions WHERE name = :name AND number = :number", key).rowcount
    if removed:
        tx.event("dataset.version_removed", version.ref, name=version.name)
    return bool(removed)


def list_packs(database: Database) -> list[StoredPack]:
    """Every pack with its chunks, without their figures.

    One statement, so that the chunks are those of the same moment as the packs while others write.
    """
    packs: dict[int, StoredPack] = {}
    for number, pack_digest, size_bytes, digest, start_byte, n_bytes in database.rows(
        """SELECT packs.pack_number, packs.digest, packs.size_bytes, chunks.digest, chunks.start_byte, chunks.n_bytes
           FROM packs LEFT JOIN chunks ON chunks.pack_number = packs.pack_number"""
    ):
        pack = packs.get(number)
        if pack is None:
            pack = packs[number] = StoredPack(number, pack_digest, size_bytes, [])
        if digest is not None:
            pack.places.append(ChunkPlace(digest=digest, pack_digest=pack_digest, offset=start_byte, length=n_bytes))
    return list(packs.values())


def remove_pack(tx: Transaction, number: int) -> None:
    """Forget a pack and the chunks that are still said to lie in it."""
    tx.execute("DELETE FROM chunks WHERE pack_number = :number", {"number": number})
    tx.execute("DELETE FROM packs WHERE pack_number = :number", {"number": number})


def move_chunks(tx: Transaction, pack_digest: str, size_bytes: int, places: Iterable[ChunkPlace]) -> None:
    """Say that the chunks lie in another pack, which is kept already."""
    number = tx.execute(
        """INSERT INTO packs (digest, size_bytes) VALUES (:digest, :size)
           ON CONFLICT (digest) DO UPDATE SET size_bytes = :size RETURNING pack_number""",
        {"digest": pack_digest, "size": size_bytes},
    ).fetchone()[0]
    tx.connection.executemany(
        "UPDATE chunks SET pack_number = ?, start_byte = ?, n_bytes = ? WHERE digest = ?",
        [(number, place.offset, place.length, place.digest) for place in places],
    )


def list_referenced_blobs(database: Database) -> set[str]:
    """The digests of all blobs that some row names."""
    found = {reference.digest for reference in list_blob_references(database)}
    found.update(row[0] for row in database.rows("SELECT digest FROM packs"))
    return found


def discard(workspace: Workspace, digests: Iterable[str]) -> None:
    """Remove blobs that were written for something that failed, unless a row names them by now."""
    with workspace.transaction():
        referenced = list_referenced_blobs(workspace.database)
        for digest in digests:
            if digest not in referenced:
                workspace.blobs.remove(digest)
