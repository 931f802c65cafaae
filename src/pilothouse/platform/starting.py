"""Starting quickly: what a process imports stays until it ends, and looking through it for garbage takes a seventh of the start."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collecting() -> Iterator[None]:
    """Collect no garbage in the block; what was made in it is left out of later collections, too."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
