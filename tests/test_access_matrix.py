"""The access matrix: every address of the site, every method, every named person.

tests/access_matrix.py declares what each meets; a new address without a line there fails here. Everybody really requests
everything; what a request changes is rolled back.
"""

import pytest
from django.test import Client

from pilothouse.people.testing import make_people
from tests.access_bodies import BODIES
from tests.access_matrix import TABLE
from tests.access_walk import METHODS, PEOPLE, Line, Visitor, World, addresses, make_world, read_table
from tests.kept import for_the_module

LINES = read_table(TABLE)
pytestmark = pytest.mark.django_db
world = for_the_module(lambda: make_world(make_people()))


def _body(world: World, line: Line) -> object:
    body = BODIES.get((line.method, line.pattern), {})
    return body(world) if callable(body) else body


def test_every_address_has_a_line_and_every_line_an_address() -> None:
    declared = {line.pattern for line in LINES}
    assert sorted(set(addresses()) - declared) == [], "declare what the named people meet there: tests/access_matrix.py"
    assert sorted(declared - set(addresses())) == [], "these addresses are gone"


@pytest.mark.timeout(400)
@pytest.mark.parametrize("who", PEOPLE)
def test_each_person_meets_what_is_declared(world: World, who: str) -> None:
    visitor = Visitor(world.people, who)
    wrong = []
    for line in LINES:
        met, verbs = visitor.ask(line.method, world.path(line.pattern, line.case), _body(world, line))
        if met != line.expected[who]:
            wrong.append(f"{line.method} {line.pattern} {line.case}: {who} met {met}, declared is {line.expected[who]}")
        own = [verb for verb in verbs if not verb.startswith("person.")]  # one's own profile, password, tokens and sign-out
        if who in ("audrey", "anonymous") and own:
            wrong.append(f"{line.method} {line.pattern}: {who} changed something: {own}")
        if line.method == "GET" and verbs:
            wrong.append(f"GET {line.pattern}: reading changed something: {verbs}")
    assert wrong == []


@pytest.mark.timeout(400)
def test_methods_that_are_not_declared_are_refused(world: World) -> None:
    adam = Visitor(world.people, "adam")
    declared = {(line.method, line.pattern) for line in LINES}
    wrong = []
    for pattern in addresses():
        for method in METHODS:
            if (method, pattern) not in declared:
                met, _ = adam.ask(method, world.path(pattern, ""), {})
                if met != 405:
                    wrong.append(f"{method} {pattern}: {met}")
    assert wrong == [], "405 is due"


def test_a_changing_form_from_elsewhere_is_refused(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.people.adam)
    posts = [line for line in LINES if line.method == "POST" and not line.pattern.startswith(("api/", "^api"))]
    met = {line.pattern: client.post(world.path(line.pattern, line.case), {}).status_code for line in posts}
    assert set(met.values()) == {403}, met
