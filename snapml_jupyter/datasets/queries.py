"""The answer of an SQL query as an Arrow table, from whatever connection the user has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..domain.errors import CannotKeepError, InvalidInputError, NotFoundError, UnavailableError, missing_dependency

#: Rows that are fetched at once; between fetches only Arrow memory is held.
_BATCH_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Query:
    """SQL text and where to run it: a DBAPI 2 or ADBC connection, a SQLAlchemy engine or connection, or DuckDB's."""

    sql: str
    connection: Any
    parameters: Any = None


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """A connection to the database at a SQLAlchemy URL; SQLite needs nothing installed.

    Raises MissingDependencyError without SQLAlchemy, InvalidInputError for a URL that it does not know, NotFoundError for
    an SQLite file that is not there.
    """
    if url.startswith("sqlite:///"):
        import sqlite3

        path = Path(url.removeprefix("sqlite:///")).expanduser()
        if not path.is_file():
            raise NotFoundError(f"There is no SQLite database '{path}'.")
        with closing(sqlite3.connect(path)) as connection:
            yield connection
        return
    try:
        import sqlalchemy
    except ImportError:
        raise missing_dependency("sqlalchemy", f"Connecting to {url.partition(':')[0]}") from None
    try:
        engine = sqlalchemy.create_engine(url)
    except (sqlalchemy.exc.ArgumentError, ImportError) as error:
        raise InvalidInputError(f"--connection: {error}") from error
    try:
        yield engine
    finally:
        engine.dispose()


def read_query(query: Query) -> pa.Table:
    """Run the query and read all rows.

    Column types are those of the values: the narrowest Arrow type that holds all of them. Raises InvalidInputError when
    the statement gives no rows or the connection is none, UnavailableError when the database refuses it.
    """
    with ExitStack() as cleaning:
        try:
            answer = _executed(query, cleaning)
            if hasattr(answer, "fetch_record_batch"):  # ADBC and DuckDB speak Arrow themselves
                reader: pa.RecordBatchReader = answer.fetch_record_batch()
                return reader.read_all()
            names = _column_names(query, answer)
            tables = [_table(names, rows) for rows in _fetched(answer)]
        except (InvalidInputError, CannotKeepError):
            raise
        except Exception as error:  # every driver has its own errors
            raise UnavailableError(f"The query failed: {type(error).__name__}: {error}\n  {query.sql[:500]}") from error
    if not tables:
        return pa.table({name: pa.nulls(0) for name in names})
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise CannotKeepError(
            f"A column of the query has values of different types in different rows: {error}. Cast it in the SQL."
        ) from error


def _executed(query: Query, cleaning: ExitStack) -> Any:
    """A cursor or result that rows can be fetched from."""
    connection = query.connection
    if type(connection).__module__.partition(".")[0] == "sqlalchemy":
        from sqlalchemy import text  # type: ignore[import-not-found, unused-ignore]  # there, since the connection is

        if hasattr(connection, "connect") and not hasattr(connection, "execute"):  # an engine
            connection = cleaning.enter_context(connection.connect())
        return connection.execution_options(stream_results=True).execute(text(query.sql), query.parameters)
    if hasattr(connection, "cursor"):
        cursor = connection.cursor()
        if hasattr(cursor, "close"):
            cleaning.callback(cursor.close)
        arguments = () if query.parameters is None else (query.parameters,)
        # DBAPI says nothing of what execute() returns; the cursor has the rows.
        cursor.execute(query.sql, *arguments)
        return cursor
    raise InvalidInputError(
        f"A {type(connection).__name__} is not a database connection. Give a DBAPI connection (sqlite3.connect(...)), "
        "a SQLAlchemy engine or connection, or one of ADBC or DuckDB."
    )


def _column_names(query: Query, answer: Any) -> list[str]:
    names = list(answer.keys()) if hasattr(answer, "keys") else [column[0] for column in answer.description or ()]
    if not names:
        raise InvalidInputError(f"The statement gives no rows to keep: {query.sql[:200]}")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise CannotKeepError(f"The query gives two columns named '{twice}'. Name one of them otherwise: ... AS other.")
    return names


def _fetched(answer: Any) -> Iterator[list[Any]]:
    while rows := answer.fetchmany(_BATCH_ROWS):
        yield rows


def _table(names: list[str], rows: list[Any]) -> pa.Table:
    arrays = []
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        try:
            arrays.append(pa.array(values))
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise CannotKeepError(
                f"Column '{name}' of the query has values that do not fit one type: {error}. Cast it in the SQL."
            ) from error
    return pa.Table.from_arrays(arrays, names=names)
