"""Draw a background ticket: scenario, people, CI, words, priority, and the way that it will go through the teams."""

from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import TypeVar

from pilothouse.demo.engine import phrases, voice
from pilothouse.demo.engine.context import context, impact_urgency
from pilothouse.demo.engine.estate import REBOOTING_SERVER, RETIRED_SERVER, WRONG_SERVER
from pilothouse.demo.engine.intent import ALARM, Intent
from pilothouse.demo.engine.scenarios import ALARMS, INCIDENTS, REQUESTS
from pilothouse.demo.engine.world import BOUNCING_TEAM, World

CHANNELS = ("email", "portal", "phone", "chat", "walk_in")
_CHANNEL_WEIGHTS = tuple(accumulate((34, 30, 22, 11, 3)))
_WEIGHTS = {id(pool): tuple(accumulate(s.weight for s in pool)) for pool in (INCIDENTS, ALARMS, REQUESTS)}
_SENDERS = ("policy-apps", "policy-apps", "claims-apps", "claims-apps", "billing", "billing", "broker-portal", "customer-portal", "data")
_MISROUTED, _BOUNCED, _BOUNCED_BY_TEAM = 0.10, 0.015, 0.42


def draw(rng: Random, world: World, at: int, stream: int, kind: str) -> Intent:
    """Draw what a ticket is about: an alarm for the stream ALARM, else somebody's trouble or wish at a site."""
    pool = ALARMS if stream == ALARM else (REQUESTS if kind == "request" else INCIDENTS)
    scenario = rng.choices(pool, cum_weights=_WEIGHTS[id(pool)])[0]
    return draw_of(rng, world, Intent(at, scenario, stream, kind))


def draw_of(rng: Random, world: World, intent: Intent) -> Intent:
    """Fill in an intent whose scenario is settled; what is set already stays."""
    scenario = intent.scenario
    if intent.service is None:
        intent.service = world.service_keys[rng.choice(scenario.services)]
    if intent.stream == ALARM:
        intent.channel = "monitoring"
    else:
        if intent.requester is None:
            intent.requester = rng.choice(world.people_at[intent.stream])
        intent.channel = rng.choices(CHANNELS, cum_weights=_CHANNEL_WEIGHTS)[0]
    if intent.ci is None:
        intent.ci = _ci(rng, world, intent)
        intent.ci_linked = intent.stream == ALARM or rng.random() < 0.62
    intent.category, intent.subcategory = scenario.category, scenario.subcategory
    if intent.stream != ALARM and rng.random() < 0.05:  # filed under something else
        intent.subcategory = ""
    intent.impact, intent.urgency = impact_urgency(rng, scenario.profile)
    _write(rng, world, intent)
    _settle(rng, world, intent)
    return intent


def _ci(rng: Random, world: World, intent: Intent) -> int | None:
    want, site = intent.scenario.ci, max(intent.stream, 0) if intent.stream != ALARM else rng.choices(range(3), (6, 4, 1))[0]
    if want in ("laptop", "mobile"):
        return world.org.laptop_of.get(intent.requester) if intent.requester is not None else None
    if want == "application":
        return world.application_of.get(intent.service) if intent.service is not None else None
    pool = {"room": "other", "printer": "printer", "switch": "network", "storage": "storage", "database": "database"}.get(want, "")
    if want == "machine":
        pool = "virtual_machine" if rng.random() < 0.75 else "server"
    if not pool:
        return None
    found = rng.choice(world.ci_of[pool][site])
    return None if world.org.cis[found].name in (REBOOTING_SERVER, WRONG_SERVER, RETIRED_SERVER) else found


