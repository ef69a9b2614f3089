"""The tables, as recorded migrations. A migration that was released is never edited; changes append a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from sqlite_utils import Database as SqliteDatabase
    from sqlite_utils import Migrations

#: Increases with every migration; a database that already has it skips the check of the migration table.
SCHEMA_VERSION = 7


def _move_metrics(connection: sqlite3.Connection) -> None:
    """Points that had a row each, into chunks."""
    from datetime import datetime

    from .points import Columns, nanoseconds
    from .series import append

    series = connection.execute("SELECT run_id, name FROM run_latest_metrics ORDER BY run_id, name").fetchall()
    for run_id, name in series:
        rows = connection.execute(
            "SELECT value, step, logged_at FROM run_metrics WHERE run_id = ? AND name = ? ORDER BY point_id",
            (run_id, name),
        ).fetchall()
        values = [float("nan") if row[0] is None else row[0] for row in rows]
        times = [nanoseconds(datetime.fromisoformat(row[2])) for row in rows]
        append(connection, run_id, name, Columns(values=values, steps=[row[1] for row in rows], times_ns=times))


def migrate(path: Path) -> None:
    """Bring the database at `path` to the newest schema. Several processes may do it at once.

    Raises UnavailableError when the file was written by a newer SnapML.
    """
    import sqlite3

    from ..domain.errors import UnavailableError
    from .database import BUSY_SECONDS

    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        _use_wal(connection)
        found = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if found == SCHEMA_VERSION:
            return
        if found > SCHEMA_VERSION:
            raise UnavailableError(
                f"{path} was written by a newer SnapML (schema {found}, this one knows {SCHEMA_VERSION}). "
                "Upgrade: pip install -U snapml-jupyter"
            )
        from sqlite_utils import Database as SqliteDatabase

        connection.execute("BEGIN IMMEDIATE")  # a second process waits here, then finds nothing pending
        try:
            _migrations().apply(SqliteDatabase(connection))
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    finally:
        connection.close()


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL. SQLite's busy timeout does not cover this: processes that open a new file at once take turns here."""
    import sqlite3
    import time

    from .database import BUSY_SECONDS

    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _migrations() -> Migrations:
    # sqlite_utils is imported late: it costs 40 ms that an up-to-date database need not pay.
    from sqlite_utils import Migrations

    from .schema import TABLES_0001, TABLES_0002, TABLES_0003, TABLES_0004, TABLES_0005, TABLES_0006, TABLES_0007

    migrations = Migrations("snapml")

    @migrations(name="0001_first_light")
    def first_light(database: SqliteDatabase) -> None:
        for statement in TABLES_0001:
            database.execute(statement)

    @migrations(name="0002_datasets")
    def datasets(database: SqliteDatabase) -> None:
        for statement in TABLES_0002:
            database.execute(statement)

    @migrations(name="0003_tracking")
    def tracking(database: SqliteDatabase) -> None:
        for statement in TABLES_0003:
            database.execute(statement)
        _move_metrics(database.conn)
        database.execute("DROP TABLE run_metrics")
        database.execute("DROP TABLE run_latest_metrics")

    @migrations(name="0004_replays")
    def replays(database: SqliteDatabase) -> None:
        for statement in TABLES_0004:
            database.execute(statement)

    @migrations(name="0005_traffic")
    def traffic(database: SqliteDatabase) -> None:
        for statement in TABLES_0005:
            database.execute(statement)

    @migrations(name="0006_gates")
    def gates(database: SqliteDatabase) -> None:
        for statement in TABLES_0006:
            database.execute(statement)

    @migrations(name="0007_manifests")
    def manifests(database: SqliteDatabase) -> None:
        for statement in TABLES_0007:
            database.execute(statement)

    return migrations
