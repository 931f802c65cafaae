"""What is frozen as evidence: plain values that a database gives back as they were, and the hash that the journal keeps of them; pure."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any


def plain(value: Any) -> Any:
    """Return a value as JSON and a database keep it: no NaN, no infinity, no NUL, whole numbers as such, keys as texts.

    >>> plain({"a": 2.0, "b": float("nan"), 3: (1, "x\\x00")})
    {'a': 2, 'b': None, '3': [1, 'x']}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, Sequence):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return None if not math.isfinite(value) else int(value) if value.is_integer() else value
    return value if value is None or isinstance(value, bool | int) else str(value)


def fingerprint(found: Any, ticket_ids: Sequence[int]) -> str:
    """Return the SHA-256, in hexadecimal, of a finding and its tickets in a form that does not depend on the order of keys."""
    text = json.dumps({"found": found, "tickets": sorted(ticket_ids)}, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
