"""The streaming miner, judged by `bench.mining`: tickets replayed in order of time, with the budget of false alarms in force."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.figures import Figure, hand_over
from pilothouse.problems.engine.atlas import Atlas, atlas_of
from pilothouse.problems.engine.baseline import DAY
from pilothouse.problems.engine.causes import span
from pilothouse.problems.engine.columns import FAMILY, Tickets
from pilothouse.problems.engine.families import gather
from pilothouse.problems.engine.streaming import A_WEEK, Alarm, Watch, told
from pilothouse.problems.engine.streams import Arrival
from pilothouse.problems.engine.words import read as read_words

_WEEK = 7 * DAY
_LEARNS = 28 * DAY  # the product learns families every night; so often is enough to judge by
_REMEMBERED = 180 * DAY
_LATER = frozenset({"resolution code"})  # written when all is over


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """Tickets that were replayed, and the alarms that they raised."""

    order: Sequence[int]
    alarms: list[Alarm]
    weeks: float
    watch: Watch
    each_ms: float  # of processor time, for the last tenth of the tickets


def arrivals(tickets: Tickets, order: Sequence[int], opened: Sequence[int]) -> Iterator[Arrival]:
    """Yield tickets in an order, at these instants; a ticket's key is its row."""
    facts = [(name, fact.codes.tolist(), fact.names) for name, fact in tickets.facts.items() if name not in _LATER]
    for row, at in zip(order, opened, strict=True):
        own = {name: names[codes[row]] for name, codes, names in facts if codes[row] >= 0}
        title = tickets.titles[row] if tickets.titles is not None else ""
        yield Arrival(str(row), at, title, tickets.texts[row] if tickets.texts is not None else "", own)


def replay(tickets: Tickets, seed: int | None = None) -> Replay:
    """Replay tickets in order of their times; with a seed, dealt anew to the same instants."""
    assert tickets.opened is not None
    rows = np.argsort(tickets.opened, kind="stable")
    opened = tickets.opened[rows]
    order = (rows if seed is None else np.random.default_rng(seed).permutation(rows)).tolist()
    watch, families, alarms = Watch(), _Families(tickets, order), list[Alarm]()
    late, used = len(order) * 9 // 10, 0.0
    for i, arrival in enumerate(arrivals(tickets, order, opened.tolist())):
        families.learn(i, arrival.at, watch)
        began = time.process_time()
        alarm = watch.take(families.placed(arrival))
        used += time.process_time() - began if i >= late else 0
        alarms += [alarm] if alarm else []
    each = used / max(len(order) - late, 1)
    middle = opened[(opened >= np.quantile(opened, 0.01)) & (opened <= np.quantile(opened, 0.99))]
    return Replay(order, alarms, float(np.ptp(middle)) / _WEEK, watch, each * 1000)


class _Families:
    """Families learnt now and then from the tickets that had come by then, as the nightly look leaves them behind."""

    def __init__(self, tickets: Tickets, order: Sequence[int]) -> None:
        self.tickets, self.order = tickets, order
        self.atlas: Atlas | None = None
        self.learnt_at = 0
        self.recent: deque[Arrival] = deque()

    def learn(self, count: int, at: int, watch: Watch) -> None:
        """Learn from the first `count` tickets, if it is time, and let the watch know."""
        if self.tickets.titles is None or at - self.learnt_at < _LEARNS or count < 500:
            return
        rows, texts = self.order[:count], self.tickets.texts
        seen = Tickets(
            list(map(str, rows)), titles=[self.tickets.titles[i] for i in rows], texts=[texts[i] for i in rows] if texts else None
        )
        words = read_words(seen)
        self.atlas, self.learnt_at = atlas_of(gather(seen, words), words), at
        while self.recent and self.recent[0].at < at - _REMEMBERED:
            self.recent.popleft()
        watch.regroup([self._with_family(each) for each in self.recent])

    def placed(self, arrival: Arrival) -> Arrival:
        self.recent.append(arrival)
        return self._with_family(arrival)

    def _with_family(self, arrival: Arrival) -> Arrival:
        if self.atlas is None:
            return arrival
        return replace(arrival, facts={**arrival.facts, FAMILY: self.atlas.family(arrival.title, arrival.text)})


def judge(name: str, tickets: Tickets, seeds: int = 3) -> Replay:
    """Print how many alarms a week are raised, how many of shuffled tickets, and what a ticket costs."""
    real = replay(tickets)
    shuffled = [len(replay(tickets, seed).alarms) / real.weeks for seed in range(seeds)]
    print(
        f"  streaming: {len(real.alarms)} alarms in {real.weeks:.0f} weeks, {len(real.alarms) / real.weeks:.1f} a week;"
        f" of shuffled tickets {np.mean(shuffled):.2f} a week (budget {A_WEEK:g});"
        f" {real.each_ms:.2f} ms a ticket, {len(real.watch.streams):,} streams known",
        flush=True,
    )
    count = len(tickets)
    hand_over(Figure(f"mining, {name}: false alarms a week, shuffled", count, float(np.mean(shuffled)), "", A_WEEK))
    hand_over(Figure(f"mining, {name}: alarms a week", count, len(real.alarms) / real.weeks, ""))
    hand_over(Figure(f"mining, {name}: a ticket watched", count, real.each_ms, "ms", 20))
    return real


def first_about(played: Replay, true: set[int], tickets: Tickets) -> tuple[int, str]:
    """Say when the trouble of these tickets was raised first: after how many of them (0: never)."""
    assert tickets.opened is not None
    for alarm in played.alarms:
        own = [int(key) for key in alarm.tickets[: alarm.count]]
        if len(true.intersection(own)) >= 0.5 * len(own):
            sofar = [row for row in played.order[: played.order.index(own[-1]) + 1] if row in true]
            since = int(tickets.opened[own[-1]] - tickets.opened[sofar[0]])
            return len(sofar), f"raised after {len(sofar)} of its {len(true)} tickets, {span(since)} after the first ({told(alarm)})"
    return 0, f"not raised ({len(true)} tickets)"
