"""The planted facts: troubles with a cause that can be found, and the tickets in which they show."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from pilothouse.demo.engine.company import LEEDS, SITES
from pilothouse.demo.engine.drawing import draw_of
from pilothouse.demo.engine.estate import (
    BACKUP_AGENT,
    BACKUP_BUILD,
    BACKUP_OS,
    REBOOTING_SERVER,
    RETIRED_SERVER,
    VPN_CLIENT,
    VPN_OS,
    VPN_OS_VERSION,
    WRONG_SERVER,
)
from pilothouse.demo.engine.hours import DAY, instant, works_on
from pilothouse.demo.engine.intent import ALARM, Intent
from pilothouse.demo.engine.scenarios import planted as told
from pilothouse.demo.engine.scenarios.shape import Scenario
from pilothouse.demo.engine.world import World

REBOOT_DAYS = 10
STORM_SHARE = 0.16  # of an average day's tickets, each Monday morning
BACKUP_A_MONTH = (15, 20)
VPN_A_MONTH = (10, 14)
_USUAL_SIZE = 60_000  # VPN trouble grows with a larger demo, the other facts are as they are
_MAJOR_AT = (0.31, 0.63, 0.94)
_MAJOR_CHILDREN = (14, 18, 24)
_MAJOR_CI = ("LDS-CORE-B", "CLAIMTRACK-DB01", "")


def backup_since(world: World) -> int:
    """Return when the update change CHG0004417 went in: a Tuesday evening, 200 days before the end (or in the middle)."""
    at = max(world.until - 200 * DAY, world.start + (world.until - world.start) * 45 // 100)
    day = instant(at).date()
    day -= timedelta(days=(day.weekday() - 1) % 7)
    return int(datetime.combine(day, time(21), UTC).timestamp())


def vpn_since(world: World) -> int:
    """Return when the macOS update reached the first Macs."""
    return max(world.until - 150 * DAY, world.start + (world.until - world.start) * 6 // 10)


def plant(rng: Random, world: World, tickets: int) -> list[Intent]:
    """Draw every planted ticket, in order of opening."""
    size = max(1.0, tickets / _USUAL_SIZE)
    days = (world.until - world.start) // DAY
    intents = [
        *_reboots(rng, world),
        *_backup_agent(rng, world),
        *_vpn(rng, world, size),
        *_storms(rng, world, max(6, round(STORM_SHARE * tickets / days))),
        *_told_of_server(rng, world, told.WRONG_OS, WRONG_SERVER, "cmdb-wrong-os", 22, world.start, ("windows-servers", "linux-servers")),
        *_told_of_server(
            rng,
            world,
            told.RETIRED_ALIVE,
            RETIRED_SERVER,
            "cmdb-retired",
            9,
            max(world.start, world.until - 120 * DAY),
            ("windows-servers",),
        ),
        *_month_ends(rng, world),
        *_majors(rng, world),
    ]
    return sorted((intent for intent in intents if world.start <= intent.at < world.until), key=lambda intent: intent.at)


def _intent(rng: Random, world: World, scenario: Scenario, at: int, *, fact: str, stream: int, **more: object) -> Intent:
    intent = Intent(at, scenario, stream, facts=(fact,) if fact else ())
    for name, value in more.items():
        setattr(intent, name, value)
    draw_of(rng, world, intent)
    name = world.org.cis[intent.ci].name if intent.ci is not None else ""
    if not intent.ci_linked and name and name not in intent.title + intent.description:
        intent.description += f"\n\n{rng.choice(('Device', 'Name', 'Laptop', 'It is'))}: {name}"
    return intent


def _office_instant(rng: Random, site: int, first: int, last: int) -> int:
    """Draw an instant within [first, last) in office hours of a site; any instant when there is none."""
    zone = ZoneInfo(SITES[site].zone)
    for _ in range(500):
        at = rng.randrange(first, max(last, first + 1))
        local = instant(at).astimezone(zone)
        if works_on(site, local.date()) and 8 <= local.hour < 18 and (local.hour < 12 or rng.random() < 0.7):
            return at
    return first


def _months(first: int, last: int) -> Iterator[tuple[int, int, float]]:
    """Yield calendar months (UTC) cut to [first, last), each with the part of it that is left."""
    day = instant(first).date().replace(day=1)
    while (start := _midnight(day)) < last:
        following = (day + timedelta(days=32)).replace(day=1)
        end = _midnight(following)
        low, high = max(start, first), min(end, last)
        yield low, high, (high - low) / (end - start)
        day = following


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _reboots(rng: Random, world: World) -> Iterator[Intent]:
    ci, service = world.org.ci(REBOOTING_SERVER), world.service_keys["document-generation"]
    at = world.start + 3 * DAY - world.start % DAY + 3 * 3600
    while at < world.until:
        down = at + rng.randrange(-400, 400)
        yield _intent(
            rng, world, told.REBOOT_ALARM, down, fact="reboot", stream=ALARM, ci=ci, service=service, ci_linked=rng.random() < 0.85
        )
        if rng.random() < 0.45 and works_on(2, instant(at).date()):  # noon in Singapore
            told_at = down + rng.randrange(400, 5400)
            yield _intent(
                rng, world, told.REBOOT_TOLD, told_at, fact="reboot", stream=2, ci=ci, service=service, ci_linked=rng.random() < 0.3
            )
        at += REBOOT_DAYS * DAY


def _owners(world: World, **attributes: str) -> list[int]:
    """Return active people whose laptop has these attributes."""
    fits = []
    for person, ci in world.org.laptop_of.items():
        found = world.org.cis[ci].attributes
        if world.org.people[person].is_active and all(found.get(name) == value for name, value in attributes.items()):
            fits.append(person)
    return fits


def _told_by(rng: Random, world: World, scenario: Scenario, people: list[int], first: int, last: int, fact: str) -> Intent:
    person = rng.choice(people)
    site = world.org.people[person].site
    at = _office_instant(rng, site, first, last)
    linked = rng.random() < 0.8
    return _intent(rng, world, scenario, at, fact=fact, stream=site, requester=person, ci=world.org.laptop_of[person], ci_linked=linked)


def _backup_agent(rng: Random, world: World) -> Iterator[Intent]:
    newest = _owners(world, os=BACKUP_OS, os_build=BACKUP_BUILD, backup_agent=BACKUP_AGENT)
    older = [p for p in _owners(world, os=BACKUP_OS, backup_agent=BACKUP_AGENT) if p not in newest]
    for first, last, part in _months(backup_since(world) + DAY, world.until):
        for _ in range(round(rng.randint(*BACKUP_A_MONTH) * part)):
            yield _told_by(rng, world, told.BACKUP_AGENT, newest if rng.random() < 0.96 else older, first, last, "backup")
    others = _owners(world, os="Windows 10") + _owners(world, os="macOS")
    for first, last, part in _months(world.start, world.until):
        if rng.random() < part:
            yield _told_by(rng, world, told.BACKUP_NOISE, others, first, last, "")


def _vpn(rng: Random, world: World, size: float) -> Iterator[Intent]:
    failing = _owners(world, os=VPN_OS, os_version=VPN_OS_VERSION, vpn_client=VPN_CLIENT)
    others = [p for p in world.org.laptop_of if p not in failing and world.org.people[p].is_active]
    for first, last, part in _months(vpn_since(world), world.until):
        for _ in range(round(rng.randint(*VPN_A_MONTH) * part * size)):
            yield _told_by(rng, world, told.VPN_DROPS, failing, first, last, "vpn")
    for first, last, part in _months(world.start, world.until):
        for _ in range(round(rng.choice((1, 1, 2)) * part * size)):
            yield _told_by(rng, world, told.VPN_NOISE, others, first, last, "")


def _storms(rng: Random, world: World, about: int) -> Iterator[Intent]:
    """Every Monday that Leeds works: sign-in trouble between 07:50 and 09:40."""
    zone, people = ZoneInfo(SITES[LEEDS].zone), world.people_at[LEEDS]
    day = instant(world.start).date()
    while (noon := _midnight(day) + DAY // 2) < world.until + DAY:
        if day.weekday() == 0 and works_on(LEEDS, day):
            opening = int(datetime.combine(day, time(7, 50), zone).timestamp())
            for _ in range(max(4, round(about * rng.uniform(0.85, 1.2)))):
                at = opening + int(rng.triangular(0, 110 * 60, 40 * 60))
                service = world.service_keys["identity"]
                yield _intent(
                    rng, world, told.LOGON_STORM, at, fact="logon-storm", stream=LEEDS, requester=rng.choice(people), service=service
                )
        day = instant(noon + DAY).date()


def _told_of_server(
    rng: Random, world: World, scenario: Scenario, name: str, fact: str, count: int, first: int, teams: tuple[str, ...]
) -> Iterator[Intent]:
    """Tickets of application people about a server; those about the wrong one go to the team that the CMDB names first."""
    ci, site = world.org.ci(name), LEEDS
    tellers = [
        m for key in ("integration", "broker-portal", "claims-apps", "billing") for m in world.org.teams[world.team_keys[key]].members
    ]
    notes = (
        "Not a Windows server. Please check, CMDB is wrong.",
        "This one is Linux -> Linux servers.",
        "We have no such machine. uname says RHEL.",
        "CMDB says ours, it is not.",
    )
    for _ in range(count):
        at = _office_instant(rng, site, first, world.until)
        path = tuple(world.team_keys[key] for key in (teams if rng.random() < 0.85 else teams[-1:]))
        passed = (rng.choice(notes),) if len(path) > 1 else ()
        yield _intent(
            rng,
            world,
            scenario,
            at,
            fact=fact,
            stream=site,
            requester=rng.choice(tellers),
            ci=ci,
            ci_linked=rng.random() < 0.8,
            path=path,
            passed_on=passed,
        )


def _month_ends(rng: Random, world: World) -> Iterator[Intent]:
    """The ledger close fails on the first working day of a month, in the night before Leeds opens."""
    service = world.service_keys["finance"]
    for start, _, _ in _months(world.start, world.until):
        day = instant(start).date().replace(day=1)
        while not works_on(LEEDS, day):
            day += timedelta(days=1)
        at = _midnight(day) + 4 * 3600 + rng.randrange(5400)
        if world.start <= at < world.until:
            yield _intent(rng, world, told.MONTH_END, at, fact="month-end", stream=ALARM, service=service, ci=world.application_of[service])


def _majors(rng: Random, world: World) -> Iterator[Intent]:
    for scenario, part, children, ci_name in zip(told.MAJORS, _MAJOR_AT, _MAJOR_CHILDREN, _MAJOR_CI, strict=True):
        at = _first_morning(world.start + int((world.until - world.start) * part), rng)
        window_end = at + DAY - (at - world.start) % DAY
        service = world.service_keys[scenario.services[0]]
        ci = world.org.ci(ci_name) if ci_name else world.application_of[service]
        parent = _intent(rng, world, scenario, at, fact=scenario.key, stream=LEEDS, service=service, ci=ci)
        parent.impact, parent.urgency, parent.channel, parent.tags = 1, 1, "phone", ("major",)
        parent.question, parent.solved_at = "", at + rng.randrange(5400, 13_000)
        yield parent
        for _ in range(children):
            child_at = min(at + int(rng.triangular(30, 4000, 600)), window_end - 1)
            linked = rng.random() < 0.35
            yield _intent(
                rng, world, scenario, child_at, fact=scenario.key, stream=LEEDS, service=service, ci=ci, ci_linked=linked, parent=parent
            )


def _first_morning(at: int, rng: Random) -> int:
    """Return a working morning in Leeds at or after an instant."""
    day = instant(at).date() + timedelta(days=1)
    while not works_on(LEEDS, day):
        day += timedelta(days=1)
    return _midnight(day) + 9 * 3600 + rng.randrange(3600)
