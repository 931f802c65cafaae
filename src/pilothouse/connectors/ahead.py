"""Reading ahead: the next items are made by a thread while the database works on this one."""

import contextlib
from collections.abc import Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar, cast

_T = TypeVar("_T")
_AHEAD = 2  # items made before they are asked for, which is what they cost in memory
_PATIENCE_SECONDS = 0.2


def ahead(items: Iterator[_T]) -> Iterator[_T]:
    """Yield the items in order, made by a thread that touches no database. Its errors are raised here."""
    made: Queue[tuple[_T | None, BaseException | None, bool]] = Queue(_AHEAD)
    stopped = Event()
    thread = Thread(target=_make, args=(items, made, stopped), name="import-reader", daemon=True)
    thread.start()
    try:
        while True:
            item, error, more = made.get()
            if error is not None:
                raise error
            if not more:
                return
            yield cast("_T", item)  # None only comes with an error or the end
    finally:
        stopped.set()
        thread.join()


def _make(items: Iterator[_T], made: "Queue[tuple[_T | None, BaseException | None, bool]]", stopped: Event) -> None:
    try:
        for item in items:
            if not _put(made, (item, None, True), stopped):
                return
        _put(made, (None, None, False), stopped)
    except BaseException as error:  # told to the one who reads
        _put(made, (None, error, False), stopped)


def _put(made: "Queue[_T]", item: _T, stopped: Event) -> bool:
    """Wait for room, unless nobody reads any more."""
    while not stopped.is_set():
        with contextlib.suppress(Full):
            made.put(item, timeout=_PATIENCE_SECONDS)
            return True
    return False
