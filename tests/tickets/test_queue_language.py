"""The queue language's laws: one way of writing, negation is complement, OR is union, mistakes are values."""

import doctest
import importlib
import pkgutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pilothouse.tickets.engine import fields, queue_language
from pilothouse.tickets.engine.queue_language import (
    Context,
    Mistake,
    Query,
    complete,
    evaluate,
    format_query,
    literals,
    names_in,
    parse,
    resolve,
)
from pilothouse.tickets.engine.queue_language import flags as flags_module
from pilothouse.tickets.engine.queue_language.plan import Plan
from pilothouse.tickets.engine.queue_language.syntax import And, Node, Not, Or
from tests.tickets import queries_at_random as random

BERLIN = ZoneInfo("Europe/Berlin")
CONTEXT = Context(now=random.NOW, zone=BERLIN, me=(1,), my_teams=(1, 3))
EXAMPLE = 'state:open group:network priority<=2 -is:assigned opened<2d "vpn" sort:-priority'


def plan(node: Node | None) -> Plan:
    resolved = resolve(Query(node), CONTEXT, random.NAMES)
    assert not isinstance(resolved, Mistake), resolved
    return resolved


def read(text: str) -> Query:
    query = parse(text)
    assert isinstance(query, Query), query
    return query


def mistake(text: str) -> Mistake:
    wrong = parse(text)
    assert isinstance(wrong, Mistake), wrong
    return wrong


@given(random.queries())
def test_what_is_written_reads_back_the_same(query: Query) -> None:
    assert parse(format_query(query)) == query


@given(st.text(max_size=60) | st.text(alphabet='ab:-"() ,.<>=!\\ORANDis', max_size=30))
@example("sort:x OR")
@example("-" * 2000)
@example("(" * 2000)
@example("a:" * 900)
@example("\x00")
@example("opened:99999999999999999999999d")
def test_any_text_gives_a_query_or_a_mistake_inside_the_text(text: str) -> None:
    result = parse(text)
    if isinstance(result, Mistake):
        assert 0 <= result.at <= len(text) and result.length >= 1 and result.reason
        assert result.pointer(text).count("\n") == 1
    else:
        assert parse(format_query(result)) == result


@given(random.conditions(), random.rows())
def test_negation_is_the_complement(node: Node, row: dict[str, Any]) -> None:
    assert evaluate(plan(Not(node)), row) is not evaluate(plan(node), row)


@given(random.conditions(), random.conditions(), random.rows())
def test_or_is_the_union_and_and_the_intersection(one: Node, other: Node, row: dict[str, Any]) -> None:
    either, both = evaluate(plan(Or((one, other))), row), evaluate(plan(And((one, other))), row)
    assert either is (evaluate(plan(one), row) or evaluate(plan(other), row))
    assert both is (evaluate(plan(one), row) and evaluate(plan(other), row))


@given(random.comparisons(), random.rows())
def test_a_list_is_the_union_of_its_values(compare: Any, row: dict[str, Any]) -> None:
    alone = [evaluate(plan(replace(compare, values=(each,))), row) for each in compare.values]
    assert evaluate(plan(compare), row) is (all(alone) if compare.op == "!=" else any(alone))


def test_the_example_reads_as_it_says() -> None:
    query = read(EXAMPLE)
    assert format_query(query) == EXAMPLE
    assert len(query.terms) == 6
    assert names_in(query) == {("team", "network")}


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("State:In_Progress", "state:in-progress"),
        ('status:"on hold",new', "state:on-hold,new"),
        ("team:none", "group:none"),
        ("P:critical,p2", "priority:1,2"),
        ("NOT is:open AND vpn", "-is:open vpn"),
        ("( a OR (b OR c) )", "a OR b OR c"),
        ("a OR b c", "a OR b c"),
        ("is:hold has:attachments", "is:on-hold has:attachment"),
        ("sort:-opened_at x sort:p,-opened", "x sort:-opened,priority"),
        ("opened_at<This-Week", "opened<this-week"),
        ("  ", ""),
        ("or and 12:30 don't", "or and 12:30 don't"),
    ],
)
def test_one_canonical_way_of_writing(text: str, canonical: str) -> None:
    assert format_query(read(text)) == canonical


