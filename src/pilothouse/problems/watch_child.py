"""What a look at arriving tickets runs as: a process of its own, without Django, which ends with its libraries.

The state goes in and comes out as packed JSON, the alarms as plain values. An arrival is (key, instant, title, text, facts).
"""

import zlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from pilothouse.problems.engine import streams

Arrival = tuple[str, int, str, str, dict[str, str]]


def look(
    state: bytes, arrivals: Sequence[Arrival], atlas: bytes = b"", before: Sequence[Arrival] = ()
) -> tuple[bytes, list[dict[str, Any]], list[list[Any]]]:
    """Hold arrivals against what is known; returns the new state, alarms, and who joined which.

    The packed atlas gives tickets their families; where it is a new one, `before` are the tickets that were taken already, and the
    families of the state become what these say.
    """
    from pilothouse.problems.engine import streaming  # heavy start-up

    known = orjson.loads(zlib.decompress(state)) if state else None
    if known is not None and before:
        known = streaming.regrouped(known, _with_families(before, atlas))
    looked = streaming.look(known, _with_families(arrivals, atlas))
    raised = [{**asdict(alarm), "told": streaming.told(alarm)} for alarm in looked.raised]
    return zlib.compress(orjson.dumps(looked.state)), raised, [list(each) for each in looked.joined]


def _with_families(arrivals: Sequence[Arrival], atlas: bytes) -> "list[streams.Arrival]":
    # Heavy start-up.
    from pilothouse.problems.engine import streams
    from pilothouse.problems.engine.atlas import Atlas
    from pilothouse.problems.engine.columns import FAMILY

    made = [streams.Arrival(*each) for each in arrivals]
    if not atlas:
        return made
    families = Atlas.of(atlas)
    return [replace(each, facts={**each.facts, FAMILY: families.family(each.title, each.text)}) for each in made]
