"""The impact walk and the vocabulary of CIs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.cmdb.engine import RELATIONS, Step, attribute_faults, attribute_names, impact_walk

EDGES = [(1, "runs_on", 2), (2, "depends_on", 3), (1, "uses", 3), (3, "connects_to", 1), (9, "uses", 1)]
_EDGES = st.lists(st.tuples(st.integers(1, 8), st.sampled_from(sorted(RELATIONS)), st.integers(1, 8)), max_size=20)


def test_down_is_what_it_needs_and_up_is_what_is_hit() -> None:
    assert [(s.ci, s.depth) for s in impact_walk(1, EDGES, "down")] == [(2, 1), (3, 1)]
    assert [(s.ci, s.depth) for s in impact_walk(2, EDGES, "up")] == [(1, 1), (3, 2), (9, 2)]
    assert impact_walk(2, EDGES, "up")[0] == Step(ci=1, depth=1, via=2, relation="runs_on")
    assert impact_walk(7, EDGES, "down") == []


def test_the_walk_goes_as_deep_as_it_is_told() -> None:
    line = [(n, "depends_on", n + 1) for n in range(1, 20)]
    assert [s.ci for s in impact_walk(1, line, "down", depth=3)] == [2, 3, 4]
    assert impact_walk(1, line, "down", depth=0) == []


@given(edges=_EDGES, start=st.integers(1, 8))
def test_each_ci_comes_once_by_a_shortest_way_and_never_the_start(edges: list[tuple[int, str, int]], start: int) -> None:
    steps = impact_walk(start, edges, "down", depth=20)
    depths = {start: 0} | {step.ci: step.depth for step in steps}
    assert len(depths) == len(steps) + 1
    for source, _, target in edges:
        if source in depths:
            assert depths[target] <= depths[source] + 1
    for step in steps:
        assert depths[step.ci] == depths[step.via] + 1
        assert (step.via, step.relation, step.ci) in edges


@given(edges=_EDGES, start=st.integers(1, 8))
def test_up_is_down_with_every_arrow_turned(edges: list[tuple[int, str, int]], start: int) -> None:
    turned = [(target, relation, source) for source, relation, target in edges]
    assert impact_walk(start, edges, "up") == impact_walk(start, turned, "down")


@pytest.mark.parametrize(
    ("attributes", "faults"),
    [
        ({"os": "Debian", "cpu_cores": 8, "owner": None, "virtual": True}, 0),
        ({"": "x"}, 1),
        ({"x" * 61: "x"}, 1),
        ({"os": 1.5}, 1),
        ({"os": ["a"]}, 1),
        ({"os": "x" * 2001}, 1),
        ({"os": "\x00"}, 1),
        ({"os\x00": "a"}, 1),
        ({"cores": 2**64}, 1),
        ("no mapping", 1),
    ],
)
def test_attributes_are_short_plain_values(attributes: dict[str, object], faults: int) -> None:
    assert len(attribute_faults("server", attributes)) == faults


def test_an_unknown_class_is_a_fault_and_offers_nothing() -> None:
    assert attribute_faults("spaceship", {}) == ["no such class: spaceship"]
    assert attribute_names("spaceship", ["b", "a"]) == ["a", "b"]
    assert attribute_names("printer", ["zz", "ip"])[-1] == "zz"
