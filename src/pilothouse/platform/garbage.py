"""When not to look for garbage: among millions of rows that have no circles, and while a process starts."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Spare the search for circles in the block; afterwards it goes on if it was on."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def without_collecting() -> Iterator[None]:
    """Collect no garbage while a process starts, nor later in what it started with: that stays, and looking is a seventh of the start."""
    with no_collection():
        try:
            yield
        finally:
            gc.freeze()
