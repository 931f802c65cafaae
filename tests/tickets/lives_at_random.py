"""Tickets lived at random through the real actions: what the laws of fold and rebuild are held against. Not a module of tests."""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from pilothouse.cmdb import actions as cmdb
from pilothouse.platform.access import Actor
from pilothouse.platform.refusals import Refused
from pilothouse.tickets import actions
from pilothouse.tickets.actions.changing import UNDO_WITHIN
from pilothouse.tickets.engine.lifecycle import HOLD_REASONS, KINDS, RESOLUTION_CODES, STATES
from pilothouse.tickets.models import Attachment, Link, Ticket
from tests.organisation import NOW, Organisation, who

ACTORS = ("rita", "alan", "olga", "ana", "mona", "audrey", "adam")
_WORDS = ("vpn", "drops", "printer", "ü", "<b>", "@alan", "@mona", "error 720", "")
_TEXT = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3).map(" ".join)
_PICK = st.integers(0, 5)

# A step: who, what, a few numbers that the act reads as it needs, a text, and how many minutes pass before it.
Step = tuple[str, str, int, int, str, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(ACTORS), st.integers(0, 12).map(str), _PICK, _PICK, _TEXT, st.integers(0, 4000)),
    max_size=25,
)


@dataclass
class Life:
    """The desk on which the steps are taken, the clock they move, and what was refused."""

    organisation: Organisation
    now: datetime = NOW
    steps: int = 0
    refused: int = 0
    ids: list[int] = field(default_factory=list)

    def live(self, steps: list[Step]) -> "Life":
        """Take the steps; a refusal is an answer like any other, and anything else that is raised is a fault."""
        self._open("ana", 0, 0, "first")
        self._open("rita", 1, 1, "second")
        for person, act, first, second, text, minutes in steps:
            self.now += timedelta(minutes=minutes)
            self.steps += 1
            try:
                _ACTS[int(act)](self, person, first, second, text)
            except Refused:
                self.refused += 1
        return self

    def actor(self, person: str) -> Actor:
        return who(getattr(self.organisation, person).user_id, request_id=f"step-{self.steps // 2}")

    def ticket(self, pick: int) -> int:
        return self.ids[pick % len(self.ids)]

    def person(self, pick: int) -> int | None:
        return [None, *(getattr(self.organisation, name).user_id for name in ("alan", "olga", "ana", "rita", "adam"))][pick]

    def team(self, pick: int) -> int | None:
        org = self.organisation
        return [None, org.network, org.database, org.desk, org.payroll, org.network][pick]

    def _open(self, person: str, first: int, second: int, text: str) -> None:
        actor, org = self.actor(person), self.organisation
        more: dict[str, Any] = {"group": self.team(second), "tags": ["vpn"]} if actor.is_staff else {}
        made = actions.open_ticket(
            actor=actor,
            now=self.now,
            title=f"t {text}",
            description=text,
            kind=list(KINDS)[first % 2],
            service=org.service,
            urgency=1 + second % 3,
            **more,
        )
        self.ids.append(made.pk)

    def _open_many(self, person: str, first: int, second: int, text: str) -> None:
        rows = [{"title": f"{text} {number}", "impact": 1 + number % 3, "extra": {"n": number}} for number in range(first)]
        self.ids += [made.pk for made in actions.open_tickets(actor=self.actor(person), tickets=rows, now=self.now)]

    def _change(self, person: str, first: int, second: int, text: str) -> None:
        org = self.organisation
        changes: dict[str, Any] = [
            {"title": text, "impact": 1 + second % 3},
            {"description": text, "tags": text.split()[:2]},
            {"ci": org.ci, "category": "Network"},
            {"parent": self.ticket(second), "urgency": 1},
            {"extra": {"from": text}, "requester": self.person(second)},
            {"hold_reason": list(HOLD_REASONS)[second % 5], "hold_until": self.now},
        ][second]
        actions.change_ticket(actor=self.actor(person), ticket_id=self.ticket(first), changes=changes, now=self.now, note=text)

    def _assign(self, person: str, first: int, second: int, text: str) -> None:
        actor, ticket_id = self.actor(person), self.ticket(first)
        named = {"group": self.team(second)} if len(text) % 2 else {"assignee": self.person(second)}
        actions.assign_ticket(actor=actor, ticket_id=ticket_id, now=self.now, note=text, **named)

    def _move(self, person: str, first: int, second: int, text: str) -> None:
        state = list(STATES)[(second + len(text)) % len(STATES)]
        more: dict[str, Any] = {"on_hold": {"hold_reason": list(HOLD_REASONS)[second % 5]}}.get(state, {})
        if state == "resolved":
            more = {"resolution_code": list(RESOLUTION_CODES)[second], "resolution_notes": text}
        actions.move_ticket(actor=self.actor(person), ticket_id=self.ticket(first), state=state, now=self.now, note=text, **more)

    def _hold_for_the_caller(self, person: str, first: int, second: int, text: str) -> None:
        actions.move_ticket(actor=self.actor(person), ticket_id=self.ticket(first), state="on_hold", hold_reason="caller", now=self.now)

    def _comment(self, person: str, first: int, second: int, text: str) -> None:
        actions.comment_on_ticket(actor=self.actor(person), ticket_id=self.ticket(first), text=text, private=second > 3, now=self.now)

    def _watch(self, person: str, first: int, second: int, text: str) -> None:
        watch = actions.watch_ticket if second % 2 else actions.unwatch_ticket
        watch(actor=self.actor(person), ticket_id=self.ticket(first), user_id=self.person(second), now=self.now)

    def _link(self, person: str, first: int, second: int, text: str) -> None:
        actions.link_ticket(
            actor=self.actor(person), ticket_id=self.ticket(first), relation="blocks", target=self.ticket(second), now=self.now
        )

    def _unlink(self, person: str, first: int, second: int, text: str) -> None:
        for link in Link.objects.order_by("id")[:1]:
            actions.unlink_ticket(actor=self.actor(person), link_id=link.pk, now=self.now)

    def _merge(self, person: str, first: int, second: int, text: str) -> None:
        actions.merge_ticket(actor=self.actor(person), ticket_id=self.ticket(first), into=self.ticket(second), now=self.now, note=text)

    def _follow(self, person: str, first: int, second: int, text: str) -> None:
        made = actions.follow_up_ticket(actor=self.actor(person), ticket_id=self.ticket(first), now=self.now, description=text)
        self.ids.append(made.pk)

    def _undo(self, person: str, first: int, second: int, text: str) -> None:
        assert timedelta(0) < UNDO_WITHIN
        actor = self.actor(person)
        actions.undo_changes(actor=actor, ticket_ids=self.ids[:4], request_id=f"step-{(self.steps - 1) // 2}", now=self.now)

    def _files_and_time(self, person: str, first: int, second: int, text: str) -> None:
        actor = self.actor(person)
        actions.attach_file(actor=actor, ticket_id=self.ticket(first), name=text, content=io.BytesIO(b"log"), now=self.now)
        with contextlib.suppress(Refused):
            actions.close_resolved_tickets(actor=actor, now=self.now, days=second)
        for attachment in Attachment.objects.order_by("id")[:second]:
            actions.remove_attachment(actor=actor, attachment_id=attachment.pk, now=self.now)
        cmdb.change_ci(actor=actor, ci_id=self.organisation.ci, changes={"name": f"ci {text}"}, now=self.now)


Act = Callable[[Life, str, int, int, str], None]
_ACTS: list[Act] = [
    Life._open_many,
    Life._change,
    Life._assign,
    Life._move,
    Life._move,
    Life._hold_for_the_caller,
    Life._comment,
    Life._watch,
    Life._link,
    Life._merge,
    Life._follow,
    Life._undo,
    Life._files_and_time,
]


def tickets() -> list[Ticket]:
    """Return every ticket, oldest first."""
    return list(Ticket.objects.order_by("id"))
