"""SQLite as every process of a workspace uses it: WAL, one connection a thread, writers that wait for each other."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..domain.errors import UnavailableError

#: How long a writer waits for another before it gives up, in seconds.
BUSY_SECONDS = 60.0

Params = Mapping[str, Any]


class Database:
    """One SQLite file. Safe to share between threads and to inherit over fork: connections are per thread and process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection, opened on first use. Raises UnavailableError when the file cannot be opened."""
        held: tuple[int, sqlite3.Connection] | None = getattr(self._local, "held", None)
        if held is not None and held[0] == os.getpid():
            return held[1]
        try:
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA journal_mode = WAL")
            # NORMAL survives the death of any process; only a power cut may lose the last transactions, never the file.
            connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error as error:
            raise UnavailableError(f"The workspace database {self.path} cannot be opened: {error}.") from error
        self._local.held = (os.getpid(), connection)
        return connection

    def rows(self, sql: str, params: Params | None = None) -> list[sqlite3.Row]:
        """All rows of a query."""
        with _explained(self.path):
            return self.connection.execute(sql, params or {}).fetchall()

    def tuples(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """All rows of a query with `?` marks, as plain tuples: for thousands of rows, and for hundreds of parameters,
        which SQLite looks up one by one when they have names."""
        with _explained(self.path):
            cursor = self.connection.cursor()
            cursor.row_factory = None
            return cursor.execute(sql, params).fetchall()

    def row(self, sql: str, params: Params | None = None) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        with _explained(self.path):
            found: sqlite3.Row | None = self.connection.execute(sql, params or {}).fetchone()
        return found

    def data_version(self) -> int:
        """A number that changes when another connection has committed; costs microseconds, reads no table."""
        found = self.row("PRAGMA data_version")
        assert found is not None
        return int(found[0])

    @contextmanager
    def transaction(self, wait_seconds: float | None = None) -> Iterator[sqlite3.Connection]:
        """Write under SQLite's one write lock (BEGIN IMMEDIATE, so it waits at the start and never fails half-way).

        Nested use joins the outer transaction. `wait_seconds` is for what can be left for later: it gives up that soon.
        """
        connection = self.connection
        if connection.in_transaction:
            yield connection
            return
        with _explained(self.path):
            if wait_seconds is None:
                connection.execute("BEGIN IMMEDIATE")
            else:
                connection.execute(f"PRAGMA busy_timeout = {int(wait_seconds * 1000)}")
                try:
                    connection.execute("BEGIN IMMEDIATE")
                finally:
                    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                _roll_back_if_open(connection)  # the body or the commit failed

    def close(self) -> None:
        """Close this thread's connection; the next use opens a new one."""
        held: tuple[int, sqlite3.Connection] | None = getattr(self._local, "held", None)
        if held is not None and held[0] == os.getpid():
            held[1].close()
        self._local.held = None


def _roll_back_if_open(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def insert(connection: sqlite3.Connection, table: str, values: Mapping[str, Any]) -> None:
    """Insert one row; table and column names come from code, never from users."""
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", dict(values))


def insert_many(connection: sqlite3.Connection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns."""
    held = [dict(row) for row in rows]
    if held:
        names = ", ".join(held[0])
        marks = ", ".join(f":{name}" for name in held[0])
        connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", held)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what users can do something about into a sentence; leave programming errors as they are."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "locked" in text or "busy" in text:
            raise UnavailableError(
                f"The workspace database {path} stayed locked by another writer for {BUSY_SECONDS:.0f} seconds. Try again."
            ) from error
        if "disk is full" in text or "readonly" in text or "unable to open" in text or "disk I/O" in text:
            raise UnavailableError(f"The workspace database {path} cannot be used: {text}.") from error
        raise
