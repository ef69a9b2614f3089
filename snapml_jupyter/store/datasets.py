"""How dataset versions are kept: one row per version, and the index that says in which blob a chunk lies."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from ..domain.dataset import ChunkPlace, Column, DatasetSource, DatasetSummary, DatasetVersion, SourceKind
from ..domain.errors import NotFoundError
from ..domain.names import parse_dataset_ref
from .database import Database
from .workspace import Transaction

#: Values in one IN (...) list; SQLite and PostgreSQL both take more.
_BATCH = 500
#: A version's row with what other tables say about it; `v` is the row.
_ROW = """v.*,
    (SELECT GROUP_CONCAT(d.from_name || '@v' || d.from_number) FROM dataset_derivations d
        WHERE d.name = v.name AND d.number = v.number) AS derived,
    (SELECT GROUP_CONCAT(a.alias) FROM dataset_aliases a WHERE a.name = v.name AND a.number = v.number) AS aliases,
    (SELECT c.passed FROM validations c WHERE c.name = v.name AND c.number = v.number
        ORDER BY c.suite_number DESC LIMIT 1) AS passed"""


def get_version(database: Database, ref: str) -> DatasetVersion:
    """The version that `flights`, `flights@latest`, `flights@v3`, `flights@2026-11-01` or `flights@alias` names.

    A day means the newest version created on it or before it (UTC). Raises NotFoundError.
    """
    wanted = parse_dataset_ref(ref)
    sql, params = "", {"name": wanted.name}
    if wanted.number is not None:
        sql, params["number"] = "AND number = :number", wanted.number  # type: ignore[assignment]  # SQLite takes both
    elif wanted.day is not None:
        sql, params["before"] = "AND created_at < :before", _day_after(wanted.day)
    elif wanted.alias is not None:
        sql = "AND number = (SELECT number FROM dataset_aliases WHERE name = :name AND alias = :alias)"
        params["alias"] = wanted.alias
    row = database.row(
        f"SELECT {_ROW} FROM dataset_versions v WHERE name = :name {sql} ORDER BY number DESC LIMIT 1", params
    )
    if row is None:
        raise _missing(database, ref, wanted.name)
    return _version(row)


def find_version_by_digest(database: Database, digest: str, name: str | None = None) -> DatasetVersion | None:
    """The version with that content: of the dataset `name`, or the oldest of any."""
    row = database.row(
        f"""SELECT {_ROW} FROM dataset_versions v WHERE digest = :digest AND (:name IS NULL OR name = :name)
           ORDER BY created_at LIMIT 1""",
        {"digest": digest, "name": name},
    )
    return None if row is None else _version(row)


def list_datasets(database: Database) -> list[DatasetSummary]:
    """Every dataset with its newest version, the most recently changed first."""
    rows = database.rows(
        f"""SELECT {_ROW}, counted.n_versions FROM dataset_versions v
           JOIN (SELECT name, COUNT(*) AS n_versions, MAX(number) AS newest FROM dataset_versions GROUP BY name) counted
             ON counted.name = v.name AND counted.newest = v.number
           ORDER BY v.created_at DESC, v.name"""
    )
    return [DatasetSummary(name=row["name"], n_versions=row["n_versions"], latest=_version(row)) for row in rows]


def list_versions(database: Database, name: str) -> list[DatasetVersion]:
    """The versions of one dataset, newest first. Raises NotFoundError."""
    rows = database.rows(
        f"SELECT {_ROW} FROM dataset_versions v WHERE name = :name ORDER BY number DESC", {"name": name}
    )
    if not rows:
        raise _missing(database, name, name)
    return [_version(row) for row in rows]


def list_names(database: Database) -> list[str]:
    """The names of all datasets."""
    return [row["name"] for row in database.rows("SELECT name FROM datasets ORDER BY name")]


def add_version(
    tx: Transaction, version: dict[str, Any], columns: list[Column], origins: Iterable[DatasetVersion] = ()
) -> DatasetVersion:
    """Insert a version under the next free number of its name; the write lock makes the number unique.

    `origins` are the versions that it was derived from.
    """
    now, name = tx.workspace.now().isoformat(), version["name"]
    tx.execute(
        "INSERT INTO datasets (name, created_at) VALUES (:name, :now) ON CONFLICT DO NOTHING",
        {"name": name, "now": now},
    )
    newest = tx.execute("SELECT MAX(number) FROM dataset_versions WHERE name = :name", {"name": name}).fetchone()[0]
    tx.insert(
        "dataset_versions",
        **version,
        number=(newest or 0) + 1,
        parent_number=newest,
        columns=json.dumps([{name: getattr(column, name) for name in Column.__slots__} for column in columns]),
        created_at=now,
        created_by=tx.workspace.actor,
    )
    for origin in origins:
        tx.insert(
            "dataset_derivations",
            name=name,
            number=(newest or 0) + 1,
            from_name=origin.name,
            from_number=origin.number,
        )
    row = tx.execute(
        f"SELECT {_ROW} FROM dataset_versions v WHERE name = :name AND number = :number",
        {"name": name, "number": (newest or 0) + 1},
    ).fetchone()
    return _version(row)


def list_aliases(database: Database, name: str) -> dict[str, int]:
    """The aliases of a dataset and the version numbers they point at."""
    rows = database.rows("SELECT alias, number FROM dataset_aliases WHERE name = :name ORDER BY alias", {"name": name})
    return {row["alias"]: row["number"] for row in rows}


def set_alias(tx: Transaction, name: str, alias: str, number: int) -> None:
    """Point an alias at a version."""
    tx.execute(
        """INSERT INTO dataset_aliases (name, alias, number, set_at, set_by) VALUES (:name, :alias, :number, :now, :actor)
           ON CONFLICT (name, alias) DO UPDATE SET number = :number, set_at = :now, set_by = :actor""",
        {
            "name": name,
            "alias": alias,
            "number": number,
            "now": tx.workspace.now().isoformat(),
            "actor": tx.workspace.actor,
        },
    )


def remove_alias(tx: Transaction, name: str, alias: str) -> None:
    """Forget an alias."""
    tx.execute("DELETE FROM dataset_aliases WHERE name = :name AND alias = :alias", {"name": name, "alias": alias})


def set_profile(tx: Transaction, name: str, number: int, profile_digest: str) -> None:
    """Note the blob that holds the version's profile."""
    tx.execute(
        "UPDATE dataset_versions SET profile_digest = :digest WHERE name = :name AND number = :number",
        {"digest": profile_digest, "name": name, "number": number},
    )


