"""Tickets as they arrive: a candidate is raised as soon as the evidence suffices, with a budget of false alarms a week.

A ticket belongs to several streams: its family (where it was placed), its CI, the facts of its kind, names and rare words that it
says, and kinds crossed with attributes (a service on a version). Each arrival asks of each of its streams whether its last tickets
crowd, and now and then whether its events keep to a period (`evidence`). Every question may be answered wrongly with some chance;
these chances are what is spent: a week's add up to the budget at most, so that so many false alarms are to be expected at most
when nothing is the matter, however the questions hang together (no independence is needed). A ledger keeps the sum also when more
tickets come than usual.

An alarm is one trouble: tickets of its streams join it until nothing has crowded for a week, and what crowds on mostly the same
tickets joins it, too. Memory is bounded: of each stream the last tickets are kept, and of streams the most frequent and latest; one
that was dropped counts, when it comes again, as though it had been as frequent as the most frequent that was ever dropped
(Metwally, Agrawal, El Abbadi: Efficient computation of frequent and top-k elements, 2005), which only makes the test more careful.
What is counted reaches back between 90 and 180 days.

Families are learnt anew now and then (`atlas`): `regrouped` then gives each the tickets that it would have had. No ticket is asked
about twice by that, so that the budget holds.

The state is plain data between looks: `look(state, arrivals)`; the same arrivals in one look or in many give the same.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pilothouse.problems.engine.baseline import DAY
from pilothouse.problems.engine.causes import span
from pilothouse.problems.engine.columns import FAMILY
from pilothouse.problems.engine.evidence import WIDEST, WINDOWS, beats, crowding, is_look_for_beats
from pilothouse.problems.engine.saying import one_in
from pilothouse.problems.engine.streams import Arrival, Stream, is_of_families, of_family, streams_of

A_WEEK = 1.0  # false alarms that are to be expected at most
_WEEK = 7 * DAY
_HORIZON = 90 * DAY
MOST_STREAMS = 40_000
_MOST_ACTIVE = 300
_MOST_TICKETS = 500  # of an alarm that are remembered
_EVERYWHERE = 0.05  # a word in more of the tickets is no stream
_FEWEST_A_WEEK = 50.0
FOR_BEATS = 0.2  # of what may be spent
_SAME = 0.5  # of the tickets that crowd: an alarm has them already


@dataclass(slots=True)
class Alarm:
    """A trouble that was raised: what crowded, or keeps to a period, when it was raised after how many tickets, and its tickets so far.

    `chance` is that of the stream's evidence, `level` what it had to be below; `expected` tickets of the stream in such a span.
    """

    number: int
    what: str  # "burst" or "period"
    source: str
    value: str
    count: int
    first_at: int
    raised_at: int
    expected: float
    chance: float
    level: float
    days: float | None = None  # the period
    streams: list[str] = field(default_factory=list)
    tickets: list[str] = field(default_factory=list)
    last_at: int = 0  # when its evidence was last seen

    @property
    def seconds(self) -> int:
        """How long after the first of its tickets it was raised."""
        return self.raised_at - self.first_at


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found: alarms that were raised, and tickets that joined one (ticket's key, alarm's number)."""

    state: dict[str, Any]
    raised: tuple[Alarm, ...]
    joined: tuple[tuple[str, int], ...]


def told(alarm: Alarm) -> str:
    """Say in a sentence what was raised and what it rests on.

    >>> told(Alarm(1, "burst", "CI", "SRV-17", 6, 0, 10_800, 0.2, 1e-9, 1e-6))
    'CI SRV-17: 6 tickets within 3.0 hours, expected 0.2; raised after 6 tickets, by chance alone 1 in a billion'
    """
    where = _where(alarm)
    odds = f"by chance alone {one_in(alarm.chance)}"
    if alarm.days is not None:
        return f"{where}: recurs every {alarm.days:.1f} days; raised after {alarm.count} tickets in {span(alarm.seconds)}, {odds}"
    crowd = f"{alarm.count} tickets within {span(alarm.seconds)}, expected {alarm.expected:.2g}"
    return f"{where}: {crowd}; raised after {alarm.count} tickets, {odds}"


