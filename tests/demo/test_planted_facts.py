"""The planted facts, proven by counting in the tickets: nothing here looks at what was planned, except to compare at the end."""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from pilothouse.demo.engine.facts import Fact, FactBook
from pilothouse.demo.engine.specs import TicketLife
from tests.demo.conftest import UNTIL, Drawn


@pytest.fixture(scope="module")
def facts(drawn: Drawn) -> dict[str, Fact]:
    book = FactBook(drawn.generation.world)
    for life in drawn.lives:
        book.add(life)
    return {fact.key: fact for fact in book.result()}


def _numbers(lives: Iterable[TicketLife]) -> set[str]:
    return {life.fields["number"] for life in lives}


def _about(drawn: Drawn, name: str) -> list[TicketLife]:
    """Tickets on a CI, and those that only name it."""
    position = drawn.org.ci(name)
    return [life for life in drawn.lives if life.fields["ci"] == position or name in drawn.text(life)]


def test_a_server_reboots_every_ten_days(drawn: Drawn, facts: dict[str, Fact]) -> None:
    lives = [life for life in _about(drawn, "LDS-SRV-017") if life.fields["channel"] == "monitoring"]
    days = sorted({life.fields["opened_at"].date() for life in lives})
    gaps = Counter((later - earlier).days for earlier, later in itertools.pairwise(days))
    assert len(days) >= 39
    assert gaps[10] / gaps.total() > 0.97
    assert all(2 <= life.fields["opened_at"].hour <= 3 for life in lives)
    # No other server is heard of nearly as often.
    others = Counter(drawn.org.cis[life.fields["ci"]].name for life in drawn.lives if life.fields["ci"] is not None)
    servers = {name: n for name, n in others.items() if re.match(r"\w{3}-SRV-", name) and name != "LDS-SRV-017"}
    assert max(servers.values()) < 25
    assert _numbers(lives) <= set(facts["reboot"].tickets)
    assert facts["reboot"].count > len(lives)  # people tell of it as well


_DROPS = re.compile(r"drop|disconnect|reconnect|lost|unstable|cuts off|kicked out|goes away", re.IGNORECASE)


def test_the_vpn_client_fails_on_one_version_of_an_operating_system(drawn: Drawn, facts: dict[str, Fact]) -> None:
    service = drawn.org.service("remote-access")
    lives = [life for life in drawn.lives if life.fields["service"] == service and _DROPS.search(drawn.text(life))]
    recent = [life for life in lives if UNTIL - life.fields["opened_at"] < timedelta(days=150)]
    versions = Counter(f"{ci.attributes['os']} {ci.attributes['os_version']}" for life in recent if (ci := drawn.laptop(life)))
    assert versions.most_common(1)[0][0] == "macOS 14.2"
    assert versions["macOS 14.2"] / versions.total() > 0.7
    fleet = Counter(ci.attributes["os_version"] for ci in drawn.org.cis if ci.ci_class == "workstation")
    assert fleet["14.2"] / fleet.total() < 0.08
    clients = {ci.attributes["vpn_client"] for life in recent if (ci := drawn.laptop(life)) and ci.attributes["os_version"] == "14.2"}
    assert clients == {"GateLink 5.1.3"}
    helped = [life for life in recent if "5.1.2" in life.fields["resolution_notes"]]
    assert len(helped) > 5
    assert len(set(facts["vpn"].tickets) & _numbers(recent)) / facts["vpn"].count > 0.9


def test_the_backup_agent_fails_on_windows_11_since_a_change(drawn: Drawn, facts: dict[str, Fact]) -> None:
    says = re.compile(
        r"vaultkeep|vkagent|laptop.{0,30}back(ed )?up|back ?up.{0,40}(laptop|agent|device)|backup agent|backup warning|last backup|no back",
        re.IGNORECASE,
    )
    lives = [
        life
        for life in drawn.lives
        if life.fields["requester"] is not None and life.fields["kind"] == "incident" and says.search(drawn.text(life))
    ]
    systems = {life.fields["number"]: ci.attributes["os"] for life in lives if (ci := drawn.laptop(life)) and "os" in ci.attributes}
    by_month = Counter(life.fields["opened_at"].strftime("%Y-%m") for life in lives if systems.get(life.fields["number"]) == "Windows 11")
    assert [month for month in by_month if month < "2026-05"] == []
    assert all(15 <= by_month[f"2026-{month:02d}"] <= 20 for month in (6, 7, 8, 9, 10))
    assert sum(os != "Windows 11" for os in systems.values()) < 25
    since = facts["backup"].subject["since"]
    assert since.startswith("2026-05")
    assert min(life.fields["opened_at"] for life in lives if systems.get(life.fields["number"]) == "Windows 11").isoformat() > since
    builds = Counter(ci.attributes["os_build"] for life in lives if (ci := drawn.laptop(life)) and ci.attributes.get("os") == "Windows 11")
    assert builds["26100"] / builds.total() > 0.9
    solved = [life for life in lives if life.fields["number"] in facts["backup"].tickets and life.fields["state"] in ("resolved", "closed")]
    by_hand = [life for life in solved if re.search(r"by hand|reinstall|installed|manual", life.fields["resolution_notes"], re.IGNORECASE)]
    assert len(by_hand) / len(solved) > 0.9
    assert len({life.fields["assignee"] for life in solved}) >= 4


