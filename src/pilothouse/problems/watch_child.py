"""What a look at arriving tickets runs as: a process of its own, without Django, which ends with its libraries.

The state goes in and comes out as packed JSON, the alarms as plain values.
"""

import zlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson


def look(
    state: bytes, arrivals: Sequence[tuple[str, int, str, str, dict[str, str]]]
) -> tuple[bytes, list[dict[str, Any]], list[list[Any]]]:
    """Hold arrivals (key, instant, title, text, facts) against what is known; returns the new state, alarms, and who joined which."""
    from pilothouse.problems.engine import streaming  # heavy start-up

    known = orjson.loads(zlib.decompress(state)) if state else None
    looked = streaming.look(known, [streaming.Arrival(*each) for each in arrivals])
    raised = [{**asdict(alarm), "told": streaming.told(alarm)} for alarm in looked.raised]
    return zlib.compress(orjson.dumps(looked.state)), raised, [list(each) for each in looked.joined]
