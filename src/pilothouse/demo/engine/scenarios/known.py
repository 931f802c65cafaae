"""The shape of a known trouble: what people write about it, and what its problem record says in the end. Nothing of it is hidden.

Days are counted back from the end of the data.
"""

from dataclasses import dataclass

from pilothouse.demo.engine.scenarios.shape import Fix, Scenario


@dataclass(frozen=True, slots=True)
class Remedy:
    """The change that was to mend it: which team made it, about how many days before the end (negative: it is still to come).

    `remains` is the part of the incidents that come all the same.
    """

    team: str
    days: int
    title: str
    reason: str
    plan: str
    rollback: str
    remains: float = 0.0
    ci: str = ""  # else the application of the service


@dataclass(frozen=True, slots=True)
class Trouble:
    """One problem: since how many days before the end, how many incidents a week, and how far the work on it has come.

    `lead` is how many days passed until somebody opened the record; `promised` is the day of the fix, in days from the end.
    `over` and `back` are how many days before the end it ended by itself, and came back.
    """

    scenario: Scenario
    since: int
    weekly: float
    title: str
    told: str
    state: str
    lead: float
    cause: str = ""
    whys: tuple[str, ...] = ()
    workaround: str = ""
    first_cause: str = ""  # what was taken for it before
    is_known: bool = False
    promised: int | None = None
    tasks: tuple[tuple[str, bool], ...] = ()  # what is to be done, and whether it is
    remedy: Remedy | None = None
    solved: str = ""
    no_fix: str = ""
    called_off: str = ""
    over: int | None = None
    back: int | None = None
    asks: bool = False  # whether the requester who signs in has just met it
    has_owner: bool = True

    @property
    def key(self) -> str:
        """Its name, which is its scenario's."""
        return self.scenario.key


def met(
    key: str,
    filed: tuple[str, str],
    service: str,
    team: str,
    ci: str,
    titles: tuple[str, ...],
    bodies: tuple[str, ...],
    fixes: tuple[Fix, ...],
    checks: tuple[str, ...] = (),
    *,
    minutes: float = 25,
    profile: str = "one",
    desk: float = 0.35,
) -> Scenario:
    """Return the scenario of a trouble: as any other, in one service."""
    return Scenario(key, *filed, (service,), team, ci, 1, titles, bodies, fixes, checks=checks, minutes=minutes, profile=profile, desk=desk)
