"""Matching new incidents to problems: linked when sure, proposed when likely; proposals answered; signatures learnt."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import FieldError, Forbidden, GuardRefused, Missing
from pilothouse.problems import matching_data
from pilothouse.problems.actions.records import gather
from pilothouse.problems.engine import readings
from pilothouse.problems.engine.matching import LEAST, Likeness
from pilothouse.problems.models import Match, Problem, Signature
from pilothouse.problems.proving import incidents_of
from pilothouse.tickets.access import may_work, sees
from pilothouse.tickets.engine.lifecycle import RAISED_KINDS
from pilothouse.tickets.models import CAUSED_BY, Link, Ticket

_LONGEST_REASON = 400
_ENOUGH_MORE = 1.1
_OLD = timedelta(days=30)


def match_ticket(*, actor: Actor, ticket_id: int, now: datetime) -> list[Match]:
    """Hold an incident against all problems: link it to the one that it surely is of, or propose at most three; returns what is new.

    Does nothing for an incident that is done or linked to a problem. Held again, after more is known of it, what was proposed is linked
    when it has become sure; what was declined or taken back stays so. Needs to steer tickets.
    """
    require(actor, Capability.STEER_TICKETS)
    with transaction.atomic():
        ticket = Ticket.objects.select_for_update(of=("self",)).filter(pk=ticket_id, kind__in=RAISED_KINDS).first()
        if ticket is None or not ticket.is_open or Link.objects.filter(ticket=ticket, relation=CAUSED_BY).exists():
            return []
        (incident,) = matching_data.read([ticket.pk])
        known = {match.problem_id: match for match in Match.objects.select_for_update().filter(ticket=ticket)}
        found = [like for like in matching_data.matcher().match(incident) if _is_new(known.get(like.problem), like)]
        return [_note(actor, ticket, like, now) for like in found]


def _is_new(known: Match | None, like: Likeness) -> bool:
    return known is None or (known.state == "proposed" and like.is_sure)


def _note(actor: Actor, ticket: Ticket, like: Likeness, now: datetime) -> Match:
    problem = Ticket.objects.get(pk=like.problem)
    reason = like.reason[:_LONGEST_REASON]
    values = {"state": "linked" if like.is_sure else "proposed", "score": like.score, "reason": reason, "found_at": now}
    made, _ = Match.objects.update_or_create(ticket=ticket, problem=problem, defaults=values)
    if like.is_sure:
        gather(actor, problem, [ticket.pk], now=now, note=f"{problem.number}: {reason}.")
        _offer(actor, ticket.pk, problem.pk, now)
    else:
        named = {"name": problem.number, "problem": problem.pk}
        draft = Draft("ticket", ticket.pk, "problem.proposed", (Change("match", None, named),), note=f"{reason}.", private=True)
        journal.record(actor, [draft], now=now)
    return made


def _offer(actor: Actor, ticket_id: int, problem_id: int, now: datetime) -> None:
    """Say, to the requester too, that a workaround is there: links are the desk's own business and told to nobody else."""
    if Problem.objects.filter(pk=problem_id, known_error_at__isnull=False).exists():
        journal.record(actor, [Draft("ticket", ticket_id, "problem.workaround_offered")], now=now)


def answer_match(*, actor: Actor, match_id: int, accept: bool, now: datetime) -> Match:
    """Link a proposed incident to its problem, or decline the proposal for good; whoever may work one of the two may answer.

    A link that was made because it was sure can be declined, too: it is then taken back.
    """
    with transaction.atomic():
        match = Match.objects.select_for_update(of=("self",)).select_related("ticket", "problem").filter(pk=match_id).first()
        if match is None or not (actor.can(Capability.READ_TICKETS) and sees(actor, match.ticket) and sees(actor, match.problem)):
            raise Missing("There is no such proposal.")
        if not (may_work(actor, match.ticket) or may_work(actor, match.problem)):
            raise Forbidden(f"{match.ticket.number} and {match.problem.number} are with other teams.")
        if match.state == ("linked" if accept else "declined"):
            words = f"It is {match.state} already."
            raise GuardRefused(words, [FieldError("do", words)])
        if accept:
            gather(actor, match.problem, [match.ticket_id], now=now, note=f"{match.problem.number}: {match.reason}.")
            _offer(actor, match.ticket_id, match.problem_id, now)
        else:
            _decline(actor, match, now)
        match.state = "linked" if accept else "declined"
        match.save(update_fields=["state"])
    return match


def _decline(actor: Actor, match: Match, now: datetime) -> None:
    named = {"name": match.problem.number, "problem": match.problem_id}
    here = {"relation": CAUSED_BY, "ticket": match.problem_id, "url": "", "label": ""}
    taken, _ = Link.objects.filter(ticket_id=match.ticket_id, relation=CAUSED_BY, target_id=match.problem_id).delete()
    changes = [Change("match", named, None), *([Change("link", here, None)] if taken else [])]
    drafts = [Draft("ticket", match.ticket_id, "problem.match_declined", tuple(changes), private=True)]
    if taken:
        there = {**here, "relation": f"{CAUSED_BY}:reverse", "ticket": match.ticket_id}
        drafts.append(Draft("ticket", match.problem_id, "ticket.unlinked", (Change("link", there, None),)))
    journal.record(actor, drafts, now=now)


def learn_signature(*, actor: Actor, problem_id: int, now: datetime, anew: bool = False) -> Signature | None:
    """Learn what a problem's incidents have in common and keep it; left alone while hardly any came since, unless `anew`."""
    require(actor, Capability.STEER_TICKETS)
    ids = incidents_of(problem_id)
    kept = Signature.objects.filter(pk=problem_id).first()
    if kept is not None and not anew and kept.incidents >= 10 and kept.incidents <= len(ids) < _ENOUGH_MORE * kept.incidents:
        return kept
    learnt = readings.learn_readings(matching_data.read(ids), matching_data.others_than(ids), matching_data.share_of(ids))
    if not learnt:
        Signature.objects.filter(pk=problem_id).delete()
        return None
    values = {"learnt": _finite(readings.as_data(learnt)), "incidents": len(ids), "learnt_at": now}
    return Signature.objects.update_or_create(problem_id=problem_id, defaults=values)[0]


def learn_what_is_missing(*, actor: Actor, now: datetime) -> int:
    """Learn every open or resolved problem with three incidents that has no signature or an old one; returns how many have a new one.

    Problems come to be without a link that is made by hand, too: by imports and histories. A signature is old after thirty days, since
    what the other tickets are like changes. At most 500 at once, those that were never learnt first. Needs to steer tickets.
    """
    require(actor, Capability.STEER_TICKETS)
    wanted = matching_data.unlearnt(now - _OLD, LEAST)
    return sum(learn_signature(actor=actor, problem_id=pk, now=now, anew=True) is not None for pk in wanted)


def _finite(data: dict[str, Any]) -> dict[str, Any]:
    """Write thresholds that nothing reaches as a number that JSON has."""
    told = ((name, _finite(value) if isinstance(value, dict) else value) for name, value in data.items())
    return {name: min(value, 1e9) if isinstance(value, float) else value for name, value in told}
