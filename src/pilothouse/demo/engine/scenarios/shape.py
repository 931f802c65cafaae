"""The shape of a scenario: one kind of trouble or wish, who meets it, who solves it, and how people write about it."""

from dataclasses import dataclass

Fix = tuple[str, str]  # resolution code, notes


@dataclass(frozen=True, slots=True)
class Scenario:
    """Texts hold placeholders (`{ci}`, `{app}`, `{colleague}` … see context.py).

    `team` is a team's key, "workplace" for the one at the requester's site, or "owner" for the service's owner. `ci` says which CI
    the ticket points at: laptop, mobile, room, printer, application, database, server, machine, switch, storage or "".
    `desk` is the share that the service desk solves itself, `minutes` the median of hands-on time, `profile` how impact and
    urgency fall (context.py). `services` are keys, one of which is drawn.
    """

    key: str
    category: str
    subcategory: str
    services: tuple[str, ...]
    team: str
    ci: str
    weight: float
    titles: tuple[str, ...]
    bodies: tuple[str, ...]
    fixes: tuple[Fix, ...]
    errors: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    desk: float = 0.0
    minutes: float = 60
    profile: str = "one"
    kind: str = "incident"
