"""The only writers of problems and of what the miner found."""

from pilothouse.problems.actions.records import gather_incidents, open_problem

__all__ = ["gather_incidents", "open_problem"]
