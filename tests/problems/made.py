"""Tickets made for the miner's tests: a desk's steady work, with troubles planted in it; nothing is drawn without a seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pilothouse.problems.engine.baseline import DAY, HOUR
from pilothouse.problems.engine.columns import Tickets, coded

START = 20_089 * DAY  # 1 January 2025, a Wednesday
_THINGS = ("printer", "password", "mailbox", "monitor", "keyboard", "licence", "spreadsheet", "meeting room", "badge", "phone")
_TROUBLES = ("does not work", "is slow", "shows an error", "is missing", "needs help", "was changed", "broke again", "cannot be opened")


@dataclass
class Desk:
    """Tickets so far, a row each."""

    rng: np.random.Generator
    days: int = 360
    opened: list[int] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    facts: list[Mapping[str, str]] = field(default_factory=list)
    planted: list[str] = field(default_factory=list)

    def add(self, at: int, title: str, fact: str = "", **facts: str) -> None:
        self.opened.append(at)
        self.titles.append(title)
        self.facts.append(facts)
        self.planted.append(fact)

    def office_instant(self, first: int = 0, last: int = 0) -> int:
        """Draw an instant in office hours of a weekday."""
        while True:
            day = int(self.rng.integers(first, last or self.days))
            if (START // DAY + day + 3) % 7 < 5:
                return START + day * DAY + int(self.rng.integers(8 * HOUR, 17 * HOUR))

    def steady(self, count: int) -> None:
        """Let so many ordinary tickets come, each about one of forty laptops on one of four systems."""
        for _ in range(count):
            thing = int(self.rng.integers(len(_THINGS)))
            laptop = int(self.rng.integers(200))
            title = f"{_THINGS[thing]} {self.rng.choice(_TROUBLES)} since {self.rng.integers(1, 30)}"
            self.add(
                self.office_instant(),
                title,
                CI=f"WS-{laptop}",
                os=f"system {laptop % 8}",
                site=f"site {laptop % 3}",
                service=_THINGS[thing],
            )

    def rows(self, fact: str) -> set[int]:
        """Return the rows of a planted fact as `tickets` has them."""
        return {new for new, old in enumerate(self._order()) if self.planted[old] == fact}

    def _order(self) -> Sequence[int]:
        return [int(i) for i in np.argsort(np.array(self.opened), kind="stable")]

    def tickets(self) -> Tickets:
        order = self._order()
        names = sorted({name for facts in self.facts for name in facts})
        return Tickets(
            [f"T{i}" for i in range(len(order))],
            opened=np.array([self.opened[i] for i in order], dtype=np.int64),
            titles=[self.titles[i] for i in order],
            facts={name: coded(self.facts[i].get(name) for i in order) for name in names},
        )


def reboots(desk: Desk, every: float = 10, *, jitter: float = 0.3, missed: float = 0.1) -> None:
    """Plant a server that restarts every so many days, with jitter and missed beats."""
    at = 3.0
    while at < desk.days - 1:
        if desk.rng.random() >= missed:
            instant = START + int((at + desk.rng.normal(0, jitter)) * DAY)
            desk.add(instant, f"server unreachable, {desk.rng.choice(('restarted', 'came back', 'no answer'))}", "reboot", CI="SRV-17")
        at += every


def failing_client(desk: Desk, count: int = 60, *, since: int = 200) -> None:
    """Plant a client that drops its tunnel on one system, since a day."""
    for _ in range(count):
        laptop = int(desk.rng.integers(25)) * 8 + 5 if desk.rng.random() < 0.93 else int(desk.rng.integers(200))
        title = (
            f"tunnel {desk.rng.choice(('drops', 'disconnects', 'reconnects'))} {desk.rng.choice(('in calls', 'every minute', 'at home'))}"
        )
        facts = {"CI": f"WS-{laptop}", "os": f"system {laptop % 8}", "site": f"site {laptop % 3}", "service": "remote access"}
        desk.add(desk.office_instant(since), title, "tunnel", **facts)
    for _ in range(count // 6):  # others have trouble with the service, too
        laptop = int(desk.rng.integers(200))
        facts = {"CI": f"WS-{laptop}", "os": f"system {laptop % 8}", "site": f"site {laptop % 3}", "service": "remote access"}
        desk.add(desk.office_instant(), "token for remote access expired", **facts)
