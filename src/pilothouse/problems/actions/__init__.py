"""The only writers of problems and of what the miner found."""

from pilothouse.problems.actions.describing import (
    add_task,
    declare_known_error,
    describe_problem,
    link_fix,
    resolve_problem,
    withdraw_known_error,
)
from pilothouse.problems.actions.judging import judge_fixes
from pilothouse.problems.actions.records import gather_incidents, open_problem

__all__ = [
    "add_task",
    "declare_known_error",
    "describe_problem",
    "gather_incidents",
    "judge_fixes",
    "link_fix",
    "open_problem",
    "resolve_problem",
    "withdraw_known_error",
]