def test_monday_mornings_bring_a_storm_of_sign_in_trouble(drawn: Drawn, facts: dict[str, Fact]) -> None:
    leeds = ZoneInfo("Europe/London")
    says = re.compile(r"sign|log ?in|logon|password|locked", re.IGNORECASE)
    counts: Counter[tuple[int, int]] = Counter()
    for life in drawn.lives:
        person = drawn.requester(life)
        if person and person.site == 0 and life.fields["kind"] == "incident" and says.search(life.fields["title"]):
            at = life.fields["opened_at"].astimezone(leeds)
            counts[at.weekday(), at.hour] += 1
    monday = counts[0, 8] + counts[0, 9]
    others = [counts[day, 8] + counts[day, 9] for day in range(1, 5)]
    assert monday > 4 * max(others)
    assert facts["logon-storm"].count > 200


def _returned(drawn: Drawn) -> tuple[Counter[str], Counter[str]]:
    held: Counter[str] = Counter()
    returned: Counter[str] = Counter()
    for life in drawn.lives:
        groups = [event.changes["group"] for event in life.events if event.changes.get("group") is not None]
        held.update(drawn.org.teams[group].name for group in set(groups))
        back = {groups[i] for i in range(len(groups) - 1) if groups[i + 1] in groups[:i]}
        returned.update(drawn.org.teams[group].name for group in back)
    return held, returned


def test_one_team_sends_tickets_back(drawn: Drawn, facts: dict[str, Fact]) -> None:
    held, returned = _returned(drawn)
    share = {name: returned[name] / held[name] for name in held if held[name] >= 50}
    worst = max(share, key=lambda name: share[name])
    assert worst == "Integration"
    assert share["Integration"] > 0.3
    assert sorted(share.values())[-2] < 0.15
    assert facts["bounces"].count == returned["Integration"]


def test_tickets_on_a_server_contradict_the_cmdb(drawn: Drawn, facts: dict[str, Fact]) -> None:
    lives = _about(drawn, "OPO-SRV-031")
    ci = drawn.org.cis[drawn.org.ci("OPO-SRV-031")]
    assert ci.attributes["os"] == "Windows Server 2019"
    assert drawn.org.teams[ci.team].name == "Windows servers"
    linux = re.compile(r"linux|red hat|rhel|systemctl|journalctl|sudo|sshd|xfs|/var|yum|setfacl|nfs|chmod|transferd", re.IGNORECASE)
    words = [" ".join([drawn.text(life), *(event.note for event in life.events), life.fields["resolution_notes"]]) for life in lives]
    assert len(lives) >= 20
    assert sum(bool(linux.search(text)) for text in words) / len(lives) > 0.9
    solved = Counter(drawn.org.teams[life.fields["group"]].name for life in lives if life.fields["state"] in ("resolved", "closed"))
    assert solved["Linux servers"] == solved.total()
    passed_on = [life for life in lives if drawn.org.team("windows-servers") in {event.changes.get("group") for event in life.events}]
    assert len(passed_on) > len(lives) / 2
    assert _numbers(lives) == set(facts["cmdb-wrong-os"].tickets)


def test_a_retired_server_has_tickets(drawn: Drawn, facts: dict[str, Fact]) -> None:
    retired = {i for i, ci in enumerate(drawn.org.cis) if ci.status == "retired"}
    named = {drawn.org.cis[i].name for i in retired}
    lives = [life for life in drawn.lives if life.fields["ci"] in retired or any(name in drawn.text(life) for name in named)]
    assert named == {"LDS-SRV-044"}
    assert _numbers(lives) == set(facts["cmdb-retired"].tickets)
    assert len(lives) == 9


def test_a_job_fails_at_every_month_end(drawn: Drawn, facts: dict[str, Fact]) -> None:
    lives = [life for life in drawn.lives if "LED40D01" in drawn.text(life) or "Ledger close" in drawn.text(life)]
    assert len({life.fields["opened_at"].strftime("%Y-%m") for life in lives}) == len(lives) == 13
    assert all(life.fields["opened_at"].day <= 5 and life.fields["opened_at"].weekday() < 5 for life in lives)
    assert _numbers(lives) == set(facts["month-end"].tickets)


def test_three_major_incidents_have_children(drawn: Drawn, facts: dict[str, Fact]) -> None:
    children: dict[int, list[TicketLife]] = defaultdict(list)
    for life in drawn.lives:
        if life.fields["parent"] is not None:
            children[life.fields["parent"]].append(life)
    assert sorted(len(lives) for lives in children.values()) == [14, 18, 24]
    for parent, lives in children.items():
        major = drawn.lives[parent]
        assert major.fields["priority"] == 1
        assert all(abs(life.fields["opened_at"] - major.fields["opened_at"]) < timedelta(hours=2) for life in lives)
        assert all(life.fields["resolved_at"] is None or life.fields["resolved_at"] >= major.fields["resolved_at"] for life in lives)
    assert facts["major"].count == 3 + 14 + 18 + 24


@pytest.mark.parametrize("key", ["vpn", "backup", "logon-storm", "reboot", "cmdb-wrong-os"])
def test_planted_tickets_are_told_in_many_words(drawn: Drawn, key: str) -> None:
    lives = [life for life in drawn.lives if key in life.facts]
    reads: Callable[[str], int] = lambda field: len({life.fields[field] for life in lives})  # noqa: E731
    assert reads("description") / len(lives) > (0.05 if key == "reboot" else 0.8)
    assert reads("title") >= 6
    linked = sum(life.fields["ci"] is not None for life in lives)
    assert key == "logon-storm" or 0.5 < linked / len(lives) < 1