def _write(rng: Random, world: World, intent: Intent) -> None:
    scenario = intent.scenario
    words = context(rng, world.org, site=max(intent.stream, 0), service=intent.service, ci=intent.ci)
    intent.words = words
    trouble = rng.random()  # which of the scenario's troubles it is: texts that stand at the same place belong together
    title, body = _at(scenario.titles, trouble), _at(scenario.bodies, trouble)
    error = _at(scenario.errors, trouble) if scenario.errors and rng.random() < 0.35 else ""
    code, notes = rng.choice(scenario.fixes) if rng.random() < 0.12 else _at(scenario.fixes, trouble)
    intent.fix = code, notes.format_map(words)
    intent.minutes = scenario.minutes
    if scenario.checks:
        checks = rng.sample(scenario.checks, min(len(scenario.checks), rng.choice((0, 1, 1, 2))))
        intent.checks = tuple(check.format_map(words) for check in checks)
    if scenario.questions and rng.random() < 0.4:
        asked = rng.random()
        intent.question = _at(scenario.questions, asked).format_map(words)
        intent.answer = _at(scenario.answers, asked).format_map(words)
    error = error.format_map(words)
    if intent.requester is None:
        intent.title, intent.description = title.format_map(words)[:250], body.format_map(words) + (f"\n{error}" if error else "")
        return
    person = world.org.people[intent.requester]
    words["first"] = person.first
    intent.title = voice.title(rng, title.format_map(words))
    intent.description = voice.message(rng, person, body.format_map(words), words, channel=intent.channel, error=error)


_Text = TypeVar("_Text")


def _at(texts: Sequence[_Text], place: float) -> _Text:
    """Return the text that stands at a place in [0, 1) of its list."""
    return texts[int(place * len(texts))]


def resolver(world: World, intent: Intent) -> int:
    """Return the team that solves such a ticket."""
    team, site = intent.scenario.team, max(intent.stream, 0)
    if team == "workplace":
        return world.workplaces[site]
    if team == "owner":
        return world.org.services[intent.service].team if intent.service is not None else world.desks[site]
    if team == "ci":
        return world.org.cis[intent.ci].team if intent.ci is not None else world.team_keys["windows-servers"]
    return world.team_keys[team]


def _settle(rng: Random, world: World, intent: Intent) -> None:
    """Decide whether the desk solves it, and else which teams will hold it, in order."""
    if intent.path:
        return
    intent.at_desk = intent.stream != ALARM and rng.random() < intent.scenario.desk
    if intent.at_desk:
        return
    right, bouncer = resolver(world, intent), world.team_keys[BOUNCING_TEAM]
    path, passed = [right], []
    if rng.random() < _MISROUTED and intent.scenario.team != "security-operations":
        wrong = bouncer if rng.random() < 0.12 else _neighbour(rng, world, right)
        path, passed = [wrong, right], [rng.choice(phrases.BOUNCING if wrong == bouncer else phrases.PASSING)]
    if bouncer in path and rng.random() < _BOUNCED_BY_TEAM:
        path, passed = _bounced_by_team(rng, world, intent, path, bouncer)
    elif rng.random() < _BOUNCED and len(path) == 1:
        path, passed = [right, _neighbour(rng, world, right), right], [rng.choice(phrases.PASSING), rng.choice(phrases.PASSING)]
    intent.path = tuple(path)
    intent.passed_on = tuple(note.format_map(intent.words) for note in passed)


def _bounced_by_team(rng: Random, world: World, intent: Intent, path: list[int], bouncer: int) -> tuple[list[int], list[str]]:
    """Send it to and fro: the sender, the bouncing team, the sender, the bouncing team, perhaps once more, then who solves it."""
    sender = world.team_keys[rng.choice(_SENDERS)]
    rounds = 1 if rng.random() < 0.75 else 2
    way, passed = [sender, bouncer] * (rounds + 1), []
    for i in range(len(way) - 1):
        passed.append(rng.choice(phrases.BOUNCING if way[i] == bouncer else (phrases.AGAIN if i else phrases.PASSING)))
    if path[-1] not in (bouncer, sender):
        return [*way, path[-1]], [*passed, rng.choice(phrases.BOUNCING)]
    return way, passed


def _neighbour(rng: Random, world: World, team: int) -> int:
    """Draw a team that is taken for this one; never a desk, a restricted team or the bouncing one."""
    while True:
        other = rng.randrange(len(world.org.teams))
        spec = world.org.teams[other]
        if other not in (team, *world.desks, world.team_keys[BOUNCING_TEAM]) and not spec.is_restricted:
            return other
