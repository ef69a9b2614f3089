"""Manifests of dataset versions: of small tables in the database, all others as blobs.

A small table's manifest holds its rows too (`Manifest.chunks`). In the database it is durable with the row that names it, and
costs neither a file nor a wait for the disk of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.errors import DamagedContentError
from .blobs import check_digest, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .database import Database
    from .workspace import Transaction, Workspace

_UNUSED = "digest NOT IN (SELECT manifest_digest FROM dataset_versions)"
_N_BYTES = "LENGTH(CAST(content AS BLOB))"  # of a text it would be the characters


def read_manifest(workspace: Workspace, digest: str) -> bytes:
    """The manifest of that digest, checked. Raises NotFoundError, DamagedContentError."""
    row = workspace.database.row("SELECT content FROM dataset_manifests WHERE digest = :digest", {"digest": digest})
    if row is None:
        return workspace.blobs.read(check_digest(digest))
    content: bytes = row["content"].encode()
    if digest_of(content) != digest:
        raise DamagedContentError(f"Manifest {digest} in {workspace.database.path} no longer matches its digest.")
    return content


def keep_manifest(tx: Transaction, digest: str, content: bytes) -> None:
    """Keep a small one, if it is not there."""
    sql = "INSERT INTO dataset_manifests (digest, content) VALUES (:digest, :content) ON CONFLICT (digest) DO NOTHING"
    tx.execute(sql, {"digest": digest, "content": content.decode()})


def count_manifests(database: Database) -> int:
    """How many small manifests there are."""
    return int(database.tuples("SELECT count(*) FROM dataset_manifests", ())[0][0])


def damaged_manifests(database: Database) -> Iterator[tuple[str, list[str]]]:
    """Small manifests whose content is not what their digest says, and the versions that need them."""
    for row in database.rows("SELECT digest, content FROM dataset_manifests ORDER BY digest"):
        if digest_of(row["content"].encode()) != row["digest"]:
            users = database.rows(
                "SELECT name || '@v' || number FROM dataset_versions WHERE manifest_digest = :digest ORDER BY 1",
                {"digest": row["digest"]},
            )
            yield row["digest"], [user[0] for user in users]


def remove_unused(tx: Transaction) -> int:
    """Forget the small manifests that no version has any more; how many bytes they took."""
    rows = tx.execute(f"DELETE FROM dataset_manifests WHERE {_UNUSED} RETURNING {_N_BYTES}").fetchall()
    return sum(row[0] for row in rows)


def size_of_manifests(database: Database, digests: Iterable[str]) -> int:
    """How many bytes those of the manifests take that are kept here."""
    row_of = f"SELECT {_N_BYTES} AS n_bytes FROM dataset_manifests WHERE digest = :digest"
    found = (database.row(row_of, {"digest": digest}) for digest in set(digests))
    return sum(row["n_bytes"] for row in found if row is not None)
