"""Tickets lived at random under agreements and schedules that are edited meanwhile, all through the real actions. Not a module of tests."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection
from hypothesis import strategies as st

from pilothouse.people import actions as people
from pilothouse.platform import access, clock, journal
from pilothouse.platform.access import Source
from pilothouse.platform.refusals import Refused
from pilothouse.sla import jobs, recounting
from pilothouse.sla.actions import agreements, escalating, schedules
from pilothouse.sla.models import Agreement, Escalation, Schedule
from pilothouse.tickets.history import History, Moment, record_histories
from tests.tickets import lives_at_random as tickets
from tests.tickets.lives_at_random import Life

WEEKS: list[dict[str, Any]] = [
    {"zone": "Europe/Berlin", "week": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-12:00, 13:00-17:00")},
    {"zone": "UTC", "week": {"mon": "09:00-10:00", "wed": "00:00-24:00", "sat": "22:00-02:00"}},
    {"zone": "America/New_York", "week": dict.fromkeys(("mon", "tue", "wed"), "00:30-23:45")},
]
APPLIES = ("", "kind:incident", "priority<=3", "tag:vpn", "-tag:vpn")
SYSTEM = access.system(Source.RULE)
TABLES = ("sla_life", "sla_clock", "sla_ticket", "sla_escalation", "sla_site")
# Who, which act (0-12 are those of tickets, then the ones below), a few numbers, a text, minutes before it.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(tickets.ACTORS),
        st.integers(0, 21),
        st.integers(0, 5),
        st.integers(0, 5),
        tickets._TEXT,
        st.sampled_from([0, 1, 20, 90, 700, 4000]),
    ),
    max_size=22,
)


def definition(first: int, second: int, schedule: int | None) -> dict[str, Any]:
    """One of some agreements with targets of every kind."""
    hours = {"schedule": schedule, "schedule_from": [[], ["service"], ["ci", "site"], ["site"]][second % 4]}
    length = [900, 3600, 14_400, 86_400, 200_000, 7][second]
    steps = [
        {"share": 0.5, "tell": ["assignee", "watchers"], "acknowledge": 600, "then": ["lead", "manager", "group"]},
        {"share": 0.75, "tell": ["manager"], "flag": f"near-{first}", "raise_priority": first % 2 == 0},
        {"share": 1, "tell": ["group"], "any_hours": True},
    ]
    durations: dict[str, Any] = {str(p): {"seconds": length * p} for p in range(1, 6) if first != 1 or p != 3}
    if first == 2:
        durations["4"] = {"days": 1, "at": "12:00"}
    return {
        "applies_to": APPLIES[(first + second) % len(APPLIES)],
        "targets": [
            {"key": "response", "kind": "response", "durations": durations, "rule": ["owned", "replied"][first % 2], "steps": steps[:1]},
            {"key": "resolution", "kind": "resolution", "durations": durations, "holds": ["caller"], "count_resolved": first == 3}
            | {"steps": steps, "reset": "tag:drops" if first == 4 else ""}
            | hours,
            {"key": "ola", "kind": "ola", "durations": durations, "steps": steps[1:]} | hours,
            {"key": "contract", "kind": "contract", "durations": durations},
        ],
    }


@dataclass
class ServiceLife(Life):
    """The desk of `Life`, with somebody who edits agreements and schedules and a worker that takes steps."""

    edits: int = 0
    since: Any = None
    acts: list[str] = field(default_factory=list)

    def live_with(self, steps: list[Any]) -> "ServiceLife":
        self.since = self.now
        with clock.at(self.now):
            self._schedule(0, 0)
            self._agree(0, 2)
        self._open("ana", 0, 0, "first")
        self._open("rita", 1, 1, "second")
        for person, act, first, second, text, minutes in steps:
            self.now += timedelta(minutes=minutes, seconds=second, microseconds=1 + first)
            self.steps += 1
            with clock.at(self.now):
                try:
                    if act < len(tickets._ACTS):
                        tickets._ACTS[act](self, person, first, second, text)
                    else:
                        getattr(self, _OWN[(act - 13) % len(_OWN)])(first, second)
                    self.acts.append(str(act))
                except Refused:
                    self.refused += 1
        return self

    def recount(self, backwards: bool) -> None:
        """Let the worker do every recount that was asked for, in some order."""
        told = [entry for kind in ("agreement", "schedule") for batch in journal.stream([kind]) for entry in batch]
        wanted = sorted((entry for entry in told if entry.verb in recounting.VERBS), key=lambda entry: entry.id, reverse=backwards)
        for entry in wanted:
            jobs.recount(entry.id, entry.kind, entry.record_id)

    @property
    def adam(self) -> Any:
        return self.organisation.adam

    def _schedule(self, first: int, second: int) -> None:
        found = list(Schedule.objects.order_by("id"))
        if len(found) < 2:
            schedules.add_schedule(actor=self.adam, name=f"Hours {self.steps}", definition=WEEKS[first % 3], now=self.now)
            return
        when = {"since_ever": True} if second == 0 else {"effective_from": self.now + timedelta(hours=(second - 3) * 30)}
        one = found[first % len(found)]
        schedules.change_schedule(actor=self.adam, schedule_id=one.pk, definition=WEEKS[second % 3], now=self.now, **when)

    def _use(self, first: int, second: int) -> None:
        one = Schedule.objects.order_by("id")[first % Schedule.objects.count()]
        whose: dict[str, Any] = [
            {"kind": "service", "record_id": self.organisation.service},
            {"kind": "ci", "record_id": self.organisation.ci},
            {"kind": "site", "site": "Bergen"},
            {"kind": "team", "record_id": self.organisation.network},
        ][second % 4]
        if first == 5:
            schedules.unuse_schedule(actor=self.adam, now=self.now, **whose)
        else:
            schedules.use_schedule(actor=self.adam, schedule_id=one.pk, now=self.now, since_ever=first == 4, **whose)

    def _agree(self, first: int, second: int) -> None:
        found = list(Agreement.objects.order_by("id"))
        schedule = [None, *Schedule.objects.order_by("id").values_list("pk", flat=True)][first % 3 if Schedule.objects.count() > 1 else 0]
        given = definition(first, second, schedule)
        if len(found) < 2:
            ever = {"since_ever": True} if first % 2 == 0 else {"effective_from": self.now - timedelta(hours=second * 40)}
            agreements.add_agreement(actor=self.adam, name=f"Agreement {self.steps}", definition=given, now=self.now, **ever)
            return
        one = found[(first + second) % len(found)]
        if second == 5 and first == 5:
            agreements.retire_agreement(actor=self.adam, agreement_id=one.pk, now=self.now)
        elif second == 4:
            order = [each.pk for each in reversed(found) if each.is_active]
            agreements.reorder_agreements(actor=self.adam, order=order, now=self.now)
        else:
            when = {"since_ever": True} if first == 0 else {"effective_from": self.now - timedelta(hours=(second - 1) * 40)}
            agreements.change_agreement(actor=self.adam, agreement_id=one.pk, definition=given, now=self.now, **when)

    def _take(self, first: int, second: int) -> None:
        escalating.take_due_steps(actor=SYSTEM, now=self.now)
        escalating.pass_on_escalations(actor=SYSTEM, now=self.now)

    def _acknowledge(self, first: int, second: int) -> None:
        for row in Escalation.objects.order_by("entry_id")[first : first + 1]:
            escalating.acknowledge_escalation(actor=self.organisation.ana, escalation_id=row.pk, now=self.now)

    def _move_house(self, first: int, second: int) -> None:
        who = self.organisation.rita.user_id
        assert who is not None
        people.change_person(actor=self.adam, user_id=who, changes={"site": ["Bergen", "Oslo", ""][first % 3]}, now=self.now)

    def _import(self, first: int, second: int) -> None:
        org, at = self.organisation, self.now - timedelta(hours=first * 13 + 1)
        moments = [
            Moment(at, {"title": "old", "priority": 1 + second % 5, "group": org.network, "requester": org.rita.user_id, "opened_at": at}),
            Moment(at + timedelta(minutes=7), {"state": "on_hold", "hold_reason": "vendor"}),
            Moment(at + timedelta(minutes=30), {"state": "in_progress", "hold_reason": "", "group": org.database}),
            Moment(at + timedelta(minutes=20), {"group": org.network, "assignee": org.alan.user_id}),  # told late
        ]
        made = record_histories(actor=org.adam, histories=[History(moments[: 2 + second % 3])] * 2, now=self.now)
        self.ids += [each.ticket_id for each in made]
        more = Moment(self.now - timedelta(minutes=3), {"state": "resolved", "resolution_code": "solved"})
        record_histories(actor=org.adam, histories=[History([more], ticket_id=self.ticket(second))], now=self.now)


_OWN = ("_schedule", "_use", "_agree", "_agree", "_take", "_take", "_acknowledge", "_move_house", "_import")


def rows() -> dict[str, list[str]]:
    """Return every row of the projection's tables but what only numbers it."""
    with connection.cursor() as cursor:
        found = {}
        for table in TABLES:
            cursor.execute(f"SELECT (to_jsonb(t) - 'id')::text FROM {table} t ORDER BY 1")
            found[table] = [row[0] for row in cursor.fetchall()]
    return found
