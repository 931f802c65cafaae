"""The only writers of problems and of what the miner found."""

from pilothouse.problems.actions.candidates import (
    dismiss_candidate,
    end_look,
    fail_look,
    request_look,
    restore_candidate,
    take_candidate,
)
from pilothouse.problems.actions.describing import (
    add_task,
    declare_known_error,
    describe_problem,
    link_fix,
    resolve_problem,
    withdraw_known_error,
)
from pilothouse.problems.actions.histories import Fixed, Gathered, PastProblem, record_problem_histories
from pilothouse.problems.actions.judging import judge_fixes
from pilothouse.problems.actions.matching import answer_match, learn_signature, learn_what_is_missing, match_ticket
from pilothouse.problems.actions.records import gather_incidents, open_problem
from pilothouse.problems.actions.watching import keep_watch

__all__ = [
    "Fixed",
    "Gathered",
    "PastProblem",
    "add_task",
    "answer_match",
    "declare_known_error",
    "describe_problem",
    "dismiss_candidate",
    "end_look",
    "fail_look",
    "gather_incidents",
    "judge_fixes",
    "keep_watch",
    "learn_signature",
    "learn_what_is_missing",
    "link_fix",
    "match_ticket",
    "open_problem",
    "record_problem_histories",
    "request_look",
    "resolve_problem",
    "restore_candidate",
    "take_candidate",
    "withdraw_known_error",
]