@pytest.mark.parametrize(
    ("text", "marked", "suggestion", "reason"),
    [
        ("is:open grop:network", "grop", "group", "no field grop"),
        ("state:opne", "opne", "open", "State is never opne"),
        ("-is:agng", "agng", "aging", "knows no agng"),
        ("priority<=9", "9", "", "Priority is never 9"),
        ("opened<2", "2", "", "Opened is never 2"),
        ("opened:todya", "todya", "today", "Opened is never todya"),
        ("opened:2026-02-30", "2026-02-30", "", "is never"),
        ("opened:1d..2026-01-01", "1d..2026-01-01", "", "two dates or two lengths"),
        ("state<open", "state<open", "", "cannot be compared"),
        ("priority<1,2", "2", "", "not a list"),
        ("priority<1..2", "1..2", "", "not a range"),
        ("hold-until<none", "none", "", "cannot be asked of none"),
        ("group:", "group:", "", "needs a value"),
        ("group:a,", "group:a,", "", "needs a value"),
        ('title:""', '""', "", "nothing between"),
        ('"vpn', '"', "", "never closed"),
        ("(a b", "(", "", "never closed"),
        ("a b)", ")", "", "closes nothing"),
        ("a ()", "()", "", "nothing between"),
        ("a OR", "OR", "", "both sides"),
        ("a - b", "-", "", "nothing here to negate"),
        ("a sort:titel", "titel", "title", "cannot be sorted by titel"),
        ("a sort:-tag", "tag", "", "cannot be sorted by tag"),
        ("(a sort:title)", "sort:", "", "cannot stand in a group"),
        ("bounces>many", "many", "", "never many"),
        ("group:a..b", "a..b", "", "no ranges"),
    ],
)
def test_a_wrong_word_is_marked_with_a_reason_and_a_suggestion(text: str, marked: str, suggestion: str, reason: str) -> None:
    wrong = mistake(text)
    assert text[wrong.at : wrong.at + wrong.length] == marked
    assert wrong.suggestion == suggestion
    assert reason in wrong.reason
    if suggestion:
        assert not isinstance(parse(wrong.mended(text)), Mistake)


def test_the_caret_stands_under_the_wrong_word() -> None:
    text = "is:open grop:network"
    assert mistake(text).pointer(text).splitlines()[1] == "        ^^^^"


