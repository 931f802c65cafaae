"""What is wrong with a definition, of a schedule or of an agreement; pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong and where, why, and an example of what is right; a warning does not keep a definition from being saved."""

    field: str
    message: str
    hint: str = ""
    is_warning: bool = False


def refusals(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return those that stand in the way of saving."""
    return tuple(problem for problem in problems if not problem.is_warning)


def warnings(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return those that do not."""
    return tuple(problem for problem in problems if problem.is_warning)
