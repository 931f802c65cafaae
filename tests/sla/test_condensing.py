"""Condensing: many journals at once are what each is one by one, whatever their texts hold; and two with what was learnt of the first."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.platform.journal import Change
from pilothouse.sla.engine import lives
from pilothouse.sla.engine.condensing import REPLY, STEP, Condensing, Journals
from pilothouse.sla.engine.ragged import decimals
from pilothouse.tickets.engine.replay import COMMENTED

LAW = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
PLAIN = st.sampled_from([None, True, 7, -3, "", "ä", "resolved", "2026-01-07", 'so ", ["closed_at", null, 1]]', "\\", ', ["'])
LISTED = st.sampled_from([["closed_at", None, 1], [["a", ["closed_at", None, 2]]], {"of": ["closed_at", None, "x"]}, []])
FIELDS = st.sampled_from(["state", "group", "title", "tags", "closed_at", "resolution_notes", "hold_until", "number"])
CHANGES = st.lists(st.tuples(FIELDS, PLAIN | LISTED, PLAIN | LISTED), max_size=4, unique_by=lambda change: change[0])
PERSONAL = st.tuples(st.just("requester"), st.none(), st.sampled_from([None, 1, 2]))


class _Entry(NamedTuple):
    seq: int
    verb: str
    actor_id: int | None
    happened_at: datetime
    recorded_at: datetime
    changes: tuple[Change, ...]

    @property
    def text(self) -> str:
        begin = f"{REPLY}{self.actor_id or ''}" if self.verb == COMMENTED else STEP if self.verb == lives.ESCALATED else ""
        return begin + json.dumps([list(change) for change in self.changes], ensure_ascii=False)


_MANY, _EITHER, _LATER = st.integers(1, 5), st.booleans(), st.integers(-200, 4_000_000_000)
_VERBS = st.sampled_from(["ticket.changed", "ticket.changed", COMMENTED, lives.ESCALATED])
_PERSONALS, _DELAYS, _WHO = st.lists(PERSONAL, max_size=1), st.sampled_from([0, 0, 0.5, 90]), st.sampled_from([None, 1, 55])


@st.composite
def journals(draw: st.DrawFn) -> list[_Entry]:
    found = []
    for seq in range(1, draw(_MANY) + 1):
        verb = draw(_VERBS)
        drawn = [*draw(CHANGES), *draw(_PERSONALS)]
        if verb == lives.ESCALATED:
            drawn = [(lives.STEP_FIELD, None, ["resolution", 1, "fix", 1, 0, None, seq])]
        elif draw(_EITHER):
            drawn.append(("opened_at", None, f"2026-01-{seq:02}T00:00:00+00:00"))
        happened = FIRST + timedelta(seconds=draw(_LATER))
        recorded = happened + timedelta(seconds=draw(_DELAYS))
        found.append(_Entry(seq, verb, draw(_WHO), happened, recorded, tuple(Change(*each) for each in drawn)))
    return found


def _microseconds(at: datetime) -> int:
    return (at - FIRST) // timedelta(microseconds=1)


def _together(drawn: Sequence[Sequence[_Entry]]) -> Journals:
    entries = [entry for own in drawn for entry in own]
    happened, recorded = ([_microseconds(at) for at in ats] for ats in zip(*((e.happened_at, e.recorded_at) for e in entries), strict=True))
    texts = ["\n".join(entry.text for entry in own) for own in drawn]
    numbers: list[Any] = [happened, recorded, [entry.seq for entry in entries]]
    return Journals(range(len(drawn)), np.array([len(own) for own in drawn]), texts, *(np.array(each, np.int64) for each in numbers))


@given(first=st.lists(journals(), min_size=1, max_size=4), then=st.lists(journals(), min_size=1, max_size=4))
@LAW
def test_many_are_condensed_as_one_by_one(first: list[list[_Entry]], then: list[list[_Entry]]) -> None:
    sites = {1: "Leeds"}
    condensing = Condensing(lambda person, at: sites.get(person or 0, ""))
    for drawn in (first, [*first, *then]):  # what was learnt of the first serves the others
        found = condensing.condense(_together(drawn))
        one = {n: events for n, own in enumerate(drawn) if (events := lives.condense(own, (), lambda p, _: sites.get(p or 0, "")))}
        assert dict(zip(found.tickets.tolist(), found.stored, strict=True)) == {n: lives.write(events) for n, events in one.items()}
        assert found.portion.opened.tolist() == [events[0].at for events in one.values()]
        assert found.escalated == [n for n, own in enumerate(drawn) if any(entry.verb == lives.ESCALATED for entry in own)]


@given(st.lists(st.integers(-(2**62), 2**62) | st.integers(-11, 11), max_size=8))
@LAW
def test_numbers_are_written_as_python_writes_them(values: list[int]) -> None:
    text, ends = decimals(np.array(values, np.int64))
    assert text.decode() == "".join(f"{value}," for value in values)
    assert ends.tolist() == [len("".join(f"{value}," for value in values[: n + 1])) for n in range(len(values))]
