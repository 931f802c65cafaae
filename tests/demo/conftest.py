"""One demo, drawn once, for the tests that count in it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from pilothouse.demo.engine.generate import Arguments, Generation
from pilothouse.demo.engine.specs import CISpec, Organisation, Person, TicketLife

UNTIL = datetime(2026, 11, 23, 11, tzinfo=UTC)  # a Monday, late morning in Leeds


@dataclass(frozen=True)
class Drawn:
    """A demo and all of its lives."""

    generation: Generation
    lives: list[TicketLife]

    @property
    def org(self) -> Organisation:
        return self.generation.organisation

    def text(self, life: TicketLife) -> str:
        return f"{life.fields['title']}\n{life.fields['description']}"

    def laptop(self, life: TicketLife) -> CISpec | None:
        """The device that a ticket is about: its CI, else the one that its text names, else the requester's."""
        if life.fields["ci"] is not None:
            return self.org.cis[life.fields["ci"]]
        position = self.org.laptop_of.get(life.fields["requester"] if life.fields["requester"] is not None else -1)
        return self.org.cis[position] if position is not None else None

    def requester(self, life: TicketLife) -> Person | None:
        return None if life.fields["requester"] is None else self.org.people[life.fields["requester"]]


@pytest.fixture(scope="session")
def drawn() -> Drawn:
    generation = Arguments(seed=7, tickets=12_000, days=400, until=UNTIL).generation()
    return Drawn(generation, list(generation.lives()))
