"""How a ticket is handled, from opening to closing: the desk, the teams that hold it, questions, holds, solving, reopening."""

from random import Random
from typing import Any

from pilothouse.demo.engine import phrases, voice
from pilothouse.demo.engine.hours import DAY, Hours
from pilothouse.demo.engine.intent import ALARM, Intent
from pilothouse.demo.engine.life import Life
from pilothouse.demo.engine.world import World
from pilothouse.tickets.engine.lifecycle import priority

HOUR = 3600
AUTO_CLOSE_DAYS = 7
_PICK_UP = {1: 300, 2: 1200, 3: 1.9 * HOUR, 4: 5.5 * HOUR, 5: 9 * HOUR}  # median working seconds until somebody takes it
_RAISED = {(3, 3): (3, 2), (3, 2): (2, 2), (2, 3): (2, 2), (2, 2): (2, 1), (3, 1): (2, 1), (2, 1): (1, 1), (1, 3): (1, 2), (1, 2): (1, 1)}


class Handling:
    """One ticket's way through the organisation; writes its life."""

    def __init__(self, world: World, rng: Random, intent: Intent) -> None:
        self.world, self.rng, self.intent = world, rng, intent
        self.priority = priority(intent.impact, intent.urgency)
        self.desk = world.desk_at(intent.at, max(intent.stream, 0))
        self.requester = intent.requester
        self.team, self.person = self.desk, world.member(rng, self.desk)
        self.life = self._open()

    def _open(self) -> Life:
        intent = self.intent
        fields: dict[str, Any] = {
            "kind": intent.kind,
            "number": intent.number,
            "title": intent.title,
            "description": intent.description,
            "state": "new",
            "impact": intent.impact,
            "urgency": intent.urgency,
            "priority": self.priority,
            "requester": self.requester,
            "opened_by": self.requester,
            "channel": intent.channel,
            "service": intent.service,
            "ci": intent.ci if intent.ci_linked else None,
            "category": intent.category,
            "subcategory": intent.subcategory,
            "tags": list(intent.tags),
            "opened_at": intent.at,
        }
        if intent.stream == ALARM:
            self.team = intent.path[0]
            fields |= {"group": self.team, "state": "assigned"}
        elif intent.channel in ("phone", "chat", "walk_in"):
            fields |= {"opened_by": self.person, "group": self.desk, "assignee": self.person, "state": "assigned"}
        opener = fields["opened_by"]
        return Life(intent.at, opener, {name: value for name, value in fields.items() if value not in (None, "", [])}, self.world.until)

    def run(self) -> Life:
        """Live the ticket until it is closed or the data end."""
        if self.intent.stream != ALARM:
            self._triage()
        if self._withdrawn():
            return self.life
        if self.intent.at_desk:
            self._take()
        else:
            self._pass_along()
        self._work()
        self._resolve()
        while self._reopens():
            self._pause(self.intent.minutes * 60, 0.7)
            self._resolve()
        self._close()
        return self.life

    # Time

    def _hours(self) -> Hours:
        return self.world.team_hours(self.team)

    def _after(self, seconds: float) -> int:
        """Return the instant after so much of the team's working time; the gravest are worked on round the clock."""
        if self.priority <= 2 or (self.intent.stream == ALARM and self.priority <= 3):
            return self.life.at + int(seconds)
        return self._hours().after(self.life.at, seconds)

    def _drawn(self, median: float, spread: float) -> float:
        return min(self.rng.lognormvariate(0, spread), 60) * median

    def _pause(self, median: float, spread: float) -> None:
        self.life.at = max(self.life.at, self._after(self._drawn(median, spread)))

    def _requester_after(self, median: float) -> int:
        site = self.world.org.people[self.requester].site if self.requester is not None else 0
        return self.world.hours[site].after(self.life.at, self._drawn(median, 1.2))

    # Steps

    def _triage(self) -> None:
        """Let the desk look at what came in by mail and portal; by phone the desk has it already."""
        if self.life.row["state"] != "new":
            self.life.at += self.rng.randrange(120, 900)
            return
        self.life.at = self.world.team_hours(self.desk).after(
            self.life.at, self._drawn({1: 120, 2: 300, 3: 900}.get(self.priority, 1600), 1.0)
        )
        dispatcher = self.world.member(self.rng, self.desk)
        self.life.add(self.life.at, dispatcher, "ticket.assigned", {"group": self.desk, "state": "assigned"})

    def _withdrawn(self) -> bool:
        if self.requester is None or self.intent.facts or self.rng.random() > 0.022:
            return False
        self._pause(1.5 * HOUR, 1.0)
        self.life.add(
            self.life.at,
            self.requester,
            "ticket.cancelled",
            {"state": "cancelled", "closed_at": self.life.at},
            self.rng.choice(phrases.WITHDRAWN),
        )
        return True

    def _take(self) -> None:
        self._pause(_PICK_UP[self.priority] * (0.3 if self.team == self.desk else 1.0), 1.1)
        self.person = self.world.member(self.rng, self.team)
        if self.rng.random() < 0.036:  # lies forgotten in the queue
            self._pause(12 * 10 * HOUR, 0.8)
        self.life.add(self.life.at, self.person, "ticket.assigned", {"assignee": self.person, "state": "assigned"})
        self.life.add(self.life.at + self.rng.randrange(20, 900), self.person, "ticket.started", {"state": "in_progress"})

    def _pass_along(self) -> None:
        """Hand the ticket to each team of its path; the last one takes it."""
        path = self.intent.path
        if self.intent.stream != ALARM:
            self._hand_to(path[0], self.rng.choice(phrases.TRIAGE))
        for i, team in enumerate(path[1:]):
            self._pause(max(_PICK_UP[self.priority], 1800), 0.9)
            self.person = self.world.member(self.rng, self.team)
            note = self.intent.passed_on[i] if i < len(self.intent.passed_on) else ""
            self._hand_to(team, voice.reply(self.rng, self.world.org.people[self.person], note, to=""))
        self._take()

    def _hand_to(self, team: int, note: str) -> None:
        values = {"group": team, "assignee": None, "state": "assigned"}
        self.life.add(self.life.at, self.person, "ticket.assigned", values, note, private=bool(note))
        self.team = team

    def _work(self) -> None:
        rng = self.rng
        spent = self._drawn(self.intent.minutes * 60, 0.8)
        checks = list(self.intent.checks) + ([rng.choice(phrases.NOTES)] if rng.random() < 0.25 else [])
        self.life.at = self._after(spent * 0.3)
        if rng.random() < 0.22:  # other work comes first
            self._pause(7 * HOUR, 0.9)
        if rng.random() < 0.2 and self.requester is not None:
            self._comment(rng.choice(phrases.PROGRESS))
        for check in checks:
            self.life.at = self._after(spent * 0.2)
            self._note(check)
        self._sidesteps()
        if self.intent.question:
            self._ask()
        if not self.intent.at_desk:
            self._wait()
        self.life.at = self._after(spent * 0.4)

    def _sidesteps(self) -> None:
        """Let the unusual happen now and then: a higher priority, a handover, somebody who asks for news."""
        rng, intent = self.rng, self.intent
        if rng.random() < 0.03 and (intent.impact, intent.urgency) in _RAISED and not intent.facts:
            impact, urgency = _RAISED[intent.impact, intent.urgency]
            self.priority = priority(impact, urgency)
            values = {"impact": impact, "urgency": urgency, "priority": self.priority}
            self.life.add(self.life.at, self.person, "ticket.changed", values, rng.choice(phrases.RAISE), private=True)
        if rng.random() < 0.04:
            colleague = self.world.member(rng, self.team, but=self.person)
            note = rng.choice(phrases.HANDOVER).format(name=self.world.org.people[colleague].first)
            self._pause(2 * HOUR, 0.8)
            self.life.add(self.life.at, self.person, "ticket.assigned", {"assignee": colleague}, note, private=True)
            self.person = colleague
        if self.requester is not None and rng.random() < (0.05 if self.life.at - self.life.opened_at < DAY else 0.3):
            self.life.add(self._requester_after(HOUR), self.requester, "ticket.commented", None, rng.choice(phrases.CHASING))

    def _ask(self) -> None:
        if self.requester is None:
            return
        self._comment(self.intent.question)
        self._hold("caller")
        if self.rng.random() < 0.1:
            self.life.at = self._after(self._drawn(14 * HOUR, 0.5))
            self._comment("Could you please answer our question? We close the ticket in three days otherwise.")
        at = self._requester_after(2.5 * HOUR)
        self.life.add(
            at,
            self.requester,
            "ticket.commented",
            None,
            voice.reply(self.rng, self.world.org.people[self.requester], self.intent.answer, to=""),
        )
        self.life.add(at, None, "ticket.resumed", {"state": "in_progress", "hold_reason": ""}, "The requester answered.")
        self._pause(HOUR, 1.0)

    def _wait(self) -> None:
        """Hold for a supplier, a change, a problem or something else; longer than people like."""
        kind, rng = self.rng.random(), self.rng
        case = f"{rng.randrange(1000, 99999):05d}"
        slow = 3 if self.intent.kind == "request" else 1
        if kind < 0.035 * slow:
            self._wait_for("vendor", rng.choice(phrases.VENDOR).format(case=case), 18 * HOUR * (1 if slow == 1 else 1.6))
        elif kind < 0.055 * slow:
            self._wait_for("change", rng.choice(phrases.CHANGE).format(case=case), 30 * HOUR)
        elif kind < 0.065 * slow:
            self._wait_for("problem", rng.choice(phrases.PROBLEM), 50 * HOUR)
        elif kind < 0.075 * slow:
            self._wait_for("other", "Agreed with the user: next week.", 25 * HOUR)

    def _wait_for(self, reason: str, note: str, median: float) -> None:
        self._note(note)
        until = self._after(median) if self.rng.random() < 0.6 else None
        self._hold(reason, until)
        self._pause(median, 0.9)
        self.life.add(self.life.at, self.person, "ticket.resumed", {"state": "in_progress", "hold_reason": "", "hold_until": None})

    def _hold(self, reason: str, until: int | None = None) -> None:
        self.life.add(self.life.at + 30, self.person, "ticket.held", {"state": "on_hold", "hold_reason": reason, "hold_until": until})

    def _comment(self, text: str) -> None:
        if self.requester is None:
            return self._note(text)
        people = self.world.org.people
        text = voice.reply(self.rng, people[self.person], text, to=people[self.requester].first)
        return self.life.add(self.life.at, self.person, "ticket.commented", None, text)

    def _note(self, text: str) -> None:
        text = voice.reply(self.rng, self.world.org.people[self.person], text, to="")
        self.life.add(self.life.at, self.person, "ticket.noted", None, text, private=True)

    def _resolve(self) -> None:
        at = max(self.life.at, self.intent.solved_at or 0)
        code, notes = self.intent.fix
        values = {"state": "resolved", "resolution_code": code, "resolution_notes": notes, "resolved_at": max(at, self.life.at)}
        self.life.add(at, self.person, "ticket.resolved", values)
        if self.requester is not None and self.rng.random() < 0.3:
            self._comment("Solved: " + notes if self.intent.kind == "incident" else notes)

    def _reopens(self) -> bool:
        """Say whether the requester is not content, and let them reopen it."""
        code = self.intent.fix[0]
        chance = 0.09 if code in ("not_reproducible", "workaround") else 0.025
        if self.requester is None or self.life.is_over or self.intent.kind == "request" or self.rng.random() > chance:
            return False
        at = min(self._requester_after(5 * HOUR), self.life.at + AUTO_CLOSE_DAYS * DAY - HOUR)
        values = {"state": "in_progress", "resolved_at": None, "resolution_code": "", "resolution_notes": ""}
        self.life.add(at, self.requester, "ticket.reopened", values, self.rng.choice(phrases.REOPENED))
        self._pause(2 * HOUR, 0.8)
        self._note(self.rng.choice(phrases.NOTES))
        return True

    def _close(self) -> None:
        due = self.life.at + AUTO_CLOSE_DAYS * DAY
        if self.requester is not None and self.rng.random() < 0.2:
            at = min(self._requester_after(4 * HOUR), due)
            self.life.add(at, self.requester, "ticket.commented", None, self.rng.choice(phrases.CONFIRMED))
            self.life.add(at + 5, self.requester, "ticket.closed", {"state": "closed", "closed_at": max(at + 5, self.life.at)})
            return
        at = due - due % HOUR + HOUR  # the job that closes them comes round every hour
        self.life.add(at, None, "ticket.closed", {"state": "closed", "closed_at": at}, "Closed after staying resolved.")


def absorb(life: Life, at: int, actor: int, duplicate: int, requester: int | None) -> None:
    """Write into a life that another ticket was merged into it at `at`; its events stay in order."""
    from_then = [i for i, event in enumerate(life.events) if event.at.timestamp() > at]
    tail = life.events[from_then[0] :] if from_then else []
    kept, life.at = life.at, 0
    del life.events[len(life.events) - len(tail) :]
    watching = set(life.row.get("watchers", ()))
    watchers = sorted(watching if requester is None else watching | {requester})
    life.add(at, actor, "ticket.absorbed", {"duplicate": duplicate, "watchers": watchers})
    life.row.pop("duplicate")
    life.events += tail
    life.at = kept