def _where(alarm: Alarm) -> str:
    """Name what an alarm is about; a family is named by its words."""
    if not alarm.source.startswith(FAMILY):
        return f"{alarm.source} {alarm.value}"
    words, _, value = alarm.value.partition("; ")
    return f"what is said as “{words}”{alarm.source.removeprefix(FAMILY)} {value}".rstrip()


def look(
    state: Mapping[str, Any] | None, arrivals: Iterable[Arrival], *, a_week: float = A_WEEK, most_streams: int = MOST_STREAMS
) -> Looked:
    """Take new tickets in order of their times, and return the new state (plain data for JSON) with what was raised.

    `state` is None before the first look. A ticket older than one that was taken counts as coming with it. `a_week` (above 0)
    and `most_streams` may change between looks.
    """
    watch = Watch.of(state, a_week, most_streams) if state else Watch(a_week, most_streams)
    raised = [alarm for arrival in arrivals if (alarm := watch.take(arrival)) is not None]
    return Looked(watch.state(), tuple(raised), tuple(watch.joined))


def regrouped(state: Mapping[str, Any], recent: Sequence[Arrival]) -> dict[str, Any]:
    """Return a state in which families are what recent tickets say (their FAMILY), and no longer what they were.

    `recent` are the last tickets that were taken, as far back as they are at hand. What an alarm explained stays explained.
    """
    watch = Watch.of(state)
    watch.regroup(recent)
    return watch.state()


@dataclass(frozen=True, slots=True)
class _Evidence:
    stream: str
    what: str
    since: int  # place in the stream's last tickets, from the end
    expected: float
    chance: float
    level: float
    days: float | None = None


