"""Matching new incidents to problems: linked when sure, proposed when likely; proposals answered; signatures learnt."""

from datetime import datetime

from django.db import transaction

from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import FieldError, Forbidden, GuardRefused, Missing
from pilothouse.problems import matching_data
from pilothouse.problems.actions.records import gather
from pilothouse.problems.engine.matching import Likeness, learn
from pilothouse.problems.models import Match, Problem, Signature
from pilothouse.problems.proving import incidents_of
from pilothouse.tickets.access import may_work, sees
from pilothouse.tickets.engine.lifecycle import RAISED_KINDS
from pilothouse.tickets.models import CAUSED_BY, Link, Ticket

_LONGEST_REASON = 400
_ENOUGH_MORE = 1.1


def match_ticket(*, actor: Actor, ticket_id: int, now: datetime) -> list[Match]:
    """Hold a new incident against all problems: link it to the one that it surely is of, or propose at most three; returns the matches.

    Does nothing for an incident that is done, linked to a problem, or was matched before. Needs to steer tickets.
    """
    require(actor, Capability.STEER_TICKETS)
    with transaction.atomic():
        ticket = Ticket.objects.select_for_update(of=("self",)).filter(pk=ticket_id, kind__in=RAISED_KINDS).first()
        if ticket is None or not ticket.is_open or Link.objects.filter(ticket=ticket, relation=CAUSED_BY).exists():
            return []
        if Match.objects.filter(ticket=ticket).exists():
            return []
        (terms,) = matching_data.read([ticket.pk])
        return [_note(actor, ticket, like, now) for like in matching_data.matcher().match(terms)]


def _note(actor: Actor, ticket: Ticket, like: Likeness, now: datetime) -> Match:
    problem = Ticket.objects.get(pk=like.problem)
    reason = like.reason[:_LONGEST_REASON]
    state = "linked" if like.is_sure else "proposed"
    made = Match.objects.create(ticket=ticket, problem=problem, state=state, score=like.score, reason=reason, found_at=now)
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
    learnt = learn(matching_data.read(ids), matching_data.others_than(ids), matching_data.share_of(ids))
    if learnt is None:
        Signature.objects.filter(pk=problem_id).delete()
        return None
    values = {"learnt": _finite(learnt.as_data()), "incidents": len(ids), "learnt_at": now}
    return Signature.objects.update_or_create(problem_id=problem_id, defaults=values)[0]


def _finite(data: dict[str, object]) -> dict[str, object]:
    """Write thresholds that nothing reaches as a number that JSON has."""
    return {name: min(value, 1e9) if isinstance(value, float) else value for name, value in data.items()}
