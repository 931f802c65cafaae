"""A process that makes rows for a rebuild: it reads what the rebuild's transaction saw, and hands rows back. Starts without Django."""

import signal
from typing import TYPE_CHECKING, Any

from pilothouse.platform import embedded

if TYPE_CHECKING:
    from pilothouse.sla.rebuilding import Made, Maker, Range, Sites

_maker: "Maker | None" = None


def begin(database: dict[str, Any], snapshot: str, sites: "Sites") -> None:
    """Enter the snapshot of the process that started this one, on a connection to its database."""
    global _maker
    embedded.dies_with_parent(signal.SIGKILL)()
    import django  # models can be imported only when Django is set up

    django.setup()
    from django.db import connection

    from pilothouse.sla.rebuilding import Maker

    connection.settings_dict.update(database)
    connection.set_autocommit(False)
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SET TRANSACTION SNAPSHOT %s", [snapshot])
    _maker = Maker(sites)


def make(tickets: "Range") -> "Made":
    """Return the rows of the tickets of a range."""
    assert _maker is not None
    return _maker.make(tickets)
