"""The only writers of service levels, a module for each subject; each journals what it did."""

from pilothouse.sla.actions.schedules import add_schedule, change_schedule, retire_schedule, unuse_schedule, use_schedule

__all__ = ["add_schedule", "change_schedule", "retire_schedule", "unuse_schedule", "use_schedule"]
