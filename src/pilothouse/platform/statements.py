"""Statements of hot paths: prepared once on each connection, their values bound by the server.

Django writes values into each statement's text, which PostgreSQL then parses and plans anew; on the way of one small write that
costs more than the write. A statement run here is planned once a connection.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from django.db import connection
from psycopg.types.numeric import Int8


def run(query: str, values: Sequence[Any]) -> "psycopg.Cursor[Any]":
    """Run a statement of a fixed text inside the caller's transaction, if there is one, and return its cursor.

    Raises Django's database errors. Tests and the bench see it among the connection's queries.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors:
        if connection.queries_logged:
            text = psycopg.ClientCursor(connection.connection).mogrify(query, values)
            connection.queries_log.append({"sql": text, "time": "0"})
        return psycopg.Cursor(connection.connection).execute(query, values, prepare=True)


def copy_rows(table_and_columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """Copy rows into `table ("column", …)`; of lists only empty ones may stand in the rows without a type of their own."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {table_and_columns} FROM STDIN") as copy:
        for row in rows:
            copy.write_row([value if value != [] else "{}" for value in row])  # an empty list is written as PostgreSQL reads it


def wide(value: Any) -> Any:
    """Return a value to be bound; whole numbers always as bigint, so that their size does not make another statement of it."""
    return Int8(value) if type(value) is int else value
