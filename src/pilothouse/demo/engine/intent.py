"""A ticket before it has lived: who opens it, when, about what, and what will be found."""

from dataclasses import dataclass, field

from pilothouse.demo.engine.scenarios.shape import Fix, Scenario

ALARM = -1  # the stream of monitoring; others are sites


@dataclass(slots=True, eq=False)
class Intent:
    """One ticket to come. `path` are the teams that will hold it after the desk; `twin` is the ticket that it repeats."""

    at: int
    scenario: Scenario
    stream: int
    kind: str = "incident"
    requester: int | None = None
    service: int | None = None
    ci: int | None = None
    ci_linked: bool = True
    category: str = ""
    subcategory: str = ""
    channel: str = "email"
    title: str = ""
    description: str = ""
    impact: int = 3
    urgency: int = 3
    at_desk: bool = False
    path: tuple[int, ...] = ()
    passed_on: tuple[str, ...] = ()  # what each team writes when it passes the ticket on
    fix: Fix = ("solved", "Solved.")
    checks: tuple[str, ...] = ()
    minutes: float = 60
    question: str = ""
    answer: str = ""
    facts: tuple[str, ...] = ()
    trouble: str = ""  # the known trouble that it is one of
    tags: tuple[str, ...] = ()
    twin: "Intent | None" = None
    parent: "Intent | None" = None
    solved_at: int | None = None  # set where the hour is part of a fact
    number: str = ""
    ordinal: int = -1
    words: dict[str, str] = field(default_factory=dict)
