"""The worker's part of problem records: incidents are matched, signatures learnt, and each morning fixes are judged."""

from procrastinate.contrib.django import app

from pilothouse.platform import access, clock, journal, outbox
from pilothouse.problems.actions.judging import judge_fixes
from pilothouse.problems.actions.matching import learn_signature, learn_what_is_missing, match_ticket
from pilothouse.tickets.models import CAUSED_BY, Link, Ticket

_TELLING = ("title", "description", "category", "subcategory", "service", "ci")


@app.periodic(cron="40 4 * * *")
@app.task(name="problems.judge_fixes", queueing_lock="problems.judge_fixes")
def judge(timestamp: int) -> None:
    """Bring the proofs of fix up to date, and reopen what has come back; run again it changes nothing."""
    judge_fixes(actor=access.system(), now=clock.now())


@app.periodic(cron="20 4 * * *")
@app.task(name="problems.learn_what_is_missing", queueing_lock="problems.learn_what_is_missing")
def catch_up(timestamp: int) -> None:
    """Learn the problems that came without links made here (imports, histories), and those learnt long ago."""
    learn_what_is_missing(actor=access.system(), now=clock.now())


@app.task(name="problems.match_ticket")
def match(entry_id: int, kind: str, record_id: int) -> None:
    """Hold a ticket that was opened against the problems; one that is linked is left alone."""
    match_ticket(actor=access.system(), ticket_id=record_id, now=clock.now())


@app.task(name="problems.match_again")
def match_again(entry_id: int, kind: str, record_id: int) -> None:
    """Hold a ticket against the problems again when an entry says more of what it is about, as triage does."""
    if any(entry.id >= entry_id and entry.touches(*_TELLING) for entry in journal.entries_of(kind, record_id)):
        match_ticket(actor=access.system(), ticket_id=record_id, now=clock.now())


@app.task(name="problems.learn")
def learn(entry_id: int, kind: str, record_id: int) -> None:
    """Learn anew what a problem's incidents have in common, after links of it, or of one of its incidents, have changed."""
    targets = Link.objects.filter(ticket_id=record_id, relation=CAUSED_BY).values_list("target_id", flat=True)
    wanted = {record_id, *(pk for pk in targets if pk is not None)}
    for problem_id in Ticket.objects.filter(pk__in=wanted, kind="problem").order_by("pk").values_list("pk", flat=True):
        learn_signature(actor=access.system(), problem_id=problem_id, now=clock.now())


outbox.subscribe("ticket.opened", "problems.match_ticket")
for _verb in ("ticket.changed", "ticket.assigned", "ticket.started"):
    outbox.subscribe(_verb, "problems.match_again")
for _verb in ("problem.gathered", "ticket.linked", "ticket.unlinked"):
    outbox.subscribe(_verb, "problems.learn")
