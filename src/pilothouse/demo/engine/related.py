"""Lives that hang together: duplicates that are merged into another ticket, major incidents and their children."""

from random import Random

from pilothouse.demo.engine import phrases
from pilothouse.demo.engine.handling import Handling, absorb
from pilothouse.demo.engine.intent import Intent
from pilothouse.demo.engine.life import Life
from pilothouse.demo.engine.world import World


class Duplicate(Handling):
    """A ticket that the desk finds to be another one's duplicate, soon after it comes in."""

    def merge(self, twin: Intent, other: Life) -> Life | None:
        """Merge it into its twin; None when the twin is solved by then."""
        self._triage()
        at = self.life.at + self.rng.randrange(60, 600)
        at = max([at, *(int(event.at.timestamp()) + 1 for event in other.events if event.verb == "ticket.absorbed")])
        if at >= min(_solved_at(other), self.world.until):
            return None
        notes = f"Duplicate of {twin.number}."
        solved = {"state": "resolved", "resolution_code": "duplicate", "resolution_notes": notes, "resolved_at": at}
        self.life.add(at, self.person, "ticket.resolved", solved)
        self.life.add(at, self.person, "ticket.merged", {"merged_into": twin.ordinal, "state": "closed", "closed_at": at})
        absorb(other, at, self.person, self.intent.ordinal, self.requester)
        return self.life


def _solved_at(life: Life) -> float:
    return next((e.at.timestamp() for e in life.events if e.verb in ("ticket.resolved", "ticket.cancelled")), float("inf"))


class Major(Handling):
    """A major incident: taken at once, told about every half hour, solved at an hour that its children know."""

    def command(self) -> Life:
        """Live it from the call to the closing."""
        solved_at = self.intent.solved_at or self.life.at
        self._triage()
        self._hand_to(self.intent.path[-1], "Major incident, bridge is open.")
        self.person = self.world.member(self.rng, self.team)
        self.life.add(self.life.at + 60, self.person, "ticket.assigned", {"assignee": self.person})
        self.life.add(self.life.at + 30, self.person, "ticket.started", {"state": "in_progress"})
        while self.life.at + 1500 < solved_at:
            self.life.at += self.rng.randrange(900, 1500)
            self._comment(self.rng.choice(phrases.MAJOR_UPDATES))
            self._note(self.rng.choice(phrases.NOTES))
        self._resolve()
        self._close()
        return self.life


class Child(Handling):
    """One of many tickets about a major incident: hung under its parent, solved with it."""

    def follow(self, parent: Intent) -> Life:
        """Live beside the parent and be solved with it."""
        self._triage()
        self.life.at += self.rng.randrange(60, 900)
        values = {"parent": parent.ordinal, "tags": ["major-child"]}
        self.life.add(self.life.at, self.person, "ticket.changed", values, f"Belongs to the major incident {parent.number}.", private=True)
        if self.rng.random() < 0.6:
            self._comment("We have a major incident that explains this. We will tell you as soon as it is solved.")
        self.intent.solved_at = (parent.solved_at or self.life.at) + self.rng.randrange(60, 3000)
        self.intent.fix = ("solved", f"Solved with the major incident {parent.number}.")
        self._resolve()
        self._close()
        return self.life


def duplicate_of(rng: Random, world: World, intent: Intent, twin: Intent) -> None:
    """Turn an arrival into a repetition of an earlier one: the same trouble, told by somebody else."""
    intent.scenario, intent.service, intent.ci, intent.ci_linked = twin.scenario, twin.service, twin.ci, twin.ci_linked
    intent.stream, intent.kind, intent.twin = twin.stream, twin.kind, twin
    while intent.requester in (None, twin.requester):
        intent.requester = rng.choice(world.people_at[twin.stream])
