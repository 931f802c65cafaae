"""Changes lived at random through the real actions: what the law of the detail is held against. Not a module of tests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from pilothouse.changes import actions
from pilothouse.changes.engine.detail import OUTCOMES, RISKS, TYPES
from pilothouse.platform.access import Actor
from pilothouse.platform.refusals import Refused
from pilothouse.tickets import actions as tickets
from pilothouse.tickets.engine.lifecycle import STATES, allowed
from pilothouse.tickets.models import Ticket
from tests.organisation import NOW, Organisation

_PICK = st.integers(0, 7)
# A step: who, what, two numbers that the act reads as it needs, and how many minutes pass before it.
Step = tuple[str, int, int, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(("ana", "ana", "alan", "mona", "rita")), st.integers(0, 7), _PICK, _PICK, st.integers(0, 4000)),
    max_size=20,
)
_STATES = tuple(STATES)


@dataclass
class Life:
    """The organisation on whose CIs the changes are made, the clock they move, and what was refused."""

    organisation: Organisation
    now: datetime = NOW
    refused: int = 0
    moved: int = 0
    ids: list[int] = field(default_factory=list)

    def live(self, steps: list[Step]) -> "Life":
        """Take the steps; a refusal is an answer like any other, and anything else that is raised is a fault."""
        self._open("ana", 1, 3)
        self._open("alan", 1, 6)
        for person, act, first, second, minutes in steps:
            self.now += timedelta(minutes=minutes)
            try:
                _ACTS[act](self, person, first, second)
            except Refused:
                self.refused += 1
        return self

    def _actor(self, person: str) -> Actor:
        actor: Actor = getattr(self.organisation, person)
        return actor

    def _cis(self, pick: int) -> list[int]:
        org = self.organisation
        return [[], [org.ci], [org.other_ci], [org.ci, org.other_ci], [org.other_ci, org.ci, org.ci], [0], [10**9], [org.ci]][pick]

    def _plan(self, first: int, second: int) -> dict[str, Any]:
        start = self.now + timedelta(hours=first)
        plans: list[dict[str, Any]] = [
            {"type": list(TYPES)[second % 3], "cis": self._cis(first)},
            {"planned_start_at": start, "planned_end_at": start + timedelta(hours=second - 1), "rollback_plan": "put it back"},
            {"planned_start_at": None, "planned_end_at": None},
            {"rollback_plan": "x" * (second % 3), "reason": "because", "risk": list(RISKS)[second % 3]},
            {"cis": self._cis(second)},
            {"actual_start_at": start, "actual_end_at": start + timedelta(minutes=second - 2)},
            {"outcome": list(OUTCOMES)[second % 4], "actual_end_at": None},
            {"type": "no-such"},
        ]
        return plans[first]

    def _open(self, person: str, first: int, second: int) -> None:
        plan = self._plan(first, second)
        more = {"ci": self.organisation.other_ci} if second % 2 else {}
        self.ids.append(actions.open_change(actor=self._actor(person), title="t", plan=plan, now=self.now, **more).pk)

    def _ticket(self, pick: int) -> int:
        return self.ids[pick % len(self.ids)]

    def _replan(self, person: str, first: int, second: int) -> None:
        ticket = self._ticket(second)
        actions.plan_change(actor=self._actor(person), ticket_id=ticket, plan=self._plan(first, second), now=self.now)

    def _move(self, person: str, first: int, second: int) -> None:
        plan = {"outcome": "successful"} if second % 2 else {}
        ticket = Ticket.objects.get(pk=self._ticket(first))
        ways = allowed(ticket.state, "change") or ("new",)
        state = ways[second % len(ways)]
        actions.move_change(actor=self._actor(person), ticket_id=ticket.pk, state=state, now=self.now, plan=plan, note="n" * (first % 3))
        self.moved += 1

    def _move_as_ticket(self, person: str, first: int, second: int) -> None:
        tickets.move_ticket(
            actor=self._actor(person), ticket_id=self._ticket(first), state=_STATES[second % len(_STATES)], now=self.now, note="n"
        )
        self.moved += 1

    def _own_ci(self, person: str, first: int, second: int) -> None:
        ci = [None, self.organisation.ci, self.organisation.other_ci][second % 3]
        tickets.change_ticket(actor=self._actor(person), ticket_id=self._ticket(first), changes={"ci": ci}, now=self.now)

    def _follow(self, person: str, first: int, second: int) -> None:
        self.ids.append(tickets.follow_up_ticket(actor=self._actor(person), ticket_id=self._ticket(first), now=self.now).pk)


Act = Callable[[Life, str, int, int], None]
_ACTS: list[Act] = [Life._open, Life._replan, Life._replan, Life._move, Life._move, Life._move_as_ticket, Life._own_ci, Life._follow]