class Watch:
    """The streaming miner at work; `take` each ticket in order."""

    def __init__(self, a_week: float = A_WEEK, most_streams: int = MOST_STREAMS) -> None:
        self.a_week, self.most_streams = a_week, most_streams
        self.streams: dict[str, Stream] = {}
        self.active: list[Alarm] = []
        self.joined: list[tuple[str, int]] = []
        self.closed: dict[str, int] = {}  # the place up to which a stream's tickets are explained by an alarm that is over
        self.taken = self.raised = 0  # since ever
        self.began = self.turned = self.last_at = 0  # instants: of the first ticket that counts, of the last turn, of the last ticket
        self.first_place = self.turned_place = 0
        self.tied = 0  # the place of the first ticket of this instant: among tickets of one instant there is no order
        self.floor = [0, 0]  # what was dropped at most: in the horizon before, in this one
        self.week, self.in_week, self.usual, self.left = 0, 0, 0.0, a_week

    def take(self, arrival: Arrival) -> Alarm | None:
        """Take a ticket; return the alarm that it raises, if it does."""
        at = max(arrival.at, self.last_at)
        self._turn(at)
        self.tied = self.taken + 1 if at > self.last_at else self.tied
        self.last_at, self.taken = at, self.taken + 1
        keys = streams_of(arrival, self.streams, _EVERYWHERE * (self.taken - self.first_place) + 20)
        allowance = self._spend()
        found: list[_Evidence] = []
        for key in keys:
            stream = self._stream(key)
            stream.add(self.tied, at, arrival.key)
            found += self._asked(key, stream, at, allowance / len(keys))
        self._join(arrival.key, keys)
        return self._answer(found, at)

    def regroup(self, recent: Sequence[Arrival]) -> None:
        """Let families have these tickets, the last that were taken, and no others."""
        explained = self._explained()
        for key in [key for key in self.streams if is_of_families(key)]:
            del self.streams[key]
            self.closed.pop(key, None)
        of: dict[str, list[str]] = {}
        arrivals = [each for each in sorted(recent, key=lambda each: each.at) if each.at >= self.began]
        last_at, tied = 0, 0
        for place, arrival in enumerate(arrivals, self.taken - len(arrivals) + 1):
            tied, last_at = (place if arrival.at > last_at else tied), arrival.at
            of[arrival.key] = of_family(arrival.facts)
            for key in of[arrival.key]:
                self._known(key, tied, arrival)
                if arrival.key in explained:
                    self.closed[key] = tied
        self._complete(max(self.taken - self.first_place, 1) / max(len(arrivals), 1) - 1)
        for alarm in self.active:
            alarm.streams = _renamed(alarm, of)

    def _explained(self) -> set[str]:
        """Return the tickets of families that an alarm explained which is over."""
        return {
            ticket
            for key, closed in self.closed.items()
            if is_of_families(key) and key in self.streams
            for place, _, ticket in self.streams[key].last
            if place <= closed
        }

    def _known(self, key: str, place: int, arrival: Arrival) -> None:
        """Take a ticket that came before."""
        stream = self.streams.setdefault(key, Stream())
        stream.add(place, arrival.at, arrival.key)
        if arrival.at < self.turned:
            stream.before, stream.now = stream.before + 1, stream.now - 1

    def _complete(self, missing: float) -> None:
        """Let families have had so many more tickets for each that is known: the upper end of what that may stand for, to be careful."""
        for key, stream in self.streams.items():
            if missing > 0 and is_of_families(key):
                known = stream.before + stream.now
                stream.dropped = math.ceil(missing * (known + 3 * math.sqrt(known) + 3))

    def _turn(self, at: int) -> None:
        """Begin a week, or a horizon, when it is time."""
        if not self.taken:
            self.began = self.turned = at
            self.week = at // _WEEK
        if at // _WEEK != self.week:
            weeks = at // _WEEK - self.week
            self.usual = float(self.in_week) if not self.usual else 0.7 * self.usual + 0.3 * self.in_week
            self.week, self.in_week, self.left = self.week + weeks, 0, self.a_week
            self.active = [alarm for alarm in self.active if not self._over(alarm, at)]
        if at - self.turned >= _HORIZON:
            self.began, self.first_place = self.turned, self.turned_place
            self.turned, self.turned_place = at, self.taken
            self.floor = [self.floor[1], 0]
            self._age()

    def _age(self) -> None:
        for key in list(self.streams):
            stream = self.streams[key]
            stream.before, stream.now, stream.dropped = stream.now, 0, min(stream.dropped, max(self.floor))
            if not stream.before:
                del self.streams[key]
        self.closed = {key: place for key, place in self.closed.items() if key in self.streams}

    def _over(self, alarm: Alarm, at: int) -> bool:
        quiet = max(_WEEK, int(3 * DAY * alarm.days) if alarm.days else 0)
        if at - alarm.last_at <= quiet:
            return False
        self.closed |= dict.fromkeys(alarm.streams, self.taken)
        return True

    def _spend(self) -> float:
        """Return what this ticket's questions may be wrong with: the week's budget evenly over its tickets, never more than is left."""
        self.in_week += 1
        spent = min(self.a_week / max(self.usual, _FEWEST_A_WEEK, self.in_week), self.left / 10)
        self.left -= spent
        return spent

    def _stream(self, key: str) -> Stream:
        stream = self.streams.get(key)
        if stream is None:
            if len(self.streams) >= self.most_streams:
                self._drop()
            stream = self.streams[key] = Stream(dropped=max(self.floor))
        return stream

    def _drop(self) -> None:
        """Drop the quarter of the streams that have fewest tickets, the oldest first."""
        order = sorted(self.streams, key=lambda key: (self.streams[key].count, self.streams[key].last[-1][0]))
        for key in order[: len(order) // 4]:
            self.floor[1] = max(self.floor[1], self.streams.pop(key).count)
            self.closed.pop(key, None)

    def _asked(self, key: str, stream: Stream, at: int, allowance: float) -> Iterator[_Evidence]:
        """Ask a stream whether its last tickets crowd, and whether its events keep to a period."""
        since = self.closed.get(key, 0)
        level = allowance * (1 - FOR_BEATS) / len(WINDOWS)
        places, span = max(self.taken - self.first_place - 1, 1), max(at - self.began, 1)
        last, others = stream.last, stream.count
        for count in WINDOWS:
            if count > len(last) or last[-count][0] <= since:
                break
            place, began, _ = last[-count]
            share = max((self.taken - place) / places, (at - began) / span)
            if share >= WIDEST:
                break
            chance = crowding(count, others, share, level)
            if chance is not None:
                yield _Evidence(key, "burst", count, others * share, chance, level)
        if is_look_for_beats(stream.events) and last[0][0] > since and (len(last) == 1 or at - last[-2][1] > 20 * 3600):
            yield from self._beats(key, stream, allowance * FOR_BEATS)

    def _beats(self, key: str, stream: Stream, level: float) -> Iterator[_Evidence]:
        period = beats([at for _, at, _ in stream.last])
        if period is not None and period.chance <= level:
            yield _Evidence(key, "period", len(stream.last), 0.24 * len(stream.last), period.chance, level, period.days)

    def _join(self, ticket: str, keys: Sequence[str]) -> None:
        """Let a ticket join the alarms of its streams."""
        own = set(keys)
        for alarm in self.active:
            if any(key in own for key in alarm.streams):
                alarm.tickets.append(ticket)
                del alarm.tickets[:-_MOST_TICKETS]
                self.joined.append((ticket, alarm.number))

    def _answer(self, found: Sequence[_Evidence], at: int) -> Alarm | None:
        """Give evidence to the alarm that has its tickets already; what is left raises one."""
        new: list[_Evidence] = []
        for evidence in found:
            alarm = self._owner(evidence)
            if alarm is None:
                new.append(evidence)
            else:
                alarm.last_at = at
                if evidence.stream not in alarm.streams:
                    alarm.streams.append(evidence.stream)
        return self._raise(new, at) if new else None

    def _owner(self, evidence: _Evidence) -> Alarm | None:
        own = {key for _, _, key in self.streams[evidence.stream].last[-evidence.since :]}
        return next(
            (
                alarm
                for alarm in self.active
                if evidence.stream in alarm.streams or len(own.intersection(alarm.tickets)) >= max(_SAME * len(own), 2)
            ),
            None,
        )

    def _raise(self, found: Sequence[_Evidence], at: int) -> Alarm:
        best = min(found, key=lambda each: (each.chance, each.since, each.stream))
        source, _, value = best.stream.partition("=")
        own = self.streams[best.stream].last[-best.since :]
        self.raised += 1
        alarm = Alarm(
            self.raised, best.what, source, value, len(own), own[0][1], at, round(best.expected, 4), best.chance, best.level, best.days,
            list(dict.fromkeys(each.stream for each in found)), [key for _, _, key in own], at,
        )  # fmt: skip
        self.active = [*self.active[-_MOST_ACTIVE + 1 :], alarm]
        return alarm

    def state(self) -> dict[str, Any]:
        """Return the state as plain data."""
        plain_values = {name: getattr(self, name) for name in _PLAIN}
        streams = {key: [s.before, s.now, s.dropped, s.events, s.last] for key, s in self.streams.items()}
        return {**plain_values, "streams": streams, "active": [asdict(alarm) for alarm in self.active], "closed": dict(self.closed)}

    @classmethod
    def of(cls, state: Mapping[str, Any], a_week: float = A_WEEK, most_streams: int = MOST_STREAMS) -> "Watch":
        """Return a watch that goes on where a state ends."""
        watch = cls(a_week, most_streams)
        for name in _PLAIN:
            setattr(watch, name, state[name])
        watch.left = min(watch.left, a_week)
        watch.floor, watch.closed = list(state["floor"]), dict(state["closed"])
        watch.streams = {
            key: Stream(before, now, dropped, events, [tuple(each) for each in last])
            for key, (before, now, dropped, events, last) in state["streams"].items()
        }
        watch.active = [Alarm(**alarm) for alarm in state["active"]]
        return watch


def _renamed(alarm: Alarm, of: Mapping[str, Sequence[str]]) -> list[str]:
    """Return an alarm's streams; in place of each that was of a family, the one of its sort that has most of its tickets, if half."""
    counts = Counter(key for ticket in alarm.tickets for key in of.get(ticket, ()))
    streams = [key for key in alarm.streams if not is_of_families(key)]
    for sort in {key.partition("=")[0]: None for key in alarm.streams if is_of_families(key)}:
        best = max((key for key in counts if key.startswith(f"{sort}=")), key=lambda key: (counts[key], key), default="")
        streams += [best] if counts[best] >= max(_SAME * len(alarm.tickets), 2) else []
    return streams


_PLAIN = (
    "taken", "raised", "tied", "began", "turned", "last_at", "first_place", "turned_place", "floor", "week", "in_week", "usual", "left",
)  # fmt: skip
