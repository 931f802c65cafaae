"""How candidates and looks are spoken of in the journal, and the message that something was raised."""

from collections.abc import Iterable, Mapping

from pilothouse.notifications import kinds
from pilothouse.people.doors import address
from pilothouse.platform import retelling
from pilothouse.problems.actions.watching import RAISED
from pilothouse.problems.models import Candidate, MiningRun

_VERBS = {
    "candidate.found": "was found",
    "candidate.raised": "was raised",
    "candidate.returned": "came back",
    "candidate.gone": "was not found any more",
    "candidate.dismissed": "dismissed",
    "candidate.restored": "brought back",
    "candidate.taken": "opened a problem from",
}
_LOOKS = {"mining_run.requested": "asked for", "mining_run.ended": "ended", "mining_run.failed": "broke off"}


def _names(ids: Iterable[int]) -> Mapping[int, str]:
    """Name candidates by their numbers: a title is made of words of their tickets."""
    return {pk: f"candidate {pk}" for pk in Candidate.objects.filter(pk__in=list(ids)).values_list("pk", flat=True)}


def _looks(ids: Iterable[int]) -> Mapping[int, str]:
    rows = MiningRun.objects.filter(pk__in=list(ids)).values_list("pk", "began_at")
    return {pk: f"look of {began:%-d %b %Y %H:%M} UTC" for pk, began in rows}


retelling.register(
    "candidate", retelling.Kind("candidate", _names, lambda pk, name: address("problems-candidate", pk), {"problem": "ticket"}, _VERBS)
)
retelling.register("mining_run", retelling.Kind("look", _looks, lambda pk, name: "", {}, _LOOKS))
kinds.register(RAISED, "Raised troubles", about="Tickets that crowd as they come in")
