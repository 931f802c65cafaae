"""The only writers of service levels, a module for each subject; each journals what it did."""

from pilothouse.sla.actions.agreements import add_agreement, change_agreement, reorder_agreements, retire_agreement
from pilothouse.sla.actions.forecasting import end_training, fail_training, request_training
from pilothouse.sla.actions.schedules import add_schedule, change_schedule, retire_schedule, unuse_schedule, use_schedule
from pilothouse.sla.actions.what_ifs import answer_what_if, ask_what_if

__all__ = [
    "add_agreement",
    "add_schedule",
    "answer_what_if",
    "ask_what_if",
    "change_agreement",
    "change_schedule",
    "end_training",
    "fail_training",
    "reorder_agreements",
    "request_training",
    "retire_agreement",
    "retire_schedule",
    "unuse_schedule",
    "use_schedule",
]
