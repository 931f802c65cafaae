"""How a process of its own, begun for heavy work, stands back."""

import os
import signal

from pilothouse.platform import embedded


def stand_back() -> None:
    """Take what time others leave, and end with the parent."""
    embedded.dies_with_parent(signal.SIGKILL)()
    if hasattr(os, "nice"):
        os.nice(10)
