"""How changes are told: the verbs and fields of their journal in words, for the ticket's timeline and the journal page."""

from collections.abc import Mapping

from pilothouse.changes.engine.detail import OUTCOMES, PREFIX, RISKS, TYPES
from pilothouse.platform import retelling
from pilothouse.tickets import timeline
from pilothouse.tickets.timeline import Spoken


def _lower(words: Mapping[str, str]) -> dict[str, str]:
    return {key: label.lower() for key, label in words.items()}


_FIELDS = {
    "type": Spoken("type", _lower(TYPES)),
    "risk": Spoken("risk", _lower(RISKS)),
    "outcome": Spoken("outcome", _lower(OUTCOMES)),
    "reason": Spoken("reason", is_long=True),
    "implementation_plan": Spoken("plan", is_long=True),
    "rollback_plan": Spoken("rollback plan", is_long=True),
    "planned_start_at": Spoken("planned start", is_instant=True),
    "planned_end_at": Spoken("planned end", is_instant=True),
    "actual_start_at": Spoken("actual start", is_instant=True),
    "actual_end_at": Spoken("actual end", is_instant=True),
    "cis": Spoken("affected CIs", kind="ci"),
}
SPOKEN = {f"{PREFIX}{name}": how for name, how in _FIELDS.items()}

timeline.register(
    {"change.planned": "planned it", "change.begun": "began the work", "change.ended": "ended the work"},
    fields=SPOKEN,
)
retelling.extend("ticket", {name: how.kind for name, how in SPOKEN.items() if how.kind}, {name: how.label for name, how in SPOKEN.items()})