def add_pack(tx: Transaction, pack_digest: str, size_bytes: int, places: Iterable[ChunkPlace]) -> int:
    """Index a pack's chunks and return the bytes that are new. A chunk that another pack holds keeps its place."""
    number = tx.execute(
        """INSERT INTO packs (digest, size_bytes) VALUES (:digest, :size_bytes)
           ON CONFLICT (digest) DO UPDATE SET size_bytes = :size_bytes RETURNING pack_number""",
        {"digest": pack_digest, "size_bytes": size_bytes},
    ).fetchone()[0]

    def bytes_held() -> int:
        row = tx.execute(
            "SELECT COALESCE(SUM(n_bytes), 0) FROM chunks WHERE pack_number = :number", {"number": number}
        ).fetchone()
        return int(row[0])

    before = bytes_held()
    tx.connection.executemany(
        """INSERT INTO chunks (digest, pack_number, start_byte, n_bytes, figures) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (digest) DO NOTHING""",
        [(place.digest, number, place.offset, place.length, place.packed_figures) for place in places],
    )
    return bytes_held() - before


def locate_chunks(database: Database, digests: Iterable[str]) -> dict[str, ChunkPlace]:
    """Where those chunks lie; chunks that are not kept are absent."""
    found: dict[str, ChunkPlace] = {}
    for batch, marks in _batches(digests):
        rows = database.tuples(
            f"""SELECT c.digest, p.digest, c.start_byte, c.n_bytes, c.figures
                FROM chunks c JOIN packs p ON p.pack_number = c.pack_number WHERE c.digest IN ({marks})""",
            batch,
        )
        found.update((row[0], ChunkPlace(*row)) for row in rows)
    return found


