"""How reviews are spoken of in the journal, and which messages the morning sends."""

from collections.abc import Iterable, Mapping

from pilothouse.morning.actions import NUDGE
from pilothouse.morning.mailing import KIND
from pilothouse.morning.models import Review
from pilothouse.notifications import kinds
from pilothouse.platform import retelling

_VERBS = {
    "review.started": "began",
    "review.line_done": "did a line of",
    "review.line_undone": "took back a line of",
    "review.finished": "finished",
}


def _names(ids: Iterable[int]) -> Mapping[int, str]:
    rows = Review.objects.filter(pk__in=list(ids)).values_list("id", "person__name", "started_at")
    return {pk: f"{name}, {started:%-d %b %Y}" for pk, name, started in rows}


retelling.register(
    "review",
    retelling.Kind("morning review", _names, lambda pk, name: "", {"ticket": "ticket"}, _VERBS),
)
kinds.register(KIND, "Morning review", about="Your review at the time you chose")
kinds.register(NUDGE, "Nudges", about="Somebody asks how a ticket of yours stands")