def test_an_unknown_name_is_a_mistake_with_its_place() -> None:
    wrong = resolve(read("is:open group:nowhere"), CONTEXT, {})
    assert isinstance(wrong, Mistake)
    assert (wrong.at, wrong.length, wrong.unknown) == (14, 7, ("team", "nowhere"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("query", "opened", "holds"),
    [
        # The reader sits in Berlin, one hour ahead of UTC; it is Monday 23 November, 11:00 there.
        ("opened<2d", "2026-11-21T10:00:01Z", True),
        ("opened<2d", "2026-11-21T10:00:00Z", False),
        ("opened<=2d", "2026-11-21T10:00:00Z", True),
        ("opened>2d", "2026-11-21T10:00:00Z", False),
        ("opened>=2d", "2026-11-21T10:00:00Z", True),
        ("opened:2d", "2026-11-21T10:00:00Z", True),
        ("opened:today", "2026-11-22T23:00:00Z", True),
        ("opened:today", "2026-11-22T22:59:59Z", False),
        ("opened<today", "2026-11-22T22:59:59Z", True),
        ("opened>today", "2026-11-23T23:00:00Z", True),
        ("opened:yesterday", "2026-11-21T23:00:00Z", True),
        ("opened:this-week", "2026-11-22T23:00:00Z", True),
        ("opened:last-week", "2026-11-22T22:59:59Z", True),
        ("opened:2026-11", "2026-10-31T23:00:00Z", True),
        ("opened:2026-11-23T11:00", "2026-11-23T10:00:59Z", True),
        ("opened:2026-11-23T11:00", "2026-11-23T10:01:00Z", False),
        ("opened:2026-11-20..2026-11-21", "2026-11-21T22:59:59Z", True),
        ("opened:2026-11-20..2026-11-21", "2026-11-21T23:00:00Z", False),
        ("opened:1d..3d", "2026-11-20T10:00:00Z", True),
        ("opened:1d..3d", "2026-11-22T10:00:01Z", False),
        ("opened:..2026-11-21", "2020-01-01T00:00:00Z", True),
        # The day on which summer time ends has 25 hours.
        ("opened:2026-10-25", "2026-10-25T22:59:59Z", True),
        ("opened:2026-10-25", "2026-10-24T21:59:59Z", False),
    ],
)
def test_relative_and_calendar_times(query: str, opened: str, holds: bool) -> None:
    assert evaluate(plan(read(query).where), {"opened_at": at(opened)}) is holds


def test_a_hold_looks_ahead() -> None:
    until = {"hold_until": at("2026-11-24T10:00:00Z")}
    assert evaluate(plan(read("hold-until<2d").where), until)
    assert not evaluate(plan(read("hold-until<1d").where), until)
    assert evaluate(plan(read("hold-until:tomorrow").where), until)
    assert not evaluate(plan(read("hold-until<2d").where), {"hold_until": None})


def test_a_quoted_word_is_no_keyword() -> None:
    assert names_in(read('assignee:"me",me')) == {("person", "me")}
    assert evaluate(plan(read("category:none").where), {"category": ""})
    assert not evaluate(plan(read('category:"none"').where), {"category": ""})


def test_terms_can_be_taken_away_and_added() -> None:
    query = read("is:open (a OR b) group:network sort:opened")
    assert format_query(query.without(query.terms[1])) == "is:open group:network sort:opened"
    assert format_query(query.also(*read("is:open vpn").terms)) == "is:open (a OR b) group:network vpn sort:opened"


def names(kind: str, start: str, limit: int) -> list[tuple[str, str]]:
    known = {"team": ["Network", "Network operations", "Database"], "category": ["Hardware"]}
    return [(name, kind) for name in known.get(kind, []) if name.casefold().startswith(start.casefold())][:limit]


@pytest.mark.parametrize(
    ("text", "replaced", "first"),
    [
        ("", "", "is:"),
        ("gr", "gr", "group:"),
        ("is:open -gr", "gr", "group:"),
        ("(pri", "pri", "priority:"),
        ("state:o", "o", "open"),
        ("state:new,on", "on", "on-hold"),
        ("is:ag", "ag", "aging"),
        ("has:att", "att", "attachment"),
        ("group:net", "net", "Network"),
        ('group:"network o', '"network o', '"Network operations"'),
        ("group:m", "m", "my-teams"),
        ("assignee:", "", "me"),
        ("opened<t", "t", "today"),
        ("category:ha", "ha", "Hardware"),
        ("is:open sort:-prio", "prio", "priority"),
        ("priority:", "", "1"),
    ],
)
def test_completion(text: str, replaced: str, first: str) -> None:
    completion = complete(text, len(text), names)
    assert text[completion.start : completion.end] == replaced
    assert completion.suggestions[0].text == first


@given(st.text(alphabet='abgrp:-"() ,.<>=!\\is', max_size=20), st.integers(-3, 30))
def test_completion_never_fails_and_replaces_what_stands_before_the_cursor(text: str, cursor: int) -> None:
    completion = complete(text, cursor, names)
    assert 0 <= completion.start <= completion.end <= len(text)
    assert len(completion.suggestions) <= 40


def test_completion_looks_only_at_the_word_before_the_cursor() -> None:
    assert complete("gr is:open", 2, names).suggestions[0].text == "group:"


def test_names_are_unique_and_keys_too() -> None:
    named = [each for declared in fields.FIELDS for each in (declared.name, *declared.aliases)]
    assert len(named) == len(set(named)) and len(fields.BY_KEY) == len(fields.FIELDS)
    assert fields.DEFAULT_COLUMNS == ["number", "priority", "title", "state", "group", "assignee", "due", "opened", "updated"]


def test_the_page_names_every_field_flag_and_calendar_word() -> None:
    page = (Path(__file__).parents[2] / "docs" / "queue-language.md").read_text()
    words = [declared.name for declared in fields.FIELDS]
    words += [f"is:{word}" for word in flags_module.FLAGS] + [f"has:{word}" for word in flags_module.HAS]
    words += literals.CALENDAR_WORDS
    assert [word for word in words if f"`{word}`" not in page] == []


@pytest.mark.parametrize("name", [each.name for each in pkgutil.iter_modules(queue_language.__path__)])
def test_the_examples_in_the_modules_hold(name: str) -> None:
    module = importlib.import_module(f"{queue_language.__name__}.{name}")
    assert doctest.testmod(module).failed == 0
