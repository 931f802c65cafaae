"""What is refused and warned about when an agreement is saved, held against definitions as people write them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.sla.engine.business_time import Definition, always, compile_definition, never
from pilothouse.sla.engine.checks import Known, check
from pilothouse.sla.engine.definitions import read_targets
from pilothouse.sla.engine.duration_text import read_duration, write_duration
from pilothouse.sla.engine.possible import can_hold
from pilothouse.sla.engine.problem import Problem, refusals
from pilothouse.sla.engine.rules import LONGEST_SECONDS, Condition, Duration
from pilothouse.tickets.engine.queue_language import Context, Mistake, Plan, evaluate, parse, resolve
from pilothouse.tickets.engine.queue_language.plan import All, Operator, Opposite
from pilothouse.tickets.engine.queue_language.plan import Any as Either
from pilothouse.tickets.engine.queue_language.plan import Test as Asks

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NAMES = {("team", "network"): (3,), ("team", "database"): (4,)}
DESK = compile_definition(Definition("Europe/London", tuple([((8 * 3600, 17 * 3600),)] * 5 + [()] * 2)), 2026, 2030)
KNOWN = Known({None: always(), 1: DESK, 2: never()}, frozenset({3, 4}), frozenset({7}), int(NOW.timestamp()), frozenset({1}))


def plan(text: str) -> Plan:
    query = parse(text)
    assert not isinstance(query, Mistake), query
    found = resolve(query, Context(NOW, ZoneInfo("UTC")), NAMES)
    assert not isinstance(found, Mistake), found
    return found


def compiled(field: str, text: str) -> Condition | Problem:
    return Condition(text, plan(text))


def problems(*targets: dict[str, Any], applies: str = "") -> list[Problem]:
    condition, read, wrong = read_targets({"applies_to": applies, "targets": list(targets)}, compiled)
    assert not wrong, wrong
    return check(condition, read, KNOWN)


def resolution(hours: float = 4, **more: Any) -> dict[str, Any]:
    return {"key": "resolution", "kind": "resolution", "durations": {"1": {"seconds": int(hours * 3600)}}, **more}


def fields(found: Iterable[Problem]) -> list[str]:
    return [f"{'warn ' if each.is_warning else ''}{each.field}" for each in found]


def test_a_sound_agreement_has_no_problem() -> None:
    steps = [{"share": 0.5, "tell": ["assignee"]}, {"share": 0.75, "tell": ["person:7"]}, {"share": 1, "tell": ["lead"]}]
    response = {"key": "response", "kind": "response", "durations": {"1": {"seconds": 900}}}
    vendor = {"key": "vendor", "kind": "contract", "durations": {"1": {"days": 2, "at": "17:00"}}, "schedule": 1}
    ola = {"key": "ola", "kind": "ola", "groups": [3], "durations": {"1": {"seconds": 3600}}, "schedule": 1}
    own = resolution(holds=["caller", "vendor"], stop="state:resolved", cancel="tag:duplicate", reset="category:new", steps=steps)
    assert problems(response, own, vendor, ola, applies="kind:incident") == []


CASES: list[tuple[str, str, dict[str, Any], str]] = [
    ("kind:incident kind:request", "applies_to", resolution(), "excludes itself"),
    ("priority<=2 priority>=4", "applies_to", resolution(), "priority"),
    ("group:network -group:network", "applies_to", resolution(), "group"),
    ("hold-reason:vendor state:in-progress", "applies_to", resolution(), "hold reason, state"),
    ("priority>=4", "targets.0.durations", resolution(), "none of the priorities"),
    ("", "targets.0.stop", resolution(stop="is:open"), "end as it starts"),
    ("kind:incident", "targets.0.cancel", resolution(cancel="kind:incident,request"), "cancelled as it starts"),
    ("", "targets.0.pause", resolution(pause="is:open,done"), "never run"),
    ("", "targets.0.stop", resolution(stop="is:assigned", pause="is:unassigned"), "no moment"),
    ("kind:incident", "targets.0.start", resolution(start="kind:request"), "while its clock could run"),
    ("", "targets.0.start", resolution(start="state:closed"), "while its clock could run"),
    ("is:done", "applies_to", resolution(), "ended or is paused"),
    ("", "targets.0.schedule", resolution(schedule=2), "never opens"),
    ("", "targets.0.schedule", resolution(schedule=9), "no such schedule"),
    ("", "targets.0.durations.1", resolution(24 * 365 * 4, schedule=1), "does not open for"),
    ("", "targets.0.durations", {"kind": "resolution", "durations": {}}, "nothing would be measured"),
    ("group:network", "targets.0.groups", {"kind": "ola", "groups": [4], "durations": {"1": {"seconds": 60}}}, "these groups"),
    ("", "targets.0.groups", {"kind": "ola", "groups": [5], "durations": {"1": {"seconds": 60}}}, "no group number 5"),
    ("state:new", "applies_to", {"kind": "contract", "durations": {"1": {"seconds": 60}}}, "vendor"),
    ("is:assigned", "applies_to", {"kind": "response", "durations": {"1": {"seconds": 60}}}, "without an owner"),
    ("", "targets.0.steps.0.tell", resolution(steps=[{"share": 0.5, "tell": ["person:8"]}]), "no active person number 8"),
    ("", "targets.0.steps.0.tell", resolution(steps=[{"share": 0.5, "tell": ["webhook:2"]}]), "no webhook"),
    ("", "targets.0.steps.0.reassign", resolution(steps=[{"share": 0.5, "reassign": 9}]), "no active group"),
]


@pytest.mark.parametrize(("applies", "field", "target", "reason"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_what_cannot_be_met_is_refused_with_reason_and_example(applies: str, field: str, target: dict[str, Any], reason: str) -> None:
    found = refusals(problems(target, applies=applies))
    assert fields(found) == [field], found
    assert reason in found[0].message
    assert found[0].hint


WARNINGS: list[tuple[str, str, list[dict[str, Any]], str]] = [
    ("", "targets.1.durations.1", [resolution(1), {"kind": "response", "durations": {"1": {"seconds": 7200}}}], "after its resolution"),
    ("", "targets.1", [resolution(), resolution(8, key="again")], "only the first"),
    ("", "targets.0.durations.1", [resolution(durations={"1": {"days": 1, "at": "20:00"}}, schedule=1)], "outside the hours"),
    ("", "targets.0.durations.1", [resolution(durations={"1": {"days": 1, "at": "08:00"}}, schedule=1)], "could only be late"),
    ("kind:incident", "targets.0.stop", [resolution(stop="kind:request")], "no effect"),
    ("priority:1", "targets.0.durations.2", [resolution(durations={"1": {"seconds": 60}, "2": {"seconds": 60}})], "never applies to P2"),
    ("", "targets.0.steps.0.before", [resolution(steps=[{"before": 14400, "flag": "x"}])], "as soon as the clock starts"),
    ("", "targets.0.steps.1", [resolution(steps=[{"share": 0.9, "flag": "x"}, {"share": 0.5, "flag": "y"}])], "before the one above"),
    ("", "targets.0.steps.1", [resolution(steps=[{"share": 0.5, "flag": "x"}, {"before": 10800, "flag": "y"}])], "before the one above"),
]


@pytest.mark.parametrize(("applies", "field", "targets", "reason"), WARNINGS, ids=lambda value: value if isinstance(value, str) else "")
def test_what_looks_wrong_is_warned_about(applies: str, field: str, targets: list[dict[str, Any]], reason: str) -> None:
    found = problems(*targets, applies=applies)
    assert fields(found) == [f"warn {field}"], found
    assert reason in found[0].message


def test_no_target_is_refused() -> None:
    assert fields(check(Condition(), (), KNOWN)) == ["targets"]


ATOMS = [
    *(Asks("kind", Operator.IN, (kind,)) for kind in ("incident", "request")),
    *(Asks("priority", operator, level) for operator in (Operator.AT_MOST, Operator.MORE) for level in (0, 2, 4, 5)),
    *(Asks("group_id", Operator.IN, ids) for ids in ((3,), (3, 4), ())),
    Asks("group_id", Operator.NULL),
    *(Asks("tags", Operator.OVERLAPS, (tag,)) for tag in "ab"),
    Asks("tags", Operator.EMPTY),
    Asks("category", Operator.SAME, "Mail"),
    Asks("category", Operator.LIKE, "ma*"),
    Asks("title", Operator.CONTAINS, "vpn"),
]
PLANS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        inner.map(Opposite),
        st.lists(inner, max_size=3).map(lambda few: All(tuple(few))),
        st.lists(inner, max_size=3).map(lambda few: Either(tuple(few))),
    ),
    max_leaves=8,
)
TICKETS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["incident", "request"]),
        "priority": st.integers(1, 5),
        "group_id": st.sampled_from([None, 3, 4, 5]),
        "tags": st.lists(st.sampled_from("abc"), unique=True),
        "category": st.sampled_from(["", "Mail", "mail", "manual", "Network"]),
        "title": st.sampled_from(["", "vpn drops", "mail"]),
    }
)


@settings(max_examples=400)
@given(PLANS, TICKETS)
def test_what_a_ticket_meets_is_possible(asked: Plan, ticket: dict[str, Any]) -> None:
    """The search may say "possible" too often, never too seldom; and of a plan and its opposite one is possible."""
    assert can_hold(asked if evaluate(asked, ticket) else Opposite(asked))
    assert not can_hold(asked, Opposite(asked))


@given(
    st.one_of(
        st.integers(1, LONGEST_SECONDS).map(lambda s: Duration(seconds=s)),
        st.builds(Duration, days=st.integers(0, 366), at=st.integers(0, 1439).map(lambda m: m * 60)),
    )
)
def test_durations_are_read_as_they_are_written(duration: Duration) -> None:
    assert read_duration(write_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("15m", Duration(seconds=900)),
        ("1,5h", "no length"),
        ("1.5 h", Duration(seconds=5400)),
        ("2 hours 30 minutes", Duration(seconds=9000)),
        ("0h", "longer than nothing"),
        ("3d", "3 business days 17:00"),
        ("2nd business day at 9:30", Duration(days=2, at=34200)),
        ("next working day 25:00", "no 25:00"),
        ("soon", "no length"),
        ("99999999h", "no length"),
        ("999999h", "ten years"),
    ],
)
def test_durations_as_people_write_them(text: str, meant: Duration | str) -> None:
    found = read_duration(text)
    assert found == meant if isinstance(meant, Duration) else meant in str(found)


def test_a_day_is_read_where_every_hour_counts() -> None:
    assert read_duration("3d", always_open=True) == Duration(seconds=3 * 86400)
