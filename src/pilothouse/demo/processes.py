"""What runs in a worker process of the loader.

A spawned process imports this module before Django is set up, so that everything that needs models is imported when it runs.
"""

import os
import signal
from datetime import datetime
from typing import TYPE_CHECKING

from pilothouse.demo.engine.facts import FactBook
from pilothouse.demo.engine.generate import Arguments
from pilothouse.platform import embedded
from pilothouse.platform.access import Actor

if TYPE_CHECKING:
    from pilothouse.demo.loader import Loading

_loading: "Loading | None" = None


def set_up(actor: Actor, arguments: Arguments, now: datetime, database: str) -> None:
    """Make this process ready to load days into the database of this name."""
    global _loading
    embedded.dies_with_parent(signal.SIGTERM)()  # Ctrl-C is the parent's to handle: batches are whole or not there
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilothouse.platform.settings")
    import django  # see the module's docstring

    django.setup(set_prefix=False)
    from django.db import connections

    from pilothouse.demo.loader import Loading

    connections.settings["default"]["NAME"] = database
    _loading = Loading(actor, arguments, now)


def load_days(task: tuple[range, list[int]]) -> FactBook:
    """Load one batch of days."""
    assert _loading is not None
    return _loading.load_days(*task)
