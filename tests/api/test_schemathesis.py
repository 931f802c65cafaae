"""schemathesis over the served OpenAPI document: whatever it thinks of, the server never breaks."""

import time
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error

from tests.api.conftest import Rest

SECONDS = 15.0
_EXAMPLES = 12


@pytest.mark.timeout(150)
@pytest.mark.filterwarnings("ignore")  # what schemathesis thinks of its own libraries
def test_no_generated_request_breaks_the_server(rest: Rest) -> None:
    """Every operation gets valid and invalid requests in turn, as an administrator; those of a record reach one that exists."""
    known = {"reference": rest.ana.ticket()["number"], "number": "1", "who": "me", "kind": "ticket", "relationship": "1"}
    schema = schemathesis.openapi.from_url(f"{rest.url}/api/v1/openapi.json")
    plan = [(result.ok(), mode) for result in schema.get_all_operations() for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)]
    assert len(plan) > 80
    of_changes = {**known, "reference": rest.ana.post("/changes", {"title": "Patch"}).json()["number"]}
    end = time.monotonic() + SECONDS
    sent = [
        _probe(rest, operation, mode, of_changes if "/changes/" in operation.path else known, end, len(plan) - at)
        for at, (operation, mode) in enumerate(plan)
    ]
    assert sum(sent) >= len(plan)  # each at least once in each way, however slow the machine


def _probe(rest: Rest, operation: Any, mode: GenerationMode, known: dict[str, str], end: float, left: int) -> int:
    """Send an operation what is generated for it until its share of the time is up; returns how many requests were sent."""
    share = time.monotonic() + max(0.1, (end - time.monotonic()) / left)
    places = {name: value for name, value in known.items() if f"{{{name}}}" in operation.path}
    given_places = {"path_parameters": places} if places and mode is GenerationMode.POSITIVE else {}
    strategy, sent = operation.as_strategy(mode, **given_places), 0
    for number in range(_EXAMPLES):
        if sent and time.monotonic() > share:
            break
        case = _drawn(strategy, number)
        answer = case.call(headers={"Authorization": f"Bearer {rest.adam.token}"}, timeout=30)
        case.validate_response(answer, checks=[not_a_server_error])
        sent += 1
    return sent


def _drawn(strategy: SearchStrategy[Case], number: int) -> Case:
    """Draw one request. Not by @given: schemathesis' generation keeps state, which hypothesis takes for flakiness."""
    cases: list[Case] = []

    @seed(number)
    @settings(max_examples=3, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=strategy)
    def draw(case: Case) -> None:
        cases.append(case)

    draw()
    return cases[-1]  # the first is always the simplest
