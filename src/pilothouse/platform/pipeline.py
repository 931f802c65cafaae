"""Statements sent together: inside `pipelined` a statement waits for its answer only when the answer is read.

A write of a few statements then costs one or two round trips instead of one each. An error of a statement is raised where the
next answer is read, at the latest at the block's end, and the transaction is lost as ever. COPY cannot be pipelined.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def pipelined() -> Iterator[None]:
    """Send the block's statements without waiting for each; blocks may be nested."""
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield
