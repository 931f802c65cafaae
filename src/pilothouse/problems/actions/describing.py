"""What becomes known of a problem: its cause, the five whys, a workaround, a promised day, the change that fixes it, tasks."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from pilothouse.platform import journal
from pilothouse.platform.access import Actor
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import FieldError, GuardRefused, Invalid
from pilothouse.platform.texts import is_plain_text
from pilothouse.problems import queries
from pilothouse.problems.actions.records import get_problem
from pilothouse.problems.engine.detail import EMPTY, PREFIX
from pilothouse.problems.proving import why_no_fix
from pilothouse.tickets.access import get_ticket, require_work
from pilothouse.tickets.actions import link_ticket, move_ticket, open_ticket
from pilothouse.tickets.actions.details import record_detail, require_version
from pilothouse.tickets.models import FIXED_BY, Link, Ticket

DESCRIBED = ("cause", "whys", "workaround", "promised_on", "no_fix_reason")
MOST_WHYS = 10
_LONGEST = 50_000


def describe_problem(
    *, actor: Actor, problem_id: int, changes: Mapping[str, Any], now: datetime, expected_version: int | None = None, note: str = ""
) -> Ticket:
    """Change what is written down of a problem and return its ticket.

    `changes`: cause, workaround, no_fix_reason (texts), whys (up to ten texts, each an answer to the one before), promised_on (a day
    or None). What is not named stays. Raises StaleVersion when `expected_version` is not the ticket's, Invalid, GuardRefused (a known
    error keeps its workaround), Forbidden, Missing.
    """
    with transaction.atomic():
        problem = _open_to(actor, problem_id)
        require_version(problem, expected_version, changes, _detail(problem))
        values = {**changes, "whys": _trimmed(changes["whys"])} if isinstance(changes.get("whys"), list) else dict(changes)
        if errors := _errors(values, note):
            raise Invalid("Nothing was changed.", errors)
        _write(actor, problem, values, "problem.described", now=now, note=note)
    return problem


def _open_to(actor: Actor, problem_id: int) -> Ticket:
    problem = get_problem(actor, problem_id, lock=True)
    require_work(actor, problem)
    return problem


def _detail(problem: Ticket) -> dict[str, Any]:
    kept = queries.detail(problem)
    return {name: getattr(kept, name) for name in EMPTY}


def _trimmed(whys: list[Any]) -> list[Any]:
    """Drop the empty answers: each is an answer to the one before it."""
    return [each for each in (each.strip() if isinstance(each, str) else each for each in whys) if each != ""]


def _errors(values: Mapping[str, Any], note: str) -> list[FieldError]:
    errors = [FieldError(name, "This field is not changed here.") for name in values if name not in DESCRIBED]
    errors += [error for name, value in values.items() if name in DESCRIBED and (error := _fault(name, value))]
    return errors if is_plain_text(note) and len(note) <= _LONGEST else [*errors, FieldError("note", "This is not a text.")]


def _fault(name: str, value: Any) -> FieldError | None:
    if name == "promised_on":
        good = value is None or (isinstance(value, date) and not isinstance(value, datetime) and 2000 <= value.year < 2200)
        return None if good else FieldError(name, "This is no day.", "For instance 2026-12-24.")
    texts = value if name == "whys" and isinstance(value, list) else [value]
    if len(texts) > MOST_WHYS:
        return FieldError(name, f"At most {MOST_WHYS} answers.")
    if not all(is_plain_text(text) for text in texts):
        return FieldError(name, "This is not a text.", "Letters, digits and signs; no NUL characters.")
    if any(len(text) > _LONGEST for text in texts):
        return FieldError(name, f"At most {_LONGEST:,} characters.", "Shorten it, or attach a file.")
    return None


def _write(actor: Actor, problem: Ticket, values: Mapping[str, Any], verb: str, *, now: datetime, note: str = "") -> None:
    """Journal what differs and move the locked ticket's version on; nothing differs, nothing is written."""
    before = _detail(problem)
    after = {**before, **values}
    if after["known_error_at"] is not None and not after["workaround"].strip():
        hint = "Withdraw the known error first, or write another one."
        raise GuardRefused("A known error has a workaround.", [FieldError("workaround", "A known error has a workaround.", hint)])
    record_detail(actor, problem, values, before=before, prefix=PREFIX, verb=verb, now=now, note=note)


def declare_known_error(
    *, actor: Actor, problem_id: int, now: datetime, workaround: str | None = None, expected_version: int | None = None
) -> Ticket:
    """Make a problem a known error: its workaround (given here, or written before) is offered on every matching incident from now on."""
    with transaction.atomic():
        problem = _open_to(actor, problem_id)
        require_version(problem, expected_version, {"workaround": workaround}, _detail(problem))
        kept = queries.detail(problem)
        text = kept.workaround if workaround is None else workaround
        if error := _fault("workaround", text):
            raise Invalid("Nothing was changed.", [error])
        if not text.strip():
            words = "A known error has a workaround."
            raise GuardRefused(words, [FieldError("workaround", words, "Write what helps until it is fixed; requesters read it.")])
        if problem.state in ("closed", "cancelled"):
            raise GuardRefused(
                f"{problem.number} is {problem.state}.", [FieldError("state", f"It is {problem.state}.", "Reopen it first.")]
            )
        at = kept.known_error_at or now
        _write(actor, problem, {"workaround": text, "known_error_at": at}, "problem.known_error_declared", now=now)
    return problem


def withdraw_known_error(*, actor: Actor, problem_id: int, now: datetime, note: str, expected_version: int | None = None) -> Ticket:
    """Take a known error back, and say why: its workaround is offered no more."""
    with transaction.atomic():
        problem = _open_to(actor, problem_id)
        require_version(problem, expected_version, {"known_error_at": None}, _detail(problem))
        if queries.detail(problem).known_error_at is None:
            raise GuardRefused(f"{problem.number} is no known error.", [FieldError("known_error", "It is no known error.")])
        if not note.strip() or not is_plain_text(note):
            raise Invalid("Nothing was changed.", [FieldError("note", "Say why it is withdrawn.", "For instance: it does not help.")])
        _write(actor, problem, {"known_error_at": None}, "problem.known_error_withdrawn", now=now, note=note[:_LONGEST])
    return problem


def link_fix(*, actor: Actor, problem_id: int, change: int | str, now: datetime) -> Link:
    """Link the change that fixes a problem (by id or number); the proof of fix begins when it is done.

    Raises Invalid for a change that was done before the problem began, or that its evidence suspects of having caused it.
    """
    with transaction.atomic():
        problem = _open_to(actor, problem_id)
        fix = get_ticket(actor, change)
        if fix.kind != "change":
            hint = "Give the number of a change, for instance CHG0000001."
            raise Invalid("They were not linked.", [FieldError("change", f"{fix.number} is no change.", hint)])
        if why := why_no_fix(problem, fix):
            hint = "Link the change that was made against it. What caused it belongs into the cause."
            raise Invalid("They were not linked.", [FieldError("change", why, hint)])
        return link_ticket(actor=actor, ticket_id=problem.pk, relation=FIXED_BY, target=fix.pk, now=now)


def add_task(
    *,
    actor: Actor,
    problem_id: int,
    title: str,
    now: datetime,
    description: str = "",
    group: int | None = None,
    assignee: int | None = None,
) -> Ticket:
    """Open a task below a problem, for a team or a person, and return it."""
    with transaction.atomic():
        problem = _open_to(actor, problem_id)
        about = {"title": title, "description": description, "group": group, "assignee": assignee}
        facts = {"service": problem.service_id, "ci": problem.ci_id, "impact": problem.impact, "urgency": problem.urgency}
        task = open_ticket(actor=actor, now=now, kind="task", parent=problem.pk, requester=None, **about, **facts)
        told = Change("task", None, {"name": f"{task.number} {task.title}", "ticket": task.pk})
        journal.record(actor, [Draft("ticket", problem.pk, "problem.task_added", (told,))], now=now)
    return task


def resolve_problem(
    *,
    actor: Actor,
    problem_id: int,
    resolution_code: str,
    resolution_notes: str,
    now: datetime,
    change: int | str | None = None,
    no_fix_reason: str = "",
    note: str = "",
    expected_version: int | None = None,
) -> Ticket:
    """Resolve a problem with the change that fixed it, or with the reason why none did, in one step.

    Raises GuardRefused with everything that is missing, open tasks among it.
    """
    with transaction.atomic():
        problem = _open_to(actor, problem_id)
        require_version(problem, expected_version, {"no_fix_reason": no_fix_reason}, _detail(problem))
        if change:
            fix = get_ticket(actor, change)
            if not Link.objects.filter(ticket=problem, relation=FIXED_BY, target=fix).exists():
                link_fix(actor=actor, problem_id=problem.pk, change=fix.pk, now=now)
        if no_fix_reason.strip():
            describe_problem(actor=actor, problem_id=problem.pk, changes={"no_fix_reason": no_fix_reason.strip()}, now=now)
        return move_ticket(
            actor=actor,
            ticket_id=problem.pk,
            state="resolved",
            now=now,
            note=note,
            resolution_code=resolution_code,
            resolution_notes=resolution_notes,
        )