def chunk_sizes(database: Database, digests: Iterable[str]) -> dict[str, int]:
    """How many bytes each of those chunks takes; chunks that are not kept are absent."""
    sizes: dict[str, int] = {}
    for batch, marks in _batches(digests):
        sizes.update(database.tuples(f"SELECT digest, n_bytes FROM chunks WHERE digest IN ({marks})", batch))
    return sizes


def is_manifest_known(database: Database, manifest_digest: str) -> bool:
    """Whether some version already has that manifest."""
    return (
        database.row(
            "SELECT 1 FROM dataset_versions WHERE manifest_digest = :digest LIMIT 1", {"digest": manifest_digest}
        )
        is not None
    )


def has_run(database: Database, run_id: str) -> bool:
    """Whether a version can refer to that run."""
    return database.row("SELECT 1 FROM runs WHERE run_id = :run_id", {"run_id": run_id}) is not None


def _batches(values: Iterable[str]) -> Iterator[tuple[list[str], str]]:
    """Some of the values at a time, and as many marks for a list in a query."""
    held = sorted(set(values))
    for start in range(0, len(held), _BATCH):
        batch = held[start : start + _BATCH]
        yield batch, ", ".join("?" * len(batch))


def _missing(database: Database, ref: str, name: str) -> NotFoundError:
    newest = database.row("SELECT MAX(number) AS newest FROM dataset_versions WHERE name = :name", {"name": name})
    if newest is None or newest["newest"] is None:
        return NotFoundError.of("dataset", name, list_names(database), "List them with %snap_data.")
    if (alias := parse_dataset_ref(ref).alias) is not None:
        return NotFoundError.of(
            "alias", alias, list(list_aliases(database, name)), f"Set it: snap.set_alias('{name}@v1', '{alias}')."
        )
    first = database.row("SELECT MIN(created_at) AS first FROM dataset_versions WHERE name = :name", {"name": name})
    assert first is not None
    count = int(newest["newest"])
    return NotFoundError(
        f"There is no version '{ref}'. Dataset '{name}' has versions v1{f'-v{count}' if count > 1 else ''}, "
        f"the first of {first['first'][:10]}."
    )


def _day_after(day: date) -> str:
    return (day + timedelta(days=1)).isoformat()


def _version(row: sqlite3.Row) -> DatasetVersion:
    name, parent = row["name"], row["parent_number"]
    return DatasetVersion(
        ref=f"{name}@v{row['number']}",
        name=name,
        number=row["number"],
        digest=row["digest"],
        n_rows=row["n_rows"],
        n_columns=row["n_columns"],
        size_bytes=row["size_bytes"],
        added_bytes=row["added_bytes"],
        created_at=datetime.fromisoformat(row["created_at"]),
        created_by=row["created_by"],
        columns=[Column(**column) for column in json.loads(row["columns"])],
        message=row["message"],
        parent_ref=None if parent is None else f"{name}@v{parent}",
        run_id=row["run_id"],
        profile_digest=row["profile_digest"],
        manifest_digest=row["manifest_digest"],
        source=None if row["source"] is None else _source(json.loads(row["source"])),
        derived_from=_listed(row["derived"]),
        aliases=_listed(row["aliases"]),
        validity=None if row["passed"] is None else "passed" if row["passed"] else "failed",
    )


def _source(said: dict[str, Any]) -> DatasetSource:
    return DatasetSource(kind=SourceKind(said["kind"]), name=said["name"], detail=said["detail"])


def _listed(joined: str | None) -> list[str]:
    return sorted(joined.split(",")) if joined else []
