"""What a look over the tickets runs as: a process of its own, without Django, in the background of everything else.

The libraries that mining needs are large, and so are a year's texts: both go when it ends, and the worker stays as small as it was.
It tells its parent what it is at through a pipe: ("stage", (stage, tickets)), at last ("done", what was found) or ("fault", words).
"""

from collections.abc import Sequence
from datetime import datetime
from multiprocessing.connection import Connection as Pipe
from typing import Any

import psycopg
from psycopg import IsolationLevel

from pilothouse.platform.background import stand_back


def look(pipe: Pipe, address: str, since: datetime, until: datetime, changes: Sequence[Any]) -> None:
    """Read the tickets opened in [since, until), mine them beside these changes and send what was found."""
    stand_back()
    try:
        pipe.send(("done", found(address, since, until, changes, pipe)))
    except MemoryError:
        pipe.send(("fault", "There was not enough memory to look at so many tickets."))
    except psycopg.OperationalError as error:
        pipe.send(("fault", f"The database could not be read: {str(error).strip().splitlines()[0]}"))
    except Exception as error:
        pipe.send(("fault", f"{type(error).__name__}: {error}"))


def found(address: str, since: datetime, until: datetime, changes: Sequence[Any], pipe: Pipe | None = None) -> dict[str, Any]:
    """Return what stands out of the tickets opened in [since, until), as plain values."""
    from pilothouse.problems import mining, reading  # heavy start-up

    _tell(pipe, "reading", 0)
    with psycopg.connect(address, application_name="pilothouse mining") as connection:
        connection.isolation_level, connection.read_only = IsolationLevel.REPEATABLE_READ, True
        read = reading.read(connection, since, until, changes)
    _tell(pipe, "mining", len(read.tickets))
    return mining.mined(read)


def _tell(pipe: Pipe | None, stage: str, tickets: int) -> None:
    if pipe is not None:
        pipe.send(("stage", (stage, tickets)))
