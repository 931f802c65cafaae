"""Business time: `elapsed` and `add` over a million pairs in a five-year calendar, beside two PyPI packages and a bare searchsorted.

`python -m bench.business_time` prints the figures alone; `measure(add)` gives them to a run. The peers answer one pair a call and
are slow, so they are timed on a sample of the same pairs and the time of a million is extrapolated (said in the note); on that
sample their answers must equal ours. A peer that is not installed is left out, and that is said.
"""

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bench.figures import Figure, hand_over, written
from pilothouse.sla.engine.business_time import Definition, HolidayCalendar, OpenHours, compile_definition
from pilothouse.sla.engine.business_time.compiling import public_holidays

PAIRS = 1_000_000
FIRST_YEAR, LAST_YEAR = 2021, 2025
OPENS, CLOSES = 9, 17  # one interval a day: the peers know no lunch breaks
LONGEST = 90 * 86_400
SAMPLE = {"businesstimedelta": 60, "business-duration": 300}
PEER_AIM, BARE_AIM = 1000.0, 4.0
ROUNDS = 7
SEED = 20_260_101
Ints = NDArray[np.int64]


class Add(Protocol):
    """Takes a figure: what was measured, its value and unit, and the aim beside it."""

    def __call__(
        self, what: str, value: float, unit: str, aim: float | None = None, *, more_is_better: bool = False, note: str = ""
    ) -> None: ...


def calendar() -> OpenHours:
    """Monday to Friday, 09:00 to 17:00, without the public holidays of Germany, in UTC: what all three can say."""
    week = (((OPENS * 3600, CLOSES * 3600),),) * 5 + ((), ())
    return compile_definition(Definition("UTC", week=week, holidays=(HolidayCalendar("DE"),)), FIRST_YEAR, LAST_YEAR)


def pairs() -> tuple[Ints, Ints, Ints]:
    """Random starts over the five years, ends up to ninety days later, and business seconds up to 160 hours."""
    generator = np.random.default_rng(SEED)
    first, last = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (FIRST_YEAR, LAST_YEAR + 1))
    starts = generator.integers(first, last - 2 * LONGEST, PAIRS)
    return starts, starts + generator.integers(0, LONGEST, PAIRS), generator.integers(1, 160 * 3600, PAIRS)


def measure(add: Add) -> None:
    """Measure and report each figure through `add`."""
    hours = calendar()
    starts, ends, seconds = pairs()
    edges = np.column_stack(hours.spans).ravel()
    ours = {"elapsed": _best(lambda: hours.elapsed_many(starts, ends)), "add": _best(lambda: hours.add_many(starts, seconds))}
    bare = _best(lambda: (np.searchsorted(edges, starts), np.searchsorted(edges, ends)))
    for name, taken in ours.items():
        add(f"business time: {name}, 1,000,000 pairs", taken * 1000, "ms", note=f"{len(edges):,} edges, one core")
        note = f"two bare searchsorted over the same edges: {bare * 1000:.0f} ms"
        add(f"business time: {name} beside bare numpy", taken / bare, "times", BARE_AIM, note=note)
    _one_at_a_time(add, hours, starts, ends, seconds)
    for name, peer in (("businesstimedelta", _businesstimedelta), ("business-duration", _business_duration)):
        _beside(add, name, peer, hours, (starts, ends, seconds), ours)


def _one_at_a_time(add: Add, hours: OpenHours, starts: Ints, ends: Ints, seconds: Ints) -> None:
    some = slice(0, 100_000)
    one, two, three = (column[some].tolist() for column in (starts, ends, seconds))
    each = _best(lambda: [hours.elapsed(start, end) for start, end in zip(one, two, strict=True)]) / len(one)
    add("business time: elapsed, one pair", each * 1e6, "µs")
    each = _best(lambda: [hours.add(start, wanted) for start, wanted in zip(one, three, strict=True)]) / len(one)
    add("business time: add, one pair", each * 1e6, "µs")


def _best(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken)


Peer = Callable[[], dict[str, Callable[[int, int], int]]]


def _beside(add: Add, name: str, peer: Peer, hours: OpenHours, columns: Sequence[Ints], ours: dict[str, float]) -> None:
    try:
        offered = peer()
    except ImportError:
        add(f"business time: beside {name}", 0, "not installed", note="install the bench group to compare")
        return
    chosen = random.Random(SEED).sample(range(PAIRS), SAMPLE[name])
    starts, ends, seconds = (column[chosen].tolist() for column in columns)
    for function, answer in offered.items():
        others = ends if function == "elapsed" else seconds
        begun = time.perf_counter()
        theirs = [answer(start, other) for start, other in zip(starts, others, strict=True)]
        each = (time.perf_counter() - begun) / len(chosen)
        same = sum(theirs[place] == getattr(hours, function)(starts[place], others[place]) for place in range(len(chosen)))
        timed = f"{each * 1e6:,.0f} µs a pair on a sample of {len(chosen)}, so {each * PAIRS:,.0f} s for all"
        note = f"{timed}; {same} of {len(chosen)} answers the same"
        add(
            f"business time: {function} beside {name}",
            each * PAIRS / ours[function],
            "times faster",
            PEER_AIM,
            more_is_better=True,
            note=note,
        )


def _businesstimedelta() -> dict[str, Callable[[int, int], int]]:
    btd: Any = import_module("businesstimedelta")
    workday = btd.WorkDayRule(start_time=clock_time(OPENS), end_time=clock_time(CLOSES), working_days=[0, 1, 2, 3, 4])
    rules = btd.Rules([workday, btd.HolidayRule(_holidays())])

    def elapsed(start: int, end: int) -> int:
        found = rules.difference(_at(start), _at(end))
        return int(found.hours * 3600 + found.seconds)

    def add(start: int, seconds: int) -> int:
        ends = _at(start) + btd.BusinessTimeDelta(rules, hours=seconds // 3600, seconds=seconds % 3600)
        return int(ends.timestamp())

    return {"elapsed": elapsed, "add": add}


def _business_duration() -> dict[str, Callable[[int, int], int]]:
    duration: Any = import_module("business_duration").businessDuration
    off, opens, closes = _holidays(), clock_time(OPENS), clock_time(CLOSES)

    def elapsed(start: int, end: int) -> int:
        two = (_at(each).replace(tzinfo=None) for each in (start, end))
        return round(duration(*two, starttime=opens, endtime=closes, holidaylist=off, unit="sec"))

    return {"elapsed": elapsed}  # it has no add


def _holidays() -> Any:
    return public_holidays("DE", "", FIRST_YEAR, LAST_YEAR)


def _at(instant: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=instant)


def _tell(what: str, value: float, unit: str, aim: float | None = None, *, more_is_better: bool = False, note: str = "") -> None:
    figure = Figure(what, 0, round(value, 4), unit, aim, more_is_better, note)
    hand_over(figure)
    print(f"{what}: {written(figure.value)} {unit} {figure.verdict} {note}")


if __name__ == "__main__":
    measure(_tell)
