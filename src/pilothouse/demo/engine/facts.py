"""The planted facts, as they came out: each with its subject, what there is to find, and the tickets in which it shows."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from pilothouse.demo.engine import estate
from pilothouse.demo.engine.hours import instant
from pilothouse.demo.engine.planted import BACKUP_A_MONTH, REBOOT_DAYS, backup_since, vpn_since
from pilothouse.demo.engine.specs import TicketLife
from pilothouse.demo.engine.world import BOUNCING_TEAM, World
from pilothouse.tickets.engine.lifecycle import OPEN_STATES

_LISTED = 2000  # at most so many ticket numbers a fact; the count is always whole


@dataclass(slots=True)
class Fact:
    """One planted fact; `finding` is the sentence that an analysis should arrive at, `how` one way to get there."""

    key: str
    title: str
    finding: str
    how: str
    subject: dict[str, Any]
    count: int = 0
    first_opened_at: datetime | None = None
    last_opened_at: datetime | None = None
    tickets: list[str] = field(default_factory=list)

    def add(self, number: str, opened_at: datetime) -> None:
        """Count a ticket in."""
        self.count += 1
        self.first_opened_at = self.first_opened_at or opened_at
        self.last_opened_at = opened_at
        if len(self.tickets) < _LISTED:
            self.tickets.append(number)

    def merge(self, later: "Fact") -> None:
        """Count in the tickets of the same fact that came later."""
        self.count += later.count
        self.first_opened_at = self.first_opened_at or later.first_opened_at
        self.last_opened_at = later.last_opened_at or self.last_opened_at
        self.tickets = (self.tickets + later.tickets)[:_LISTED]


class Member(NamedTuple):
    """A ticket of a known trouble."""

    number: str
    opened_at: datetime
    requester: int | None
    last_at: datetime  # when something last happened to it
    is_open: bool


class FactBook:
    """Gathers the facts, and the tickets of each known trouble, while lives go by."""

    def __init__(self, world: World) -> None:
        self.facts = {fact.key: fact for fact in _facts(world)}
        self._bouncer = world.team_keys[BOUNCING_TEAM]
        self.troubles: dict[str, list[Member]] = {}
        self._visited = self._elsewhere = self._bounced_elsewhere = 0

    def add(self, life: TicketLife) -> None:
        """Count one ticket into the facts that it belongs to."""
        number, opened_at = life.fields["number"], life.fields["opened_at"]
        for key in life.facts:
            self.facts["major" if key.startswith("major") else key].add(number, opened_at)
        if life.trouble:
            self.troubles.setdefault(life.trouble, []).append(_member(life))
        visited, returned = bounces(life, self._bouncer)
        self._visited += visited
        if returned:
            self.facts["bounces"].add(number, opened_at)
        self._elsewhere += not visited
        self._bounced_elsewhere += not visited and any_return(life)

    def merge(self, later: "FactBook") -> None:
        """Count in what another book gathered from later tickets."""
        for key, fact in later.facts.items():
            self.facts[key].merge(fact)
        for key, tickets in later.troubles.items():
            self.troubles.setdefault(key, []).extend(tickets)
        self._visited += later._visited
        self._elsewhere += later._elsewhere
        self._bounced_elsewhere += later._bounced_elsewhere

    def result(self) -> list[Fact]:
        """Return the facts with their last figures."""
        fact = self.facts["bounces"]
        fact.subject |= {
            "tickets_that_it_held": self._visited,
            "tickets_that_it_sent_back": fact.count,
            "share": f"{100 * fact.count / max(1, self._visited):.0f} %",
            "share_of_tickets_that_return_without_it": f"{100 * self._bounced_elsewhere / max(1, self._elsewhere):.1f} %",
        }
        return list(self.facts.values())


def _member(life: TicketLife) -> Member:
    row = life.fields
    return Member(row["number"], row["opened_at"], row["requester"], life.events[-1].at, row["state"] in OPEN_STATES)


def groups_of(life: TicketLife) -> list[int]:
    """Return the teams that held a ticket, in order."""
    return [event.changes["group"] for event in life.events if event.changes.get("group") is not None]


def bounces(life: TicketLife, team: int) -> tuple[bool, bool]:
    """Say whether a team held a ticket, and whether it sent it back to a team that had held it before."""
    groups = groups_of(life)
    returned = any(groups[i] == team and groups[i + 1] in groups[:i] for i in range(len(groups) - 1))
    return team in groups, returned


def any_return(life: TicketLife) -> bool:
    """Say whether a ticket came back to a team that had held it before."""
    groups = groups_of(life)
    return len(set(groups)) < len(groups)


def _facts(world: World) -> Iterable[Fact]:
    change = instant(backup_since(world)).isoformat()
    update = instant(vpn_since(world)).date().isoformat()
    yield Fact(
        "reboot",
        "A server that reboots every ten days",
        f"{estate.REBOOTING_SERVER} restarts every {REBOOT_DAYS} days at about 03:00 UTC; Scribe and its letters stand still each time.",
        "Order the tickets on the CI by date: the gaps are ten days. Some tickets only name it in their text, some only speak of Scribe.",
        {"ci": estate.REBOOTING_SERVER, "period_days": REBOOT_DAYS, "service": "Document generation"},
    )
    yield Fact(
        "vpn",
        "A VPN client that fails on one version of an operating system",
        f"{estate.VPN_CLIENT} loses its tunnel on {estate.VPN_OS} {estate.VPN_OS_VERSION}."
        f" {estate.VPN_CLIENT_BEFORE} does not; going back to it helps.",
        "Group tickets about dropping VPN by the OS version of the device: nearly all are on one version that few devices have.",
        {
            "client": estate.VPN_CLIENT,
            "os": estate.VPN_OS,
            "os_version": estate.VPN_OS_VERSION,
            "workaround": estate.VPN_CLIENT_BEFORE,
            "since": update,
            "devices": _devices(world, {"os_version": estate.VPN_OS_VERSION, "vpn_client": estate.VPN_CLIENT}),
        },
    )
    yield Fact(
        "backup",
        "A backup agent that fails since a change",
        f"{estate.BACKUP_AGENT} stops on {estate.BACKUP_OS} since change CHG0004417;"
        f" {BACKUP_A_MONTH[0]} to {BACKUP_A_MONTH[1]} tickets a month, each fixed by hand.",
        "Count tickets about the laptop backup by month and by OS: hardly any before the change, none of weight on other systems.",
        {
            "agent": estate.BACKUP_AGENT,
            "os": estate.BACKUP_OS,
            "os_build": f"{estate.BACKUP_BUILD} (about 96 %)",
            "change": "CHG0004417",
            "since": change,
            "tickets_a_month": list(BACKUP_A_MONTH),
            "devices": _devices(world, {"os": estate.BACKUP_OS, "os_build": estate.BACKUP_BUILD}),
        },
    )
    yield Fact(
        "logon-storm",
        "A storm of sign-in trouble every Monday morning",
        "On working Mondays between 07:50 and 09:40 in Leeds, sign-in tickets come in at many times the usual rate.",
        "Count sign-in and password tickets of Leeds by weekday and hour of local time.",
        {"site": "Leeds", "weekday": "Monday", "local_time": "07:50 to 09:40", "service": "Sign-in and accounts"},
    )
    yield Fact(
        "bounces",
        "A team that bounces tickets",
        "Integration sends a large part of its tickets back to the team they came from; no other team comes near.",
        "Among the tickets that each team held, count those that it sent back to a team that had held them before.",
        {"team": "Integration"},
    )
    yield Fact(
        "cmdb-wrong-os",
        "A server that the CMDB describes wrongly",
        f"The CMDB says that {estate.WRONG_SERVER} runs Windows Server 2019 and belongs to Windows servers;"
        " its tickets speak of Red Hat 8 and are solved by Linux servers.",
        "Hold what the tickets on a server say about its system, and who solves them, against its CI.",
        {
            "ci": estate.WRONG_SERVER,
            "cmdb_os": "Windows Server 2019",
            "real_os": "Red Hat Enterprise Linux 8.10",
            "cmdb_owner": "Windows servers",
            "real_owner": "Linux servers",
        },
    )
    yield Fact(
        "cmdb-retired",
        "A retired server that is alive",
        f"The CMDB says that {estate.RETIRED_SERVER} is retired; tickets of the last months show that it still sends broker statements.",
        "List CIs with the status retired that have tickets.",
        {"ci": estate.RETIRED_SERVER, "cmdb_status": "retired", "service": "Broker statement feeds"},
    )
    yield Fact(
        "month-end",
        "A job that fails at every month end",
        "LED40D01 stops in step 4 in the early morning of the first working day of each month: the accruals upload holds its lock.",
        "Group batch tickets by job and look at the day of the month.",
        {"job": "LED40D01", "step": 4, "when": "first working day of the month, 04:00 to 05:30 UTC"},
    )
    yield Fact(
        "major",
        "Three major incidents with their children",
        "Three outages (office network in Leeds, ClaimTrack's database, sign-in), each with a parent of priority 1 and 14 to 24 children.",
        "Parents carry the tag major, their children the tag major-child.",
        {"tag": "major", "child_tag": "major-child"},
    )


def _devices(world: World, attributes: Mapping[str, str]) -> int:
    return sum(all(ci.attributes.get(name) == value for name, value in attributes.items()) for ci in world.org.cis if ci.owner is not None)


def as_json(facts: Iterable[Fact]) -> list[dict[str, Any]]:
    """Return facts as plain values: instants as ISO text."""
    return [{name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(fact).items()} for fact in facts]
