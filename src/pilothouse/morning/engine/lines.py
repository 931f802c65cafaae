"""Lines of the review: what asks for action, why in words, and in which order."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

LIKELY = 0.5
AGES = ("0-1 day", "2-7 days", "8-30 days", "31-90 days", "over 90 days")
AGE_EDGES_DAYS = (2, 8, 31, 91)  # a ticket's age in whole days is below the edge


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a ticket and why it stands here. `key` is the line's own for as long as its reason stays the same.

    `due_at` is when the target that asks for action is used up; `probability` of a breach as forecast, None when not judged.
    """

    key: str
    section: str
    ticket_id: int
    number: str
    title: str
    priority: int
    group: str
    assignee: str
    reason: str
    acts: tuple[str, ...]
    due_at: datetime | None = None
    probability: float | None = None
    brief: str = ""  # the reason where another one is told first; "" when it adds nothing
    also: tuple[str, ...] = ()
    is_late: bool = False
    asked_at: datetime | None = None  # since when it asks, where that is not its deadline
    done: str = ""  # what was done about it, in words; "" while it asks
    undoable: bool = False

    @property
    def owner(self) -> str:
        """Say who has it."""
        return self.assignee or (self.group and f"{self.group}, nobody yet") or "nobody"


@dataclass(frozen=True, slots=True)
class Section:
    """Lines of one kind: all that there are (`count`), of which `lines` are shown."""

    key: str
    title: str
    note: str
    empty: str
    lines: tuple[Line, ...] = ()
    count: int = 0

    @property
    def waiting(self) -> int:
        """How many of the lines shown still ask."""
        return sum(not line.done for line in self.lines)

    @property
    def more(self) -> int:
        """How many are not shown."""
        return max(0, self.count - len(self.lines))

    @property
    def asking(self) -> int:
        """How many still ask, those not shown included."""
        return self.waiting + self.more


def order_to_act(lines: Iterable[Line], now: datetime, first: datetime) -> list[Line]:
    """Order what has a deadline: past it by priority, then due before `first`, then later; in each those likely to breach go first.

    A ticket that was not judged counts as likely. Ties are broken by the deadline, the priority, the number.
    """

    def rank(line: Line) -> tuple[int, int, float, float, str]:
        due = line.due_at or now
        if due <= now:
            return 0, 0, line.priority, due.timestamp(), line.number
        likely = line.probability is None or line.probability >= LIKELY
        return 1 if due < first else 2, 0 if likely else 1, due.timestamp(), line.priority, line.number

    return sorted(lines, key=rank)


def once_each(sections: Sequence[Section], *, always: frozenset[str] = frozenset()) -> list[Section]:
    """Let each ticket stand in the first section that has it, which says the other reasons too; sections in `always` keep all."""
    first: dict[int, tuple[int, int]] = {}
    told: dict[tuple[int, int], list[str]] = {}
    kept: list[list[Line]] = []
    for at, section in enumerate(sections):
        own: list[Line] = []
        for line in section.lines:
            place = first.setdefault(line.ticket_id, (at, len(own)))
            if place != (at, len(own)):
                told.setdefault(place, []).append(line.brief)
            if place == (at, len(own)) or section.key in always:
                own.append(line)
        kept.append(own)
    for (at, index), reasons in told.items():
        kept[at][index] = replace(kept[at][index], also=tuple(dict.fromkeys(filter(None, reasons))))
    return [
        replace(section, lines=tuple(own), count=section.count - (len(section.lines) - len(own)))
        for section, own in zip(sections, kept, strict=True)
    ]


def reason_of_due(kind: str, due_at: datetime, now: datetime, clock: Callable[[datetime], str]) -> str:
    """Say how near a target is: "18 min to resolve, due 10:05", "12 min past its response target"."""
    seconds = (due_at - now).total_seconds()
    what = {"response": "answer", "resolution": "resolve", "ola": "hand over (OLA)", "contract": "hear from the vendor"}.get(kind, "act")
    target = {"ola": "OLA"}.get(kind, kind)
    if seconds <= 0:
        return f"{length(-seconds)} past its {target} target"
    return f"{length(seconds)} left to {what}, due {clock(due_at)}"


def length(seconds: float) -> str:
    """Say a length of time in at most two units, as one speaks.

    >>> length(59), length(1080), length(7800), length(180000)
    ('under 1 min', '18 min', '2 h 10', '2 d 2 h')
    """
    minutes = int(seconds) // 60
    if minutes < 1:
        return "under 1 min"
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {rest:02d}" if rest else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours and days < 10 else f"{days} d"


def names_in_words(names: Sequence[str], most: int = 3) -> str:
    """Say names: "Ana, Mona and 2 more"."""
    if len(names) <= 1:
        return "".join(names)
    if len(names) <= most:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{', '.join(names[:most])} and {len(names) - most} more"
