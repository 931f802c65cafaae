"""Agreements as values: what applies to a ticket, which targets it then has, and how their clocks run; pure.

A definition is JSON, as the page writes it and `pilothouse sla what-if` reads it:

    {"applies_to": "kind:incident",
     "targets": [
       {"key": "resolution", "kind": "resolution",
        "durations": {"1": {"seconds": 14400}, "3": {"days": 1, "at": "16:00"}},
        "schedule": 4, "schedule_from": ["ci", "service", "site"],
        "holds": ["caller", "vendor"], "count_resolved": false,
        "start": "", "pause": "", "stop": "", "cancel": "", "reset": "",
        "groups": [], "rule": "", "steps": [...]}]}

- `applies_to`, `start`, `pause`, `stop`, `cancel`, `reset`: conditions in the queue language, "" meaning the kind's own rule alone.
- `kind`: response (stops at the first ownership, or the first public reply, as `rule` says: "owned", "replied"), resolution (stops
  when resolved), ola (runs while one of `groups`, or any group, owns the ticket), contract (runs while on hold for a vendor).
- `durations`: for each priority that has a target: business seconds, or "the so manieth business day at so much o'clock".
- `schedule`: whose hours count (None: always open), unless the CI, the service or the requester's site, in the order of `schedule_from`,
  has hours of its own.
- `holds`: the hold reasons that pause. A ticket that is resolved is not counted unless `count_resolved`.
- `steps`: what happens before the breach (engine/steps.py).

The first agreement by position that matches, and has a target of a kind for the ticket's priority, gives the ticket its clock of this kind.
"""

from collections.abc import Mapping

KINDS: Mapping[str, str] = {
    "response": "Response",
    "resolution": "Resolution",
    "ola": "Operational level (OLA)",
    "contract": "Underpinning contract",
}
STAGES: Mapping[str, str] = {"running": "Running", "paused": "Paused", "achieved": "Ended", "cancelled": "Cancelled"}
RESPONSE_RULES: Mapping[str, str] = {"owned": "first human ownership", "replied": "first public reply"}
SCHEDULE_SOURCES: Mapping[str, str] = {"ci": "the CI", "service": "the service", "site": "the requester's site"}
